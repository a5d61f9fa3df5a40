import type {PlanStep} from '../convert/plan.js'
import type {Loss} from '../model/events.js'
import {asNoted} from './batch-event.js'
import type {ItemFailure} from './batch-report.js'
import {foreseeUnits} from './foresee.js'
import {Journal, journalOf} from './journal.js'
import {loadPlan, prepareBatch} from './prepare-batch.js'
import {ofShard, type BatchOptions} from './run-batch.js'
import type {SpaceNeed} from './disk-space.js'
import {keepingOpen} from '../disk/kept-open.js'

/** What one item would do. */
export interface DryRunItem {
  readonly id: string
  readonly source: string
  readonly destination: string
  /** `refused`: it would fail, and `failure` says why. */
  readonly state: 'to-do' | 'already-done' | 'refused'
  readonly after: readonly string[]
  /** That it would read, as far as its source says. */
  readonly bytes?: number
  /** What it would make; empty where another item makes its source, or it was made already. */
  readonly makes: readonly PlanStep[]
  readonly losses: readonly Loss[]
  readonly failure?: ItemFailure
}

/** What a run would do; printed by `--dry-run`. Schema: `src/schemas/batch-dry-run.schema.json`. */
export interface DryRunReport {
  readonly title: string
  readonly items: readonly DryRunItem[]
  /** To be read, as far as known. */
  readonly bytes: number
  /** By file system. */
  readonly space: readonly (SpaceNeed & {readonly isEnough: boolean})[]
}

/** Everything that `runBatch` does before its work begins; nothing is written, no journal either. Throws the same. */
export function dryRunBatch(file: string, options: BatchOptions): Promise<DryRunReport> {
  return keepingOpen(() => dryRun(file, options))
}

async function dryRun(file: string, options: BatchOptions): Promise<DryRunReport> {
  const inner = {...options, onEvent: asNoted((event) => options.onEvent?.(event))}
  const loaded = ofShard(await loadPlan(file, inner), options.shard)
  const entries = await Journal.peek(options.journal ?? journalOf(file))
  const {units, space} = await prepareBatch(loaded, entries, {...inner, checkSpace: false})
  const foreseen = await foreseeUnits(units, {...inner, folder: loaded.folder})
  return {
    title: loaded.title,
    items: units.map(({unit: {id, source, destination, after}, done, weight}) => {
      const {plan, failure} = foreseen.get(id) ?? {}
      return {
        id,
        source,
        destination,
        state: done !== undefined ? 'already-done' : failure === undefined ? 'to-do' : 'refused',
        after,
        ...(weight === undefined ? {} : {bytes: weight.bytes}),
        makes: plan?.steps ?? [],
        losses: plan?.losses ?? [],
        ...(failure === undefined ? {} : {failure}),
      }
    }),
    bytes: units.reduce((sum, {weight}) => sum + (weight?.bytes ?? 0), 0),
    space: space.map((need) => ({...need, isEnough: need.neededBytes <= need.freeBytes})),
  }
}
