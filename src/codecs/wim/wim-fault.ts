import {InputError, UnsupportedError, type ErrorCode} from '../../model/errors.js'

const SUGGESTIONS: readonly string[] = ['Copy or download the file again, then retry.']

/** The fault of a Windows image file that is not what it claims to be. `offset` is in bytes from the start of the file. */
export function wimFault(why: string, offset?: number, code: ErrorCode = 'ARCHIVE_CORRUPT'): InputError {
  return new InputError(code, {
    what: 'The Windows image file is damaged.',
    why,
    suggestions: SUGGESTIONS,
    at: {...(offset === undefined ? {} : {offset})},
  })
}

/** The fault of a well-formed file with something in it that transship does not read. */
export function wimUnsupported(what: string, suggestion: string): UnsupportedError {
  return new UnsupportedError('FORMAT_UNSUPPORTED', {what, suggestions: [suggestion]})
}

/** The fault of a size beyond what is read; the limits are far above anything seen. */
export function wimLimit(what: string, why: string): UnsupportedError {
  return new UnsupportedError('LIMIT_EXCEEDED', {what, why})
}
