import {attempt, type FaultSink} from '../../model/fault-sink.js'
import type {WorkOptions} from '../../model/events.js'
import type {Image} from '../../model/image.js'
import type {ImageMessage} from '../../engine-api/containerd/store-services.js'
import type {StatedDescriptor, StatedPlatform} from '../../formats/image-documents/image-documents.js'
import {isForeignType, isIndexType} from '../../formats/image-documents/media-types.js'
import {fitsPlatform, formatStated, parsePlatform} from '../../formats/image-documents/platform-choice.js'
import {IndexWalk, type FoundImage, type PassedOver} from '../../formats/oci-layout/index-walk.js'
import {absentLayer} from '../../formats/layer-blob/read-layer-blob.js'
import {dockerNameOf} from './reference.js'
import {isReferrerRecord} from './referrers.js'
import type {NamespaceStore} from './store.js'

/** What image records lead to, by what of it is there: a pull stores the whole index, and one platform of it. */
export interface Held {
  /** Images whose manifest and configuration are there. */
  readonly images: readonly FoundImage[]
  /** Left out for their platform, whether or not they are there. */
  readonly unwanted: readonly StatedDescriptor[]
  /** What is there and is no image. */
  readonly others: readonly PassedOver[]
  /** What an index names of which the manifest or the configuration is not there. */
  readonly absent: readonly StatedDescriptor[]
  /** Records that lead to nothing. */
  readonly ghosts: readonly ImageMessage[]
}

/** Finds out what is there of some records, without asking anybody but containerd. */
export async function findHeld(
  store: NamespaceStore,
  records: readonly ImageMessage[],
  {sink, platform, ...options}: WorkOptions & {readonly sink: FaultSink; readonly platform?: string | undefined},
): Promise<Held> {
  const wanted = platform === undefined ? undefined : parsePlatform(platform)
  const walk = new IndexWalk(store, sink, {
    ...options,
    isWanted: (stated) => wanted === undefined || fitsPlatform(stated.platform ?? {}, wanted, false),
  })
  const ghosts: ImageMessage[] = []
  for (const record of records) {
    const {target} = record
    if (target === null || (await store.findInfo(target.digest, options)) === undefined) ghosts.push(record)
    else await attempt(sink, () => walk.entry(asEntry(record, target), `containerd:${store.namespace}/${record.name}`))
  }
  const images: FoundImage[] = []
  const absent: StatedDescriptor[] = []
  for (const found of walk.found) {
    if ((await store.findInfo(found.config.digest, options)) === undefined) absent.push(found.entry)
    else images.push(found)
  }
  const others: PassedOver[] = []
  for (const passed of walk.passedOver) {
    if (passed.reason === 'absent' || (await store.findInfo(passed.digest, options)) === undefined)
      absent.push(passed.stated)
    else others.push(passed)
  }
  return {images, unwanted: walk.unwanted.map(({stated}) => stated), others, absent, ghosts}
}

/** What a record leads to, as index.json would have it: what is named by the digest of something else is no image. */
function asEntry(record: ImageMessage, target: StatedDescriptor): StatedDescriptor {
  const tag = isReferrerRecord(record) ? dockerNameOf(record.name)?.tag : undefined
  return tag === undefined ? target : {...target, annotations: {'org.opencontainers.image.ref.name': tag}}
}

/** Platforms of an index that are not there, as a note; attestations come with the platform they speak of and are none. */
export function platformsAbsent(absent: readonly StatedDescriptor[]): string | undefined {
  const platforms = absent.flatMap(({platform, mediaType}) =>
    platform?.os === undefined || platform.os === 'unknown' || isIndexType(mediaType) ? [] : [formatStated(platform)],
  )
  if (platforms.length === 0) return undefined
  return `The index also names ${[...new Set(platforms)].join(', ')}, whose content containerd does not have.`
}

/** True where an absent manifest is for the platform that is asked for. */
export function isAbsentPlatform({platform}: StatedDescriptor, wanted: string): boolean {
  const stated: StatedPlatform = platform ?? {}
  return stated.os !== undefined && fitsPlatform(stated, parsePlatform(wanted), false)
}

const REF_CONTENT = 'containerd.io/gc.ref.content.'
const REF_CONFIG = `${REF_CONTENT}config`

/**
 * True where containerd was told to throw away compressed layers once they were unpacked: the manifest holds on to its
 * configuration, and no longer to them. Source: containerd `discard_unpacked_layers`, `ctr content prune references`.
 */
export async function isDiscarding(
  store: NamespaceStore,
  {manifest, layers}: Pick<FoundImage, 'manifest' | 'layers'>,
  options: WorkOptions,
): Promise<boolean> {
  const labels = (await store.findInfo(manifest.digest, options))?.labels ?? {}
  const held = Object.entries(labels).filter(([key]) => key.startsWith(REF_CONTENT) && key !== REF_CONFIG)
  const isHeld = ({digest}: {readonly digest: string}) => held.some(([, value]) => value === digest)
  return labels[REF_CONFIG] !== undefined && layers.length > 0 && !layers.some(isHeld)
}

const DISCARDED =
  'containerd discarded the compressed layer (discard_unpacked_layers, or ctr content prune references); on Windows, ' +
  'its unpacked form can be read as runtime:SNAPSHOTDIR.'
const LOST = 'containerd does not have its blob.'
const REMEDY = 'Give --base REFERENCE with an image that has the layer, or pull the image again.'

/** The image with layers that are not there told as that: unlike a foreign layer, nobody else has promised to keep them. */
export function withoutAbsentBlobs(image: Image, isDiscarded: boolean): Image {
  const absence = isDiscarded ? DISCARDED : LOST
  const isLost = ({hasContent, blob}: Image['layers'][number]) =>
    !hasContent && blob !== undefined && !isForeignType(blob.descriptor.mediaType)
  const lost = image.layers.filter(isLost)
  if (lost.length === 0) return image
  const titles = lost.map(({title, blob}) => `${title} (${blob?.descriptor.digest ?? ''})`).join(', ')
  return {
    ...image,
    layers: image.layers.map((layer) =>
      isLost(layer) ? absentLayer({title: layer.title, diffId: layer.diffId, absence}) : layer,
    ),
    warnings: [
      ...image.warnings.filter(({code}) => code !== 'layer-not-held'),
      {code: isDiscarded ? 'layers-discarded' : 'layer-not-held', message: `${titles}: ${absence} ${REMEDY}`},
    ],
  }
}
