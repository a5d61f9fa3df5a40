import {InputError, type ErrorCode} from '../../model/errors.js'

/** A fault of a zip at a byte of it; `title` is the file as the user knows it. */
export function zipFault(title: string, why: string, offset?: number, code: ErrorCode = 'ARCHIVE_CORRUPT'): InputError {
  return new InputError(code, {
    what:
      code === 'ARCHIVE_TRUNCATED'
        ? 'The package is cut short.'
        : 'The package is damaged or breaks the rules of its format.',
    why,
    suggestions: ['Export or download it again.'],
    at: {path: title, ...(offset === undefined ? {} : {offset})},
  })
}
