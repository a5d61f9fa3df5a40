import type {WorkEvent} from '../model/events.js'
import {findReference} from '../transports/catalog.js'
import {keepingOpen} from '../disk/kept-open.js'
import {removeLeftovers} from '../disk/own-leftovers.js'
import {totalsOf, type BatchReport, type ItemReport} from './batch-report.js'
import {asNoted, asWaiting, type BatchEvent, type BatchWorkOptions} from './batch-event.js'
import {defaultConcurrency} from './concurrency.js'
import {isDestinationFree} from './destination-state.js'
import {failureOf} from './item-failure.js'
import {Journal, journalOf} from './journal.js'
import {isLocal, pathIn, placeKey} from './place.js'
import {loadPlan, prepareBatch, type LoadedPlan, type PreparedUnit, type PrepareOptions} from './prepare-batch.js'
import {runUnit, type UnitOutcome} from './run-unit.js'
import {unitsOfShard, type Shard} from './shard.js'
import {runSchedule, type Schedulable} from './schedule.js'
import type {PlannedUnit} from './unit.js'
import {InterruptedError} from '../model/errors.js'

/** Options of `runBatch`. */
export interface BatchOptions extends BatchWorkOptions, Omit<PrepareOptions, 'onEvent' | 'signal'> {
  /** Default: `PLAN.journal`, beside the plan. */
  readonly journal?: string
  /** How many items run at once; default: by cores and free memory. */
  readonly concurrency?: number
  /** Start nothing more once an item has failed. */
  readonly failFast?: boolean
  /** How often what may pass, such as a network failure, is tried again. Default 4. */
  readonly retries?: number
  /** Only this part of the plan. */
  readonly shard?: Shard
}

/**
 * Runs a plan: each item after those it depends on, several at once, failures kept while the rest goes on. What a journal
 * says is done and is still there is not done again. An interrupt ends it early: the report then says what was not
 * started. Throws before any work for a plan that cannot work (`PLAN_INVALID`), `NO_SPACE`, `LOCKED`.
 */
export function runBatch(file: string, options: BatchOptions): Promise<BatchReport> {
  return keepingOpen(() => runPlan(file, options))
}

async function runPlan(file: string, options: BatchOptions): Promise<BatchReport> {
  const startedTime = new Date().toISOString()
  const started = performance.now()
  const inner = {...options, onEvent: asNoted((event) => options.onEvent?.(event))}
  const loaded = ofShard(await loadPlan(file, inner), options.shard)
  const report = await runLoaded(loaded, {...options, journal: options.journal ?? journalOf(file)})
  return {...report, startedTime, seconds: (performance.now() - started) / 1000}
}

/** Runs a plan that is loaded already; throws as `runBatch` does. */
export async function runLoaded(
  loaded: LoadedPlan,
  options: BatchOptions & {readonly journal: string},
): Promise<BatchReport> {
  const startedTime = new Date().toISOString()
  const started = performance.now()
  const inner = {...options, onEvent: asNoted((event) => options.onEvent?.(event))}
  const journal = await openJournal(options.journal, options)
  try {
    const items = await keepingOpen(async () => {
      const prepared = await prepareBatch(loaded, journal.entries, inner)
      return new BatchRun(loaded, journal, options).run(prepared.units)
    })
    const seconds = (performance.now() - started) / 1000
    return {title: loaded.title, startedTime, seconds, totals: totalsOf(items), items}
  } finally {
    await journal.close()
  }
}

/** The journal of a run, alone to it. Throws `LOCKED`. */
export function openJournal(file: string, {journal, signal, onEvent}: BatchOptions): Promise<Journal> {
  return Journal.open(journal ?? journalOf(file), {
    ...(signal === undefined ? {} : {signal}),
    ...(onEvent === undefined ? {} : {onEvent: asWaiting(onEvent)}),
  })
}

/** A plan of which only the units of one shard are left. */
export function ofShard(loaded: LoadedPlan, shard: Shard | undefined): LoadedPlan {
  return shard === undefined ? loaded : {...loaded, units: unitsOfShard(loaded.units, shard, loaded.folder)}
}

interface Scheduled extends Schedulable {
  readonly prepared: PreparedUnit
}

class BatchRun {
  readonly #folder: string
  readonly #title: string
  readonly #journal: Journal
  readonly #options: BatchOptions
  readonly #reports = new Map<string, ItemReport>()
  #isStopped = false

  constructor({folder, title}: LoadedPlan, journal: Journal, options: BatchOptions) {
    this.#folder = folder
    this.#title = title
    this.#journal = journal
    this.#options = options
  }

