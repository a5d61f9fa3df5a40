import type {TarIndexEntry} from '../../codecs/tar/index-tar.js'
import {digestAlgorithm, digestHex, digestOf, findDigest, type Digest} from '../../model/digest.js'
import {InputError} from '../../model/errors.js'
import type {Descriptor} from '../../model/image.js'
import {descriptorOf, readConfig, type ConfigFacts} from '../image-documents/image-documents.js'
import {attempt, type FaultSink} from '../../model/fault-sink.js'
import {familiarNameOf, findDockerName, findTaggedName, nameKey} from '../image-documents/image-name.js'
import {isForeignType, MEDIA_TYPE} from '../image-documents/media-types.js'
import {digestMismatch} from '../../codecs/bytes/verified.js'
import type {Archive} from '../archive-file/archive.js'
import type {ArchivedImage, ArchivedLayer} from './archived-image.js'
import type {FoundImage} from '../oci-layout/index-walk.js'
import {parseManifestItems, type ManifestItem} from './schema.js'

/** The images of `manifest.json`, in its order; `oci` supplies their manifests where the archive is a hybrid. */
export async function readManifestImages(
  archive: Archive,
  entry: TarIndexEntry,
  {oci, sink}: {readonly oci: readonly FoundImage[]; readonly sink: FaultSink},
): Promise<readonly ArchivedImage[]> {
  const items = await attempt(sink, async () => parseManifestItems(await archive.readDocument(entry)))
  const known = new OciImages(oci)
  const images: ArchivedImage[] = []
  for (const item of items ?? []) {
    const image = await attempt(sink, () => readItem(archive, item, {oci: known, sink: sink.item}))
    if (image === undefined) continue
    warnOfContradiction(image, known, sink)
    images.push(image)
  }
  return images
}

/** The images of the index, to be found by configuration and by name: an archive may hold thousands. */
class OciImages {
  readonly #byConfig = new Map<string, FoundImage[]>()
  readonly #byName = new Map<string, FoundImage[]>()
  readonly #positions: ReadonlyMap<FoundImage, number>

