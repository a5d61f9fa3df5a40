import {asTransshipError, InternalError, TransshipError} from '../model/errors.js'
import type {ItemFailure} from './batch-report.js'

/** Anything thrown by the work on an item as an error of ours. */
export function asItemError(error: unknown): TransshipError {
  const known = asTransshipError(error, {})
  if (known instanceof TransshipError) return known
  return new InternalError('INTERNAL', {
    what: 'transship hit an internal error.',
    why: error instanceof Error ? `${error.name}: ${error.message}` : String(error),
    suggestions: ['Please report this with the output of `transship convert` for this source and destination.'],
    cause: error,
  })
}

/** An error as data, with its place in the first sentence. */
export function failureOf({code, exitCode, what, why, suggestions, at}: TransshipError): ItemFailure {
  const place = [at.reference, at.path].filter((part) => part !== undefined && !what.includes(part)).join(': ')
  const offset = at.offset === undefined ? '' : ` (offset ${at.offset})`
  return {
    code,
    exitCode,
    what: place === '' && offset === '' ? what : `${what} [${place}${offset}]`,
    ...(why === undefined ? {} : {why}),
    suggestions,
  }
}
