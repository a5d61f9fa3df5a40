import {hidePasswords} from './hidden-password.js'

/**
 * Every stable error code, grouped by exit code. `docs/errors.md` explains each one.
 * A code is never renamed or reused: scripts branch on it.
 */
export const ERROR_CODES = [
  // usage: exit 2
  'BAD_REFERENCE',
  'BAD_OPTION',
  'AMBIGUOUS_SELECTION',
  'PLAN_INVALID',
  // input: exit 3
  'NOT_FOUND',
  'UNRECOGNISED_FORMAT',
  'ARCHIVE_TRUNCATED',
  'ARCHIVE_CORRUPT',
  'ARCHIVE_CONTRADICTORY',
  'MANIFEST_MISSING',
  'MANIFEST_INVALID',
  'CONFIG_MISSING',
  'CONFIG_INVALID',
  'LAYER_MISSING',
  'DIGEST_MISMATCH',
  'SIZE_MISMATCH',
  'LAYER_CORRUPT',
  'NAME_UNSAFE',
  'NAME_RESERVED',
  'NAME_COLLISION',
  'DUPLICATE_ENTRY',
  'LINK_TARGET_MISSING',
  'METADATA_INVALID',
  'PACKAGE_INCOMPLETE',
  'DEPENDENCY_MISSING',
  'DEPENDENCY_CYCLE',
  'DEPENDENCY_MISMATCH',
  'IDENTITY_CLASH',
  'IDENTITY_INVALID',
  'CARRIER_CORRUPT',
  'REPARSE_CORRUPT',
  'DESCRIPTOR_CORRUPT',
  'ATTRIBUTES_CORRUPT',
  'TOMBSTONES_CORRUPT',
  'HIVE_CORRUPT',
  'HIVE_DIRTY',
  'HIVE_CONFLICT',
  'RECIPE_CORRUPT',
  'LIMIT_EXCEEDED',
  'PLATFORM_UNSUPPORTED',
  'FORMAT_UNSUPPORTED',
  'LOSS_REFUSED',
  'DESTINATION_EXISTS',
  // environment: exit 4
  'NO_ACCESS',
  'NO_SPACE',
  'NAME_TOO_LONG',
  'IO_FAILED',
  'LOCKED',
  'TOOL_MISSING',
  'WINDOWS_ONLY',
  'ENGINE_UNAVAILABLE',
  'ENGINE_UNSUPPORTED',
  'ENGINE_REFUSED',
  'WRONG_ENGINE_OS',
  'NETWORK_FAILED',
  'TIMED_OUT',
  'UNAUTHORIZED',
  'INTERRUPTED',
  // ours: exit 70
  'INTERNAL',
] as const
/** Stable codes of errors, explained in `docs/errors.md`. */
export type ErrorCode = (typeof ERROR_CODES)[number]

/** Where in the input a fault was found, as far as known. */
export interface ErrorPlace {
  /** The reference as the user typed it. */
  readonly reference?: string
  /** File of the source, layer or entry, outermost first, e.g. `image.tar`, `layer 2`, `Files/a.txt`. */
  readonly path?: string
  /** Byte offset inside the innermost file named in `path`. */
  readonly offset?: number
}

export interface ErrorDetails {
  /** What went wrong, one sentence. */
  readonly what: string
  /** Why: what was expected and what was found. */
  readonly why?: string
  /** What the user can do next. */
  readonly suggestions?: readonly string[]
  readonly at?: ErrorPlace
  readonly cause?: unknown
}

/** The same details without the passwords of references: no message ever shows one. */
function withoutPasswords({what, why, suggestions = [], at = {}, cause}: ErrorDetails) {
  const {reference, path, ...rest} = at
  return {
    what: hidePasswords(what),
    why: why === undefined ? undefined : hidePasswords(why),
    suggestions: suggestions.map(hidePasswords),
    at: {
      ...rest,
      ...(reference === undefined ? {} : {reference: hidePasswords(reference)}),
      ...(path === undefined ? {} : {path: hidePasswords(path)}),
    },
    cause,
  }
}

/** Base of every error that this library throws on purpose. Branch on `code`, never on the text. */
export abstract class TransshipError extends Error {
  abstract readonly exitCode: number
  readonly code: ErrorCode
  readonly what: string
  readonly why: string | undefined
  readonly suggestions: readonly string[]
  readonly at: ErrorPlace

  constructor(code: ErrorCode, details: ErrorDetails) {
    const {what, why, suggestions, at, cause} = withoutPasswords(details)
    const where = [at.reference, at.path].filter((part) => part !== undefined).join(': ')
    const offset = at.offset === undefined ? '' : ` (offset ${at.offset})`
    const place = where === '' && offset === '' ? '' : ` [${where}${offset}]`
    super([what + place, why].filter((part) => part !== undefined).join(' '), {cause})
    this.name = new.target.name
    this.code = code
    this.what = what
    this.why = why
    this.suggestions = suggestions
    this.at = at
  }
}

