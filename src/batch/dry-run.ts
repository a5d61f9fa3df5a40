import {asNoted} from './batch-event.js'
import {Journal, journalOf} from './journal.js'
import {loadPlan, prepareBatch} from './prepare-batch.js'
import {ofShard, type BatchOptions} from './run-batch.js'
import type {SpaceNeed} from './disk-space.js'

/** What one item would do. */
export interface DryRunItem {
  readonly id: string
  readonly source: string
  readonly destination: string
  readonly state: 'to-do' | 'already-done'
  readonly after: readonly string[]
  /** That it would read, as far as its source says. */
  readonly bytes?: number
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
export async function dryRunBatch(file: string, options: BatchOptions): Promise<DryRunReport> {
  const inner = {...options, onEvent: asNoted((event) => options.onEvent?.(event))}
  const loaded = ofShard(await loadPlan(file, inner), options.shard)
  const entries = await Journal.peek(options.journal ?? journalOf(file))
  const {units, space} = await prepareBatch(loaded, entries, {...inner, checkSpace: false})
  return {
    title: loaded.title,
    items: units.map(({unit: {id, source, destination, after}, done, weight}) => ({
      id,
      source,
      destination,
      state: done === undefined ? 'to-do' : 'already-done',
      after,
      ...(weight === undefined ? {} : {bytes: weight.bytes}),
    })),
    bytes: units.reduce((sum, {weight}) => sum + (weight?.bytes ?? 0), 0),
    space: space.map((need) => ({...need, isEnough: need.neededBytes <= need.freeBytes})),
  }
}
