import {findDigest, type Digest} from '../../model/digest.js'
import {InputError, UnsupportedError} from '../../model/errors.js'
import type {WorkEvent, WorkOptions} from '../../model/events.js'
import type {ImageIndex} from '../../model/content-graph.js'
import type {Image, Platform} from '../../model/image.js'
import {mapConcurrently} from '../../model/map-concurrently.js'
import type {Reference} from '../../model/reference.js'
import {StrictSink, type FaultSink} from '../../model/fault-sink.js'
import {ImageCheck} from '../../formats/layer-blob/image-check.js'
import {familiarNameOf, findDockerName} from '../../formats/image-documents/image-name.js'
import {chooseImage} from '../../formats/oci-layout/choose-image.js'
import {IndexWalk} from '../../formats/oci-layout/index-walk.js'
import {indexOver} from '../../formats/oci-layout/open-index.js'
import {imageOver, readFound} from '../../formats/oci-layout/open-image.js'
import {tellOfPassed, verifyFound} from '../../formats/oci-layout/verify-layout.js'
import {verifyNamed} from '../../formats/oci-layout/verify-named.js'
import {verifyReferrers} from '../../formats/oci-layout/verify-referrers.js'
import {platformOf, type StatedPlatform} from '../../formats/image-documents/image-documents.js'
import {isForeignType, isIndexType, isLayerType} from '../../formats/image-documents/media-types.js'
import {fitsPlatform, parsePlatform, type OfferedPlatform} from '../../formats/image-documents/platform-choice.js'
import type {ListItem, ListOptions, OpenOptions, Verdict} from '../../model/transport.js'
import {rememberBlob} from './blob-origins.js'
import {listRepositories} from './catalogue.js'
import {vouchedFor} from './vouched-for.js'
import {formatLocation, isHostAlone, NAME, placeOf, requireRepository} from './reference.js'
import {findReferrers} from './referrers.js'
import {Registry} from './registry.js'
import {readTop, registryStore, type Top} from './registry-store.js'
import {readTags} from './tags.js'

/** Opens the one image that the reference selects; blobs are read from the registry when they are asked for. */
export async function openImage(reference: Reference, options: OpenOptions): Promise<Image> {
  requireRepository(reference)
  const registry = await Registry.connect(placeOf(reference), options)
  try {
    const store = registryStore(registry)
    const walk = await walkFrom(registry, await readTop(registry, reference, options), new StrictSink(), options)
    const read = await chooseImage(store, walk.found, {
      ...options,
      reference: formatLocation(reference),
      passedOver: walk.passedOver,
      unwanted: walk.unwanted.map(({stated}) => stated),
      referenceTo: (digest) => formatLocation({...reference, selector: `@${digest}`}),
    })
    const names = namesOf(reference)
    const {digest: subject} = read.found.manifest
    const image = await imageOver(store, read, {
      ...options,
      names,
      close: () => registry.close(),
      findReferrers: (inner) => findReferrers(registry, [subject], inner),
    })
    requireLayers(image, registry)
    for (const {digest} of read.found.layers) rememberBlob(registry.origin, registry.place.repository, digest)
    return {...image, layers: image.layers.map(vouchedFor)}
  } catch (error) {
    await registry.close()
    throw error
  }
}

/** The index that the reference leads to first, with all that it names; undefined where that is an image. */
export async function openIndex(reference: Reference, options: OpenOptions): Promise<ImageIndex | undefined> {
  requireRepository(reference)
  const registry = await Registry.connect(placeOf(reference), options)
  try {
    const top = await readTop(registry, reference, options)
    if (!isIndexType(top.stated.mediaType)) {
      await registry.close()
      return undefined
    }
    const {platform: _platform, ...all} = options
    const walk = await walkFrom(registry, top, new StrictSink(), all)
    const index = await indexOver(
      registryStore(registry, top),
      {
        stated: top.stated,
        names: namesOf(reference),
        found: walk.found,
        findReferrers: (subjects, inner) => findReferrers(registry, subjects, inner),
        close: () => registry.close(),
      },
      options,
    )
    for (const {descriptor} of index.content.blobs)
      rememberBlob(registry.origin, registry.place.repository, descriptor.digest)
    return index
  } catch (error) {
    await registry.close()
    throw error
  }
}

