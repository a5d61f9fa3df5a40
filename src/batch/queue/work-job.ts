import {stat} from 'node:fs/promises'
import {hostname} from 'node:os'
import path from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import {DelayedError, UnrecoverableError, WaitingError} from 'bullmq'
import {EnvironmentError, findSystemCode, TransshipError} from '../../model/errors.js'
import type {WorkEvent} from '../../model/events.js'
import {findReference} from '../../transports/catalog.js'
import {removeLeftovers} from '../../disk/own-leftovers.js'
import type {NetworkOptions} from '../../model/transport.js'
import {isDestinationFree} from '../destination-state.js'
import {asItemError, failureOf} from '../item-failure.js'
import {isLocal, pathIn} from '../place.js'
import {isPassing, runUnit, waitBefore, type UnitOutcome} from '../run-unit.js'
import type {UnitQueue} from './connection.js'
import type {UnitJob} from './job-report.js'
import type {Lane, Lanes} from './lanes.js'
import {folderHere, requireJobData, type UnitJobData, type UnitJobProgress, type UnitJobResult} from './unit-job.js'

/** How long a job waits that is called when its turn comes; for calls that are lost with their worker. */
export const WAIT_FOR_CALL_MS = 5000
const PROGRESS_EVERY_MS = 500

export interface WorkJobOptions {
  readonly queue: UnitQueue
  readonly lanes: Lanes
  readonly root?: string
  readonly network?: NetworkOptions | undefined
  /** Of the worker: an interrupt. */
  readonly signal: AbortSignal
  /** Told when the unit's work begins and of what it does. */
  readonly onBegun?: (data: UnitJobData) => void
  readonly onEvent?: (data: UnitJobData, event: WorkEvent) => void
  readonly onGivenBack?: () => void
  /** Told of what makes this worker unfit for any unit; the unit has been given back. */
  readonly onUnfit: (error: TransshipError) => void
}

/**
 * What a worker does with a job that it was given: waits for what the unit comes after and for its place, converts, and
 * gives the result. A unit may be begun again after its worker was killed: what is at its destination then is its own only
 * if nothing was there before. Throws what BullMQ acts on: later again, given back, failed for good.
 */
export async function workJob(
  job: UnitJob,
  token: string | undefined,
  lost: AbortSignal | undefined,
  options: WorkJobOptions,
): Promise<UnitJobResult> {
  let data: UnitJobData
  try {
    data = requireJobData(job.data)
  } catch (error) {
    throw await failForGood(job, {state: 'failed', failure: failureOf(asItemError(error)), seconds: 0})
  }
  const folder = await fitFolder(job, token, data, options)
  const before = await beforeOf(data, options.queue)
  if (before === 'failed') throw await failForGood(job, {state: 'blocked', seconds: 0})
  if (before === 'open') throw await delayed(job, token)
  const lane = await takeLane(job, token, data, options.lanes)
  try {
    const signal = AbortSignal.any([options.signal, ...(lost === undefined ? [] : [lost])])
    return await convertJob(job, token, {...options, data, folder, signal, interrupted: options.signal})
  } finally {
    if (lane !== undefined) {
      await lane.release()
      await options.lanes.callNext(data.lane)
    }
  }
}

interface ConvertOptions extends WorkJobOptions {
  readonly data: UnitJobData
  readonly folder: string
  readonly interrupted: AbortSignal
}

async function convertJob(job: UnitJob, token: string | undefined, options: ConvertOptions): Promise<UnitJobResult> {
  const {data, folder, root, network, signal, interrupted} = options
  const surroundings = {folder, network}
  const {unit} = data
  const started = performance.now()
  const progress = new Progress(job)
  let outcome: UnitOutcome
  try {
    const begun = data.begun ?? {isFree: await isDestinationFree(unit, {...surroundings, signal})}
    await job.updateData({...data, begun})
    await job.updateProgress({kind: 'begun', ...begun} satisfies UnitJobProgress)
    options.onBegun?.(data)
    if (data.begun?.isFree === true) removeOwnLeftovers(unit.destination, folder)
    outcome = await runUnit(unit, {
      ...surroundings,
      mayReplace: data.begun?.isFree === true,
      signal,
      retries: 0,
      onEvent: (event) => {
        progress.onEvent(event)
        options.onEvent?.(data, event)
      },
    })
  } catch (error) {
    if (interrupted.aborted) {
      await disown(job, data)
      const back = await givenBack(job, token)
      options.onGivenBack?.()
      throw back
    }
    // The job is another worker's by now.
    if (signal.aborted) throw error
    const failure = failureOf(asItemError(error))
    outcome = {state: 'failed', failure, attempts: 1, seconds: (performance.now() - started) / 1000}
  } finally {
    await progress.end()
  }
  const attempts = job.attemptsMade + job.stalledCounter + 1
  const place = {folder, ...(data.isRooted && root !== undefined ? {root: path.resolve(root)} : {})}
  if (outcome.result !== undefined) {
    return {result: outcome.result, attempts, seconds: outcome.seconds, worker: `${hostname()}:${process.pid}`, place}
  }
  const {failure, seconds} = outcome
  if (failure === undefined) throw new UnrecoverableError('no result and no failure')
  if (!isPassing(failure.code) || job.attemptsMade >= data.retries) {
    throw await failForGood(job, {state: 'failed', failure, seconds, place})
  }
  const waitMs = waitBefore(job.attemptsMade + 1)
  await disown(job, data)
  await job.updateProgress({kind: 'retried', failure, waitMs, place} satisfies UnitJobProgress)
  throw new Error(failure.what)
}

