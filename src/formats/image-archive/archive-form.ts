import type {Digest} from '../../model/digest.js'
import type {WorkOptions} from '../../model/events.js'
import type {Descriptor, RawDocument} from '../../model/image.js'
import type {ImageDraft} from '../../model/transport.js'
import type {TaggedName} from '../image-documents/image-name.js'
import type {WrittenLayer as ShelvedLayer} from '../layer-blob/layer-writer.js'
import type {MemberHeader, OpenMember} from '../archive-file/tar-file.js'

/** The tar that a form puts its members into: a file, or a stream on its way to an engine. */
export interface ArchiveTar {
  /** A member whose body is at hand, or that has none. */
  add(header: Omit<MemberHeader, 'size'>, body?: Uint8Array): Promise<void>
  /** Gives a body that was taken in before its name was known the name. */
  name(member: OpenMember, name: string): Promise<void>
}

/** One image whose layers have been written. */
export interface WrittenImage {
  readonly names: readonly TaggedName[]
  /** Further names, verbatim, for a form that has an index. */
  readonly others: readonly string[]
  readonly draft: ImageDraft
  readonly config: RawDocument
  readonly imageId: Digest
  readonly diffIds: readonly Digest[]
  readonly layers: readonly WrittenLayer[]
}

export type WrittenLayer = ShelvedLayer<OpenMember>

/** What differs between the forms of an archive: how members are called, and the documents. */
export interface ArchiveForm {
  /** Whether stored layers may be gzip or zstd. */
  readonly takesCompressed: boolean
  /** Whether it has an index, which keeps names that no tag can be given by. */
  readonly hasIndex: boolean
  /** Written before anything else. */
  begin(file: ArchiveTar): Promise<void>
  /** Names the layers' members and writes what belongs to one image. Gives the media types, and the manifest if any. */
  addImage(
    file: ArchiveTar,
    image: WrittenImage,
    options: WorkOptions,
  ): Promise<{layers: readonly Descriptor[]; manifestDigest?: Digest}>
  /** The documents over all images. */
  end(file: ArchiveTar): Promise<void>
}
