import type {Loss, Note} from '../model/events.js'

/** How layers become packages or layers: `copy` = one to one, nothing decoded that need not be. */
export type LayerMode = 'copy' | 'chain' | 'squash'

/** One package or image that a conversion will make, from which layers of the source. */
export interface PlanStep {
  readonly kind: 'package' | 'image' | 'index'
  /** Full name of the package, or the names of the image or index joined by a space. */
  readonly title: string
  /** Indices into the source's layers, base first. */
  readonly layers: readonly number[]
  /** `os` = the part that becomes the OS package. */
  readonly role?: 'os' | 'application'
  readonly dependencies?: readonly string[]
  /** Bytes that the step will read, if known. */
  readonly bytes?: number
  /**
   * What becomes of it at the destination: `written` where nothing has its name, `unchanged` where its equal is there,
   * `replaced` or `refused` where something else has its name. `compared`: something has its name, and only converting
   * tells whether it is the same. Absent where the destination cannot be asked.
   */
  readonly outcome?: StepOutcome
  /** Digests of the uncompressed tars of its layers, where the source states all of them. */
  readonly diffIds?: readonly string[]
}

export type StepOutcome = 'written' | 'unchanged' | 'replaced' | 'refused' | 'compared'

/** What a conversion will do; printed by `--dry-run`. Schema: `src/schemas/plan.schema.json`. */
export interface ConversionPlan {
  readonly source: string
  readonly destination: string
  readonly mode: LayerMode
  readonly steps: readonly PlanStep[]
  /** Number of lowest layers that form the operating system, and how it was determined. */
  readonly osLayers?: {readonly count: number; readonly evidence: readonly string[]}
  readonly losses: readonly Loss[]
  readonly notes: readonly Note[]
}
