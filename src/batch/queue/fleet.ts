import {setTimeout as sleep} from 'node:timers/promises'
import {QueueEvents} from 'bullmq'
import {InterruptedError, type TransshipError} from '../../model/errors.js'
import type {ItemReport} from '../batch-report.js'
import type {BatchEvent} from '../batch-event.js'
import {DestinationState} from '../destination-state.js'
import {failureOf} from '../item-failure.js'
import type {Journal} from '../journal.js'
import type {LoadedPlan, PreparedUnit} from '../prepare-batch.js'
import {DEFAULT_RETRIES} from '../run-unit.js'
import type {BatchOptions} from '../run-batch.js'
import {reportOf, type UnitJob} from './job-report.js'
import {KEY_PREFIX, type QueueConnection, type UnitQueue} from './connection.js'
import {toldHere, type PlanPlace} from './told-paths.js'
import {jobIdOf, laneOf, sharedUnit, type SharedFolder, type UnitJobData} from './unit-job.js'
import type {UnitJobProgress} from './unit-job.js'
import {WAIT_FOR_CALL_MS} from './work-job.js'

export interface FleetOptions extends Omit<BatchOptions, 'concurrency'> {
  /** `redis://…`; may hold a password. */
  readonly queue: string
  /** Used where the URL has none. */
  readonly queuePassword?: string
  /** The folder that all machines share, as this one sees it; workers may see it elsewhere. */
  readonly root?: string
}

/** What was put into a queue. Schema: `src/schemas/batch-enqueued.schema.json`. */
export interface EnqueueReport {
  readonly title: string
  /** The queue, without the password. */
  readonly queue: string
  readonly items: number
  /** Put there now. */
  readonly added: number
  /** In the queue since an earlier run: waiting, running or done. */
  readonly attached: number
  /** Done according to the journal, and still at the destination. */
  readonly alreadyDone: number
}

interface FleetParts {
  readonly connection: QueueConnection
  readonly queue: UnitQueue
  readonly journal: Journal
  readonly shared: SharedFolder
  readonly loaded: LoadedPlan
  readonly units: readonly PreparedUnit[]
  readonly options: FleetOptions
}

/** Jobs are looked up and added so many at once: one by one, a distant server would take minutes for thousands. */
const CHUNK = 200
/** Events of the queue may be lost; jobs are asked for their state so often besides. */
const LOOK_EVERY_MS = 3000
/** What was done is remembered so long, for who attaches later. */
const KEEP_SECONDS = 30 * 24 * 3600

/** The units of one plan in a queue: put there, waited for, and taken back when the run is interrupted. */
export class Fleet {
  readonly #parts: FleetParts
  readonly #jobIds: ReadonlyMap<string, string>
  /** Units whose jobs have not ended, by the job. */
  readonly #open = new Map<string, PreparedUnit>()
  readonly #begun = new Set<string>()
  readonly #reports = new Map<string, ItemReport>()
  #isStopped = false

  constructor(parts: FleetParts) {
    this.#parts = parts
    this.#jobIds = new Map(parts.units.map(({unit}) => [unit.id, jobIdOf(unit, parts.shared)]))
    for (const prepared of parts.units) {
      if (prepared.done === undefined) this.#open.set(this.#jobOf(prepared.unit.id), prepared)
    }
  }