/**
 * What ended by itself leaves nothing of its own behind: what is found at the destination later is another's. Only what a
 * worker that was killed had begun stays its own. `data` = as the job was when this work on it began.
 */
async function disown(job: UnitJob, {begun: before}: UnitJobData): Promise<void> {
  if (before?.isFree === true) return
  const {begun: _, ...data} = job.data
  await job.updateData(data)
}

/** Finds the plan's folder; a machine that does not see it gives the unit back, and is to be used for none. */
async function fitFolder(
  job: UnitJob,
  token: string | undefined,
  data: UnitJobData,
  {root, onUnfit}: WorkJobOptions,
): Promise<string> {
  try {
    const folder = folderHere(data, root)
    await requireFolder(folder)
    return folder
  } catch (error) {
    if (!(error instanceof TransshipError)) throw error
    onUnfit(error)
    throw await givenBack(job, token)
  }
}

async function requireFolder(folder: string): Promise<void> {
  try {
    if ((await stat(folder)).isDirectory()) return
  } catch (error) {
    if (!['ENOENT', 'ENOTDIR', 'EACCES'].includes(findSystemCode(error) ?? '')) throw error
  }
  throw new EnvironmentError('NO_ACCESS', {
    what: 'This machine cannot see the folder of the plan.',
    why: 'A worker needs the same files, at the same paths or below the folder given with --root.',
    suggestions: ['Mount the shared folder here, or pass its path with --root.'],
    at: {path: folder},
  })
}

type Before = 'done' | 'open' | 'failed'

/** How those stand that a unit comes after. One whose job is gone was taken out of the queue. */
async function beforeOf({after}: UnitJobData, queue: UnitQueue): Promise<Before> {
  const states = await Promise.all(after.map((id) => queue.getJobState(id)))
  if (states.some((state) => state === 'failed' || state === 'unknown')) return 'failed'
  return states.every((state) => state === 'completed') ? 'done' : 'open'
}

async function takeLane(
  job: UnitJob,
  token: string | undefined,
  {lane}: UnitJobData,
  lanes: Lanes,
): Promise<Lane | undefined> {
  const {id} = job
  if (lane === '' || id === undefined) return undefined
  const taken = await lanes.take(lane, id)
  if (taken !== undefined) return taken
  const later = await delayed(job, token)
  await lanes.wait(lane, id)
  throw later
}

async function delayed(job: UnitJob, token: string | undefined): Promise<DelayedError> {
  // Not all of hundreds at the same moment.
  const waitMs = WAIT_FOR_CALL_MS * (1 + Math.random())
  await job.moveToDelayed(Date.now() + waitMs, token)
  return new DelayedError()
}

async function givenBack(job: UnitJob, token: string | undefined): Promise<WaitingError> {
  await job.moveToWait(token)
  return new WaitingError()
}

async function failForGood(job: UnitJob, outcome: UnitJobData['outcome'] & object): Promise<UnrecoverableError> {
  await job.updateData({...job.data, outcome})
  const {failure} = outcome
  return new UnrecoverableError(failure?.what ?? 'Not tried, because an item that it depends on failed.')
}

function removeOwnLeftovers(destination: string, folder: string): void {
  const reference = findReference(destination)
  if (reference === undefined || !isLocal(reference)) return
  removeLeftovers(pathIn(folder, reference.path), {by: 'caller'})
}

/** Tells the queue how many bytes were read, twice a second at most. */
class Progress {
  readonly #job: UnitJob
  readonly #steps = new Map<string, number>()
  #told = performance.now()
  #telling: Promise<void> = Promise.resolve()

  constructor(job: UnitJob) {
    this.#job = job
  }

  onEvent(event: WorkEvent): void {
    if (event.kind !== 'progress') return
    this.#steps.set(event.id, event.bytes)
    const now = performance.now()
    if (now - this.#told < PROGRESS_EVERY_MS) return
    this.#told = now
    const bytes = [...this.#steps.values()].reduce((sum, each) => sum + each, 0)
    const told: UnitJobProgress = {kind: 'progress', bytes}
    // Progress that cannot be told is no reason to stop the work.
    this.#telling = this.#telling.then(() => this.#job.updateProgress(told)).catch(() => undefined)
  }

  /** Waits until all is told, so that nothing is told of a job that has ended; a server that is away is not waited for. */
  async end(): Promise<void> {
    await Promise.race([this.#telling, sleep(PROGRESS_EVERY_MS, undefined, {ref: false})])
  }
}
