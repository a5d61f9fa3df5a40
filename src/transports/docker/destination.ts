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
import {writeLayers} from '../../formats/layer-blob/side-by-side.js'
import {
  descriptorOfDocument,
  descriptorOfLayer,
  familyOf,
  manifestFor,
} from '../../formats/image-documents/written-manifest.js'
import type {DestinationOptions, ImageArtifact, ImageDestination, ImageDraft} from '../../model/transport.js'
import {rememberBlob, repositoriesOf} from './blob-origins.js'
import {hasBlob} from './download.js'
import {discard, header, isPassing} from './http.js'
import {formatLocation, placeOf, requireRepository, wantedOf} from './reference.js'
import {Registry, type Answered} from './registry.js'
import {statedDigest} from './stated-digest.js'
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
  /** Tags to be given at `commit`. */
  #free: readonly string[] = []
  #sentBytes = 0

  constructor(reference: Reference, tags: Tags, options: DestinationOptions) {
    this.#reference = reference
    this.#tags = tags
    this.#options = options
  }

  async write(draft: ImageDraft, options: WorkOptions): Promise<ImageArtifact> {
    if (this.#manifest !== undefined) {
      throw new UsageError('BAD_REFERENCE', {
        what: `'${formatLocation(this.#reference)}' names one image, but the source has several.`,
        suggestions: ['Convert the images one by one, each to its own name.'],
      })
    }
    this.#registry ??= await Registry.connect(placeOf(this.#reference), this.#options)
    const registry = this.#registry
    const there = new Map<string, Digest | undefined>()
    for (const tag of this.#tags) there.set(tag, await findTagDigest(registry, tag, options))
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
    const hasNames = (this.#options.names ?? []).length > 0
    return {
      kind: 'image',
      reference: formatLocation(hasNames ? {...this.#reference, selector: this.#tags[0]} : this.#reference),
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
        this.#sentBytes += await new Upload(registry, options).send(body.bytes, () => body.facts().digest)
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
      if (signal?.aborted !== true && (error instanceof TransshipError || isPassing(error))) return undefined
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
    this.#sentBytes += await new Upload(registry, options).send(body, () => descriptor.digest)
  }

  async commit({signal}: WorkOptions): Promise<void> {
    const registry = this.#registry
    const manifest = this.#manifest
    if (registry === undefined || manifest === undefined) return
    for (const tag of this.#free) await this.#tag(registry, manifest, tag, signal)
    await registry.close()
    this.#registry = undefined
  }

  async #tag(registry: Registry, manifest: RawDocument, tag: string, signal: AbortSignal | undefined): Promise<void> {
    const digest = digestOf(manifest.bytes)
    const answer = await registry.exchange({
      method: 'PUT',
      url: registry.path(`manifests/${tag}`),
      what: 'the manifest',
      scopes: [registry.pushScope],
      takes: [200, 201, 202],
      headers: {'content-type': manifest.mediaType},
      body: manifest.bytes,
      signal,
    })
    const stored = statedDigest(answer)
    await discard(answer)
    if (stored !== undefined && stored !== digest) {
      throw new InputError('DIGEST_MISMATCH', {
        what: `${registry.place.host} stored a different manifest from the one sent.`,
        why: `Expected ${digest}, found ${stored.slice(0, 200)}.`,
      })
    }
  }

  async abort(): Promise<void> {
    await this.#registry?.close()
    this.#registry = undefined
  }
}
