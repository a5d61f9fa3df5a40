import {UsageError} from '../../model/errors.js'
import type {Reference} from '../../model/reference.js'

export const RUNTIME = 'runtime'
export const GRAMMAR = 'LAYERDIR'

/** Everything behind `runtime:` is the folder of a runtime layer. Throws `BAD_REFERENCE` for nothing. */
export function parseRuntimeLocation(location: string): Reference {
  if (location !== '') return {transport: RUNTIME, path: location}
  throw new UsageError('BAD_REFERENCE', {
    what: "'runtime:' needs the folder of a layer.",
    suggestions: [`Write runtime:${GRAMMAR}.`],
  })
}

export function formatRuntimeReference({path}: Reference): string {
  return `${RUNTIME}:${path}`
}
