import {TransshipError} from '../../../src/model/errors.js'
import {Disproved, type Outcome, type PreparedParser} from './parser.js'
import {Random} from './random.js'

/** Which mutant: the same three give the same bytes on every machine. */
export interface Case {
  readonly parser: string
  readonly seed: number
  readonly number: number
}

export const MAX_SECONDS = 10
export const MAX_GROWTH_MIB = 256

/** What is wrong, and where in the code. */
export interface Find extends Case {
  readonly kind: 'crash' | 'hang' | 'memory' | 'disproved' | 'died'
  readonly what: string
}

export function inputOf(prepared: PreparedParser, {parser, seed, number}: Case): Buffer | Promise<Buffer> {
  return prepared.make(new Random(parser, seed, number))
}

/** Whether it was accepted or refused, or what was found. A hang is the watchdog's to find. */
export async function judge(prepared: PreparedParser, input: Buffer): Promise<Outcome | Pick<Find, 'kind' | 'what'>> {
  const before = process.resourceUsage().maxRSS
  let outcome: Outcome | Pick<Find, 'kind' | 'what'> = 'accepted'
  try {
    await prepared.run(input)
  } catch (error) {
    if (error instanceof Disproved) outcome = {kind: 'disproved', what: stackOf(error)}
    else if (!(error instanceof TransshipError) || error.exitCode === 70)
      outcome = {kind: 'crash', what: stackOf(error)}
    else outcome = 'refused'
  }
  const growth = (process.resourceUsage().maxRSS - before) / 1024
  if (growth > MAX_GROWTH_MIB && typeof outcome === 'string')
    return {kind: 'memory', what: `the process grew by ${Math.round(growth)} MiB`}
  return outcome
}

export function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const cause = error.cause === undefined ? '' : `\ncaused by ${stackOf(error.cause)}`
  return (error.stack ?? error.message).split('\n').slice(0, 8).join('\n') + cause
}
