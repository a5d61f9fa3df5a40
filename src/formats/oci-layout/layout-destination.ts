import {requireCompression} from '../../codecs/compression/compress.js'
import {digestOf, type Digest} from '../../model/digest.js'
import {UsageError} from '../../model/errors.js'
import type {WorkOptions} from '../../model/events.js'
import type {Layer, RawDocument} from '../../model/image.js'
import type {Reference} from '../../model/reference.js'
import type {ContentGraph, ImageIndex, Referrers} from '../../model/content-graph.js'
import type {
  DestinationOptions,
  ImageArtifact,
  ImageDestination,
  ImageDraft,
  IndexArtifact,
} from '../../model/transport.js'
import {requireNames, type NamingReference} from '../image-documents/given-names.js'
import {referrersTag} from '../image-documents/digest-tags.js'
import type {IndexDocument, StatedDescriptor} from '../image-documents/image-documents.js'
import {tellLeftOut} from '../image-archive/image-names.js'
import {findTaggedName, isNamedBy} from '../image-documents/image-name.js'
import {layerArtifact, LayerWriter, type KeptLayer, type WrittenLayer} from '../layer-blob/layer-writer.js'
import {MEDIA_TYPE} from '../image-documents/media-types.js'
import {requireReplaceable} from '../../model/replacing.js'
import {writeLayers} from '../layer-blob/side-by-side.js'
import {descriptorOfDocument, descriptorOfLayer, familyOf, manifestFor} from '../image-documents/written-manifest.js'
import {blobPath} from './content-store.js'
import {findSound} from './kept-blob.js'
import {indexEntries} from './index-entries.js'
import {indexNameOf} from './index-name.js'
import {statedNames} from './index-walk.js'
import type {LayoutFiles} from './layout-files.js'
import {listsIn} from './listed-referrers.js'
import {PlacedNames, type PlacedName} from './placed-names.js'
import {putContent} from './put-content.js'
import {findPinned} from './reference.js'
import {referrerEntries} from './written-referrers.js'

/** Where a layout is written. */
export interface LayoutTarget<M> {
  readonly reference: Reference
  format(reference: Reference): string
  open(): Promise<LayoutFiles<M>>
  /** The index that is there, read without touching anything. */
  readonly peek?: () => IndexDocument | undefined
}

type Entry = Readonly<Record<string, unknown>>

/** What the index will name. */
interface Written {
  readonly names: readonly PlacedName[]
  readonly digest: Digest
  readonly entries: readonly Entry[]
}

interface Opened<M> {
  readonly files: LayoutFiles<M>
  readonly layers: LayerWriter<M>
  readonly placed: PlacedNames
}

/** Kept for its digest, by which clusters name images. */
const KEPT_DOCKER_MANIFEST = {
  code: 'docker-manifest-kept',
  message:
    "The manifest keeps Docker's format and its digest. In an OCI layout, skopeo and umoci read only OCI manifests; --manifest-format oci writes one.",
} as const

/** Throws `BAD_OPTION`, `BAD_REFERENCE`, `FORMAT_UNSUPPORTED`. */
export function createLayout<M>(target: LayoutTarget<M>, options: DestinationOptions): ImageDestination {
  requireCompression(options.compression ?? 'none', options.compressionLevel)
  const {reference} = target
  if (reference.selector !== undefined && findPinned(reference.selector) !== undefined) {
    throw new UsageError('BAD_REFERENCE', {
      what: `'${target.format(reference)}' selects an image by its digest.`,
      why: 'A destination accepts only a tag; the digest follows from the content.',
      suggestions: [target.format({...reference, selector: 'latest'})],
    })
  }
  requireNames(options.names, namingOf(target))
  return new LayoutDestination(target, options)
}

/** In a layout a tag alone is a name, and so is the tag of a name. */
function namingOf<M>(target: LayoutTarget<M>): NamingReference | undefined {
  const {selector, ...place} = target.reference
  if (selector === undefined) return undefined
  const isSame = (name: string) => isNamedBy(name, selector)
  return {given: target.format(target.reference), bare: target.format(place), isSame}
}

