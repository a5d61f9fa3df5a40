import {requireCompression} from '../../codecs/compression/compress.js'
import {digestOf, type Digest} from '../../model/digest.js'
import {UsageError} from '../../model/errors.js'
import type {WorkOptions} from '../../model/events.js'
import type {Descriptor, RawDocument} from '../../model/image.js'
import type {Reference} from '../../model/reference.js'
import {requireTaggedName, type TaggedName} from '../shared/image-name.js'
import {layerArtifact, LayerWriter, type WrittenLayer as ShelvedLayer} from '../shared/layer-writer.js'
import type {DestinationOptions, ImageArtifact, ImageDestination, ImageDraft} from '../transport.js'
import {ClassicForm} from './classic-form.js'
import {HybridForm} from './hybrid-form.js'
import {formatLocation, selectionOf} from './reference.js'
import {requireFree, TarFile, type OpenMember} from '../shared/tar-file.js'

/** One image whose layers have been written. */
export interface WrittenImage {
  readonly names: readonly TaggedName[]
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
  readonly #names = new Map<string, Digest>()
  #images = 0
  #opened: {readonly file: TarFile; readonly layers: LayerWriter<OpenMember>} | undefined

  constructor(reference: Reference, form: ArchiveForm, options: DestinationOptions) {
    this.#reference = reference
    this.#form = form
    this.#options = options
  }

  async write(draft: ImageDraft, options: WorkOptions): Promise<ImageArtifact> {
    const names = this.#namesOf(draft)
    const {file, layers: writer} = await this.#open()
    const before = file.size
    const layers: WrittenLayer[] = []
    for (const layer of draft.layers) layers.push(await writer.write(layer, options))
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

  async #open(): Promise<{file: TarFile; layers: LayerWriter<OpenMember>}> {
    if (this.#opened !== undefined) return this.#opened
    const file = await TarFile.create(this.#reference.path)
    const layers = new LayerWriter<OpenMember>(
      {
        takes: this.#form.takesCompressed ? ['none', 'gzip', 'zstd'] : ['none'],
        put: async (open, options) => {
          const body = open()
          const member = await file.addBody(body.bytes, options)
          return {member, facts: body.facts()}
        },
        drop: (member) => file.drop(member),
      },
      this.#options,
    )
    this.#opened = {file, layers}
    await this.#form.begin(file)
    return this.#opened
  }

  async commit(options: WorkOptions): Promise<void> {
    const {file} = await this.#open()
    await this.#form.end(file)
    await file.commit({...options, replace: this.#options.replace === true})
    this.#opened = undefined
  }

  async abort(): Promise<void> {
    await this.#opened?.file.abort()
    this.#opened = undefined
  }
}