/** Foreign layers are mostly kept elsewhere; any other is the registry's to have. */
function requireLayers({layers}: Image, {place}: Registry): void {
  for (const {title, hasContent, blob} of layers) {
    if (hasContent || blob === undefined || isForeignType(blob.descriptor.mediaType)) continue
    throw new InputError('LAYER_MISSING', {
      what: `${place.host} does not have ${title} of ${place.repository}.`,
      why: `The manifest names ${blob.descriptor.digest}.`,
      suggestions: ['Push the image again from a complete copy.'],
      at: {path: title},
    })
  }
}

async function walkFrom(
  registry: Registry,
  top: Top,
  sink: FaultSink,
  options: WorkOptions & {readonly platform?: string},
): Promise<IndexWalk> {
  const wanted = options.platform === undefined ? undefined : parsePlatform(options.platform)
  const walk = new IndexWalk(registryStore(registry, top), sink, {
    ...options,
    isWanted: ({platform}) => wanted === undefined || fitsPlatform(platform ?? {}, wanted, false),
  })
  await walk.entry(top.stated, `${registry.place.host}/${registry.place.repository}`)
  return walk
}

/** The name that was asked for, with its digest if it has one. */
function namesOf(reference: Reference): readonly string[] {
  const name = findDockerName(formatLocation(reference).slice(`${NAME}://`.length))
  return name === undefined ? [] : [familiarNameOf(name)]
}

/** Tags asked about at once. */
const CONCURRENCY = 6

/** All images of a repository, tag by tag, or what the selector leaves of them; of a registry alone, its repositories. */
export async function listImages(reference: Reference, options: ListOptions): Promise<readonly ListItem[]> {
  if (isHostAlone(reference)) return listRepositories(placeOf(reference), options)
  const registry = await Registry.connect(placeOf(reference), options)
  try {
    if (reference.selector !== undefined) return await itemsOf(registry, reference, options)
    const tags = await readTags(registry, options)
    const read = await mapConcurrently(tags, CONCURRENCY, (tag) =>
      readTag(registry, {...reference, selector: tag}, options),
    )
    for (const {fault} of read) if (fault !== undefined) options.onEvent?.(fault)
    const passedOver = tags.filter((_, index) => read[index]?.fault === undefined && read[index]?.items.length === 0)
    if (passedOver.length > 0) options.onEvent?.(tagsPassedOver(passedOver, formatLocation(reference)))
    return read.flatMap(({items}) => items)
  } finally {
    await registry.close()
  }
}

/** One tag of many, whose faults must not hide the others; that the registry cannot be reached is none of the tag's. */
async function readTag(
  registry: Registry,
  reference: Reference,
  options: ListOptions,
): Promise<{readonly items: readonly ListItem[]; readonly fault?: WorkEvent}> {
  try {
    return {items: await itemsOf(registry, reference, options)}
  } catch (error) {
    if (!(error instanceof InputError || error instanceof UnsupportedError)) throw error
    const message = ['Left out.', error.what, error.why].filter((part) => part !== undefined).join(' ')
    return {items: [], fault: {kind: 'note', code: 'tag-left-out', message, subject: formatLocation(reference)}}
  }
}

/** Tags shown of those that are passed over. */
const SHOWN_TAGS = 5

function tagsPassedOver(tags: readonly string[], subject: string): WorkEvent {
  const shown = [...tags]
    .sort()
    .slice(0, SHOWN_TAGS)
    .map((tag) => tag.replace(/[^\x20-\x7e]/g, '?').slice(0, 128))
  const what = tags.length === 1 ? 'One tag names' : `${tags.length} tags name`
  const more = tags.length > shown.length ? ', …' : ''
  const message = `${what} no image (${shown.join(', ')}${more}); transship left them out.`
  return {kind: 'note', code: 'tags-left-out', message, subject}
}

