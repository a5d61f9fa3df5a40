import {requireCompression} from '../../codecs/compression/compress.js'
import {digestOf, type Digest} from '../../model/digest.js'
import {InputError, UsageError} from '../../model/errors.js'
import type {WorkOptions} from '../../model/events.js'
import type {Descriptor, Layer, RawDocument} from '../../model/image.js'
import type {Reference} from '../../model/reference.js'
import {requireTaggedName, type TaggedName} from '../shared/image-name.js'
import {layerBody, type LayerFacts} from '../shared/layer-writing.js'
import type {DestinationOptions, ImageArtifact, ImageDestination, ImageDraft, LayerArtifact} from '../transport.js'
import {ClassicForm} from './classic-form.js'
import {HybridForm} from './hybrid-form.js'
import {formatLocation, selectionOf} from './reference.js'
import {requireFree, TarFile, type OpenMember} from './tar-file.js'

/** One image whose layers have been written. */
export interface WrittenImage {
  readonly names: readonly TaggedName[]
  readonly draft: ImageDraft
  readonly config: RawDocument
  readonly imageId: Digest
  readonly diffIds: readonly Digest[]
  readonly layers: readonly WrittenLayer[]
}

export type WrittenLayer =
  | {readonly kind: 'stored'; readonly facts: LayerFacts; readonly member: OpenMember}
  | {readonly kind: 'foreign'; readonly diffId: Digest; readonly descriptor: Descriptor}

/** What differs between the forms of an archive: how members are called, and the documents. */
export interface ArchiveForm {
  /** Whether stored layers may be gzip or zstd. */
  readonly takesCompressed: boolean
  /** Written before anything else. */
  begin(file: TarFile): Promise<void>
  /** Names the layers' members and writes what belongs to one image. Gives the media types, and the manifest if any. */
  addImage(
    file: TarFile,
    image: WrittenImage,
    options: WorkOptions,
  ): Promise<{layers: readonly Descriptor[]; manifestDigest?: Digest}>
  /** The documents over all images. */
  end(file: TarFile): Promise<void>
}

/** Opens an archive for writing; nothing is touched yet. `DESTINATION_EXISTS`, `BAD_OPTION`, `BAD_REFERENCE`. */
export async function createDestination(reference: Reference, options: DestinationOptions): Promise<ImageDestination> {
  const selection = selectionOf(reference)
  if (selection?.kind === 'index') {
    throw new UsageError('BAD_REFERENCE', {
      what: `'${formatLocation(reference)}' selects an image by its place.`,
      why: 'A destination can only give a name.',
      suggestions: [formatLocation({...reference, selector: 'name:tag'})],
    })
  }
  await requireFree(reference.path, options.replace === true)
  const form = options.archiveFormat ?? 'hybrid'
  const {compression} = options
  if (form !== 'hybrid' && compression !== undefined && compression !== 'none') {
    throw new UsageError('BAD_OPTION', {
      what: `An archive of the form ${form} holds its layers uncompressed.`,
      why: `--compression ${compression} was asked for.`,
      suggestions: ['Use --archive-format hybrid, or leave --compression out.'],
    })
  }
  requireCompression(compression ?? 'none', options.compressionLevel)
  const made = form === 'hybrid' ? new HybridForm(options.manifestFormat) : new ClassicForm(form)
  return new ArchiveDestination(reference, made, options)
}

class ArchiveDestination implements ImageDestination {
  readonly holds = 'images'
  readonly #reference: Reference
  readonly #form: ArchiveForm
  readonly #options: DestinationOptions
  /** By digest as stored, and by diffID. */
  readonly #stored = new Map<string, WrittenLayer & {kind: 'stored'}>()
  readonly #names = new Map<string, Digest>()
  #images = 0
  #file: TarFile | undefined

  constructor(reference: Reference, form: ArchiveForm, options: DestinationOptions) {
    this.#reference = reference
    this.#form = form
    this.#options = options
  }

