import {
  EnvironmentError,
  InputError,
  InternalError,
  InterruptedError,
  LossError,
  TransshipError,
  UnsupportedError,
  UsageError,
  type ErrorCode,
  type ErrorPlace,
} from '../model/errors.js'

/** A structured clone keeps of our errors neither their class nor their fields, so these go as plain data. */
interface PackedError {
  readonly kind: string
  readonly code: ErrorCode
  readonly what: string
  readonly why: string | undefined
  readonly suggestions: readonly string[]
  readonly at: ErrorPlace
  readonly cause: unknown
}

const KINDS = {UsageError, InputError, UnsupportedError, LossError, EnvironmentError, InterruptedError, InternalError}

/** Of an error of the system, what `findSystemCode` and a reader of the message need. */
interface PackedSystemError {
  readonly message: string
  readonly systemCode: string | undefined
  readonly stack: string | undefined
}

/** An error as data that passes between threads. */
export function packError(error: unknown): unknown {
  if (error instanceof TransshipError) {
    const {code, what, why, suggestions, at, cause} = error
    const kind = Object.entries(KINDS).find(([, known]) => error instanceof known)?.[0] ?? 'InternalError'
    const packed: PackedError = {
      kind,
      code,
      what,
      why,
      suggestions,
      at,
      cause: cause === undefined ? cause : packError(cause),
    }
    return packed
  }
  if (!(error instanceof Error)) return {message: String(error), systemCode: undefined, stack: undefined}
  const systemCode = 'code' in error && typeof error.code === 'string' ? error.code : undefined
  const packed: PackedSystemError = {message: error.message, systemCode, stack: error.stack}
  return packed
}

/** The error that `packError` has packed: of the same class, code and words. */
export function unpackError(packed: unknown): Error {
  if (isPackedError(packed)) {
    const {kind, code, what, why, suggestions, at, cause} = packed
    const details = {
      what,
      ...(why === undefined ? {} : {why}),
      suggestions,
      at,
      ...(cause === undefined ? {} : {cause: unpackError(cause)}),
    }
    return new KINDS[kind as keyof typeof KINDS](code, details)
  }
  const {message, systemCode, stack} = packed as PackedSystemError
  const error = new Error(message)
  if (stack !== undefined) error.stack = stack
  return systemCode === undefined ? error : Object.assign(error, {code: systemCode})
}

function isPackedError(packed: unknown): packed is PackedError {
  return typeof packed === 'object' && packed !== null && 'kind' in packed
}