async function itemsOf(registry: Registry, reference: Reference, options: ListOptions): Promise<readonly ListItem[]> {
  const top = await readTop(registry, reference, options)
  const walk = await walkFrom(registry, top, new StrictSink(), options)
  const {mediaType, digest: topDigest} = top.stated
  const index = isIndexType(mediaType) ? {index: {reference: formatLocation(reference), digest: topDigest}} : {}
  const items: ListItem[] = walk.unwanted.map(({stated: {digest, platform}}) => ({
    kind: 'image',
    reference: formatLocation({...reference, selector: `@${digest}`}),
    names: namesOf(reference),
    platform: unwantedPlatform(platform ?? {}),
    ...index,
  }))
  for (const found of walk.found) {
    if (!found.layers.every(({mediaType}) => isLayerType(mediaType))) continue
    const {facts, imageId} = await readFound(registryStore(registry), found, options)
    if (facts.platform.os === 'unknown') continue
    const isAlone = walk.found.length + walk.unwanted.length === 1
    items.push({
      kind: 'image',
      reference: formatLocation(isAlone ? reference : {...reference, selector: `@${found.manifest.digest}`}),
      names: namesOf(reference),
      imageId,
      platform: facts.platform,
      ...(facts.created === undefined ? {} : {createdTime: facts.created}),
      sizeBytes: found.layers.reduce((sum, {size}) => sum + size, 0),
      layers: found.layers.length,
      ...index,
    })
  }
  return items
}

/** What is for another variant alone must not look like what was asked for. */
function unwantedPlatform(stated: StatedPlatform): Platform {
  const platform = platformOf(stated)
  const {variant} = stated
  const isStated = variant !== undefined && variant !== ''
  return isStated ? {...platform, architecture: `${platform.architecture}/${variant}`} : platform
}

/** Manifests that an index names and that are no images: attestations have signatures too. */
function documentsIn(walk: IndexWalk): readonly Digest[] {
  return walk.passedOver.flatMap(({stated, reason}) => {
    const digest = reason === 'artifact' ? findDigest(stated.digest) : undefined
    return digest === undefined ? [] : [digest]
  })
}

/** Downloads everything that the reference selects and checks it to the last byte. */
export async function verifyImages(reference: Reference, options: OpenOptions): Promise<Verdict> {
  requireRepository(reference)
  const registry = await Registry.connect(placeOf(reference), options)
  try {
    const title = formatLocation(reference)
    const check = new ImageCheck(title, options)
    const passed: OfferedPlatform[] = []
    let count = 0
    const referenceTo = (digest: string) => formatLocation({...reference, selector: `@${digest}`})
    await check.gatherTop(async () => {
      const top = await readTop(registry, reference, options)
      const walk = await walkFrom(registry, top, check, options)
      const store = registryStore(registry, top)
      const checking = {check, read: new Set<string>(), options}
      const absent = walk.passedOver.filter(({reason}) => reason === 'absent')
      count = walk.found.length + walk.unwanted.length + absent.length
      passed.push(
        ...walk.unwanted.map(({stated: {digest, platform}}) => ({
          reference: referenceTo(digest),
          platform: platform ?? {},
        })),
      )
      for (const found of walk.found) {
        check.subject = findDigest(found.manifest.digest) ?? check.subject
        await check.gather(async () => {
          for (const each of await verifyFound(store, found, {...checking, referenceTo})) passed.push(each)
        })
      }
      await verifyNamed(store, walk.passedOver, checking)
      check.subject = title
      const subjects = [top.stated.digest, ...walk.found.map(({manifest}) => manifest.digest), ...documentsIn(walk)]
      const apart = new Set(documentsIn(walk))
      const referrers = await findReferrers(registry, subjects, {...options, sink: check, apart})
      await verifyReferrers(referrers, checking)
    })
    tellOfPassed(check, {passed, count}, {reference: title, platform: options.platform})
    return check.verdict
  } finally {
    await registry.close()
  }
}
