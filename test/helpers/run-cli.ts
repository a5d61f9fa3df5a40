import {spawn} from 'node:child_process'
import path from 'node:path'
import {once} from 'node:events'

/** The built command line, as npm's `bin` starts it. */
export const MAIN = path.resolve(import.meta.dirname, '../../src/main.js')

export interface CliResult {
  readonly code: number | null
  readonly stdout: Buffer
  readonly stderr: string
}

export interface CliOptions {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  readonly stdin?: Uint8Array
  /** Sent as soon as the command has written something to stderr that holds `after`. */
  readonly signal?: {readonly name: NodeJS.Signals; readonly after: string}
}

/** Runs `transship` in a process of its own, without a terminal, and gives what it wrote and how it ended. */
export async function runCli(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  const {NODE_ENV: _, SOURCE_DATE_EPOCH: __, ...inherited} = process.env
  const child = spawn(process.execPath, [MAIN, ...args], {
    cwd: options.cwd,
    env: {...inherited, NO_COLOR: '1', ...options.env},
  })
  const stdout: Buffer[] = []
  let stderr = ''
  let isSignalled = false
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString('utf8')
    if (options.signal === undefined || isSignalled || !stderr.includes(options.signal.after)) return
    isSignalled = true
    child.kill(options.signal.name)
  })
  // A command that refuses its arguments ends before it has read what it is given.
  child.stdin.on('error', () => undefined)
  if (options.signal === undefined) child.stdin.end(options.stdin)
  else child.stdin.write(options.stdin ?? '')
  await once(child, 'close')
  return {code: child.exitCode, stdout: Buffer.concat(stdout), stderr}
}

/** Runs `transship … --json` and parses the one document on stdout. */
export async function runJson(args: readonly string[], options: CliOptions = {}): Promise<CliResult & {json: unknown}> {
  const result = await runCli([...args, '--json'], options)
  return {...result, json: JSON.parse(result.stdout.toString('utf8'))}
}
