import {requireCompression} from '../../codecs/compression/compress.js'
import {digestOf} from '../../model/digest.js'
import {UsageError} from '../../model/errors.js'
import type {WorkOptions} from '../../model/events.js'
import type {Reference} from '../../model/reference.js'
import {requireNames, type NamingReference} from '../../formats/image-documents/given-names.js'
import {ImageNames} from '../../formats/image-archive/image-names.js'
import {findDockerName, isSameName} from '../../formats/image-documents/image-name.js'
import {layerArtifact, LayerWriter} from '../../formats/layer-blob/layer-writer.js'
import type {DestinationOptions, ImageArtifact, ImageDestination, ImageDraft} from '../../model/transport.js'
import type {ArchiveForm, WrittenImage, WrittenLayer} from '../../formats/image-archive/archive-form.js'
import {HybridForm} from '../../formats/image-archive/hybrid-form.js'
import {ClassicForm} from './classic-form.js'
import {formatLocation, selectionOf} from './reference.js'
import {requireFile, TarFile, type OpenMember} from '../../formats/archive-file/tar-file.js'

/** Opens an archive for writing; nothing is touched yet. `DESTINATION_EXISTS`, `BAD_OPTION`, `BAD_REFERENCE`. */
export async function createDestination(reference: Reference, options: DestinationOptions): Promise<ImageDestination> {
  const selection = selectionOf(reference)
  if (selection?.kind === 'index') {
    throw new UsageError('BAD_REFERENCE', {
      what: `'${formatLocation(reference)}' selects an image by its position.`,
      why: 'A destination accepts only a name.',
      suggestions: [formatLocation({...reference, selector: 'name:tag'})],
    })
  }
  if (selection?.kind === 'name' && findDockerName(selection.name)?.digest !== undefined) {
    throw new UsageError('BAD_REFERENCE', {
      what: `'${formatLocation(reference)}' selects an image by its digest.`,
      why: 'A destination accepts only a tag; the digest follows from the content.',
      suggestions: [formatLocation({...reference, selector: 'name:tag'})],
    })
  }
  requireNames(options.names, namingOf(reference))
  await requireFile(reference.path, options.replace === true)
  const form = options.archiveFormat ?? 'hybrid'
  const {compression} = options
  if (form !== 'hybrid' && compression !== undefined && compression !== 'none') {
    throw new UsageError('BAD_OPTION', {
      what: `The archive format ${form} stores layers uncompressed.`,
      why: `It does not support --compression ${compression}.`,
      suggestions: ['Use --archive-format hybrid, or leave out --compression.'],
    })
  }
  requireCompression(compression ?? 'none', options.compressionLevel)
  const made = form === 'hybrid' ? new HybridForm(options.manifestFormat) : new ClassicForm(form)
  return new ArchiveDestination(reference, made, options)
}

function namingOf({selector, ...place}: Reference): NamingReference | undefined {
  if (selector === undefined) return undefined
  const given = formatLocation({...place, selector})
  return {given, bare: formatLocation(place), isSame: (name) => isSameName(name, selector)}
}

class ArchiveDestination implements ImageDestination {
  readonly holds = 'images'
  readonly holdsOne: boolean
  isUnchanged = false
  readonly #reference: Reference
  readonly #form: ArchiveForm
  readonly #options: DestinationOptions
  readonly #names: ImageNames
  #images = 0
  #opened: {readonly file: TarFile; readonly layers: LayerWriter<OpenMember>} | undefined

  constructor(reference: Reference, form: ArchiveForm, options: DestinationOptions) {
    this.holdsOne = reference.selector !== undefined
    this.#reference = reference
    this.#form = form
    this.#options = options
    const {transport, path, selector} = reference
    this.#names = new ImageNames({
      selector,
      given: formatLocation(reference),
      bare: formatLocation({transport, path}),
      holdsOthers: form.hasIndex,
    })
  }

  async write(draft: ImageDraft, options: WorkOptions): Promise<ImageArtifact> {
    const held = this.#names.namesOf(draft, this.#images, options)
    const {names} = held
    const {file, layers: writer} = await this.#open(options)
    const before = file.size
    const layers: WrittenLayer[] = []
    for (const layer of draft.layers) layers.push(await writer.write(layer, options))
    const diffIds = layers.map((layer) => (layer.kind === 'stored' ? layer.facts.diffId : layer.diffId))
    const config = draft.config(diffIds)
    const imageId = digestOf(config.bytes)
    this.#names.register(held, imageId)
    const image: WrittenImage = {...held, draft, config, imageId, diffIds, layers}
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

  async #open(options: WorkOptions): Promise<{file: TarFile; layers: LayerWriter<OpenMember>}> {
    if (this.#opened !== undefined) return this.#opened
    const file = await TarFile.create(this.#reference.path, {...options, replace: this.#options.replace})
    const layers = new LayerWriter<OpenMember>(
      {
        takes: this.#form.takesCompressed ? ['none', 'gzip', 'zstd'] : ['none'],
        put: async (open, work) => {
          const body = open()
          const member = await file.addBody(body.bytes, work)
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
    const {file} = await this.#open(options)
    await this.#form.end(file)
    this.isUnchanged = await file.commit({...options, replace: this.#options.replace === true})
    this.#opened = undefined
  }

  async abort(): Promise<void> {
    await this.#opened?.file.abort()
    this.#opened = undefined
  }
}
