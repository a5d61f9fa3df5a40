import {InputError} from '../../model/errors.js'
import type {Layer} from '../../model/image.js'

/** The error for a layer that a package needs and the source only names. */
export function absentContent({title, absence, blob, package: known}: Layer): InputError {
  const isForeign = blob?.descriptor.urls !== undefined
  return new InputError(known === undefined ? 'LAYER_MISSING' : 'DEPENDENCY_MISSING', {
    what: `The content of ${title} is not in the source.`,
    why: absence ?? (isForeign ? 'It is a foreign layer kept elsewhere.' : 'It is only named.'),
    suggestions: ['Give --base REFERENCE with an image that holds it.'],
    at: {path: title},
  })
}

/** The error for what something builds on and cannot be had: it is missing, or something else lies in its place. */
export function dependencyError(
  title: string,
  {isMismatch, why}: {readonly isMismatch: boolean; readonly why: string},
): InputError {
  return isMismatch
    ? new InputError('DEPENDENCY_MISMATCH', {
        what: `${title} is not what was built on: another payload lies under its name.`,
        why,
        suggestions: [
          'Give --base REFERENCE with the package or image that it was made on.',
          'Give --accept-base-mismatch to take it all the same: the changes may not fit it.',
        ],
        at: {path: title},
      })
    : new InputError('DEPENDENCY_MISSING', {
        what: `The content of ${title} is missing.`,
        why,
        suggestions: ['Give --base REFERENCE with the package or image that holds it.'],
        at: {path: title},
      })
}
