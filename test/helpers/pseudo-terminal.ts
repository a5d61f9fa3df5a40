import {spawn} from 'node:child_process'
import {once} from 'node:events'
import path from 'node:path'
import {text} from 'node:stream/consumers'
import {MAIN} from './run-cli.js'
import {PROJECT} from './snapshot.js'

const SCRIPT = path.join(PROJECT, 'test', 'helpers', 'pseudo-terminal.py')

/** One thing that is done to the program: when the screen holds `after` (or anything), and `delayMs` later. */
export interface TerminalStep {
  readonly after?: string
  readonly delayMs?: number
  readonly act: 'ctrl-c' | 'hangup' | 'type' | 'SIGTERM' | 'SIGINT' | 'SIGHUP'
  /** What is typed. */
  readonly text?: string
}

export interface TerminalRun {
  /** All that was written to the terminal, escape sequences too. */
  readonly screen: string
  /** Null when a signal ended it. */
  readonly exit: number | null
  readonly signal: number | null
  /** How many of the steps were done before it ended. */
  readonly acted: number
  /** From the first byte on the screen to the end. */
  readonly seconds: number
}

export interface TerminalOptions {
  readonly columns?: number
  readonly steps?: readonly TerminalStep[]
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  /** A file that standard error goes to instead of the terminal. */
  readonly errors?: string
}

/** Runs `transship` in a pseudo terminal made by Python's `pty`; all three streams are the terminal, unless `errors` is given. */
export async function runInTerminal(args: readonly string[], options: TerminalOptions = {}): Promise<TerminalRun> {
  const {NODE_ENV: _, SOURCE_DATE_EPOCH: __, CI: ___, NO_COLOR: ____, ...inherited} = process.env
  const {columns = 80, steps = [], errors} = options
  const redirected = errors === undefined ? [] : ['sh', '-c', 'errors=$1; shift; exec "$@" 2>"$errors"', 'sh', errors]
  const want = {columns, rows: 24, steps, argv: [...redirected, process.execPath, MAIN, ...args], timeoutSeconds: 120}
  const child = spawn('python3', [SCRIPT, JSON.stringify(want)], {
    cwd: options.cwd,
    env: {...inherited, TERM: 'xterm', ...options.env},
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [out] = await Promise.all([text(child.stdout), once(child, 'close')])
  const {screen, ...run} = JSON.parse(out) as TerminalRun
  return {...run, screen: Buffer.from(screen, 'base64').toString('utf8')}
}
