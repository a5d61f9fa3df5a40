import type {Companions, FindReferrersOptions, Referrers} from './content-graph.js'
import type {Descriptor, RawDocument} from './descriptor.js'
import type {Digest} from './digest.js'
import type {WorkOptions} from './events.js'
import type {LayerEntry} from './layer-entry.js'
import type {Compression, LayerInFile} from './layer-in-file.js'
import type {LayerTap} from './layer-tap.js'
import type {PackageIdentity} from './package-identity.js'
import type {PayloadEdits} from './payload-edits.js'

export type {Compression, Descriptor, RawDocument}

export interface Platform {
  readonly os: string
  readonly architecture: string
  /** `10.0.<build>.<revision>`. */
  readonly osVersion?: string
  readonly osFeatures?: readonly string[]
}

/** The stored form of a layer, where a source has one that can be passed on unread. */
export interface LayerBlob {
  readonly descriptor: Descriptor
  readonly compression: Compression
  /**
   * True where the manifest that states the blob's digest also states the configuration with its diffID, and the blob is
   * far away: passed on as it is, its digest alone is checked. `verify` unpacks it all the same.
   */
  readonly isVouchedFor?: boolean
  /** The bytes as stored; the reader checks digest and size at the end of the stream (`DIGEST_MISMATCH`). */
  open(options?: WorkOptions): AsyncIterable<Uint8Array>
}

/** How the compressed form of a layer is made of its tar again. */
export interface PinEncoding {
  /** A name that `codecs/gzip-encoding` knows. */
  readonly encoder: string
  /** The bytes in front of the compressed ones, as they were. */
  readonly header: Uint8Array
}

/**
 * A compressed form in which a layer came, as the package keeps it that was made of the layer: manifests, and whatever
 * names them by digest, hang on these bytes.
 */
export interface LayerPin {
  readonly descriptor: Descriptor
  readonly compression: Extract<Compression, 'gzip' | 'zstd'>
  /** Undefined where the bytes themselves are kept. */
  readonly encoding?: PinEncoding
  /** The bytes; digest and size are checked by the end of the stream (`DIGEST_MISMATCH`). */
  open(options?: WorkOptions): AsyncIterable<Uint8Array>
}

/** What becomes of the compressed form of layers: the bytes are kept, or how to make them again, or nothing. */
export type PinMode = 'keep' | 'reproduce' | 'none'

/** Options of reading the entries of a layer. */
export interface EntriesOptions extends WorkOptions {
  /** Where the source keeps the layer compressed. */
  readonly tap?: LayerTap
}

/** What a payload is not any more. */
export interface PayloadChange {
  /** As a sentence; names the first files. */
  readonly why: string
  readonly edits?: PayloadEdits
}

/** `base`: whole files and whole hives, stands alone. `delta`: changes on top of lower layers. */
export type LayerForm = 'base' | 'delta'

/** One layer of an image. May be opened several times; each opening reads from the start. */
export interface Layer {
  /** For messages: `layer 2` or a package's full name. */
  readonly title: string
  /** Digest of the uncompressed tar, where the source states one. */
  readonly diffId?: Digest
  /** Digest of the payload of the package that holds the layer, where its metadata state it. */
  readonly payloadDigest?: Digest
  /** Where known before the layer is read. */
  readonly form?: LayerForm
  /**
   * Undefined when the source holds no tar of the layer, e.g. a package. A foreign layer may have it for its descriptor
   * alone: then `hasContent` is false, and opening it is `LAYER_MISSING`.
   */
  readonly blob?: LayerBlob
  /** Where its tar lies in an open file of this process, if it does. */
  readonly inFile?: LayerInFile
  /** Where the reading is counted: hears of bytes that were read from there in another way than by `entries`. */
  readonly onRead?: (bytes: number) => void
  /** Compressed forms in which the layer came to the package that holds it. */
  readonly pins?: readonly LayerPin[]
  /** True while the payload is what the layer was made to: it gives the tar of `diffId`. Reads all of it. */
  readonly isUntouched?: (options: WorkOptions) => Promise<boolean>
  /**
   * Of a payload that never was a tar: why it will not come back under the digest that its package states; undefined = it
   * will. Reads all of it.
   */
  readonly findChange?: (options: WorkOptions) => Promise<PayloadChange | undefined>
  /** Of a payload that a package holds: which files are not what they were when it was made. Reads all of it. */
  readonly findEdits?: (options: WorkOptions) => Promise<PayloadEdits>
  /** The package whose payload this layer is, where the source has packages. */
  readonly package?: PackageMetadata
  /** False when the source names the layer but does not hold its content. */
  readonly hasContent: boolean
  /** Why it does not, for messages. */
  readonly absence?: string
  /** True where something else lies in its place, on which what builds on it was not made. */
  readonly isMismatch?: boolean
  /** Bytes that reading the entries will pass, for progress; undefined = not known. */
  readonly sizeBytes?: number
  /**
   * The changes of this layer, in the order of the source. Verifies everything the source states about the layer
   * (digest, size) by the end of the iteration; a consumer must treat nothing as final before the end.
   * Reports `note` events (for instance `recipe-stale`) through `options.onEvent`.
   */
  entries(options?: EntriesOptions): AsyncIterable<LayerEntry>
}

