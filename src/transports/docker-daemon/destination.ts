import {requireCompression} from '../../codecs/compression/compress.js'
import {digestOf, type Digest} from '../../model/digest.js'
import {EnvironmentError, InputError, UsageError} from '../../model/errors.js'
import type {WorkOptions} from '../../model/events.js'
import type {Layer} from '../../model/image.js'
import type {Reference} from '../../model/reference.js'
import {requireNames, type NamingReference} from '../../formats/image-documents/given-names.js'
import type {WrittenImage, WrittenLayer} from '../../formats/image-archive/archive-form.js'
import {HybridForm} from '../../formats/image-archive/hybrid-form.js'
import {ImageNames} from '../../formats/image-archive/image-names.js'
import {isSameName, type TaggedName} from '../../formats/image-documents/image-name.js'
import {requireReplaceable} from '../../model/replacing.js'
import {layerArtifact, LayerWriter} from '../../formats/layer-blob/layer-writer.js'
import type {OpenMember} from '../../formats/archive-file/tar-file.js'
import type {
  DestinationOptions,
  ImageArtifact,
  ImageDestination,
  ImageDraft,
  LayerArtifact,
} from '../../model/transport.js'
import {Engine, idDigest} from './engine.js'
import {requireLoaded} from './load-answer.js'
import {LoadStream} from './load-stream.js'
import {formatLocation, NAME, wantedOf} from './reference.js'
import {Undo} from './undo.js'

/** Since this version engines unpack zstd: Docker 23. */
const ZSTD_API = '1.42'

/**
 * Asks the engine who it is; nothing is sent yet. Throws `BAD_REFERENCE`, `BAD_OPTION`, and what connecting throws.
 */
export async function createDestination(reference: Reference, options: DestinationOptions): Promise<ImageDestination> {
  const wanted = wantedOf(reference)
  if (wanted.kind === 'id' || (wanted.kind === 'name' && wanted.digest !== undefined)) {
    throw new UsageError('BAD_REFERENCE', {
      what: `'${formatLocation(reference)}' is the ${wanted.kind === 'id' ? 'id' : 'digest'} of an image.`,
      why: `${wanted.kind === 'id' ? 'An id' : 'A digest'} follows from the content; a destination accepts only a name.`,
      suggestions: [`${NAME}:NAME:TAG`],
    })
  }
  requireCompression(options.compression ?? 'none', options.compressionLevel)
  requireNames(options.names, namingOf(reference))
  return new EngineDestination(reference, await Engine.connect(options), options)
}

function namingOf(reference: Reference): NamingReference | undefined {
  const {path, selector = 'latest'} = reference
  if (path === '') return undefined
  const isSame = (name: string) => isSameName(name, `${path}:${selector}`)
  return {given: formatLocation(reference), bare: `${NAME}:`, isSame}
}

interface LoadedImage {
  readonly names: readonly TaggedName[]
  /** What the engine may call it: by its configuration, or by its manifest. */
  readonly ids: readonly Digest[]
  /** False where the engine has it already: only the names it lacks are given. */
  readonly isSent: boolean
}

class EngineDestination implements ImageDestination {
  readonly holds = 'images'
  readonly holdsOne: boolean
  readonly #engine: Engine
  readonly #options: DestinationOptions
  readonly #form: HybridForm
  readonly #names: ImageNames
  readonly #undo: Undo
  readonly #images: LoadedImage[] = []
  #opened: {readonly tar: LoadStream; readonly layers: LayerWriter<OpenMember>} | undefined

