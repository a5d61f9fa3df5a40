import {EnvironmentError, findSystemCode, InterruptedError, TransshipError} from '../model/errors.js'

/** Why nobody is there, by the operating system's code. */
const ABSENT: ReadonlySet<string> = new Set(['ENOENT', 'ECONNREFUSED', 'ENOTFOUND', 'EHOSTUNREACH', 'ENETUNREACH'])

/** What a signal made by `withTimeLimit` aborts with, to tell a late answer from an interruption. */
export class TimeLimitReached extends Error {
  readonly timeoutMs: number

  constructor(timeoutMs: number) {
    super(`No answer within ${timeoutMs / 1000} s.`)
    this.timeoutMs = timeoutMs
  }
}

/** Runs `work` with a signal that aborts after `timeoutMs`, or with the outer one. */
export async function withTimeLimit<T>(
  timeoutMs: number,
  outer: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const limit = new AbortController()
  const timer = setTimeout(() => {
    limit.abort(new TimeLimitReached(timeoutMs))
  }, timeoutMs)
  try {
    return await work(outer === undefined ? limit.signal : AbortSignal.any([outer, limit.signal]))
  } finally {
    clearTimeout(timer)
  }
}

/** Settles as soon as the signal aborts, even where the work itself does not listen to it. */
export async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let listener: (() => void) | undefined
  const aborted = new Promise<never>((_, reject) => {
    listener = () => {
      reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'))
    }
    if (signal.aborted) listener()
    else signal.addEventListener('abort', listener, {once: true})
  })
  try {
    return await Promise.race([work, aborted])
  } finally {
    if (listener !== undefined) signal.removeEventListener('abort', listener)
  }
}

/** Waits; rejects with the signal's reason. */
export function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return orAborted(new Promise((resolve) => setTimeout(resolve, milliseconds)), signal)
}

/** Failure of a connection as ours: `TIMED_OUT`, `INTERRUPTED`, `NO_ACCESS`, `ENGINE_UNAVAILABLE`. */
export function asConnectionError(
  error: unknown,
  where: {readonly name: string; readonly endpoint: string},
  signal?: AbortSignal,
): TransshipError {
  if (error instanceof TransshipError) return error
  const at = {reference: where.endpoint}
  if (signal?.aborted === true) {
    const reason: unknown = signal.reason
    if (reason instanceof TimeLimitReached) {
      return new EnvironmentError('TIMED_OUT', {
        what: `${where.name} does not answer.`,
        why: reason.message,
        suggestions: [
          `Check whether ${where.name} hangs. transship containers stop can stop its containers without it.`,
        ],
        at,
        cause: error,
      })
    }
    return new InterruptedError('INTERRUPTED', {what: `Waiting for ${where.name} was interrupted.`, at, cause: error})
  }
  const code = findSystemCode(error)
  if (code === 'EACCES' || code === 'EPERM') {
    return new EnvironmentError('NO_ACCESS', {
      what: `Access to ${where.name} denied.`,
      why: `The operating system reported ${code}.`,
      suggestions: [`Run elevated, or as a member of the group that has access to ${where.name}.`],
      at,
      cause: error,
    })
  }
  return new EnvironmentError('ENGINE_UNAVAILABLE', {
    what: `transship cannot reach ${where.name}.`,
    why: error instanceof Error ? error.message : String(error),
    suggestions: [`Start ${where.name}, or check its address.`],
    at,
    cause: error,
  })
}

/** True when nobody listens there at all, as opposed to somebody who refuses or hangs. */
export function isAbsent(error: unknown): boolean {
  if (!(error instanceof TransshipError) || error.code !== 'ENGINE_UNAVAILABLE') return false
  const code = findSystemCode(error.cause)
  return code !== undefined && ABSENT.has(code)
}
