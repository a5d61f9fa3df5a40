import type {ListRow} from '../convert/list.js'
import type {Reference} from '../model/reference.js'
import type {PlanItem} from './parse-plan.js'
import type {PlanOptions} from './plan-schema.js'
import type {SourceIdentity} from './source-stamp.js'

/** A unit before it has its id and its place in the order. */
export interface Draft {
  readonly item: PlanItem
  readonly source: Reference
  readonly destination: Reference
  readonly options: PlanOptions
  /** Of the listing; undefined when another unit makes the source, or all of it is taken at once. */
  readonly row?: ListRow
  readonly rows: readonly ListRow[]
  readonly identity: SourceIdentity
  /** Places that other items write to and this one reads from. */
  readonly readsFrom?: string
}