  /** Reports in the order of the plan. */
  async run(units: readonly PreparedUnit[]): Promise<readonly ItemReport[]> {
    const pending = units.filter(({done}) => done === undefined)
    this.#tell({
      kind: 'batch',
      title: this.#title,
      items: units.length,
      alreadyDone: units.length - pending.length,
      totalBytes: pending.reduce((sum, {weight}) => sum + (weight?.bytes ?? 0), 0),
    })
    for (const {unit, done} of units) {
      if (done !== undefined) this.#keep(unit, {state: 'already-done', result: done, attempts: 0, seconds: 0})
    }
    const left = await runSchedule<Scheduled>(
      pending.map((prepared) => ({
        id: prepared.unit.id,
        after: prepared.unit.after,
        lane: this.#laneOf(prepared.unit),
        prepared,
      })),
      {
        concurrency: this.#options.concurrency ?? defaultConcurrency(),
        work: ({prepared}) => this.#work(prepared),
        onBlocked: ({prepared}) => {
          this.#end(prepared.unit, {state: 'blocked', attempts: 0, seconds: 0}, 0)
        },
        isStopped: () => this.#isStopped || this.#options.signal?.aborted === true,
      },
    )
    for (const {prepared} of left) this.#keep(prepared.unit, {state: 'not-started', attempts: 0, seconds: 0})
    const inPlanOrder = [...units].sort((one, other) => one.unit.item - other.unit.item)
    return inPlanOrder.flatMap(({unit}) => this.#reports.get(unit.id) ?? [])
  }

  /** What is written into one folder is written one after the other; its lock would refuse a second writer. */
  #laneOf(unit: PlannedUnit): string {
    const reference = findReference(unit.destination)
    return reference === undefined || !isLocal(reference) ? unit.id : placeKey(this.#folder, reference)
  }

  async #work({unit, mayReplace, isResumed, weight}: PreparedUnit): Promise<'ok' | 'failed'> {
    const {signal, retries, network} = this.#options
    const surroundings = {folder: this.#folder, network}
    const {id, key, destination} = unit
    const totalBytes = weight === undefined ? {} : {totalBytes: weight.bytes}
    this.#tell({kind: 'item-begun', id, destination, ...totalBytes})
    const meter = new ItemMeter(id, (event) => {
      this.#tell(event)
    })
    const isLeft = mayReplace && isResumed
    let outcome: UnitOutcome
    try {
      if (isLeft) this.#removeLeftovers(unit)
      const isFree = mayReplace || (!isResumed && (await isDestinationFree(unit, surroundings)))
      await this.#journal.append({kind: 'begun', key, id, destination, isFree})
      outcome = await runUnit(unit, {
        ...surroundings,
        mayReplace,
        ...(signal === undefined ? {} : {signal}),
        ...(retries === undefined ? {} : {retries}),
        onEvent: (event) => {
          meter.onEvent(event)
        },
        onRetry: ({failure, waitMs}) => {
          meter.restart()
          this.#tell({kind: 'item-retried', id, failure, waitMs})
        },
      })
    } catch (error) {
      if (signal?.aborted !== true) throw error
      await this.#journal.append({kind: 'failed', key, id, failure: INTERRUPTED, isLeft})
      this.#end(unit, {state: 'failed', failure: INTERRUPTED, attempts: 1, seconds: 0}, meter.bytes)
      return 'failed'
    }
    if (outcome.result !== undefined) await this.#journal.append({kind: 'done', key, id, result: outcome.result})
    if (outcome.failure !== undefined) {
      await this.#journal.append({kind: 'failed', key, id, failure: outcome.failure, isLeft})
      if (this.#options.failFast === true) this.#isStopped = true
    }
    this.#end(unit, outcome, meter.bytes)
    return outcome.state === 'converted' ? 'ok' : 'failed'
  }

  #removeLeftovers({destination}: PlannedUnit): void {
    const reference = findReference(destination)
    if (reference === undefined || !isLocal(reference)) return
    removeLeftovers(pathIn(this.#folder, reference.path), {by: 'caller'})
  }

  #end(unit: PlannedUnit, ending: Ending, bytes: number): void {
    this.#tell({kind: 'item-ended', item: this.#keep(unit, ending), bytes})
  }

  #keep({id, source, destination, after, before}: PlannedUnit, ending: Ending): ItemReport {
    const report = {id, source, destination, after, before, ...ending}
    this.#reports.set(id, report)
    return report
  }

  #tell(event: BatchEvent): void {
    this.#options.onEvent?.(event)
  }
}

type Ending = Pick<ItemReport, 'state' | 'result' | 'failure' | 'attempts' | 'seconds'>

const INTERRUPTED = failureOf(
  new InterruptedError('INTERRUPTED', {
    what: 'Interrupted. No half-written output was left behind.',
    suggestions: ['Run the same command again to continue from here.'],
  }),
)

/** Adds up the steps of an item. */
class ItemMeter {
  readonly #id: string
  readonly #tell: (event: BatchEvent) => void
  readonly #steps = new Map<string, number>()

  constructor(id: string, tell: (event: BatchEvent) => void) {
    this.#id = id
    this.#tell = tell
  }

  get bytes(): number {
    return [...this.#steps.values()].reduce((sum, bytes) => sum + bytes, 0)
  }

  restart(): void {
    this.#steps.clear()
  }

  onEvent(event: WorkEvent): void {
    if (event.kind === 'loss' || event.kind === 'note') this.#tell({kind: 'item-told', id: this.#id, event})
    if (event.kind !== 'progress') return
    this.#steps.set(event.id, event.bytes)
    this.#tell({kind: 'item-progress', id: this.#id, bytes: this.bytes})
  }
}
