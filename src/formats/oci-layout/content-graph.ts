import {verified} from '../../codecs/bytes/verified.js'
import type {ContentGraph, StoredContent, StoredDocument} from '../../model/content-graph.js'
import type {Digest} from '../../model/digest.js'
import {InputError} from '../../model/errors.js'
import type {WorkOptions} from '../../model/events.js'
import type {Descriptor} from '../../model/image.js'
import {LIMITS} from '../../model/limits.js'
import {descriptorOf, parseIndex, parseManifest, type StatedDescriptor} from '../image-documents/image-documents.js'
import {isForeignType, isIndexType, isManifestType} from '../image-documents/media-types.js'
import {findChecked, type ContentStore} from './content-store.js'
import {findEmbedded} from './embedded.js'

/** Gathers documents and all that they lead to from one store, each once. Documents are read and checked; blobs are not. */
export class ContentGatherer {
  readonly #store: ContentStore
  readonly #documents = new Map<Digest, StoredDocument>()
  readonly #blobs = new Map<Digest, StoredContent>()
  readonly #absent = new Map<Digest, Descriptor>()
  #bytes = 0

  constructor(store: ContentStore) {
    this.#store = store
  }

  get graph(): ContentGraph {
    return {
      documents: [...this.#documents.values()],
      blobs: [...this.#blobs.values()],
      absent: [...this.#absent.values()],
    }
  }

  /**
   * A document by its descriptor, with what it names; undefined when the store does not hold it. `DIGEST_MISMATCH`,
   * `SIZE_MISMATCH`, `MANIFEST_INVALID`, `LIMIT_EXCEEDED`.
   */
  async add(stated: StatedDescriptor, options: WorkOptions, depth = 0): Promise<StoredDocument | undefined> {
    options.signal?.throwIfAborted()
    const descriptor = descriptorOf(stated, this.#store.title)
    const {digest, mediaType} = descriptor
    const known = this.#documents.get(digest)
    if (known !== undefined) return known
    const isIndex = isIndexType(mediaType)
    const title = `${isIndex ? 'index' : 'manifest'} ${digest}`
    const {indexDepth, manifests, heldDocuments} = LIMITS
    if (depth > indexDepth.value) throw tooMuch(`${title} is nested more than ${indexDepth.value} levels deep.`)
    const bytes = await findChecked(this.#store, descriptor, {...options, title, stated})
    if (bytes === undefined) {
      this.#absent.set(digest, descriptor)
      return undefined
    }
    this.#bytes += bytes.byteLength
    if (this.#documents.size >= manifests.value)
      throw tooMuch(`The index leads to more than ${manifests.value} manifests.`)
    // Documents are held until all is written, since they make visible what they name.
    if (this.#bytes > heldDocuments.value)
      throw tooMuch(`The manifests that the index leads to have more than ${heldDocuments.value} bytes.`)
    if (isIndex) await this.#children(bytes, title, {options, depth})
    else this.#parts(bytes, title)
    const document = {mediaType, bytes, digest}
    this.#documents.set(digest, document)
    return document
  }

  async #children(
    bytes: Uint8Array,
    title: string,
    {options, depth}: {readonly options: WorkOptions; readonly depth: number},
  ): Promise<void> {
    for (const child of parseIndex(bytes, title).manifests ?? []) {
      // Whatever is no manifest is a blob, of which an index tells all the same.
      if (isIndexType(child.mediaType) || isManifestType(child.mediaType)) await this.add(child, options, depth + 1)
      else this.#blob(child)
    }
  }

  #parts(bytes: Uint8Array, title: string): void {
    const {config, layers} = parseManifest(bytes, title)
    for (const part of [config, ...(layers ?? [])]) this.#blob(part)
  }

  #blob(stated: StatedDescriptor): void {
    const descriptor = descriptorOf(stated, this.#store.title)
    if (this.#blobs.has(descriptor.digest)) return
    const isHeld = async (options: WorkOptions) =>
      (await this.#store.findBlob(descriptor, {...options, isOpaque: true})) !== undefined
    this.#blobs.set(descriptor.digest, {
      descriptor,
      ...(isForeignType(descriptor.mediaType) ? {isHeld} : {}),
      open: (options = {}) => verified(this.#bytesOf(stated, descriptor, options), titled(descriptor)),
    })
  }

  async *#bytesOf(stated: StatedDescriptor, descriptor: Descriptor, options: WorkOptions): AsyncGenerator<Uint8Array> {
    const {title} = titled(descriptor)
    const embedded = findEmbedded(stated, descriptor, title)
    const blob =
      embedded === undefined ? await this.#store.findBlob(descriptor, {...options, isOpaque: true}) : undefined
    if (embedded !== undefined) yield embedded
    else if (blob !== undefined) yield* blob.open(options)
    else throw blobMissing(descriptor, this.#store.title)
  }
}

function titled(descriptor: Descriptor) {
  const {digest, size} = descriptor
  return {title: `blob ${digest}`, digest, size}
}

function blobMissing({digest, mediaType}: Descriptor, place: string): InputError {
  return new InputError('LAYER_MISSING', {
    what: `'${place}' does not contain the blob ${digest}.`,
    why: `A manifest names it (${mediaType.slice(0, 200)}).`,
    suggestions: ['Copy the image again from a complete source.', 'Or convert the images one by one with --platform.'],
    at: {path: place},
  })
}

function tooMuch(what: string): InputError {
  return new InputError('LIMIT_EXCEEDED', {what, why: 'No real image comes close.'})
}
