import {InputError, TransshipError, type ErrorCode, type ErrorDetails} from './errors.js'

/*
 * Where verifying ends in an error, and where in faults, is decided here for all transports: an error (exit 3) where the
 * reference leads to nothing, to something else than it says, or to a form that is not handled; faults (exit 1) where
 * what it leads to is recognised and damaged.
 */

const CODES: ReadonlySet<ErrorCode> = new Set([
  'NOT_FOUND',
  'UNRECOGNISED_FORMAT',
  'FORMAT_UNSUPPORTED',
  'PLATFORM_UNSUPPORTED',
])

/** The error of content of which too little is there to know it for what it should be; its code may be that of any cut. */
export class UnknowableError extends InputError {
  constructor(code: ErrorCode, details: ErrorDetails) {
    super(code, details)
    this.name = InputError.name
  }
}

/** True for the error of a reference that leads to nothing that could be verified. */
export function isNoSuchThing(error: unknown): boolean {
  return error instanceof UnknowableError || (error instanceof TransshipError && CODES.has(error.code))
}
