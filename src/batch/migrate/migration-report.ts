import type {PlanStep} from '../../convert/plan.js'
import type {Loss, Note} from '../../model/events.js'
import type {FileEdit} from '../../model/payload-edits.js'
import type {BatchReport, ItemFailure} from '../batch-report.js'
import type {SpaceNeed} from '../disk-space.js'

/**
 * What an item is. `image`: of the image side. Of packages: `unchanged` since they were made of an image, so that it comes
 * back as it was; `edited` since; or `new`, made of no image.
 */
export type Content = 'image' | 'unchanged' | 'edited' | 'new'

/** One file of a package that is not what it was when the package was made. */
export interface Change {
  /** Full name of the package. */
  readonly package: string
  /** Path in the package; empty where only the whole is known to have changed. */
  readonly file: string
  readonly kind: FileEdit['kind']
  readonly message: string
}

/** One thing that a migration carries over. */
export interface MigrationItem {
  readonly id: string
  readonly source: string
  readonly destination: string
  /** Names that it gets in a repository of an image registry, where there are several. */
  readonly tags?: readonly string[]
  readonly content: Content
  readonly changes: readonly Change[]
  /** `refused`: it cannot be converted, and `failure` says why. */
  readonly state: 'to-do' | 'already-done' | 'refused'
  readonly makes: readonly PlanStep[]
  readonly losses: readonly Loss[]
  readonly notes: readonly Note[]
  readonly failure?: ItemFailure
  /** That it would read, as far as its source says. */
  readonly bytes?: number
}

/** One artifact at the destination, read back to its last byte. */
export interface VerifiedArtifact {
  readonly reference: string
  readonly ok: boolean
  readonly faults: readonly {readonly code: string; readonly message: string; readonly subject: string}[]
}

/** What `migrate` found and did; printed by `--json`. Schema: `src/schemas/migrate.schema.json`. */
export interface MigrateReport {
  readonly source: string
  readonly destination: string
  /**
   * `planned`: nothing was written, since that was asked for or nobody confirmed. `refused`: nothing was written, since
   * some items cannot be converted. `incomplete`: some items failed, or what was written has faults.
   */
  readonly state: 'planned' | 'refused' | 'done' | 'incomplete'
  readonly items: readonly MigrationItem[]
  /** What listing the source told. */
  readonly notes: readonly Note[]
  readonly space: readonly (SpaceNeed & {readonly isEnough: boolean})[]
  readonly journal: string
  readonly batch?: BatchReport
  /** Absent with `--no-verify`. */
  readonly verified?: readonly VerifiedArtifact[]
}
