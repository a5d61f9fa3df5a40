import {fork, type ChildProcess} from 'node:child_process'
import {existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import path from 'node:path'
import {MAX_SECONDS, type Find} from './judge.js'
import type {Order, Progress} from './worker.js'

export interface RunOptions {
  readonly seed: number
  readonly from?: number
  readonly cases?: number
  readonly minutes?: number
  readonly onFind?: (find: Find) => void
}

export interface ParserCount {
  readonly parser: string
  readonly cases: number
  readonly accepted: number
  readonly refused: number
  readonly seconds: number
  readonly finds: readonly Find[]
}

const WORKER = path.join(import.meta.dirname, 'worker.js')
/** Of V8; buffers come on top. A process that reaches it dies, which is a find. */
const HEAP_MIB = 384
/** By the clock: the machine may have much else to do. */
const MAX_WAIT_SECONDS = 90
/** Beyond this the process is ended before the machine suffers. */
const MAX_RSS_MIB = 1024
/** More of a kind than this tell nothing new. */
const MAX_FINDS = 25
/** A memory file system where there is one: thousands of inputs go through files. */
const ROOT = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()

/** Runs one parser's mutants until the time or the cases are over; goes on behind one that ends its process. */
export async function runParser(parser: string, options: RunOptions): Promise<ParserCount> {
  const {seed, from = 0, cases = Infinity, minutes = Infinity, onFind} = options
  const startMs = Date.now()
  const untilMs = minutes === Infinity ? Number.MAX_SAFE_INTEGER : startMs + minutes * 60_000
  const end = cases === Infinity ? Number.MAX_SAFE_INTEGER : from + cases
  const finds: Find[] = []
  const counts = {accepted: 0, refused: 0}
  let next = from
  while (next < end && Date.now() < untilMs && finds.length < MAX_FINDS) {
    const scratch = mkdtempSync(path.join(ROOT, 'transship-fuzz-'))
    try {
      const ended = await runProcess({parser, seed, from: next, end, untilMs, scratch}, (find) => {
        finds.push(find)
        onFind?.(find)
        return finds.length < MAX_FINDS
      })
      counts.accepted += ended.accepted
      counts.refused += ended.refused
      next = ended.next
    } finally {
      rmSync(scratch, {recursive: true, force: true, maxRetries: 3})
    }
  }
  return {parser, cases: next - from, ...counts, seconds: (Date.now() - startMs) / 1000, finds}
}

function runProcess(
  order: Order,
  onFind: (find: Find) => boolean,
): Promise<{readonly accepted: number; readonly refused: number; readonly next: number}> {
  const temporary = path.join(order.scratch, 'tmp')
  mkdirSync(temporary)
  const child = fork(WORKER, [], {
    execArgv: [`--max-old-space-size=${HEAP_MIB}`],
    env: {...process.env, TMPDIR: temporary, TRANSSHIP_CONFIG: '', DOCKER_CONFIG: temporary},
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  let said = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-4000)
  })
  let last = {accepted: 0, refused: 0, next: order.from}
  let isDone = false
  let isTold = false
  const found = (kind: Find['kind'], what: string, number: number) => {
    last = {...last, next: number + 1}
    isTold = true
    onFind({parser: order.parser, seed: order.seed, number, kind, what})
  }
  return new Promise((resolve, reject) => {
    child.on('message', ({kind, find, accepted, refused, next}: Progress) => {
      last = {accepted, refused, next}
      if (kind === 'done') isDone = true
      else if (find !== undefined) {
        isTold = find.what.startsWith('not caught')
        if (!onFind(find)) child.kill('SIGKILL')
      }
    })
    const stop = watch(child, order, found)
    child.on('error', reject)
    child.on('close', (code, signal) => {
      stop()
      if (!isDone && !isTold && !child.killed) {
        const number = caseAt(order)
        if (number === undefined) {
          reject(new Error(`${order.parser} does not get ready: ${said}`))
          return
        }
        found('died', `its process ended with ${signal ?? String(code)}: ${said.slice(-800)}`, number)
      }
      resolve(last)
    })
    child.send(order)
  })
}

function caseAt({scratch}: Order): number | undefined {
  const file = path.join(scratch, 'at')
  if (!existsSync(file)) return undefined
  const bytes = readFileSync(file)
  return bytes.byteLength === 8 ? bytes.readDoubleLE(0) : undefined
}

/** Ends a process whose case takes too long, by its own work or by the clock, or too much memory. */
function watch(
  child: ChildProcess,
  order: Order,
  found: (kind: Find['kind'], what: string, number: number) => void,
): () => void {
  let [lastCase, sinceMs, sinceCpu] = [-1, Date.now(), 0]
  const timer = setInterval(() => {
    const number = caseAt(order)
    if (number === undefined) return
    const cpu = cpuSeconds(child)
    if (number !== lastCase) [lastCase, sinceMs, sinceCpu] = [number, Date.now(), cpu]
    if (cpu - sinceCpu > MAX_SECONDS) {
      found('hang', `it works for more than ${MAX_SECONDS} s`, number)
      child.kill('SIGKILL')
    } else if ((Date.now() - sinceMs) / 1000 > MAX_WAIT_SECONDS) {
      found('hang', `it waits for more than ${MAX_WAIT_SECONDS} s`, number)
      child.kill('SIGKILL')
    } else if (rssMiB(child) > MAX_RSS_MIB) {
      found('memory', `its process has more than ${MAX_RSS_MIB} MiB`, number)
      child.kill('SIGKILL')
    }
  }, 500)
  return () => {
    clearInterval(timer)
  }
}

/** Of all its threads, in user mode and in the system's. Source: proc(5), fields 14 and 15, in ticks of 10 ms. */
function cpuSeconds({pid}: ChildProcess): number {
  try {
    const fields =
      readFileSync(`/proc/${pid ?? 0}/stat`, 'utf8')
        .split(') ')[1]
        ?.split(' ') ?? []
    return (Number(fields[11]) + Number(fields[12])) / 100
  } catch {
    return 0
  }
}

function rssMiB({pid}: ChildProcess): number {
  try {
    const status = readFileSync(`/proc/${pid ?? 0}/status`, 'utf8')
    return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024
  } catch {
    return 0
  }
}
