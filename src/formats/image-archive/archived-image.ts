import type {TarIndexEntry} from '../../codecs/tar/index-tar.js'
import type {Digest} from '../../model/digest.js'
import type {Descriptor, RawDocument} from '../../model/image.js'
import type {ConfigFacts} from '../image-documents/image-documents.js'

/** One layer as the archive's documents describe it. */
export interface ArchivedLayer {
  readonly diffId?: Digest
  /** Undefined when the archive does not hold the content. */
  readonly entry?: TarIndexEntry
  /** As the OCI manifest, `LayerSources` or the member's name state it; of the stored bytes. */
  readonly descriptor?: Descriptor
  /** Why the content is not in the archive, where nothing says that it is elsewhere. */
  readonly absence?: string
}

/** One image as the archive's documents describe it. */
export interface ArchivedImage {
  readonly origin: 'manifest.json' | 'index.json' | 'repositories'
  /** As the archive spells them. */
  readonly names: readonly string[]
  readonly config: RawDocument
  /** Digest of the configuration's bytes: the image ID. */
  readonly imageId: Digest
  readonly facts: ConfigFacts
  readonly manifest?: RawDocument & {readonly digest: Digest}
  /** Base first. */
  readonly layers: readonly ArchivedLayer[]
}