class LayoutDestination<M> implements ImageDestination {
  readonly holds = 'images'
  readonly holdsOne: boolean
  isUnchanged = false
  #isAllKept = true
  readonly #target: LayoutTarget<M>
  readonly #options: DestinationOptions
  readonly #named = new Set<string>()
  readonly #written: Written[] = []
  #opened: Opened<M> | undefined

  constructor(target: LayoutTarget<M>, options: DestinationOptions) {
    this.holdsOne = target.reference.selector !== undefined
    this.#target = target
    this.#options = options
  }

  /** Where an image of these names would stand, as `write` would tell it. */
  placesOf(names: readonly string[]): readonly Reference[] {
    const {reference, peek} = this.#target
    const placed = new PlacedNames(peek?.()?.manifests ?? [])
    return this.#namesOf({names}, placed, {}).map((name) => ({...reference, selector: placed.selectorOf(name)}))
  }

  async write(draft: ImageDraft, options: WorkOptions): Promise<ImageArtifact> {
    const {files, layers: writer, placed} = await this.#open()
    const names = this.#namesOf(draft, placed, options)
    const before = files.size
    const write = async (layer: Layer, inner: WorkOptions): Promise<WrittenLayer<M>> => {
      const written = await writer.write(layer, inner)
      if (written.kind === 'stored' && this.#isNew(blobPath(written.facts.digest))) {
        await files.name(written.member, blobPath(written.facts.digest))
      }
      return written
    }
    const concurrency = files.mayOverlap === true ? this.#options.concurrency : 1
    const layers = await writeLayers(draft.layers, write, {...options, concurrency})
    const config = draft.config(layers.map((layer) => (layer.kind === 'stored' ? layer.facts.diffId : layer.diffId)))
    const imageId = digestOf(config.bytes)
    const parts = layers.map((layer) => (layer.kind === 'stored' ? layer.facts : layer.descriptor))
    const manifest = manifestFor(
      {config: {digest: imageId, size: config.bytes.byteLength}, layers: parts},
      {kept: draft.manifest, family: this.#options.manifestFormat},
    )
    await this.#addDocument(files, config)
    await this.#addDocument(files, manifest)
    const descriptor = descriptorOfDocument(manifest)
    const isUnchanged = this.#requireFree(names, descriptor.digest, placed)
    const family = familyOf(manifest)
    if (family === 'docker' && this.#options.manifestFormat === undefined)
      options.onEvent?.({kind: 'note', ...KEPT_DOCKER_MANIFEST, subject: descriptor.digest})
    const isKept = isUnchanged && (this.#options.replace !== true || layers.every((layer) => layer.kind !== 'stored'))
    this.#isAllKept &&= isKept
    this.#written.push({names, digest: descriptor.digest, entries: indexEntries(descriptor, draft.platform, names)})
    const selector = names[0] === undefined ? `@${descriptor.digest}` : placed.selectorOf(names[0])
    return {
      kind: 'image',
      reference: this.#target.format({...this.#target.reference, selector}),
      imageId,
      manifestDigest: descriptor.digest,
      ...(isUnchanged ? {unchanged: true} : {}),
      layers: layers.map((layer, index) => {
        const part = parts[index]
        return layerArtifact(layer, part === undefined ? undefined : descriptorOfLayer(part, family))
      }),
      bytesWritten: isKept ? 0 : files.size - before,
    }
  }

  async writeIndex(index: ImageIndex, options: WorkOptions): Promise<IndexArtifact> {
    const {files, placed} = await this.#open()
    const names = this.#namesOf(index, placed, options)
    const before = files.size
    const {document, content} = index
    const isUnchanged = this.#requireFree(names, document.digest, placed)
    await this.#put(files, content, options)
    const isKept = isUnchanged && (this.#options.replace !== true || files.size === before)
    this.#isAllKept &&= isKept
    const descriptor = descriptorOfDocument(document)
    this.#written.push({names, digest: document.digest, entries: indexEntries(descriptor, undefined, names)})
    const select = (selector: string) => this.#target.format({...this.#target.reference, selector})
    return {
      kind: 'index',
      reference: select(names[0] === undefined ? `@${document.digest}` : placed.selectorOf(names[0])),
      digest: document.digest,
      images: index.images.map(({manifestDigest}) => select(`@${manifestDigest}`)),
      ...(isUnchanged ? {unchanged: true} : {}),
      bytesWritten: isKept ? 0 : files.size - before,
    }
  }

  /** As files of the layout, and by every convention by which tools find them. */
  async attach({referrers, content}: Referrers, options: WorkOptions): Promise<number> {
    const {files, placed} = await this.#open()
    const before = files.size
    for (const {tag, descriptor} of referrers)
      if (tag !== undefined) this.#requireFree([{ref: tag}], descriptor.digest, placed)
    const lists = await listsIn(files, options)
    const {entries, lists: made} = referrerEntries(referrers, (subject) => lists.get(referrersTag(subject)) ?? [])
    const isThere = entries.every(({ref, digest: stated}) =>
      (files.existing?.manifests ?? []).some(
        ({digest, annotations}) => digest === stated && (ref === undefined || refIn(annotations).includes(ref)),
      ),
    )
    if (isThere && this.#options.replace !== true) return 0
    await this.#put(files, content, options)
    for (const list of made) await this.#addDocument(files, list)
    this.#isAllKept &&= isThere && files.size === before
    for (const {ref, digest, entry} of entries)
      this.#written.push({names: ref === undefined ? [] : [{ref}], digest, entries: [entry]})
    return files.size - before
  }

  async #put(files: LayoutFiles<M>, content: ContentGraph, options: WorkOptions): Promise<void> {
    const {concurrency} = this.#options
    await putContent(files, content, {...options, concurrency, isNew: (name) => this.#isNew(name)})
  }

  /** By the reference, as skopeo does; else the image's own names. */
  #namesOf(draft: Pick<ImageDraft, 'names'>, placed: PlacedNames, options: WorkOptions): readonly PlacedName[] {
    const {selector} = this.#target.reference
    const named = draft.names.map((text) => ({text, name: indexNameOf(text)}))
    const own = [
      ...new Map(named.flatMap(({name}) => (name === undefined ? [] : [[name.full ?? name.ref, name]]))).values(),
    ]
    if (selector === undefined) {
      for (const {text, name} of named) if (name === undefined) tellLeftOut(text, options)
      // Two names of one image may have the same tag as well.
      return own.map((name) => placed.add(placed.place(name)))
    }
    if (this.#written.length > 0) {
      throw new UsageError('BAD_REFERENCE', {
        what: `'${this.#target.format(this.#target.reference)}' names one image, but the source has several.`,
        suggestions: ['Leave out the tag, and each image keeps its own name.'],
      })
    }
    const spelt = /[/:]/.test(selector) ? findTaggedName(selector) : own.find(({ref}) => ref === selector)
    return [placed.asked({ref: selector, full: spelt?.full})]
  }

  /** True when the image is there under all of its names; a name of another is taken from it only where that was asked for. */
  #requireFree(names: readonly PlacedName[], digest: Digest, placed: PlacedNames): boolean {
    const isIt = (entry: {readonly digest: string}) => entry.digest === digest
    for (const name of names) {
      const standing = placed.standing(name)
      const other = standing.find((entry) => !isIt(entry))
      if (other === undefined) continue
      const reference = this.#target.format({...this.#target.reference, selector: placed.selectorOf(name)})
      requireOne(standing, reference)
      requireReplaceable(
        {
          what: `'${reference}' names a different image.`,
          why: `The layout has ${other.digest}; the new image is ${digest}.`,
          instead: ['Choose another tag.'],
          at: {reference},
        },
        this.#options.replace === true,
      )
    }
    return names.length === 0 ? placed.holds(digest) : names.every((name) => placed.standing(name).some(isIt))
  }

  #isNew(name: string): boolean {
    if (this.#named.has(name)) return false
    this.#named.add(name)
    return true
  }

  async #addDocument(files: LayoutFiles<M>, document: RawDocument): Promise<void> {
    const name = blobPath(descriptorOfDocument(document).digest)
    if (this.#isNew(name)) await files.addFile(name, document.bytes)
  }

  async #open(): Promise<Opened<M>> {
    if (this.#opened !== undefined) return this.#opened
    const files = await this.#target.open()
    const layers = new LayerWriter<M>(
      {
        takes: ['none', 'gzip', 'zstd'],
        put: async (open, options) => {
          const body = open()
          const member = await files.addBody(body.bytes, options)
          return {member, facts: body.facts()}
        },
        drop: (member) => files.drop(member),
        findKept: (layer, {digest}, options) => this.#findKept(files, layer, {...options, name: blobPath(digest)}),
      },
      this.#options,
    )
    this.#opened = {files, layers, placed: new PlacedNames(files.existing?.manifests ?? [])}
    return this.#opened
  }

  /** A blob that the layout has already stays where it is, if it is sound. */
  async #findKept(
    files: LayoutFiles<M>,
    layer: Layer,
    {name, ...options}: WorkOptions & {readonly name: string},
  ): Promise<KeptLayer<M> | undefined> {
    const existing = await files.findExisting?.(name)
    const facts = existing === undefined ? undefined : await findSound(layer, existing, options)
    if (existing === undefined || facts === undefined) return undefined
    this.#named.add(name)
    const {entries} = facts
    return {member: existing.member, ...(entries === undefined ? {} : {entries})}
  }

  async commit(options: WorkOptions): Promise<void> {
    const {files, placed} = await this.#open()
    // What is equal stays as it is; only what may be replaced is mended where it is damaged.
    if (this.#isAllKept && this.#written.length > 0) return this.abort()
    await files.addFile('oci-layout', Buffer.from(JSON.stringify({imageLayoutVersion: '1.0.0'})))
    const index = (existing: IndexDocument | undefined) => {
      const isOther = existing !== files.existing
      const there = isOther ? new PlacedNames(existing?.manifests ?? []) : placed
      if (isOther) for (const {names, digest} of this.#written) this.#requireFree(names, digest, there)
      return Buffer.from(JSON.stringify(this.#index(existing, there)))
    }
    this.isUnchanged = await files.commit(index, {...options, replace: this.#options.replace === true})
    this.#opened = undefined
  }

  /** What is there keeps its entries, except for names that have gone over to new images. */
  #index(existing: IndexDocument | undefined, placed: PlacedNames): object {
    const added = this.#written.flatMap(({entries}) => entries)
    const superseded = new Set(this.#written.flatMap(({names}) => names.flatMap((name) => placed.standing(name))))
    const digests = new Set<string>(this.#written.map(({digest}) => digest))
    const kept = (existing?.manifests ?? []).filter(
      (entry) => !superseded.has(entry) && (isNamed(entry) || !digests.has(entry.digest)),
    )
    return {schemaVersion: 2, mediaType: MEDIA_TYPE.ociIndex, ...existing, manifests: [...kept, ...added]}
  }

  async abort(): Promise<void> {
    await this.#opened?.files.abort()
    this.#opened = undefined
  }
}

function isNamed(entry: StatedDescriptor): boolean {
  const {names, refs} = statedNames(entry)
  return names.length + refs.length > 0
}

function refIn(annotations: Readonly<Record<string, string>> | null | undefined): readonly string[] {
  const ref = annotations?.['org.opencontainers.image.ref.name']
  return ref === undefined ? [] : [ref]
}

/** Where one tag has several images, nobody can say which of them is to be replaced. */
function requireOne(standing: readonly StatedDescriptor[], reference: string): void {
  const digests = new Set(standing.map(({digest}) => digest))
  if (digests.size < 2) return
  throw new UsageError('AMBIGUOUS_SELECTION', {
    what: `${digests.size} images match '${reference}'.`,
    why: [...digests].join(', '),
    suggestions: ['Choose another tag.'],
    at: {reference},
  })
}
