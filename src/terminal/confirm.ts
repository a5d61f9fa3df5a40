import {once} from 'node:events'
import {createInterface} from 'node:readline/promises'
import {InterruptedError} from '../model/errors.js'
import {printable} from '../model/printable.js'
import {interruption} from './failure.js'

/** True where somebody can be asked. */
export function canAsk(): boolean {
  return process.stdin.isTTY && process.stderr.isTTY
}

/** Asks on a terminal before something is ended; a script is taken at its word. Throws `INTERRUPTED` on anything but yes. */
export async function confirm(question: string, options: {readonly signal: AbortSignal}): Promise<void> {
  if (!canAsk() || (await ask(question, options))) return
  throw new InterruptedError('INTERRUPTED', {
    what: 'Nothing was done.',
    why: 'You did not answer y.',
    suggestions: ['Answer y, or pass --yes.'],
  })
}

/** Asks on a terminal; true for yes, false also for Ctrl-D. Throws `INTERRUPTED` on Ctrl-C, which a reader of lines hears itself. */
export async function ask(question: string, options: {readonly signal: AbortSignal}): Promise<boolean> {
  const terminal = createInterface({input: process.stdin, output: process.stderr})
  const interrupt = new AbortController()
  terminal.once('SIGINT', () => {
    interrupt.abort()
    terminal.close()
  })
  const closed = once(terminal, 'close').then(() => undefined)
  const answered = terminal.question(`${printable(question)} [y/N] `, options).catch((error: unknown) => {
    if (options.signal.aborted) throw error
    return undefined
  })
  try {
    const answer = await Promise.race([answered, closed])
    if (answer === undefined) process.stderr.write('\n')
    if (interrupt.signal.aborted) throw interruption()
    return /^y(?:es)?$/i.test(answer?.trim() ?? '')
  } finally {
    terminal.close()
  }
}
