import {spawn} from 'node:child_process'
import {once} from 'node:events'
import {mkdirSync, readdirSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import type {Context} from 'mocha'
import {startContainerd, type ContainerdHost} from '../../helpers/containerd-host.js'
import {findTool} from '../../helpers/tools.js'
import {writeInput, type Forms} from './input.js'

export const TOOLS = ['skopeo', 'podman', 'ctr', 'umoci', 'tar', 'bsdtar'] as const
export type Tool = (typeof TOOLS)[number]

/** What another tool made of an input; undefined = it does not read that format. */
export type ToolVerdict = 'refuses' | 'accepts' | 'hangs' | 'writes outside'

const MAX_SECONDS = 60
/** Of one file that a tool writes, in blocks of 1 KiB. */
const LIMITS = 'ulimit -f 600000;'

interface Command {
  readonly program: string
  readonly args: readonly string[]
}

/** Runs a tool on an input in a folder of its own. */
export async function runTool(
  tool: Tool,
  forms: Forms,
  {folder, containerd}: {readonly folder: string; readonly containerd: ContainerdHost | undefined},
): Promise<ToolVerdict | undefined> {
  if (findTool(tool) === undefined) return undefined
  const place = path.join(folder, 'a', 'b')
  const out = path.join(place, 'o')
  mkdirSync(out, {recursive: true})
  const command = commandOf(tool, forms, {folder: place, out, containerd})
  if (command === undefined) return undefined
  const before = strangers(folder)
  const quoted = [command.program, ...command.args].map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ')
  const child = spawn('bash', ['-c', `${LIMITS} exec ${quoted}`], {cwd: out, stdio: 'ignore', detached: true})
  const stopped = new AbortController()
  const timer = setTimeout(() => {
    stopped.abort()
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
  }, MAX_SECONDS * 1000)
  const [code] = (await once(child, 'close')) as [number | null]
  clearTimeout(timer)
  if (stopped.signal.aborted) return 'hangs'
  if (strangers(folder) !== before) return 'writes outside'
  return code === 0 ? 'accepts' : 'refuses'
}

/** What lies around the folder that a tool writes to. */
function strangers(folder: string): string {
  return [folder, path.join(folder, 'a'), path.join(folder, 'a', 'b')]
    .map((at) => readdirSync(at).sort().join(','))
    .join(';')
}

function commandOf(
  tool: Tool,
  {tar, archive, layout}: Forms,
  {
    folder,
    out,
    containerd,
  }: {readonly folder: string; readonly out: string; readonly containerd: ContainerdHost | undefined},
): Command | undefined {
  const put = (name: string, bytes: Uint8Array): string => {
    const file = path.join(folder, name)
    writeFileSync(file, bytes)
    return file
  }
  const layoutIn = (): string => {
    const at = path.join(folder, 'layout')
    writeInput(at, {files: layout ?? {}})
    return at
  }
  switch (tool) {
    case 'tar':
    case 'bsdtar':
      return tar === undefined ? undefined : {program: tool, args: ['-xf', put('layer.tar', tar), '-C', out]}
    case 'skopeo':
      if (archive !== undefined)
        return {
          program: tool,
          args: ['copy', '--insecure-policy', `docker-archive:${put('image.tar', archive)}`, `dir:${out}`],
        }
      return layout === undefined
        ? undefined
        : {program: tool, args: ['copy', '--insecure-policy', `oci:${layoutIn()}`, `dir:${out}`]}
    case 'podman': {
      if (archive === undefined) return undefined
      const store = [`--root=${out}/root`, `--runroot=${out}/u`, '--storage-driver=vfs', '--cgroup-manager=cgroupfs']
      return {program: tool, args: [...store, 'load', '--quiet', '--input', put('image.tar', archive)]}
    }
    case 'ctr': {
      if (archive === undefined || containerd === undefined) return undefined
      const file = put('image.tar', archive)
      return {
        program: tool,
        args: [
          '-a',
          containerd.socket,
          '-n',
          `n${path.basename(path.resolve(folder, '../..'))}`,
          'images',
          'import',
          '--all-platforms',
          '--no-unpack',
          file,
        ],
      }
    }
    case 'umoci':
      if (layout === undefined) return undefined
      return {program: tool, args: ['unpack', '--rootless', '--image', `${layoutIn()}:app`, path.join(out, 'bundle')]}
  }
}

/** A containerd for the whole run; undefined where none can be started. */
export async function containerdForTools(): Promise<ContainerdHost | undefined> {
  const skipping = {
    skip: () => {
      throw new Error('containerd cannot be started here')
    },
  }
  try {
    return await startContainerd(skipping as unknown as Context)
  } catch (error) {
    console.error(String(error))
    return undefined
  }
}
