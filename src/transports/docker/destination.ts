import {requireCompression} from '../../codecs/compression/compress.js'
import {digestOf, type Digest} from '../../model/digest.js'
import {InputError, TransshipError, UsageError} from '../../model/errors.js'
import type {WorkOptions} from '../../model/events.js'
import {hidePassword} from '../../model/hidden-password.js'
import type {Descriptor, RawDocument} from '../../model/image.js'
import type {Reference} from '../../model/reference.js'
import {requireSame} from '../../formats/image-documents/given-names.js'
import {findTaggedName, isSameName, isTag} from '../../formats/image-documents/image-name.js'
import {layerArtifact, LayerWriter, type LayerShelf} from '../../formats/layer-blob/layer-writer.js'
import type {LayerBody, LayerFacts} from '../../formats/layer-blob/layer-body.js'
import {requireReplaceable} from '../../model/replacing.js'
import {sideBySide, writeLayers} from '../../formats/layer-blob/side-by-side.js'
import {
  descriptorOfDocument,
  descriptorOfLayer,
  familyOf,
  manifestFor,
} from '../../formats/image-documents/written-manifest.js'
import {isContentHeld} from '../../formats/oci-layout/put-content.js'
import type {ContentGraph, ImageIndex, Referrers, StoredContent, StoredDocument} from '../../model/content-graph.js'
import type {
  DestinationOptions,
  ImageArtifact,
  ImageDestination,
  ImageDraft,
  IndexArtifact,
} from '../../model/transport.js'
import {rememberBlob, repositoriesOf} from './blob-origins.js'
import {hasBlob} from './download.js'
import {asNetworkError, discard, header} from './http.js'
import {formatLocation, placeOf, requireRepository, wantedOf} from './reference.js'
import {Registry, type Answered} from './registry.js'
import {putManifest} from './put-manifest.js'
import {ReferrerPush} from './push-referrers.js'
import {findTagDigest} from './tag-digest.js'
import {Upload, UploadLost} from './upload.js'
import {vouchedFor} from './vouched-for.js'

/** How often one blob is sent from its start. */
const MAX_UPLOADS = 4

/** Opens a repository for pushing; nothing is sent yet. `BAD_OPTION`, `BAD_REFERENCE`, `FORMAT_UNSUPPORTED`. */
export function createDestination(reference: Reference, options: DestinationOptions): Promise<ImageDestination> {
  requireRepository(reference)
  requireCompression(options.compression ?? 'none', options.compressionLevel)
  if ('digest' in wantedOf(reference)) {
    throw new UsageError('BAD_REFERENCE', {
      what: `'${formatLocation(reference)}' selects an image by its digest.`,
      why: 'A destination accepts only a tag; the digest follows from the content.',
      suggestions: [formatLocation({...reference, selector: 'latest'})],
    })
  }
  return Promise.resolve(new RegistryDestination(reference, tagsFor(reference, options.names ?? []), options))
}

/**
 * The tags to give: the reference's; where it has none, those that are named beside it, each by itself or behind the name
 * of the repository. Throws `BAD_OPTION`.
 */
function tagsFor(reference: Reference, names: readonly string[]): Tags {
  const {selector, ...place} = reference
  const bare = formatLocation(place)
  const findTag = (name: string) => (isTag(name) ? name : tagIn(bare.slice('docker://'.length), name))
  if (selector !== undefined) {
    requireSame(names, {given: formatLocation(reference), bare, isSame: (name) => findTag(name) === selector})
    return [selector]
  }
  const [first = 'latest', ...others] = names.map((name) => {
    const tag = findTag(name)
    if (tag !== undefined) return tag
    throw new UsageError('BAD_OPTION', {
      what: `--tag ${hidePassword(name).slice(0, 300)} is not a tag of ${bare}.`,
      why: 'One conversion pushes to one repository.',
      suggestions: [
        'Pass only the tag: --tag 1.0',
        'Or convert again to docker://HOST/NAME:TAG. The content is not sent twice.',
      ],
    })
  })
  return [first, ...others.filter((tag, index) => tag !== first && others.indexOf(tag) === index)]
}

