import type {Digest} from './digest.js'
import type {WorkOptions} from './events.js'
import type {FaultSink} from './fault-sink.js'
import type {Descriptor, RawDocument} from './descriptor.js'

/** A manifest or an index, as stored. */
export interface StoredDocument extends RawDocument {
  readonly digest: Digest
}

/** A blob as stored. */
export interface StoredContent {
  readonly descriptor: Descriptor
  /** The bytes; digest and size are checked by the end of the stream. `DIGEST_MISMATCH`, `SIZE_MISMATCH`, `LAYER_MISSING`. */
  open(options?: WorkOptions): AsyncIterable<Uint8Array>
  /** Of a foreign layer, without which an image is complete: whether the source has it all the same. */
  readonly isHeld?: (options: WorkOptions) => Promise<boolean>
}

/** Documents with everything that they name, to be passed on as bytes: nothing in it is decoded but the documents. */
export interface ContentGraph {
  /** What a document names comes before it. */
  readonly documents: readonly StoredDocument[]
  /** Each once. */
  readonly blobs: readonly StoredContent[]
  /** Manifests that are named, and that the source does not hold. */
  readonly absent: readonly Descriptor[]
}

/** Something that refers to an image or index by its digest: a signature, a bill of materials, provenance. */
export interface Referrer {
  /** Digest of what it refers to. */
  readonly subject: Digest
  /** The manifest, with the annotations that lists of referrers show. */
  readonly descriptor: Descriptor
  readonly artifactType: string
  /** The tag it is found by, made from the subject's digest as cosign does; absent where the manifest itself states its subject. */
  readonly tag?: string
}

/** All that refers to an image or index, to what is in it, and to referrers in turn. */
export interface Referrers {
  readonly referrers: readonly Referrer[]
  readonly content: ContentGraph
  /** Why there may be more. */
  readonly doubts: readonly {readonly code: string; readonly message: string}[]
}

export interface FindReferrersOptions extends WorkOptions {
  /** Where faults of single referrers go; the first is thrown by default. */
  readonly sink?: FaultSink
}

/**
 * What belongs to an image and is no part of it, as packages keep it: the index that it was in with its other manifests,
 * and what refers to either.
 */
export interface Companions {
  readonly index?: StoredDocument
  /** Documents but for the image's own, and those of their blobs that are kept. */
  readonly content: ContentGraph
  readonly referrers: readonly Referrer[]
  /** What is to be kept, and is missing or damaged. */
  readonly lacking: readonly {readonly digest: string; readonly why: string}[]
}

/** What becomes of companions: everything is kept, or documents and small blobs without layers of other images, or nothing. */
export type CompanionMode = 'all' | 'documents' | 'none'

/** One image of an index, as far as it is told. */
export interface IndexedImage {
  readonly manifestDigest: Digest
  /** Digest of the configuration. */
  readonly imageId: Digest
  /** Base first. */
  readonly layers: readonly {readonly descriptor: Descriptor; readonly diffId: Digest}[]
}

/** An index of images, to be passed on as it is. */
export interface ImageIndex {
  readonly names: readonly string[]
  readonly document: StoredDocument
  /** The index, which is its last document, and everything it leads to. */
  readonly content: ContentGraph
  readonly images: readonly IndexedImage[]
  findReferrers(options: FindReferrersOptions): Promise<Referrers>
  close(): Promise<void>
}
