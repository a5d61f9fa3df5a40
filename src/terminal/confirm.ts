import {createInterface} from 'node:readline/promises'
import {InterruptedError} from '../model/errors.js'
import {printable} from '../model/printable.js'

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

/** Asks on a terminal; true for yes. */
export async function ask(question: string, options: {readonly signal: AbortSignal}): Promise<boolean> {
  const terminal = createInterface({input: process.stdin, output: process.stderr})
  try {
    const answer = await terminal.question(`${printable(question)} [y/N] `, {signal: options.signal})
    return /^y(?:es)?$/i.test(answer.trim())
  } finally {
    terminal.close()
  }
}