  constructor(reference: Reference, engine: Engine, options: DestinationOptions) {
    this.holdsOne = reference.path !== ''
    this.#engine = engine
    this.#options = options
    this.#form = new HybridForm(options.manifestFormat)
    const {path, selector} = reference
    this.#names = new ImageNames({
      selector: path === '' ? undefined : `${path}:${selector ?? 'latest'}`,
      given: formatLocation(reference),
      bare: `${NAME}:`,
      // An engine gives tags.
      holdsOthers: false,
    })
    this.#undo = new Undo(engine.uninterrupted)
  }

  async write(draft: ImageDraft, options: WorkOptions): Promise<ImageArtifact> {
    this.#requireOs(draft)
    const held = this.#names.namesOf(draft, this.#images.length, options)
    const {names} = held
    const there = await this.#findThere(draft, names)
    if (there !== undefined) {
      const message = `${this.#engine.name} already has this image. transship sent nothing.`
      options.onEvent?.({kind: 'note', code: 'image-present', message, subject: there.reference})
      return there
    }
    const {tar, layers: writer} = await this.#open()
    const before = tar.size
    const layers: WrittenLayer[] = []
    for (const layer of draft.layers) layers.push(await writer.write(layer, options))
    const diffIds = layers.map((layer) => (layer.kind === 'stored' ? layer.facts.diffId : layer.diffId))
    const config = draft.config(diffIds)
    const imageId = digestOf(config.bytes)
    this.#names.register(held, imageId)
    const image: WrittenImage = {...held, draft, config, imageId, diffIds, layers}
    const {layers: descriptors, manifestDigest} = await this.#form.addImage(tar, image)
    const ids = [imageId, manifestDigest]
    await this.#requireFree(names, ids)
    this.#images.push({names, ids, isSent: true})
    return {
      kind: 'image',
      reference: this.#referenceTo(names, imageId),
      imageId,
      // Other engines unpack what they are sent, and make a manifest anew when they are asked for one.
      ...((await this.#engine.usesContainerd()) ? {manifestDigest} : {}),
      layers: layers.map((layer, index) => layerArtifact(layer, descriptors[index])),
      bytesWritten: tar.size - before,
    }
  }

  #requireOs({platform, names}: ImageDraft): void {
    const {os, name, endpoint, keepsAnyOs} = this.#engine
    if (os === '' || os === platform.os || keepsAnyOs) return
    const inWords = (text: string) => (text === 'windows' ? 'Windows' : text === 'linux' ? 'Linux' : text)
    throw new EnvironmentError('WRONG_ENGINE_OS', {
      what: `${name} runs ${inWords(os)} containers, but the image ${names[0] ?? ''} is for ${inWords(platform.os)}.`,
      why: 'The engine would reject the image. transship sent nothing.',
      suggestions: [
        'Pass another engine with --engine URL. Podman stores images of any system.',
        'On Docker Desktop, switch between Windows and Linux containers.',
      ],
      at: {reference: endpoint},
    })
  }

  /** An image that the engine has already need not be sent; only the names it lacks are given at the end. */
  async #findThere(draft: ImageDraft, names: readonly TaggedName[]): Promise<ImageArtifact | undefined> {
    const layers = storedLayers(draft.layers)
    if (layers === undefined) return undefined
    const imageId = digestOf(draft.config(layers.map(({diffId}) => diffId)).bytes)
    this.#names.register({names, others: []}, imageId)
    const isNamed = await this.#requireFree(names, [imageId])
    // By manifest it cannot be told what the image will be called.
    if ((await this.#engine.usesContainerd()) || (await this.#engine.find(imageId)) === undefined) return undefined
    this.#undo.rememberPresent(imageId)
    this.#images.push({names, ids: [imageId], isSent: false})
    const unchanged = isNamed ? {unchanged: true} : {}
    return {kind: 'image', reference: this.#referenceTo(names, imageId), imageId, ...unchanged, layers, bytesWritten: 0}
  }

  /**
   * Engines take a name away from the image that has it; that is done here only where it was asked for. True when all names
   * lead to the image already.
   */
  async #requireFree(names: readonly TaggedName[], ids: readonly Digest[]): Promise<boolean> {
    let isNamed = true
    for (const {full, familiar} of names) {
      const found = await this.#engine.find(full)
      this.#undo.remember(full, found === undefined ? undefined : idDigest(found.Id))
      if (found !== undefined && ids.includes(idDigest(found.Id))) continue
      isNamed = false
      if (found === undefined) continue
      requireReplaceable(
        {
          what: `${this.#engine.name} has another image named '${familiar}'.`,
          why: `The engine has ${idDigest(found.Id)}; the new image is ${ids[0] ?? ''}.`,
          instead: ['Pass another name with --tag.'],
          at: {reference: this.#engine.endpoint},
        },
        this.#options.replace === true,
      )
    }
    return isNamed
  }

  #referenceTo([name]: readonly TaggedName[], imageId: Digest): string {
    return `${NAME}:${name?.familiar ?? imageId}`
  }

  async #open(): Promise<{tar: LoadStream; layers: LayerWriter<OpenMember>}> {
    if (this.#opened !== undefined) return this.#opened
    const tar = new LoadStream(this.#engine.load())
    const layers = new LayerWriter<OpenMember>(
      {
        takes: this.#engine.speaks(ZSTD_API) ? ['none', 'gzip', 'zstd'] : ['none', 'gzip'],
        put: (open, options) => tar.addLayer(open(), options),
        // It was sent under a name that nothing else has; an engine leaves alone what no document names.
        drop: () => Promise.resolve(),
      },
      this.#options,
    )
    this.#opened = {tar, layers}
    await this.#form.begin(tar)
    return this.#opened
  }

  async commit(options: WorkOptions): Promise<void> {
    if (this.#opened !== undefined) {
      const {tar} = this.#opened
      // Until now an engine has nothing that would make an image of the layers.
      options.signal?.throwIfAborted()
      for (const {names, ids} of this.#images) if (names.length === 0) await this.#rememberUntagged(ids)
      this.#undo.begin()
      await this.#form.end(tar)
      requireLoaded(await tar.end(), this.#engine)
      options.signal?.throwIfAborted()
    }
    this.#undo.begin()
    for (const image of this.#images) await this.#settle(image)
    this.#opened = undefined
    this.#undo.forget()
  }

  async #rememberUntagged(ids: readonly Digest[]): Promise<void> {
    const found = await Promise.all(ids.map((id) => this.#engine.find(id)))
    if (found.every((image) => image === undefined)) this.#undo.rememberAbsent(ids)
  }

  /** Holds what the engine made of it against what was sent. */
  async #settle({names, ids, isSent}: LoadedImage): Promise<void> {
    const [imageId = ''] = ids
    for (const {full, familiar, repository, tag} of names) {
      const found = await this.#engine.find(full)
      if (found !== undefined && ids.includes(idDigest(found.Id))) continue
      if (isSent) throw this.#notAsSent(familiar, imageId, found?.Id)
      await this.#engine.tag(imageId, {repository, tag})
    }
    if (names.length > 0) return
    const found = await Promise.all(ids.map((id) => this.#engine.find(id)))
    if (found.every((image) => image === undefined)) throw this.#notAsSent('the image', imageId, undefined)
  }

  #notAsSent(name: string, sent: string, found: string | undefined): InputError {
    return new InputError('DIGEST_MISMATCH', {
      what: `${this.#engine.name} stored a different image from the one sent.`,
      why: `For ${name}, transship sent ${sent}; the engine has ${found ?? 'no image of this name'}.`,
      at: {reference: this.#engine.endpoint},
    })
  }

  async abort(): Promise<void> {
    this.#opened?.tar.abort()
    this.#opened = undefined
    await this.#undo.run()
  }
}

/** What is known of all layers without reading one; undefined where that does not suffice for a report. */
function storedLayers(layers: readonly Layer[]): readonly (LayerArtifact & {diffId: Digest})[] | undefined {
  const stated = layers.flatMap(({diffId, blob, hasContent}) => {
    if (diffId === undefined || blob === undefined || !hasContent) return []
    const {digest, mediaType, size} = blob.descriptor
    return [{diffId, digest, mediaType, size}]
  })
  return stated.length === layers.length ? stated : undefined
}
