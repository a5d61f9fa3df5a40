import {
  appendFileSync,
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import {constants} from 'node:os'
import path from 'node:path'
import {setTimeout as wait} from 'node:timers/promises'
import type {Fault} from './shim.js'

/** What someone does to a source while it is read. */
interface Change {
  readonly name: string
  readonly summary: string
  readonly apply: (file: string) => void
}

export const CHANGES: readonly Change[] = [
  {
    name: 'cut',
    summary: 'cut to half',
    apply: (file) => {
      truncateSync(file, Math.floor(statSync(file).size / 2))
    },
  },
  {
    name: 'overwritten',
    summary: 'overwritten in the middle',
    apply: (file) => {
      const handle = openSync(file, 'r+')
      writeSync(handle, Buffer.alloc(4096, 0xa5), 0, 4096, Math.floor(statSync(file).size / 2))
      closeSync(handle)
    },
  },
  {
    name: 'extended',
    summary: 'written on',
    apply: (file) => {
      appendFileSync(file, Buffer.alloc(70_000, 0x41))
    },
  },
  {
    name: 'replaced',
    summary: 'replaced by another file',
    apply: (file) => {
      const bytes = readFileSync(file)
      bytes.fill(0x42, Math.floor(bytes.byteLength / 3), Math.floor(bytes.byteLength / 2))
      writeFileSync(`${file}.new`, bytes)
      renameSync(`${file}.new`, file)
    },
  },
  {
    name: 'removed',
    summary: 'removed',
    apply: (file) => {
      rmSync(file)
    },
  },
]

/** Stops the program, so that the source can be changed in peace. */
export function stopsAtRead(at: number): Fault {
  return {calls: ['read'], at, signal: constants.signals.SIGSTOP}
}

/** Waits until the program has stopped, changes its source, and lets it go on. When it ends before, nothing is done. */
export async function changeSource(pid: number, name: string, source: string): Promise<void> {
  for (;;) {
    const state = stateOfProcess(pid)
    if (state === undefined || state === 'Z') return
    if (state === 'T') break
    await wait(5)
  }
  CHANGES.find((change) => change.name === name)?.apply(largestFile(source))
  process.kill(pid, 'SIGCONT')
}

function stateOfProcess(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[0]
  } catch {
    return undefined
  }
}

/** The source itself, or in a folder the largest file: one of the payload's. */
function largestFile(source: string): string {
  if (statSync(source).isFile()) return source
  const files = readdirSync(source, {recursive: true, encoding: 'utf8'})
    .map((name) => path.join(source, name))
    .filter((file) => statSync(file).isFile())
  return files.reduce((largest, file) => (statSync(file).size > statSync(largest).size ? file : largest))
}
