import {InputError} from '../../model/errors.js'
import type {Layer} from '../../model/image.js'

/** The error for a layer that a package needs and the source only names. */
export function absentContent({title, absence, blob, package: known}: Layer): InputError {
  const isForeign = blob?.descriptor.urls !== undefined
  return new InputError(known === undefined ? 'LAYER_MISSING' : 'DEPENDENCY_MISSING', {
    what: `The source does not contain the content of ${title}.`,
    why: absence ?? (isForeign ? 'It is a foreign layer, stored elsewhere.' : 'The source only names it.'),
    suggestions: ['Pass --base REFERENCE with an image that contains it.'],
    at: {path: title},
  })
}

/** The error for a layer in whose place something else lies; `title` is how the reader knows it. */
export function mismatchedContent(layer: Layer, title = layer.title): InputError {
  return dependencyError(title, {isMismatch: true, why: layer.absence ?? 'The payload is different.'})
}

/** The error for what something builds on and cannot be had: it is missing, or something else lies in its place. */
export function dependencyError(
  title: string,
  {isMismatch, why}: {readonly isMismatch: boolean; readonly why: string},
): InputError {
  return isMismatch
    ? new InputError('DEPENDENCY_MISMATCH', {
        what: `${title} has a different payload from the one that was built on.`,
        why,
        suggestions: [
          'Pass --base REFERENCE with the package or image that it was made on.',
          'Pass --accept-base-mismatch to use it anyway. The changes may not fit.',
        ],
        at: {path: title},
      })
    : new InputError('DEPENDENCY_MISSING', {
        what: `The content of ${title} is missing.`,
        why,
        suggestions: ['Pass --base REFERENCE with the package or image that contains it.'],
        at: {path: title},
      })
}