/** The command line or an argument is wrong. Exit 2. */
export class UsageError extends TransshipError {
  readonly exitCode = 2
}
/** The input is damaged, hostile or not what it claims to be. Exit 3. */
export class InputError extends TransshipError {
  readonly exitCode = 3
}
/** The input is well-formed, but transship does not support it. Exit 3. */
export class UnsupportedError extends TransshipError {
  readonly exitCode = 3
}
/** A loss was found and `--strict` refuses losses. Exit 3. */
export class LossError extends TransshipError {
  readonly exitCode = 3
}
/** No access, no space, no engine, no network. Exit 4. */
export class EnvironmentError extends TransshipError {
  readonly exitCode = 4
}
/** The user interrupted the work. Exit 130. */
export class InterruptedError extends TransshipError {
  readonly exitCode = 130
}
/** A bug in transship: please report it. Exit 70. */
export class InternalError extends TransshipError {
  readonly exitCode = 70
}

/**
 * Fills in the place of an input error: the reference, and `path` before its own path unless that already says so.
 * Errors that already name a reference, and all other errors, pass through unchanged.
 */
export function placedError(error: unknown, {reference, path}: Pick<ErrorPlace, 'reference' | 'path'>): unknown {
  const isOfInput = error instanceof InputError || error instanceof UnsupportedError
  if (!isOfInput || error.at.reference !== undefined) return error
  const {path: own, ...rest} = error.at
  const isTheFile = own !== undefined && reference?.endsWith(own) === true
  const isSaid = own !== undefined && path !== undefined && (own.startsWith(path) || path.includes(own))
  const parts = isSaid ? [own] : [path, isTheFile ? undefined : own]
  const known = parts.filter((part) => part !== undefined)
  const details = {
    what: error.what,
    ...(error.why === undefined ? {} : {why: error.why}),
    suggestions: error.suggestions,
    at: {
      ...rest,
      ...(reference === undefined ? {} : {reference}),
      ...(known.length === 0 ? {} : {path: known.join(': ')}),
    },
    cause: error,
  }
  return error instanceof InputError ? new InputError(error.code, details) : new UnsupportedError(error.code, details)
}

const SYSTEM_ERRORS: Readonly<Record<string, {code: ErrorCode; what: string; suggestion: string}>> = {
  ENOENT: {code: 'NOT_FOUND', what: 'The file or folder does not exist.', suggestion: 'Check the path.'},
  ENOTDIR: {code: 'NOT_FOUND', what: 'Part of the path is not a folder.', suggestion: 'Check the path.'},
  EISDIR: {
    code: 'UNRECOGNISED_FORMAT',
    what: 'Expected a file, found a folder.',
    suggestion: 'Check the path.',
  },
  ELOOP: {
    code: 'UNRECOGNISED_FORMAT',
    what: 'Expected a file, found a link.',
    suggestion: 'Replace the link with the file itself.',
  },
  EACCES: {code: 'NO_ACCESS', what: 'Access denied.', suggestion: 'Check the permissions, or run elevated.'},
  EPERM: {
    code: 'NO_ACCESS',
    what: 'The operation is not permitted.',
    suggestion: 'Check the permissions, or run elevated.',
  },
  EROFS: {code: 'NO_ACCESS', what: 'The file system is read-only.', suggestion: 'Choose another destination.'},
  ENOSPC: {code: 'NO_SPACE', what: 'The disk is full.', suggestion: 'Free some space, or choose another destination.'},
  EDQUOT: {
    code: 'NO_SPACE',
    what: 'The disk quota is full.',
    suggestion: 'Free some space, or choose another destination.',
  },
  EFBIG: {
    code: 'NO_SPACE',
    what: 'The file system does not support files this large.',
    suggestion: 'Choose another destination.',
  },
  ENAMETOOLONG: {
    code: 'NAME_TOO_LONG',
    what: 'The file system does not support names this long.',
    suggestion: 'Choose a destination with a shorter path, or a file system with longer names.',
  },
  EMFILE: {
    code: 'IO_FAILED',
    what: 'Too many files are open.',
    suggestion: 'Raise the limit on open files (ulimit -n).',
  },
  ENFILE: {
    code: 'IO_FAILED',
    what: 'Too many files are open on this machine.',
    suggestion: 'End other programs, or raise the limit of the system (sysctl fs.file-max).',
  },
  EPIPE: {
    code: 'IO_FAILED',
    what: 'The program reading the output has exited.',
    suggestion: 'Check the messages of that program; it stopped before the end.',
  },
  EIO: {code: 'IO_FAILED', what: 'The device reported an error.', suggestion: 'Check the disk.'},
}

/** The operating system's error code (`ENOSPC` …) of an unknown thrown value, or undefined. */
export function findSystemCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}

/**
 * Turns a file-system error into the matching `TransshipError`; ours and unknown ones pass through unchanged.
 * ENOENT becomes an InputError (exit 3), since the argument is wrong; the rest become an EnvironmentError (exit 4).
 */
export function asTransshipError(error: unknown, at: ErrorPlace): unknown {
  if (error instanceof TransshipError) return error
  const systemCode = findSystemCode(error)
  const known = systemCode === undefined ? undefined : SYSTEM_ERRORS[systemCode]
  if (known === undefined) return error
  const details = {
    what: known.what,
    why: `The operating system reported ${String(systemCode)}.`,
    suggestions: [known.suggestion],
    at,
    cause: error,
  }
  return known.code === 'NOT_FOUND' || known.code === 'UNRECOGNISED_FORMAT'
    ? new InputError(known.code, details)
    : new EnvironmentError(known.code, details)
}
