import type {Loss, Note} from '../model/events.js'
import type {ImageArtifact, LayerArtifact, PackageArtifact} from '../model/transport.js'
import {formatFullName} from '../model/package-identity.js'

/** One package or image that a conversion made, or an index of images that it kept. */
export interface ReportArtifact {
  readonly kind: 'package' | 'image' | 'index'
  readonly reference: string
  /** Full name of the package. */
  readonly identity?: string
  readonly imageId?: string
  /** Of the manifest, or of the index itself. */
  readonly manifestDigest?: string
  /** Full names. */
  readonly dependencies?: readonly string[]
  /** The same content already existed; nothing was written. */
  readonly unchanged?: boolean
  readonly layers: readonly LayerArtifact[]
}

/** What `convert` did; printed as it is by `--json`. Schema: `src/schemas/convert.schema.json`. */
export interface ConvertReport {
  readonly source: string
  readonly destination: string
  readonly artifacts: readonly ReportArtifact[]
  /** What the destination cannot store, even with the recipe. */
  readonly losses: readonly Loss[]
  /** Notes; nothing was lost. */
  readonly notes: readonly Note[]
  /**
   * True when this run has proven that each layer, the configuration and the manifest of the source come back byte for
   * byte; `inexact` and `losses` say why not.
   */
  readonly exact: boolean
  readonly inexact: readonly Note[]
  readonly bytesRead: number
  readonly bytesWritten: number
  readonly seconds: number
}

export function reportArtifact(artifact: ImageArtifact | PackageArtifact): ReportArtifact {
  return artifact.kind === 'image'
    ? {
        kind: 'image',
        reference: artifact.reference,
        imageId: artifact.imageId,
        ...(artifact.manifestDigest === undefined ? {} : {manifestDigest: artifact.manifestDigest}),
        ...(artifact.unchanged === true ? {unchanged: true} : {}),
        layers: artifact.layers,
      }
    : {
        kind: 'package',
        reference: artifact.reference,
        identity: formatFullName(artifact.identity),
        dependencies: artifact.dependencies.map(formatFullName),
        ...(artifact.unchanged ? {unchanged: true} : {}),
        layers: artifact.layers,
      }
}