  /** Puts the units there that are not. */
  async enqueue(): Promise<EnqueueReport> {
    const {connection, loaded, units} = this.#parts
    const attached = await this.#attach()
    const missing = [...this.#open].filter(([id]) => !attached.has(id))
    for (const chunk of chunksOf(missing)) {
      // What a unit comes after is put there before it.
      await this.#parts.queue.addBulk(chunk.map(([jobId, prepared]) => this.#newJob(jobId, prepared)))
    }
    return {
      title: loaded.title,
      queue: connection.place.told,
      items: units.length,
      added: missing.length,
      attached: attached.size,
      alreadyDone: units.length - this.#open.size,
    }
  }

  /** Enqueues, and waits until every job has ended; reports in the order of the plan. */
  async wait(): Promise<readonly ItemReport[]> {
    const {connection, queue, units, options} = this.#parts
    const events = new QueueEvents(queue.name, {connection: connection.options, prefix: KEY_PREFIX})
    try {
      await connection.watch(events)
      this.#tellBatch()
      const ended = new Set<string>()
      const wake = new Waker()
      const onEnd = ({jobId}: {jobId: string}) => {
        ended.add(jobId)
        wake.wake()
      }
      events.on('completed', onEnd)
      events.on('failed', onEnd)
      events.on('active', ({jobId}) => {
        this.#onActive(jobId)
      })
      events.on('progress', ({jobId, data}) => {
        this.#onProgress(jobId, data as UnitJobProgress)
      })
      const stop = AbortSignal.any([connection.lost, ...(options.signal === undefined ? [] : [options.signal])])
      await this.enqueue()
      await this.#look([...this.#open.keys()])
      let looked = performance.now()
      for (;;) {
        if (this.#open.size === 0 || isAborted(stop)) break
        await wake.wait(LOOK_EVERY_MS, stop)
        const isDue = performance.now() - looked >= LOOK_EVERY_MS
        const asked = isDue ? [...this.#open.keys()] : [...ended]
        if (isDue) looked = performance.now()
        ended.clear()
        if (!isAborted(stop)) await this.#look(asked)
      }
    } catch (error) {
      // What is asked of a server that nobody waits for any more fails.
      if (connection.lost.aborted || options.signal?.aborted !== true) throw error
    } finally {
      await connection.close(events)
    }
    if (connection.lost.aborted) throw connection.lost.reason
    if (this.#open.size > 0) await this.#takeBack()
    const inPlanOrder = [...units].sort((one, other) => one.unit.item - other.unit.item)
    return inPlanOrder.flatMap(({unit}) => this.#reports.get(unit.id) ?? [])
  }

  /** Jobs of earlier runs: those that failed, or whose result is gone, are taken out, to be tried again. */
  async #attach(): Promise<ReadonlySet<string>> {
    const {queue, loaded, options} = this.#parts
    const {signal, network} = options
    const state = new DestinationState({
      folder: loaded.folder,
      network,
      ...(signal === undefined ? {} : {signal}),
    })
    const attached = new Set<string>()
    const look = async ([id, {unit}]: readonly [string, PreparedUnit]) => {
      const job = await queue.getJob(id)
      if (job === undefined) return
      const isOver = job.finishedOn !== undefined
      const report = isOver ? reportOf(job) : undefined
      const result = report?.state === 'converted' ? report.result : undefined
      if (!isOver || (result !== undefined && (await state.isThere(unit, result)))) attached.add(id)
      else await job.remove()
    }
    for (const chunk of chunksOf([...this.#open])) {
      signal?.throwIfAborted()
      await Promise.all(chunk.map(look))
    }
    return attached
  }

  #newJob(jobId: string, {unit, mayReplace, isResumed}: PreparedUnit) {
    const {shared, loaded, units, options} = this.#parts
    const told = sharedUnit(unit, loaded.folder, shared.root)
    const isWaiting = (id: string) => this.#open.has(id)
    const after = unit.after.map((id) => this.#jobOf(id)).filter(isWaiting)
    const data: UnitJobData = {
      version: 1,
      unit: told,
      folder: shared.folder,
      isRooted: shared.isRooted,
      after,
      next: units.filter((other) => other.unit.after.includes(unit.id)).map((other) => this.#jobOf(other.unit.id)),
      lane: laneOf(told, shared),
      retries: options.retries ?? DEFAULT_RETRIES,
      ...(isResumed || mayReplace ? {begun: {isFree: mayReplace}} : {}),
    }
    return {
      name: 'convert' as const,
      data,
      opts: {
        jobId,
        attempts: data.retries + 1,
        backoff: {type: 'custom'},
        removeOnComplete: {age: KEEP_SECONDS},
        removeOnFail: {age: KEEP_SECONDS},
        // It is called when what it comes after is done.
        ...(after.length > 0 ? {delay: WAIT_FOR_CALL_MS} : {}),
      },
    }
  }

  #jobOf(id: string): string {
    return this.#jobIds.get(id) ?? ''
  }

  #tellBatch(): void {
    const {loaded, units} = this.#parts
    const pending = [...this.#open.values()]
    this.#tell({
      kind: 'batch',
      title: loaded.title,
      items: units.length,
      alreadyDone: units.length - pending.length,
      totalBytes: pending.reduce((sum, {weight}) => sum + (weight?.bytes ?? 0), 0),
    })
    for (const {unit, done} of units) {
      if (done === undefined) continue
      const {id, source, destination, after, before} = unit
      const report = {id, source, destination, after, before}
      this.#reports.set(id, {...report, state: 'already-done', result: done, attempts: 0, seconds: 0})
    }
  }

  #onActive(jobId: string): void {
    const prepared = this.#open.get(jobId)
    if (prepared === undefined || this.#begun.has(jobId)) return
    this.#begun.add(jobId)
    const {unit, weight} = prepared
    const totalBytes = weight === undefined ? {} : {totalBytes: weight.bytes}
    this.#tell({kind: 'item-begun', id: unit.id, destination: unit.destination, ...totalBytes})
  }

  #onProgress(jobId: string, told: UnitJobProgress): void {
    const unit = this.#open.get(jobId)?.unit
    if (unit === undefined) return
    const {id} = unit
    this.#onActive(jobId)
    if (told.kind === 'progress') this.#tell({kind: 'item-progress', id, bytes: told.bytes})
    else if (told.kind === 'retried') {
      this.#tell({kind: 'item-retried', id, failure: this.#here(told.failure, unit, told.place), waitMs: told.waitMs})
    } else this.#keepBegun(unit, told.isFree)
  }

  #keepBegun({id, key, destination}: PreparedUnit['unit'], isFree: boolean): void {
    // A failed write shows again when the end of the unit is written.
    this.#parts.journal.append({kind: 'begun', key, id, destination, isFree}).catch(() => undefined)
  }

  /** Asks jobs for their state, and keeps what has ended. */
  async #look(jobIds: readonly string[]): Promise<void> {
    for (const chunk of chunksOf(jobIds.filter((id) => this.#open.has(id)))) {
      const jobs = await Promise.all(chunk.map(async (id) => [id, await this.#parts.queue.getJob(id)] as const))
      for (const [id, job] of jobs) {
        if (job === undefined) this.#endUnstarted(id)
        else if (job.finishedOn !== undefined) await this.#end(id, job)
        else if (job.processedOn !== undefined && (await job.isActive())) this.#onActive(id)
      }
    }
  }

  async #end(jobId: string, job: UnitJob): Promise<void> {
    const prepared = this.#open.get(jobId)
    if (prepared === undefined) return
    this.#open.delete(jobId)
    const {id, key, source, destination, after, before} = prepared.unit
    const {begun, outcome} = job.data
    const told = reportOf(job)
    const place = (job.returnvalue as typeof job.returnvalue | null)?.place ?? outcome?.place
    const item: ItemReport = {
      ...told,
      ...this.#here(partsOf(told), prepared.unit, place),
      ...{id, source, destination, after, before},
    }
    const {journal, options} = this.#parts
    if (begun !== undefined) this.#keepBegun(prepared.unit, begun.isFree)
    if (item.result !== undefined) await journal.append({kind: 'done', key, id, result: item.result})
    // Of a worker that was lost, what it wrote may be there: the unit stays begun.
    else if (item.failure !== undefined && outcome !== undefined) {
      const isLeft = (prepared.mayReplace && prepared.isResumed) || job.stalledCounter > 0
      await journal.append({kind: 'failed', key, id, failure: item.failure, isLeft})
    }
    this.#reports.set(id, item)
    this.#tell({kind: 'item-ended', item, bytes: 0})
    if (item.state === 'failed' && options.failFast === true && !this.#isStopped) {
      this.#isStopped = true
      await this.#removeWaiting()
    }
  }

  /** What a worker told of a unit, with the paths of this machine. */
  #here<T>(told: T, unit: PreparedUnit['unit'], place: PlanPlace | undefined): T {
    const {shared, loaded} = this.#parts
    if (place === undefined) return told
    const there = {...place, unit: sharedUnit(unit, loaded.folder, shared.root)}
    const root = shared.root === undefined ? {} : {root: shared.root}
    return toldHere(told, there, {folder: loaded.folder, ...root, unit})
  }

  /** Taken out of the queue, by another or by us. */
  #endUnstarted(jobId: string): void {
    const prepared = this.#open.get(jobId)
    if (prepared === undefined) return
    this.#open.delete(jobId)
    const {id, source, destination, after, before} = prepared.unit
    const report = {id, source, destination, after, before}
    this.#reports.set(id, {...report, state: 'not-started', attempts: 0, seconds: 0})
  }

  /** What no worker has begun is taken out; a job that is being worked on cannot be. */
  async #removeWaiting(): Promise<void> {
    for (const chunk of chunksOf([...this.#open.keys()].reverse())) {
      const removed = await Promise.all(chunk.map(async (id) => [id, await this.#isRemoved(id)] as const))
      for (const [id, isRemoved] of removed) if (isRemoved) this.#endUnstarted(id)
    }
  }

  async #isRemoved(jobId: string): Promise<boolean> {
    const job = await this.#parts.queue.getJob(jobId)
    if (job === undefined) return true
    if (job.finishedOn !== undefined || (await job.isActive())) return false
    return job.remove().then(
      () => true,
      () => false,
    )
  }

  /** After an interrupt: what runs goes on, and the next run of the plan attaches to it. */
  async #takeBack(): Promise<void> {
    const {gone} = this.#parts.connection
    await this.#removeWaiting().catch((error: unknown) => {
      if (!gone.aborted) throw error
    })
    const failure = gone.aborted ? STILL_THERE : STILL_RUNNING
    for (const {unit} of this.#open.values()) {
      const {id, source, destination, after, before} = unit
      const report = {id, source, destination, after, before}
      this.#reports.set(id, {...report, state: 'failed', failure, attempts: 1, seconds: 0})
    }
    this.#open.clear()
  }

  #tell(event: BatchEvent): void {
    this.#parts.options.onEvent?.(event)
  }
}

const STILL_RUNNING = failureOf(
  new InterruptedError('INTERRUPTED', {
    what: 'Interrupted. A worker is still converting this item.',
    suggestions: ['Run the same command again to attach to the running items and continue.'],
  }) satisfies TransshipError,
)

const STILL_THERE = failureOf(
  new InterruptedError('INTERRUPTED', {
    what: 'Interrupted while the queue server did not answer. The item may still be in the queue, and a worker may convert it.',
    suggestions: ['When the queue server is back, run the same command again to attach to the items in the queue.'],
  }) satisfies TransshipError,
)

/** What of a report a worker wrote. */
function partsOf({result, failure}: ItemReport): Pick<ItemReport, 'result' | 'failure'> {
  return {...(result === undefined ? {} : {result}), ...(failure === undefined ? {} : {failure})}
}

function chunksOf<T>(values: readonly T[]): readonly (readonly T[])[] {
  return Array.from({length: Math.ceil(values.length / CHUNK)}, (_, index) =>
    values.slice(index * CHUNK, (index + 1) * CHUNK),
  )
}

/** Waits for a time, or until it is woken. */
class Waker {
  #abort = new AbortController()

  wake(): void {
    this.#abort.abort()
  }

  async wait(ms: number, signal: AbortSignal): Promise<void> {
    const {signal: woken} = this.#abort
    await sleep(ms, undefined, {signal: AbortSignal.any([signal, woken])}).catch(() => undefined)
    this.#abort = new AbortController()
  }
}

/** Asked anew after each wait, which the types of a signal do not show. */
function isAborted({aborted}: AbortSignal): boolean {
  return aborted
}
