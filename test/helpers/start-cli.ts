import {spawn, type ChildProcess} from 'node:child_process'
import {once} from 'node:events'
import {MAIN} from './run-cli.js'

/** A `transship` that runs beside the test. */
export interface RunningCli {
  readonly child: ChildProcess
  /** What it wrote so far. */
  readonly said: () => string
  /** The same of stdout alone. */
  readonly out: () => string
  /** Its exit code, or the name of the signal that ended it. */
  readonly ended: Promise<number | string>
}

/** Starts it without a terminal. Its caller ends it, or waits for its end. */
export function startCli(args: readonly string[], env: Readonly<Record<string, string>> = {}): RunningCli {
  const {NODE_ENV: _, SOURCE_DATE_EPOCH: __, ...inherited} = process.env
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: {...inherited, NO_COLOR: '1', ...env},
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let [said, out] = ['', '']
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      said += chunk.toString('utf8')
      if (stream === child.stdout) out += chunk.toString('utf8')
    })
  }
  const ended = once(child, 'close').then(() => child.exitCode ?? child.signalCode ?? '')
  return {child, said: () => said, out: () => out, ended}
}
