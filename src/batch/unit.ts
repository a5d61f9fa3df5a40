import {createHash} from 'node:crypto'
import type {ArtifactFacts} from './batch-report.js'
import type {PlanOptions} from './plan-schema.js'

/** One conversion of a batch: plain JSON, so that a queue can carry it. Paths are relative to the plan's folder. */
export interface Unit {
  /** Unique in the batch, stable between runs. */
  readonly id: string
  /** Of what the unit does and of its source as it was listed: two units of one key give the same result. */
  readonly key: string
  readonly source: string
  readonly destination: string
  readonly options: PlanOptions
  /** Ids of units that have to be done before. */
  readonly after: readonly string[]
}

/** A unit and what is known of its source. */
export interface PlannedUnit extends Unit {
  /** The item of the plan it comes from. */
  readonly item: number
  readonly before: readonly ArtifactFacts[]
  /** Bytes by layer, where the listing tells them, so that the source need not be opened. */
  readonly listedLayers?: ReadonlyMap<string, number>
  /** Of a package: what it depends on, as far as it is listed, and itself; full names. */
  readonly chain?: readonly string[]
}

/** The key of a unit; `identity` is plain JSON that changes when the source does. */
export function unitKey(unit: Pick<Unit, 'source' | 'destination' | 'options'>, identity: unknown): string {
  const {source, destination, options} = unit
  const sorted = Object.fromEntries(Object.entries(options).sort(([left], [right]) => (left < right ? -1 : 1)))
  return createHash('sha256')
    .update(JSON.stringify({source, destination, options: sorted, identity}))
    .digest('hex')
    .slice(0, 32)
}