  constructor(images: readonly FoundImage[]) {
    this.#positions = new Map(images.map((image, position) => [image, position]))
    for (const image of images) {
      push(this.#byConfig, image.config.digest, image)
      for (const key of new Set(image.names.map(nameKey))) push(this.#byName, key, image)
    }
  }

  /** Those of any of the configurations, in the order of the index. */
  ofConfigs(digests: readonly (Digest | undefined)[]): readonly FoundImage[] {
    const position = (image: FoundImage) => this.#positions.get(image) ?? 0
    return [...new Set(digests)]
      .flatMap((digest) => (digest === undefined ? [] : (this.#byConfig.get(digest) ?? [])))
      .sort((left, right) => position(left) - position(right))
  }

  named(name: string): readonly FoundImage[] {
    return this.#byName.get(nameKey(name)) ?? []
  }
}

function push<Value>(lists: Map<string, Value[]>, key: string, value: Value): void {
  const list = lists.get(key)
  if (list === undefined) lists.set(key, [value])
  else list.push(value)
}

interface Surroundings {
  readonly oci: OciImages
  readonly sink: FaultSink
}

async function readItem(archive: Archive, item: ManifestItem, {oci, sink}: Surroundings): Promise<ArchivedImage> {
  const entry = archive.find(item.Config)
  if (entry === undefined) {
    throw new InputError('CONFIG_MISSING', {
      what: `manifest.json names the configuration '${item.Config}', which is not in the archive.`,
      at: {path: archive.path},
    })
  }
  const bytes = await archive.readDocument(entry)
  const imageId = digestOf(bytes)
  const stated = statedDigest(item.Config)
  // A name that is no digest promises nothing; one of another algorithm promises that.
  const found = stated === undefined ? undefined : digestOf(bytes, digestAlgorithm(stated))
  if (stated !== undefined && found !== undefined && found !== stated) {
    sink.fault(digestMismatch({title: `configuration ${item.Config}`, digest: stated}, found))
  }
  const facts = readConfig(bytes, `configuration ${item.Config}`)
  const paths = item.Layers ?? []
  if (paths.length !== facts.diffIds.length) {
    throw new InputError('ARCHIVE_CONTRADICTORY', {
      what: `manifest.json and the configuration '${item.Config}' contradict each other.`,
      why: `manifest.json has ${paths.length} layers, the configuration ${facts.diffIds.length}.`,
      at: {path: archive.path},
    })
  }
  const partner = findPartner(oci, stated === found ? [imageId, stated] : [imageId], {item, facts, sink})
  const layers: ArchivedLayer[] = []
  for (const [index, path] of paths.entries()) {
    const source = {path, diffId: facts.diffIds[index], item, inManifest: partner?.layers[index]}
    layers.push((await attempt(sink, () => readLayer(archive, source))) ?? withDiffId(source.diffId))
  }
  return {
    origin: 'manifest.json',
    names: withIndexNames(item.RepoTags ?? [], oci, [imageId, partner?.config.digest]),
    config: {mediaType: partner?.config.mediaType ?? MEDIA_TYPE.dockerConfig, bytes},
    imageId,
    facts,
    ...(partner === undefined ? {} : {manifest: partner.manifest}),
    layers,
  }
}

/**
 * The OCI manifest of the same configuration. Docker 25.0.0 wrote some without layers, which are of no use. Of several, as of
 * one image in two compressions, the one that names the item's own blobs, and of those the one that has its name.
 */
function findPartner(
  oci: OciImages,
  digests: readonly (Digest | undefined)[],
  {item, facts, sink}: {readonly item: ManifestItem; readonly facts: ConfigFacts; readonly sink: FaultSink},
): FoundImage | undefined {
  const found = oci.ofConfigs(digests)
  const whole = found.filter((image) => image.layers.length === facts.diffIds.length)
  const own = whole.filter(({layers}) =>
    layers.every(({digest}, index) => statedDigest(item.Layers?.[index] ?? '') === digest),
  )
  const usable = own.length > 0 ? own : whole
  const keys = new Set((item.RepoTags ?? []).map(nameKey))
  const partner = usable.find(({names}) => names.some((name) => keys.has(nameKey(name)))) ?? usable[0]
  if (partner === undefined && found.length > 0) {
    sink.warn({
      code: 'manifest-incomplete',
      message: `The OCI manifest of ${digests[0] ?? ''} does not list its layers, so transship used manifest.json.`,
    })
  }
  return partner
}

/** The names of manifest.json, and those that only an index can keep. */
function withIndexNames(
  tags: readonly string[],
  oci: OciImages,
  digests: readonly (Digest | undefined)[],
): readonly string[] {
  const names = tags.filter((name) => name !== '' && !name.includes('<none>'))
  const keys = new Set(names.map(nameKey))
  const others = oci.ofConfigs(digests).filter(({within}) => within.length === 0)
  for (const text of others.flatMap((image) => image.names)) {
    if (findTaggedName(text) !== undefined || keys.has(nameKey(text))) continue
    const name = findDockerName(text)
    names.push(name === undefined ? text : familiarNameOf(name))
    keys.add(nameKey(text))
  }
  return names
}

interface LayerSource {
  readonly path: string
  readonly diffId: Digest | undefined
  readonly item: ManifestItem
  readonly inManifest: Descriptor | undefined
}

function readLayer(archive: Archive, {path, diffId, item, inManifest}: LayerSource): ArchivedLayer {
  const known = withDiffId(diffId)
  const entry = archive.find(path)
  if (entry === undefined) {
    const foreign = inManifest ?? foreignSource(item, diffId)
    if (foreign !== undefined && (isForeignType(foreign.mediaType) || foreign.urls !== undefined)) {
      return {...known, descriptor: foreign}
    }
    const absence = `manifest.json names '${path.slice(0, 300)}', which is not in the archive.`
    return {...known, absence, ...(inManifest === undefined ? {} : {descriptor: inManifest})}
  }
  const stated = statedDigest(path)
  const isOwnBlob = inManifest !== undefined && (stated === undefined || stated === inManifest.digest)
  if (isOwnBlob) return {...known, entry, descriptor: inManifest}
  // A name of 64 digits is the diffID in some tools' archives and the blob's digest in others'; both only if they differ.
  const isBlobName = stated !== undefined && (path.startsWith('blobs/') || path.endsWith('.tar.gz'))
  if (!isBlobName || (stated === diffId && !path.startsWith('blobs/'))) return {...known, entry}
  return {...known, entry, descriptor: {mediaType: '', digest: stated, size: entry.size}}
}

function withDiffId(diffId: Digest | undefined): ArchivedLayer {
  return diffId === undefined ? {} : {diffId}
}

function foreignSource(item: ManifestItem, diffId: Digest | undefined): Descriptor | undefined {
  const source = Object.entries(item.LayerSources ?? {}).find(([key]) => key === diffId)?.[1]
  return source === undefined ? undefined : descriptorOf(source, 'manifest.json')
}

/** The digest that a name states: `<hex>.json`, `sha256:<hex>`, `blobs/sha256/<hex>`, `<hex>.tar.gz`. */
function statedDigest(name: string): Digest | undefined {
  const blob = /^blobs\/(sha256|sha512)\/([0-9a-f]+)$/.exec(name)
  if (blob?.[1] !== undefined) return findDigest(`${blob[1]}:${blob[2] ?? ''}`)
  const hex = /^(?:sha256:)?([0-9a-f]{64})(?:\.json|\.tar\.gz|\.tar)?$/.exec(name)?.[1]
  return hex === undefined ? undefined : findDigest(`sha256:${hex}`)
}

/**
 * One file, two images: Docker's older stores, skopeo and crane read `manifest.json`, containerd reads `index.json`.
 * Where one name means different images there, somebody may be deceived.
 */
function warnOfContradiction(image: ArchivedImage, oci: OciImages, sink: FaultSink): void {
  for (const name of image.names) {
    const same = oci.named(name)
    if (same.length === 0 || same.some((other) => other.config.digest === image.imageId)) continue
    sink.warn({
      code: 'archive-contradictory',
      message:
        `'${name}' is image ${digestHex(image.imageId).slice(0, 12)} in manifest.json but another one in index.json, ` +
        'which containerd reads. transship used manifest.json.',
    })
  }
}
