import path from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import {convert} from '../convert/convert.js'
import type {ConvertReport} from '../convert/report.js'
import {asTransshipError, findSystemCode, type ErrorCode} from '../model/errors.js'
import type {WorkOptions} from '../model/events.js'
import {findReference, formatReference} from '../transports/catalog.js'
import {MadeFolders} from '../disk/made-folders.js'
import type {ItemFailure} from './batch-report.js'
import {asItemError, failureOf} from './item-failure.js'
import {isLocal, pathIn, referenceIn} from './place.js'
import type {Unit} from './unit.js'
import {unitOptions, type UnitSurroundings} from './unit-options.js'

/** Failures that go away by themselves. */
const PASSING: readonly ErrorCode[] = ['NETWORK_FAILED', 'TIMED_OUT', 'ENGINE_UNAVAILABLE', 'LOCKED']

/** True for failures that another try may not meet. */
export function isPassing(code: ErrorCode): boolean {
  return PASSING.includes(code)
}

/** How long to wait before the next of several tries, the first being 1: twice as long each time, up to a minute. */
export function waitBefore(attempt: number): number {
  return Math.min(FIRST_WAIT_MS * 2 ** (attempt - 1), LONGEST_WAIT_MS)
}

const FIRST_WAIT_MS = 1000
const LONGEST_WAIT_MS = 60_000
/** How often a failure that may pass is met with another try, unless told otherwise. */
export const DEFAULT_RETRIES = 4

export interface RunUnitOptions extends WorkOptions, UnitSurroundings {
  /** What is at the destination was written by this very unit, in a run that ended before it could say so. */
  readonly mayReplace?: boolean
  readonly retries?: number
  /** Told before a wait. */
  readonly onRetry?: (told: {readonly failure: ItemFailure; readonly waitMs: number}) => void
  /** Waits; for tests. */
  readonly wait?: (ms: number, signal: AbortSignal | undefined) => Promise<unknown>
}

/** How a unit ended: the parts of its report that the work on it decides. */
export interface UnitOutcome {
  readonly state: 'converted' | 'failed'
  readonly result?: ConvertReport
  readonly failure?: ItemFailure
  readonly attempts: number
  /** Waiting between attempts included. */
  readonly seconds: number
}

/**
 * Does one unit, in whatever process. It may be called again for the same unit: packages that are there are found
 * unchanged, and with `mayReplace` an image that an earlier call left is written again. Failures are an outcome; only an
 * interrupt is thrown.
 */
export async function runUnit(unit: Unit, options: RunUnitOptions): Promise<UnitOutcome> {
  const started = performance.now()
  const seconds = () => (performance.now() - started) / 1000
  const {signal, retries = DEFAULT_RETRIES, wait = waitFor} = options
  for (let attempts = 1; ; attempts++) {
    try {
      signal?.throwIfAborted()
      return {state: 'converted', result: await convertUnit(unit, options), attempts, seconds: seconds()}
    } catch (error) {
      signal?.throwIfAborted()
      const failed = asItemError(error)
      const failure = failureOf(failed)
      if (!isPassing(failed.code) || attempts > retries) {
        return {state: 'failed', failure, attempts, seconds: seconds()}
      }
      const waitMs = waitBefore(attempts)
      options.onRetry?.({failure, waitMs})
      await wait(waitMs, signal)
    }
  }
}

function waitFor(ms: number, signal: AbortSignal | undefined): Promise<unknown> {
  return sleep(ms, undefined, signal === undefined ? {} : {signal})
}

async function convertUnit(unit: Unit, options: RunUnitOptions): Promise<ConvertReport> {
  const {folder, mayReplace, signal, onEvent} = options
  const given = unitOptions(unit.options, options)
  const destination = findReference(unit.destination)
  const local = destination !== undefined && isLocal(destination) ? pathIn(folder, destination.path) : undefined
  if (local !== undefined) makeFolder(path.dirname(local))
  return convert(referenceText(unit.source, folder), referenceText(unit.destination, folder), {
    ...given,
    ...(mayReplace === true ? {replace: true} : {}),
    ...(signal === undefined ? {} : {signal}),
    ...(onEvent === undefined ? {} : {onEvent}),
  })
}

/** A plan names where things go; that the folder is there is not asked of the user. */
function makeFolder(folder: string): void {
  try {
    MadeFolders.make(folder)
  } catch (error) {
    // A file in its place: the conversion tells what that is to it.
    if (findSystemCode(error) === 'EEXIST') return
    throw asTransshipError(error, {path: folder})
  }
}

/** A reference of a unit as one of this process. */
export function referenceText(text: string, folder: string): string {
  const reference = findReference(text)
  return reference === undefined ? pathIn(folder, text) : formatReference(referenceIn(folder, reference))
}