/** The tag of a full name in this repository. */
function tagIn(repository: string, name: string): string | undefined {
  const found = findTaggedName(name)
  return found !== undefined && isSameName(name, `${repository}:${found.tag}`) ? found.tag : undefined
}

/** What each tag leads to; undefined for one that leads nowhere. */
async function digestsOf(
  tags: readonly string[],
  registry: Registry,
  options: WorkOptions,
): Promise<Map<string, Digest | undefined>> {
  const found = new Map<string, Digest | undefined>()
  for (const tag of tags) found.set(tag, await findTagDigest(registry, tag, options))
  return found
}

/** The first is the one that the image is told by. */
type Tags = readonly [string, ...string[]]

/** Blobs are sent as they come; the manifest, which makes them an image with a name, only at `commit`. */
class RegistryDestination implements ImageDestination {
  readonly holds = 'images'
  readonly holdsOne = true
  readonly #reference: Reference
  readonly #tags: Tags
  readonly #options: DestinationOptions
  #registry: Registry | undefined
  #manifest: RawDocument | undefined
  /** What an index leads to, in the order in which it is put there. */
  readonly #documents: StoredDocument[] = []
  #absent: readonly Descriptor[] = []
  #attached: ReferrerPush | undefined
  /** Tags to be given at `commit`. */
  #free: readonly string[] = []
  #sentBytes = 0

  constructor(reference: Reference, tags: Tags, options: DestinationOptions) {
    this.#reference = reference
    this.#tags = tags
    this.#options = options
  }

