import {detectCompression, MAGIC_BYTES} from '../../codecs/compression/detect-compression.js'
import type {TarIndexEntry} from '../../codecs/tar/index-tar.js'
import {Digester, type Digest} from '../../model/digest.js'
import {KeptResults} from '../../disk/kept-results.js'
import type {WorkOptions} from '../../model/events.js'
import type {Compression, Descriptor, Image, Layer} from '../../model/image.js'
import type {Archive} from '../archive-file/archive.js'
import {repeatedMembers} from '../archive-file/member-names.js'
import type {Warning} from '../../model/fault-sink.js'
import {absentLayer, layerFromTar, type StoredLayer} from '../layer-blob/read-layer-blob.js'
import {layerMediaType, MEDIA_TYPE} from '../image-documents/media-types.js'
import type {ArchivedLayer} from './archived-image.js'
import type {Offer} from './read-offers.js'

/** The image of an offer, its layers read from the archive in place; closing it closes the archive. */
export async function openOffer(
  archive: Archive,
  offer: Offer,
  {sink, ...options}: WorkOptions & {readonly sink: {readonly warnings: readonly Warning[]}},
): Promise<Image> {
  const image = await offer.read(archive, options)
  const layers: Layer[] = []
  for (const [index, layer] of image.layers.entries()) layers.push(await openLayer(archive, layer, index, options))
  const {baseLayer, platform} = image.facts
  return {
    names: image.names,
    platform,
    config: image.config,
    ...(image.manifest === undefined ? {} : {manifest: image.manifest}),
    layers,
    ...(baseLayer === undefined ? {} : {namedBase: {name: baseLayer}}),
    warnings: [...sink.warnings, ...repeatedMembers(archive), ...layers.flatMap(notHeld)],
    close: () => archive.close(),
  }
}

function notHeld({title, absence}: Layer): readonly {code: string; message: string}[] {
  return absence === undefined
    ? []
    : [{code: 'layer-not-held', message: `The source does not contain ${title}. ${absence}`}]
}

async function openLayer(archive: Archive, layer: ArchivedLayer, index: number, options: WorkOptions): Promise<Layer> {
  const stored = await storedLayer(archive, layer, `layer ${index}`, options)
  return stored === undefined ? absentLayer({title: `layer ${index}`, ...layer}) : layerFromTar(stored)
}

/** A layer with everything known that is needed to read and check it; undefined when the archive does not hold it. */
export async function storedLayer(
  archive: Archive,
  layer: ArchivedLayer,
  title: string,
  options: WorkOptions,
): Promise<StoredLayer | undefined> {
  const {entry, diffId} = layer
  if (entry === undefined) return undefined
  const compression = detectCompression(await archive.readHead(entry, MAGIC_BYTES))
  const descriptor = await requireDescriptor(archive, {...layer, entry}, compression, options)
  const range = archive.rangeOf(entry)
  return {title, descriptor, compression, diffId, range, open: (inner) => archive.stream(entry, inner)}
}

/** Of bodies, as long as the archive is open: images share layers. */
const DIGESTS = new KeptResults<Digest>()

/** Where nothing states the digest of a compressed layer, its bytes are read for it: no one could check them else. */
async function requireDescriptor(
  archive: Archive,
  {entry, diffId, descriptor}: ArchivedLayer & {readonly entry: TarIndexEntry},
  compression: Compression,
  options: WorkOptions,
): Promise<Descriptor> {
  const mediaType =
    descriptor === undefined || descriptor.mediaType === '' ? mediaTypeOf(compression) : descriptor.mediaType
  if (descriptor !== undefined) return {...descriptor, mediaType}
  if (compression === 'none' && diffId !== undefined) return {mediaType, digest: diffId, size: entry.size}
  const digest = await DIGESTS.of(entry, async () => {
    const digester = new Digester()
    for await (const chunk of archive.stream(entry, options)) digester.update(chunk)
    return digester.digest()
  })
  return {mediaType, digest, size: entry.size}
}

/** There is no type for bzip2 and xz; Docker's plain one may be compressed in spite of its name. */
function mediaTypeOf(compression: Compression): string {
  return compression === 'bzip2' || compression === 'xz' ? MEDIA_TYPE.dockerLayer : layerMediaType('oci', compression)
}
