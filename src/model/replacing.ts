import {InputError, type ErrorPlace} from './errors.js'
import {trace} from './trace.js'

/*
 * The one rule of what becomes of something that is there already, for every destination:
 * - what is equal stays, and is told as unchanged, whether or not it may be replaced;
 * - what differs is refused, unless it may be replaced;
 * - what others were made on is refused even then: they would lie on something they do not fit.
 * Source: design, section 8.
 */

/** What is in the place of something that is to be written, and differs. */
export interface Occupant {
  /** One sentence that says what is there. */
  readonly what: string
  /** How the two differ. */
  readonly why?: string
  readonly at: ErrorPlace
  /** `IDENTITY_CLASH` of packages, `DESTINATION_EXISTS` of all else. */
  readonly code?: 'DESTINATION_EXISTS' | 'IDENTITY_CLASH'
  /** Ways out that leave it alone. */
  readonly instead: readonly string[]
  /** What was made on it and would not fit what is to be written. */
  readonly neededBy?: readonly string[]
  /** False: it is not replaced at all, whatever is asked for. */
  readonly isReplaceable?: boolean
}

/** Lets the occupant be replaced, or throws `DESTINATION_EXISTS` or `IDENTITY_CLASH`. Never advises what breaks something else. */
export function requireReplaceable(occupant: Occupant, replace: boolean): void {
  const {neededBy = [], isReplaceable = true} = occupant
  const isReplaced = replace && isReplaceable && neededBy.length === 0
  trace('decision', () => {
    const reasons = [replace ? '--replace' : 'no --replace', isReplaceable ? '' : 'never replaceable', ...neededBy]
    return `${isReplaced ? 'replace' : 'keep'} ${JSON.stringify(occupant.at)} (${reasons.filter(Boolean).join(', ')}): ${occupant.what}`
  })
  if (isReplaced) return
  throw occupied(occupant)
}

/** The error for a place that is not given up. */
export function occupied({what, why, at, code, instead, neededBy = [], isReplaceable = true}: Occupant): InputError {
  const needs =
    neededBy.length === 0
      ? undefined
      : `It cannot be replaced, because ${neededBy.length === 1 ? 'another package was made on it and fits' : `${neededBy.length} packages were made on it and fit`} no other: ${neededBy.slice(0, 20).join(', ')}${neededBy.length > 20 ? ' …' : ''}.`
  const reasons = [why, needs].filter((reason) => reason !== undefined)
  return new InputError(code ?? 'DESTINATION_EXISTS', {
    what,
    ...(reasons.length === 0 ? {} : {why: reasons.join(' ')}),
    suggestions: [...instead, ...(needs === undefined && isReplaceable ? ['Pass --replace to overwrite it.'] : [])],
    at,
  })
}