  async write(draft: ImageDraft, options: WorkOptions): Promise<ImageArtifact> {
    const {registry, there} = await this.#begin(options)
    const before = this.#sentBytes
    const writer = new LayerWriter<Digest>(this.#shelf(registry), this.#options)
    const {concurrency} = this.#options
    const layers = await writeLayers(
      draft.manifest === undefined ? draft.layers : draft.layers.map(vouchedFor),
      (layer, inner) => writer.write(layer, inner),
      {
        ...options,
        concurrency,
      },
    )
    const config = draft.config(layers.map((layer) => (layer.kind === 'stored' ? layer.facts.diffId : layer.diffId)))
    const imageId = digestOf(config.bytes)
    await this.#sendDocument(registry, config, options)
    const parts = layers.map((layer) => (layer.kind === 'stored' ? layer.facts : layer.descriptor))
    const manifest = manifestFor(
      {config: {digest: imageId, size: config.bytes.byteLength}, layers: parts},
      {kept: draft.manifest, family: this.#options.manifestFormat},
    )
    this.#manifest = manifest
    const digest = digestOf(manifest.bytes)
    this.#free = this.#tagsToGive(digest, there)
    const family = familyOf(manifest)
    return {
      kind: 'image',
      reference: this.#named(),
      imageId,
      manifestDigest: digest,
      ...(this.#free.length === 0 ? {unchanged: true} : {}),
      layers: layers.map((layer, index) => {
        const part = parts[index]
        return layerArtifact(layer, part === undefined ? undefined : descriptorOfLayer(part, family))
      }),
      bytesWritten: this.#sentBytes - before,
    }
  }

  /** The content is sent; documents make it visible, and follow at `commit`. */
  async writeIndex({document, content, images}: ImageIndex, options: WorkOptions): Promise<IndexArtifact> {
    const {registry, there} = await this.#begin(options)
    const before = this.#sentBytes
    this.#free = this.#tagsToGive(document.digest, there)
    await this.#sendContent(registry, content, options)
    this.#manifest = document
    this.#absent = content.absent
    this.#documents.push(...content.documents.filter(({digest}) => digest !== document.digest))
    return {
      kind: 'index',
      reference: this.#named(),
      digest: document.digest,
      images: images.map(({manifestDigest}) => formatLocation({...this.#reference, selector: `@${manifestDigest}`})),
      ...(this.#free.length === 0 ? {unchanged: true} : {}),
      bytesWritten: this.#sentBytes - before,
    }
  }

  /** Where another signature has the tag, it is kept, unless it may be replaced; lists are added to at `commit`. */
  async attach(referrers: Referrers, options: WorkOptions): Promise<number> {
    const registry = this.#registry
    if (registry === undefined) return 0
    const before = this.#sentBytes
    this.#attached = await ReferrerPush.plan(registry, referrers, {...options, replace: this.#options.replace === true})
    await this.#sendContent(registry, {...referrers.content, blobs: this.#attached.blobs}, options)
    return this.#sentBytes - before
  }

  async #begin(options: WorkOptions): Promise<{registry: Registry; there: Map<string, Digest | undefined>}> {
    if (this.#manifest !== undefined) {
      throw new UsageError('BAD_REFERENCE', {
        what: `'${formatLocation(this.#reference)}' names one image, but the source has several.`,
        suggestions: ['Convert the images one by one, each to its own name.'],
      })
    }
    this.#registry ??= await Registry.connect(placeOf(this.#reference), this.#options)
    return {registry: this.#registry, there: await digestsOf(this.#tags, this.#registry, options)}
  }

  /** The reference with the first of the tags that were asked for. */
  #named(): string {
    const hasNames = (this.#options.names ?? []).length > 0
    return formatLocation(hasNames ? {...this.#reference, selector: this.#tags[0]} : this.#reference)
  }

  async #sendContent(registry: Registry, {blobs}: ContentGraph, options: WorkOptions): Promise<void> {
    const send = async (blob: StoredContent, inner: WorkOptions): Promise<void> => {
      const {descriptor} = blob
      if (await hasBlob(registry, descriptor, registry.pushScope, inner)) return
      if (!(await isContentHeld(blob, inner)) || (await this.#mount(registry, descriptor, inner))) return
      for (let attempt = 1; ; attempt++) {
        try {
          const sentBytes = await new Upload(registry, inner).send(blob.open(inner), () => descriptor.digest)
          // Only now: blobs are sent at the same time, and what was read before the wait is out of date after it.
          this.#sentBytes += sentBytes
          break
        } catch (error) {
          if (!(error instanceof UploadLost) || attempt >= MAX_UPLOADS) throw error
        }
      }
      rememberBlob(registry.origin, registry.place.repository, descriptor.digest)
    }
    const {concurrency} = this.#options
    await sideBySide(blobs, send, {...options, concurrency, turnOf: ({descriptor}) => descriptor.digest})
  }

  /** Sending may take hours, in which someone else may have given the tags. Registries know no condition to put one under. */
  async #requireStillFree(registry: Registry, digest: Digest, options: WorkOptions): Promise<void> {
    if (this.#options.replace === true) return
    this.#tagsToGive(digest, await digestsOf(this.#free, registry, options))
  }

  /** Tags that lead elsewhere or nowhere; those that lead to another image are taken from it only where that was asked for. */
  #tagsToGive(digest: Digest, there: ReadonlyMap<string, Digest | undefined>): readonly string[] {
    const open = this.#tags.filter((tag) => there.get(tag) !== digest)
    for (const tag of open) {
      const other = there.get(tag)
      if (other === undefined) continue
      const reference = formatLocation({...this.#reference, selector: tag})
      requireReplaceable(
        {
          what: `'${reference}' names a different image.`,
          why: `The registry has ${other}; the new image is ${digest}.`,
          instead: ['Choose another tag.'],
          at: {reference},
        },
        this.#options.replace === true,
      )
    }
    return open
  }

  #shelf(registry: Registry): LayerShelf<Digest> {
    return {
      takes: ['none', 'gzip', 'zstd'],
      put: async (open, options) => {
        const facts = await this.#sendBody(registry, open, options)
        rememberBlob(registry.origin, registry.place.repository, facts.digest)
        return {member: facts.digest, facts}
      },
      // A blob that was sent twice is one blob there.
      drop: () => Promise.resolve(),
      findKept: async (_layer, descriptor, options) => {
        const isThere =
          (await hasBlob(registry, descriptor, registry.pushScope, options)) ||
          (await this.#mount(registry, descriptor, options))
        return isThere ? {member: descriptor.digest} : undefined
      },
    }
  }

  /** A registry that has lost an upload gets it from the start: the layer is read again. */
  async #sendBody(registry: Registry, open: () => LayerBody, options: WorkOptions): Promise<LayerFacts> {
    for (let attempt = 1; ; attempt++) {
      const body = open()
      try {
        const sentBytes = await new Upload(registry, options).send(body.bytes, () => body.facts().digest)
        this.#sentBytes += sentBytes
        return body.facts()
      } catch (error) {
        if (!(error instanceof UploadLost) || attempt >= MAX_UPLOADS) throw error
      }
    }
  }

  /** Takes a blob over from another repository of the same registry. */
  async #mount(registry: Registry, {digest}: Descriptor, {signal}: WorkOptions): Promise<boolean> {
    const [from] = repositoriesOf(registry.origin, digest, registry.place.repository)
    if (from === undefined) return false
    const answered = await this.#askForMount(registry, digest, from, signal)
    if (answered === undefined) return false
    const {answer, url} = answered
    const location = URL.parse(header(answer, 'location') ?? '', url.href)
    await discard(answer)
    if (answer.statusCode === 201) return true
    // It began an upload instead, which is not used: the layer's own is begun when it is read.
    if (answer.statusCode === 202 && location !== null) await this.#forget(registry, location, signal)
    return false
  }

  /** Undefined when it cannot be done: the user may not read the other repository, or it fails. Then the blob is sent. */
  async #askForMount(
    registry: Registry,
    digest: Digest,
    from: string,
    signal: AbortSignal | undefined,
  ): Promise<Answered | undefined> {
    try {
      return await registry.exchangeAt({
        method: 'POST',
        url: registry.path(`blobs/uploads/?mount=${digest}&from=${encodeURIComponent(from)}`),
        what: 'a mount',
        scopes: [registry.pushScope, `repository:${from}:pull`],
        // Registries without mounts say so in several ways.
        takes: [201, 202, 400, 404, 405],
        headers: {'content-length': '0'},
        mayRepeat: false,
        signal,
      })
    } catch (error) {
      const isRefused = asNetworkError(error, registry.place.host) instanceof TransshipError
      if (isRefused && signal?.aborted !== true) return undefined
      throw error
    }
  }

  /** A courtesy: a registry cleans up by itself what it cannot be told of. */
  async #forget(registry: Registry, url: URL, signal: AbortSignal | undefined): Promise<void> {
    const takes = [200, 202, 204, 404, 405]
    const scopes = [registry.pushScope]
    try {
      const what = 'an upload'
      await discard(await registry.exchange({method: 'DELETE', url, what, scopes, takes, mayRepeat: false, signal}))
    } catch {
      signal?.throwIfAborted()
    }
  }

  async #sendDocument(registry: Registry, document: RawDocument, options: WorkOptions): Promise<void> {
    const descriptor = descriptorOfDocument(document)
    if (await hasBlob(registry, descriptor, registry.pushScope, options)) return
    const body = (async function* () {
      yield await Promise.resolve(document.bytes)
    })()
    const sentBytes = await new Upload(registry, options).send(body, () => descriptor.digest)
    this.#sentBytes += sentBytes
  }

  /** Nothing dangles at any moment: what is named comes before what names it, and the user's tags last. */
  async commit(options: WorkOptions): Promise<void> {
    const registry = this.#registry
    const manifest = this.#manifest
    if (registry === undefined || manifest === undefined) return
    await this.#requireStillFree(registry, digestOf(manifest.bytes), options)
    if (this.#free.length > 0) {
      for (const document of this.#documents) await putManifest(registry, document, options)
      try {
        if (this.#attached !== undefined) await putManifest(registry, manifest, options)
      } catch (error) {
        throw this.#explained(error)
      }
    }
    await this.#attached?.publish(registry, options)
    try {
      for (const tag of this.#free) await putManifest(registry, manifest, {...options, tag})
    } catch (error) {
      throw this.#explained(error)
    }
    await registry.close()
    this.#registry = undefined
  }

  /** Most registries refuse an index of which they lack a manifest. */
  #explained(error: unknown): unknown {
    const [absent] = this.#absent
    if (absent === undefined || !(error instanceof TransshipError)) return error
    return new InputError('MANIFEST_MISSING', {
      what: `The source does not contain all manifests of its index: ${absent.digest} is missing.`,
      why: error.message,
      suggestions: ['Copy the index from a complete source.', 'Or convert one image of it with --platform.'],
      cause: error,
    })
  }

  async abort(): Promise<void> {
    await this.#registry?.close()
    this.#registry = undefined
  }
}
