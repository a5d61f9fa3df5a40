import {digestOf, type Digest} from '../../model/digest.js'
import {InputError, UnsupportedError} from '../../model/errors.js'
import type {WorkOptions} from '../../model/events.js'
import type {Compression, Descriptor, Image, RawDocument} from '../../model/image.js'
import {mapConcurrently} from '../../model/map-concurrently.js'
import {contentOf} from '../../model/content.js'
import {readConfig, type ConfigFacts} from '../image-documents/image-documents.js'
import {absentLayer, layerFromTar, type StoredLayer} from '../layer-blob/read-layer-blob.js'
import {isForeignType, isLayerType} from '../image-documents/media-types.js'
import {detectCompression} from '../../codecs/compression/detect-compression.js'
import {findChecked, type ContentStore, type StoredBlob} from './content-store.js'
import {findEmbedded} from './embedded.js'
import type {FoundImage} from './index-walk.js'

/** An image with its configuration read. */
export interface ReadImage {
  readonly found: FoundImage
  readonly config: RawDocument
  readonly imageId: Digest
  readonly facts: ConfigFacts
}

/** Reads the configuration. `CONFIG_MISSING`, `CONFIG_INVALID`, `DIGEST_MISMATCH`, `ARCHIVE_CONTRADICTORY`. */
export async function readFound(store: ContentStore, found: FoundImage, options: WorkOptions): Promise<ReadImage> {
  const title = `configuration ${found.config.digest}`
  const [stated] = found.stated
  const bytes = await findChecked(store, found.config, {...options, title, ...(stated === undefined ? {} : {stated})})
  if (bytes === undefined) {
    throw new InputError('CONFIG_MISSING', {
      what: `The configuration of manifest ${found.manifest.digest} is missing.`,
      why: `Expected ${found.config.digest}.`,
      at: {path: store.title},
    })
  }
  const facts = readConfig(bytes, title)
  if (facts.diffIds.length !== found.layers.length) {
    throw new InputError('ARCHIVE_CONTRADICTORY', {
      what: `Manifest ${found.manifest.digest} and its configuration contradict each other.`,
      why: `The manifest has ${found.layers.length} layers, the configuration ${facts.diffIds.length}.`,
      at: {path: store.title},
    })
  }
  return {found, config: {mediaType: found.config.mediaType, bytes}, imageId: digestOf(bytes), facts}
}

/** Layers asked for at once: each question takes a round trip where the store is far away. */
const CONCURRENCY = 6

/** The image over its store; layers are read in place. `FORMAT_UNSUPPORTED` for layers that are no tars. */
export async function imageOver(
  store: ContentStore,
  {found, config, facts}: ReadImage,
  options: WorkOptions & {
    readonly names: readonly string[]
    readonly close: () => Promise<void>
    readonly findReferrers?: Image['findReferrers']
  },
): Promise<Image> {
  const layers = await mapConcurrently([...found.layers.entries()], CONCURRENCY, async ([index, descriptor]) => {
    const title = `layer ${index}`
    const stored = await findStoredLayer(store, {found, facts, index, title}, options)
    return stored === undefined ? absentLayer({title, diffId: facts.diffIds[index], descriptor}) : layerFromTar(stored)
  })
  const warnings = layers.flatMap(({title, hasContent, blob}) =>
    hasContent || blob === undefined ? [] : [{code: 'layer-not-held', message: notHeld(title, blob.descriptor)}],
  )
  return {
    names: options.names,
    platform: facts.platform,
    config,
    manifest: found.manifest,
    layers,
    ...(facts.baseLayer === undefined ? {} : {namedBase: {name: facts.baseLayer}}),
    warnings,
    ...(options.findReferrers === undefined ? {} : {findReferrers: options.findReferrers}),
    close: options.close,
  }
}

function notHeld(title: string, {digest, mediaType, urls}: Descriptor): string {
  const kind = isForeignType(mediaType) ? 'foreign layer' : 'layer'
  const where = urls === undefined ? '' : `; its descriptor points to ${urls.join(' or ')}`
  return `The source does not contain ${title} (${kind} ${digest})${where}.`
}

export interface LayerPlace {
  readonly found: FoundImage
  readonly facts: ConfigFacts
  readonly index: number
  readonly title: string
}

/** A layer with all that is needed to read and check it; undefined when the store does not hold it. */
export async function findStoredLayer(
  store: ContentStore,
  {found, facts, index, title}: LayerPlace,
  options: WorkOptions,
): Promise<StoredLayer | undefined> {
  const descriptor = found.layers[index]
  const stated = found.stated[index + 1]
  if (descriptor === undefined) return undefined
  if (!isLayerType(descriptor.mediaType)) {
    throw new UnsupportedError('FORMAT_UNSUPPORTED', {
      what: `${title} has the unsupported type '${descriptor.mediaType.slice(0, 200)}'.`,
      why: 'Only tar layers can be converted, plain or compressed with gzip or zstd.',
      suggestions: descriptor.mediaType.endsWith('+encrypted') ? ['Decrypt the image first.'] : [],
      at: {path: store.title},
    })
  }
  const embedded = stated === undefined ? undefined : findEmbedded(stated, descriptor, title)
  const blob = (await store.findBlob(descriptor, options)) ?? blobOf(embedded)
  if (blob === undefined) return undefined
  return {title, descriptor, diffId: facts.diffIds[index], ...blob}
}

function blobOf(bytes: Uint8Array | undefined): StoredBlob | undefined {
  if (bytes === undefined) return undefined
  const compression: Compression = detectCompression(bytes)
  return {compression, open: () => contentOf(bytes).open()}
}
