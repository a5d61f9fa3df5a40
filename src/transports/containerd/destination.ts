import {requireCompression} from '../../codecs/compression/compress.js'
import {digestOf, type Digest} from '../../model/digest.js'
import type {ContentGraph, ImageIndex, Referrer, Referrers, StoredContent} from '../../model/content-graph.js'
import {TransshipError, UsageError} from '../../model/errors.js'
import type {WorkOptions} from '../../model/events.js'
import type {Descriptor} from '../../model/image.js'
import type {Reference} from '../../model/reference.js'
import {requireReplaceable} from '../../model/replacing.js'
import type {
  DestinationOptions,
  ImageArtifact,
  ImageDestination,
  ImageDraft,
  IndexArtifact,
} from '../../model/transport.js'
import {ImageNames} from '../../formats/image-archive/image-names.js'
import {requireNames, type NamingReference} from '../../formats/image-documents/given-names.js'
import {isSameName, requireTaggedName, type TaggedName} from '../../formats/image-documents/image-name.js'
import {
  descriptorOfDocument,
  descriptorOfLayer,
  familyOf,
  manifestFor,
} from '../../formats/image-documents/written-manifest.js'
import {layerArtifact, LayerWriter} from '../../formats/layer-blob/layer-writer.js'
import {sideBySide, writeLayers} from '../../formats/layer-blob/side-by-side.js'
import {connect, type Containerd} from './connect.js'
import {layerLabels, referenceLabels, referrerLabel, sourceLabels} from './labels.js'
import {ImageRecords} from './records.js'
import {repositoriesOf} from './referrers.js'
import {formatLocation, NAME, readingsOf, referenceTo, type Reading} from './reference.js'
import {NamespaceStore} from './store.js'
import {BlobWriter} from './writer.js'

/** How long taking back may last. */
const ABORT_MS = 30_000

/**
 * Connects to containerd; nothing is written yet. Throws `BAD_REFERENCE`, `BAD_OPTION`, and what connecting throws. A
 * reference without a name lets each image keep its own.
 */
export async function createDestination(reference: Reference, options: DestinationOptions): Promise<ImageDestination> {
  requireCompression(options.compression ?? 'none', options.compressionLevel)
  const containerd = await connect(options)
  try {
    const place: Reading = readingsOf(reference, containerd)[0] ?? {namespace: containerd.usual}
    const {namespace, name} = place
    if (place.digest !== undefined) {
      throw new UsageError('BAD_REFERENCE', {
        what: `'${formatLocation(reference)}' selects an image by its digest.`,
        why: 'A destination can only give a name; the digest follows from the content.',
        suggestions: [`${NAME}:${namespace}/NAME:TAG`],
      })
    }
    if (name !== undefined) requireTaggedName(name)
    requireNames(options.names, namingOf(reference, namespace, name))
    return new ContainerdDestination(containerd, {namespace, name, given: reference}, options)
  } catch (error) {
    containerd.client.close()
    throw error
  }
}

function namingOf(reference: Reference, namespace: string, name: string | undefined): NamingReference | undefined {
  if (name === undefined) return undefined
  const isSame = (other: string) => isSameName(other, name)
  return {given: formatLocation(reference), bare: `${NAME}:${namespace}/`, isSame}
}

interface Place {
  readonly namespace: string
  readonly name: string | undefined
  readonly given: Reference
}

/** Blobs are written as they come, held by a lease; the records that make them images with names, only at `commit`. */
class ContainerdDestination implements ImageDestination {
  readonly holds = 'images'
  readonly holdsOne: boolean
  readonly #containerd: Containerd
  readonly #place: Place
  readonly #options: DestinationOptions
  readonly #store: NamespaceStore
  readonly #names: ImageNames
  readonly #writer: BlobWriter
  readonly #layers: LayerWriter<Digest>
  readonly #records: ImageRecords
  /** Referrers that their subjects are to hold on to. */
  readonly #attached: Referrer[] = []
  #sources: readonly string[] = []
  #written = 0