  async write(draft: ImageDraft, options: WorkOptions): Promise<ImageArtifact> {
    const names = this.#namesOf(draft)
    const file = await this.#open()
    const before = file.size
    const layers: WrittenLayer[] = []
    for (const layer of draft.layers) layers.push(await this.#layer(file, layer, options))
    const diffIds = layers.map((layer) => (layer.kind === 'stored' ? layer.facts.diffId : layer.diffId))
    const config = draft.config(diffIds)
    const imageId = digestOf(config.bytes)
    this.#register(names, imageId)
    const image: WrittenImage = {names, draft, config, imageId, diffIds, layers}
    const {layers: descriptors, manifestDigest} = await this.#form.addImage(file, image, options)
    const selector = names[0]?.familiar ?? `@${this.#images}`
    this.#images++
    return {
      kind: 'image',
      reference: formatLocation({...this.#reference, selector}),
      imageId,
      ...(manifestDigest === undefined ? {} : {manifestDigest}),
      layers: layers.map((layer, index) => layerArtifact(layer, descriptors[index])),
      bytesWritten: file.size - before,
    }
  }

  #namesOf(draft: ImageDraft): readonly TaggedName[] {
    const {selector} = this.#reference
    if (selector === undefined) {
      const names = new Map(draft.names.map(requireTaggedName).map((name) => [name.full, name]))
      return [...names.values()]
    }
    if (this.#images === 0) return [requireTaggedName(selector)]
    throw new UsageError('BAD_REFERENCE', {
      what: `'${formatLocation(this.#reference)}' names one image, and there are several to write.`,
      suggestions: [
        `Leave the name out: ${formatLocation({transport: this.#reference.transport, path: this.#reference.path})}`,
      ],
    })
  }

  #register(names: readonly TaggedName[], imageId: Digest): void {
    for (const {full, familiar} of names) {
      const other = this.#names.get(full)
      if (other !== undefined && other !== imageId) {
        throw new UsageError('BAD_REFERENCE', {
          what: `Two images would be called '${familiar}' in one archive.`,
          why: 'Only the last one could be loaded.',
          suggestions: ['Give each its own --tag, or its own archive.'],
        })
      }
      this.#names.set(full, imageId)
    }
  }

  async #open(): Promise<TarFile> {
    if (this.#file !== undefined) return this.#file
    this.#file = await TarFile.create(this.#reference.path)
    await this.#form.begin(this.#file)
    return this.#file
  }

  async #layer(file: TarFile, layer: Layer, options: WorkOptions): Promise<WrittenLayer> {
    if (!layer.hasContent) return foreignLayer(layer)
    const wanted = this.#options.compression
    const accepts = this.#form.takesCompressed
      ? wanted === undefined
        ? (['none', 'gzip', 'zstd'] as const)
        : // A level is a wish to compress anew.
          this.#options.compressionLevel === undefined || wanted === 'none'
          ? [wanted]
          : []
      : (['none'] as const)
    const known = this.#known(layer, accepts)
    if (known !== undefined) return known
    const body = layerBody(
      layer,
      {accepts, compression: wanted ?? 'none', level: this.#options.compressionLevel},
      options,
    )
    const member = await file.addBody(body.bytes, options)
    const facts = body.facts()
    const same = this.#stored.get(facts.digest)
    if (same !== undefined) {
      await file.drop(member)
      return same
    }
    const stored = {kind: 'stored', facts, member} as const
    this.#stored.set(facts.digest, stored)
    if (!this.#stored.has(facts.diffId)) this.#stored.set(facts.diffId, stored)
    return stored
  }

  /** A blob that is in the archive already need not be read again. */
  #known(layer: Layer, accepts: readonly string[]): WrittenLayer | undefined {
    if (layer.blob === undefined) return undefined
    const isPassed = accepts.includes(layer.blob.compression)
    const known = this.#stored.get(isPassed ? layer.blob.descriptor.digest : (layer.diffId ?? ''))
    const isSame = layer.diffId === undefined || known?.facts.diffId === layer.diffId
    return isSame ? known : undefined
  }

  async commit(options: WorkOptions): Promise<void> {
    const file = await this.#open()
    await this.#form.end(file)
    await file.commit({...options, replace: this.#options.replace === true})
    this.#file = undefined
  }

  async abort(): Promise<void> {
    await this.#file?.abort()
    this.#file = undefined
  }
}

function foreignLayer({title, diffId, blob}: Layer): WrittenLayer {
  if (diffId !== undefined && blob !== undefined) return {kind: 'foreign', diffId, descriptor: blob.descriptor}
  throw new InputError('LAYER_MISSING', {
    what: `The content of ${title} is not in the source.`,
    why: 'It is only named there, without the digest that a reference to it would need.',
    suggestions: ['Give --base REFERENCE with an image that holds it.'],
    at: {path: title},
  })
}

function layerArtifact(layer: WrittenLayer, descriptor: Descriptor | undefined): LayerArtifact {
  const {facts, diffId} =
    layer.kind === 'stored'
      ? {facts: layer.facts, diffId: layer.facts.diffId}
      : {facts: {...layer.descriptor, entries: 0}, diffId: layer.diffId}
  const {digest, size, entries} = facts
  return {diffId, digest, mediaType: descriptor?.mediaType ?? '', size, entries}
}
