import type {FileRange} from '../../model/layer-in-file.js'
import {digestAlgorithm, digestHex, digestOf, type Digest} from '../../model/digest.js'
import {InputError} from '../../model/errors.js'
import type {WorkOptions} from '../../model/events.js'
import type {Compression, Descriptor} from '../../model/image.js'
import {digestMismatch} from '../../codecs/bytes/verified.js'
import {findEmbedded} from './embedded.js'
import type {StatedDescriptor} from '../image-documents/image-documents.js'

/** A blob that a store holds. */
export interface StoredBlob {
  /** As found by content, or stated where the content is far away. */
  readonly compression: Compression
  /** Where it lies in an open file, if it does. */
  readonly range?: FileRange
  /** The bytes as stored, unchecked, from the start at each call. */
  readonly open: (options: WorkOptions) => AsyncIterable<Uint8Array>
}

/** Where the content of images is read from: an OCI layout in a folder or a tar, or an image registry. */
export interface ContentStore {
  /** For messages: the place. */
  readonly title: string
  /** A manifest, index or configuration, unchecked; undefined when it is not there. `LIMIT_EXCEEDED`. */
  findDocument(descriptor: Descriptor, options: WorkOptions): Promise<Uint8Array | undefined>
  /** A layer's blob; undefined when it is not there, as foreign layers mostly are not. */
  findBlob(descriptor: Descriptor, options: FindBlobOptions): Promise<StoredBlob | undefined>
}

export interface FindBlobOptions extends WorkOptions {
  /** Its compression is of no matter, and `none` is given: finding out may take a request more. */
  readonly isOpaque?: boolean
}

/** Where a blob lies in an OCI layout. Source: image-spec image-layout.md. */
export function blobPath(digest: Digest): string {
  return `blobs/${digestAlgorithm(digest)}/${digestHex(digest)}`
}

/** A blob as a descriptor states it: who states another size of it says something that is still to be checked. */
export function blobKey({digest, size}: Pick<Descriptor, 'digest' | 'size'>): string {
  return `${blobPath(digest)} ${size}`
}

/** A document that is what its descriptor says; undefined when it is nowhere. `DIGEST_MISMATCH`, `SIZE_MISMATCH`. */
export async function findChecked(
  store: ContentStore,
  descriptor: Descriptor,
  options: WorkOptions & {readonly title: string; readonly stated?: StatedDescriptor},
): Promise<Uint8Array | undefined> {
  const {title, stated} = options
  const embedded = stated === undefined ? undefined : findEmbedded(stated, descriptor, title)
  const bytes = (await store.findDocument(descriptor, options)) ?? embedded
  if (bytes === undefined) return undefined
  if (bytes.byteLength !== descriptor.size) {
    throw new InputError('SIZE_MISMATCH', {
      what: `${title} does not match its descriptor.`,
      why: `Expected ${descriptor.size} bytes, found ${bytes.byteLength}.`,
      at: {path: store.title},
    })
  }
  requireDigest(bytes, descriptor.digest, title)
  return bytes
}

/** Throws `DIGEST_MISMATCH`. */
export function requireDigest(bytes: Uint8Array, want: Digest, title: string): void {
  const found = digestOf(bytes, digestAlgorithm(want))
  if (found !== want) throw digestMismatch({title, digest: want}, found)
}
