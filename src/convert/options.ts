import type {CompanionMode} from '../model/content-graph.js'
import type {WorkOptions} from '../model/events.js'
import type {PinMode} from '../model/image.js'
import type {NetworkOptions} from '../model/transport.js'

/** Layers of an image, base = 0, both ends included. */
export interface LayerRange {
  readonly from: number
  readonly to: number
}

/** Options of `convert` and `planConversion`; the same names as the command's flags. */
export interface ConvertOptions extends WorkOptions, NetworkOptions {
  /** Default: `squash` towards packages and transport layouts, `chain` (layers stay layers) towards images. */
  readonly layers?: 'squash' | 'chain'
  /** With `squash`: merge only these layers and leave the others as they are. */
  readonly squashRange?: LayerRange
  /** References to packages or images that supply what the source only names, nearest first. */
  readonly bases?: readonly string[]
  /** References to transport layouts that the source layout builds on, nearest first. */
  readonly parents?: readonly string[]
  readonly acceptBaseMismatch?: boolean
  /** How many of the lowest layers are the operating system; undefined = by evidence. */
  readonly osLayers?: number
  /** With `squash`: fold the operating system in as well; the same as `osLayers: 0`. */
  readonly withBase?: boolean
  /** Write the OS package as a stub: name and identity without its bits. */
  readonly withoutBase?: boolean
  /** Name and version of the OS package, in place of what the evidence says. */
  readonly osName?: string
  readonly osVersion?: string
  readonly name?: string
  readonly publisher?: string
  readonly packageVersion?: string
  /** Names for the image written, replacing those of the source. */
  readonly tags?: readonly string[]
  readonly platform?: string
  /** Convert everything the source holds. */
  readonly all?: boolean
  readonly compression?: 'none' | 'gzip' | 'zstd'
  readonly compressionLevel?: number
  readonly archiveFormat?: 'v1' | 'docker' | 'hybrid'
  readonly manifestFormat?: 'docker' | 'oci'
  readonly replace?: boolean
  /** Refuse any loss (`LOSS_REFUSED`). */
  readonly strict?: boolean
  readonly concurrency?: number
  /** Keep what makes the way back exact. Default true. */
  readonly keepRecipe?: boolean
  /**
   * What packages keep of the compressed form in which layers come: the bytes (`keep`, the default), or how to make them
   * again where that is proven to work, else the bytes (`reproduce`), or nothing (`none`). Towards an image, `none` does
   * not use what is kept.
   */
  readonly pins?: PinMode
  /**
   * What becomes of signatures and whatever else refers to an image by its digest: it is copied with the image (`copy`,
   * the default), or left behind with a note.
   */
  readonly referrers?: 'copy' | 'none'
  /**
   * What packages keep of the index that an image was in: its bytes, with the manifests and configurations of other
   * images (`documents`, the default), or their layers as well (`all`), or nothing (`none`).
   */
  readonly companions?: CompanionMode
  /** Seconds since 1970 for every time that is not the source's own. */
  readonly sourceDateEpoch?: number
}