  constructor(containerd: Containerd, place: Place, options: DestinationOptions) {
    this.holdsOne = place.name !== undefined
    this.#containerd = containerd
    this.#place = place
    this.#options = options
    this.#store = new NamespaceStore(containerd.client, place.namespace)
    this.#names = new ImageNames({
      selector: place.name,
      given: formatLocation(place.given),
      bare: `${NAME}:${place.namespace}/`,
      // Others would be found by no tool but ctr.
      holdsOthers: false,
    })
    this.#writer = new BlobWriter(this.#store, () => sourceLabels(this.#sources))
    this.#layers = new LayerWriter(this.#writer, options)
    this.#records = new ImageRecords(this.#store, this.#writer)
  }

  async write(draft: ImageDraft, options: WorkOptions): Promise<ImageArtifact> {
    const {held, names} = await this.#begin(draft, options)
    const before = this.#writer.sentBytes
    const {concurrency} = this.#options
    const layers = await writeLayers(draft.layers, (layer, inner) => this.#layers.write(layer, inner), {
      ...options,
      concurrency,
    })
    const config = draft.config(layers.map((layer) => (layer.kind === 'stored' ? layer.facts.diffId : layer.diffId)))
    const imageId = digestOf(config.bytes)
    this.#names.register(held, imageId)
    await this.#writer.putDocument(config, {}, options)
    const parts = layers.map((layer) => (layer.kind === 'stored' ? layer.facts : layer.descriptor))
    const manifest = manifestFor(
      {config: {digest: imageId, size: config.bytes.byteLength}, layers: parts},
      {kept: draft.manifest, family: this.#options.manifestFormat},
    )
    await this.#writer.putDocument(manifest, referenceLabels(manifest), options)
    const target = descriptorOfDocument(manifest)
    const open = this.#point(names, target)
    const bytesWritten = this.#writer.sentBytes - before
    const family = familyOf(manifest)
    return {
      kind: 'image',
      reference: this.#referenceTo(names),
      imageId,
      manifestDigest: target.digest,
      ...(open.length === 0 && bytesWritten === 0 ? {unchanged: true} : {}),
      layers: layers.map((layer, index) => {
        const part = parts[index]
        return layerArtifact(layer, part === undefined ? undefined : descriptorOfLayer(part, family))
      }),
      bytesWritten,
    }
  }

  async writeIndex(
    {document, content, images, names: given}: ImageIndex,
    options: WorkOptions,
  ): Promise<IndexArtifact> {
    const {held, names} = await this.#begin({names: given}, options)
    const before = this.#writer.sentBytes
    this.#names.register(held, document.digest)
    await this.#putAll(
      content,
      new Map(images.flatMap(({layers}) => layers.map((layer) => [layer.descriptor.digest, layer.diffId]))),
      options,
    )
    const open = this.#point(names, descriptorOfDocument(document))
    const bytesWritten = this.#writer.sentBytes - before
    const reference = this.#referenceTo(names)
    return {
      kind: 'index',
      reference,
      digest: document.digest,
      images: images.map(({manifestDigest}) => this.#referenceTo(names, manifestDigest)),
      ...(open.length === 0 && bytesWritten === 0 ? {unchanged: true} : {}),
      bytesWritten,
    }
  }

  /**
   * What states its subject is held by a label of that, where containerd itself looks for it from 2.2 on; what is found by
   * its tag gets a record beside the image's own.
   */
  async attach({referrers, content}: Referrers, options: WorkOptions): Promise<number> {
    const before = this.#writer.sentBytes
    for (const {tag, descriptor} of referrers) {
      if (tag === undefined) continue
      for (const repository of repositoriesOf(this.#sources.map((name) => ({name})))) {
        const full = `${repository}:${tag}`
        await this.#records.remember(full, options)
        if (this.#isOpen(full, descriptor)) this.#records.add([full], descriptor)
      }
    }
    await this.#putAll(content, new Map(), options)
    this.#attached.push(...referrers.filter(({tag}) => tag === undefined))
    return this.#writer.sentBytes - before
  }

  /** Blobs, and then documents, each with the labels by which it holds on to what it names. */
  async #putAll(content: ContentGraph, diffIds: ReadonlyMap<Digest, Digest>, options: WorkOptions): Promise<void> {
    const put = (blob: StoredContent, inner: WorkOptions) => {
      const {digest} = blob.descriptor
      const diffId = diffIds.get(digest)
      return this.#writer.putContent(blob, diffId === undefined ? {} : layerLabels({digest, diffId}), inner)
    }
    const turnOf = ({descriptor}: StoredContent) => descriptor.digest
    await sideBySide(content.blobs, put, {...options, turnOf, concurrency: this.#options.concurrency})
    for (const document of content.documents)
      await this.#writer.putDocument(document, referenceLabels(document), options)
  }

  /** The names that the image is to have. */
  async #begin(draft: Pick<ImageDraft, 'names'>, options: WorkOptions) {
    const held = this.#names.namesOf(draft, this.#written, options)
    const {names} = held
    if (names.length === 0) throw this.#nameless()
    this.#sources = names.map(({full}) => full)
    for (const {full} of names) await this.#records.remember(full, options)
    return {held, names}
  }

  /** Names that do not lead there yet; they will. */
  #point(names: readonly TaggedName[], target: Descriptor): readonly TaggedName[] {
    const open = names.filter(({full}) => this.#isOpen(full, target))
    this.#records.add(
      open.map(({full}) => full),
      target,
    )
    this.#written++
    return open
  }

  /** True where a name does not lead there yet; one of another image is taken from it only where that was asked for. */
  #isOpen(full: string, {digest}: Descriptor): boolean {
    const other = this.#records.before(full)
    if (other?.digest === digest) return false
    if (other !== undefined) this.#requireReplaceable(full, other.digest, digest)
    return true
  }

  #requireReplaceable(full: string, there: string, here: string): void {
    const reference = formatLocation(referenceTo(this.#place.namespace, full))
    requireReplaceable(
      {
        what: `'${reference}' is another image.`,
        why: `There it is ${there}, here ${here}.`,
        instead: ['Choose another tag.'],
        at: {reference},
      },
      this.#options.replace === true,
    )
  }

  #referenceTo([name]: readonly TaggedName[], digest?: Digest): string {
    return formatLocation(referenceTo(this.#place.namespace, name?.full ?? '', digest))
  }

  #nameless(): UsageError {
    return new UsageError('BAD_REFERENCE', {
      what: 'The image has no name, and containerd keeps images by their names.',
      suggestions: [`${NAME}:${this.#place.namespace}/NAME:TAG`, 'Give --tag NAME:TAG.'],
      at: {reference: formatLocation(this.#place.given)},
    })
  }

  async commit(options: WorkOptions): Promise<void> {
    for (const {subject, descriptor} of this.#attached.splice(0))
      await this.#writer.addLabels(subject, referrerLabel(descriptor.digest), options)
    await this.#records.write(options, (full, there, here) => {
      this.#requireReplaceable(full, there, here)
    })
    await this.#writer.end(options)
    this.#containerd.client.close()
  }

  async abort(): Promise<void> {
    const options = {signal: AbortSignal.timeout(ABORT_MS)}
    await this.#records.undo(options)
    await this.#writer.abort(options)
    await this.#removeNamespace(options)
    this.#containerd.client.close()
  }

  /** A namespace comes with the first thing in it; containerd refuses to remove one that has anything. */
  async #removeNamespace(options: WorkOptions): Promise<void> {
    const {namespace: name} = this.#place
    if (this.#containerd.namespaces.includes(name)) return
    try {
      await this.#store.call('containerd.services.namespaces.v1.Namespaces/Delete', {name}, options)
    } catch (error) {
      if (!(error instanceof TransshipError)) throw error
    }
  }
}
