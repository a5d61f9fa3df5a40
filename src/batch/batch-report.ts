import type {ErrorCode} from '../model/errors.js'
import type {ConvertReport} from '../convert/report.js'

/** What is known of an artifact without reading its payload. */
export interface ArtifactFacts {
  readonly kind: 'image' | 'package' | 'transport-layout'
  readonly reference: string
  /** `repository:tag` of an image. */
  readonly names: readonly string[]
  readonly imageId?: string
  readonly manifestDigest?: string
  /** Full name of the package. */
  readonly identity?: string
  /** Full names. */
  readonly dependencies?: readonly string[]
  /** `os/architecture os.version`. */
  readonly platform?: string
  readonly layers?: number
  readonly sizeBytes?: number
}

/**
 * How an item ended. `converted` = now; `already-done` = by an earlier run, whose journal says so and whose destination
 * was found whole; `blocked` = not tried, because an item it depends on failed; `not-started` = interrupted before its turn,
 * or stopped by `--fail-fast`.
 */
export type ItemState = 'converted' | 'already-done' | 'failed' | 'blocked' | 'not-started'

export interface ItemFailure {
  readonly code: ErrorCode
  readonly exitCode: number
  readonly what: string
  readonly why?: string
  readonly suggestions: readonly string[]
}

export interface ItemReport {
  /** Unique in the batch, stable between runs. */
  readonly id: string
  readonly source: string
  readonly destination: string
  readonly state: ItemState
  /** Ids of items that had to finish first. */
  readonly after: readonly string[]
  /** The source as it was listed before the work began. */
  readonly before: readonly ArtifactFacts[]
  /** What the conversion did; of `already-done`, what the earlier run did. */
  readonly result?: ConvertReport
  readonly failure?: ItemFailure
  /** How often it was tried in this run; 0 = not at all. */
  readonly attempts: number
  /** In this run, including waits between attempts. */
  readonly seconds: number
}

export interface BatchTotals {
  readonly items: number
  readonly converted: number
  readonly alreadyDone: number
  readonly failed: number
  readonly blocked: number
  readonly notStarted: number
  /** In this run. */
  readonly bytesRead: number
  readonly bytesWritten: number
  readonly losses: number
  readonly inexact: number
}

/** The run that a report is of: in reports, not in what `--json` prints. */
export interface RunFacts {
  /** Of transship. */
  readonly version: string
  /** Name of the machine. */
  readonly host: string
  /** Operating system, architecture and runtime. */
  readonly system: string
  /** Words of the command line, passwords masked. */
  readonly command: readonly string[]
  /** Given by `--report-title`. */
  readonly title?: string
}

/** What `batch` did; printed as it is by `--json`, and what every form of a report shows. Schema: `batch.schema.json`. */
export interface BatchReport {
  /** The plan's path as given; of a single conversion its source. */
  readonly title: string
  /** ISO 8601, of this run. */
  readonly startedTime: string
  readonly seconds: number
  readonly run?: RunFacts
  readonly totals: BatchTotals
  /** Why the report has no items: the plan was invalid, or the batch failed as a whole. */
  readonly failure?: ItemFailure
  /** In the order of the plan. */
  readonly items: readonly ItemReport[]
}

/** Counts what the items say. */
export function totalsOf(items: readonly ItemReport[]): BatchTotals {
  const count = (state: ItemState) => items.filter((item) => item.state === state).length
  const sum = (value: (report: ConvertReport) => number, among: readonly ItemReport[]) =>
    among.reduce((total, {result}) => total + (result === undefined ? 0 : value(result)), 0)
  const now = items.filter((item) => item.state === 'converted')
  return {
    items: items.length,
    converted: now.length,
    alreadyDone: count('already-done'),
    failed: count('failed'),
    blocked: count('blocked'),
    notStarted: count('not-started'),
    bytesRead: sum((result) => result.bytesRead, now),
    bytesWritten: sum((result) => result.bytesWritten, now),
    losses: sum((result) => result.losses.length, items),
    inexact: sum((result) => (result.exact ? 0 : 1), items),
  }
}
