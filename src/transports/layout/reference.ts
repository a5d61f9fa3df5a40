import {UsageError} from '../../model/errors.js'
import type {Reference} from '../../model/reference.js'

export const LAYOUT = 'layout'
export const GRAMMAR = 'DIR'

/** Everything behind `layout:` is the folder. Throws `BAD_REFERENCE` for nothing. */
export function parseLayoutLocation(location: string): Reference {
  if (location !== '') return {transport: LAYOUT, path: location}
  throw new UsageError('BAD_REFERENCE', {
    what: "'layout:' needs a folder.",
    suggestions: [`Write layout:${GRAMMAR}.`],
  })
}

export function formatLayoutReference({path}: Reference): string {
  return `${LAYOUT}:${path}`
}
