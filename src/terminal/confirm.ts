import {createInterface} from 'node:readline/promises'
import {InterruptedError} from '../model/errors.js'
import {printable} from '../model/printable.js'

/** True where somebody can be asked. */
export function canAsk(): boolean {
  return process.stdin.isTTY && process.stderr.isTTY
}

/** Asks on a terminal before something is ended; a script is taken at its word. Throws `INTERRUPTED` on anything but yes. */
export async function confirm(question: string, options: {readonly signal: AbortSignal}): Promise<void> {
  if (!canAsk()) return
  const terminal = createInterface({input: process.stdin, output: process.stderr})
  try {
    const answer = await terminal.question(`${printable(question)} [y/N] `, {signal: options.signal})
    if (/^y(?:es)?$/i.test(answer.trim())) return
  } finally {
    terminal.close()
  }
  throw new InterruptedError('INTERRUPTED', {
    what: 'Nothing was done.',
    why: 'It was not confirmed.',
    suggestions: ['Answer y, or give --yes.'],
  })
}