/** What tells one payload from another without reading it; what is not known is absent. */
export interface PayloadMark {
  /** Digest of the payload as its package's metadata state it. */
  readonly payloadDigest?: Digest
  /** Digest of the layer's tar that the payload was made from. */
  readonly diffId?: Digest
}

/** What a package builds on, and which payload that was when it was made: a delta fits no other. */
export interface PackageDependency extends PackageIdentity, PayloadMark {}

/** What a package knows about itself beside its payload. */
export interface PackageMetadata {
  readonly identity: PackageIdentity
  readonly friendlyName?: string
  readonly description?: string
  /** AppX names: x86, x64, arm, arm64, neutral. */
  readonly architecture: string
  readonly osVersion?: string
  readonly osFeatures?: readonly string[]
  readonly isOsImage: boolean
  readonly isDeleted?: boolean
  /** ISO 8601 with seven decimals and Z, as stored. */
  readonly createdTime: string
  /** None for an OS package, one otherwise. */
  readonly dependencies: readonly PackageDependency[]
  /** The metadata document as stored, verbatim. */
  readonly document?: RawDocument
  /** What others than transship have put into a document that no longer fits the package, by key. */
  readonly extensions?: Readonly<Record<string, unknown>>
  /** Files that the package holds beside its payload (`version.wcx` …), verbatim, by relative path. */
  readonly attachments?: Readonly<Record<string, Uint8Array>>
}

/** A package by the layer that it was made from. */
export interface KnownPackage {
  readonly diffId: Digest
  readonly identity: PackageIdentity
  readonly isOsImage: boolean
  readonly below?: PackageIdentity
}

/**
 * The normal form: ordered layers and what is known about them. A superset of both stacks; a field that a source does
 * not know is absent, never invented.
 */
export interface Image {
  /** Names the source gives it, `repository:tag` or a package's full name. */
  readonly names: readonly string[]
  readonly platform: Platform
  /** The image configuration, verbatim, where the source has one; its digest is the image ID. */
  readonly config?: RawDocument
  /** The manifest, verbatim, where the source has one. */
  readonly manifest?: RawDocument & {readonly digest: Digest}
  /** What packages keep beside the image that they were. */
  readonly findCompanions?: (options: WorkOptions) => Promise<Companions | undefined>
  /** What refers to the image by the digest of its manifest, where the source can hold such things. */
  readonly findReferrers?: (options: FindReferrersOptions) => Promise<Referrers>
  /** Base first. */
  readonly layers: readonly Layer[]
  /** A base that the source only names: what the lowest layer builds on, and why it is not among the layers. */
  readonly namedBase?: {readonly name: string; readonly identity?: PackageIdentity}
  /** Packages that were made from layers with content here, as the places tell that `--base` names. */
  readonly known?: readonly KnownPackage[]
  /** Faults that do not prevent use, found while opening. */
  readonly warnings: readonly {readonly code: string; readonly message: string}[]
  close(): Promise<void>
}
