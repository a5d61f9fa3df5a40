import type {Companions} from '../model/content-graph.js'
import type {Findings} from './findings.js'
import type {Meter} from './metered.js'
import type {ConvertOptions} from './options.js'
import type {ReportArtifact} from './report.js'

/** What the writing of each image of a conversion shares. */
export interface Writing {
  readonly meter: Meter
  readonly findings: Findings
  readonly options: ConvertOptions
  /** What the packages keep beside the image. */
  readonly companions?: Companions | undefined
}

export interface Written {
  readonly artifacts: readonly ReportArtifact[]
  readonly bytes: number
}
