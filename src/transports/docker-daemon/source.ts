import {mapConcurrently} from '../../model/map-concurrently.js'
import type {Digest} from '../../model/digest.js'
import {InputError, TransshipError} from '../../model/errors.js'
import type {WorkEvent, WorkOptions} from '../../model/events.js'
import type {Image, Platform} from '../../model/image.js'
import type {Reference} from '../../model/reference.js'
import {Archive} from '../../formats/archive-file/archive.js'
import {IMAGE_UNREADABLE, StrictSink} from '../../model/fault-sink.js'
import {ArchiveCheck, type IndexedOffer} from '../../formats/image-archive/archive-check.js'
import {openOffer} from '../../formats/image-archive/open-offer.js'
import {readOffers, type Offer} from '../../formats/image-archive/read-offers.js'
import {familiarNameOf, findDockerName, findTaggedName, isSameName} from '../../formats/image-documents/image-name.js'
import {
  isWantedPlatform,
  parsePlatform,
  platformUnsupported,
  statedPlatform,
} from '../../formats/image-documents/platform-choice.js'
import {digestMismatch} from '../../codecs/bytes/verified.js'
import type {Fault, ListItem, NetworkOptions, OpenOptions, Verdict} from '../../model/transport.js'
import {Engine, idDigest} from './engine.js'
import {requireImage, tagsOf, type EngineImage} from './find-image.js'
import {formatLocation, NAME, parseLocation, wantedOf} from './reference.js'
import type {ImageDetails} from './schema.js'

/** How many images are asked about at once: enough to hide the latency of a connection. */
const CONCURRENCY = 8
/** Since this version an engine can be asked for one platform of several. Source: Docker Engine API, history. */
const PLATFORM_API = '1.48'

/** Opens the one image that the reference selects, by way of a temporary file of what the engine saves. */
export async function openImage(reference: Reference, options: OpenOptions): Promise<Image> {
  const engine = await Engine.connect(options)
  const image = await requireImage(engine, reference)
  const archive = await saveImage(engine, image, options)
  try {
    const sink = new StrictSink()
    const chosen = chooseOffer(await readOffers(archive, sink), image, options)
    const mismatch = (await engine.usesContainerd()) ? undefined : findMismatch(chosen.offer, image, engine)
    if (mismatch !== undefined) throw mismatch
    const opened = await openOffer(archive, chosen.offer, {...options, sink})
    // What is saved by its digest has no name in the archive, as far as engines write one.
    const given = givenName(image.reference)
    return opened.names.length > 0 || given === undefined ? opened : {...opened, names: [given]}
  } catch (error) {
    await archive.close()
    throw error
  }
}

/** The name with its digest, where the reference has one. */
function givenName({path, selector}: Reference): string | undefined {
  const name =
    selector?.includes('@') === true
      ? findDockerName(formatLocation({transport: NAME, path, selector}).slice(NAME.length + 1))
      : undefined
  return name === undefined ? undefined : familiarNameOf(name)
}

/** A tag may have moved between two requests; and an engine that gives another image than its own is none to trust. */
function findMismatch({image}: Offer, {details, reference}: EngineImage, engine: Engine): InputError | undefined {
  const stated = idDigest(details.Id)
  if (image === undefined || image.imageId === stated) return undefined
  return digestMismatch(
    {title: `${formatLocation(reference)} as ${engine.name} saves it`, digest: stated},
    image.imageId,
  )
}

async function saveImage(engine: Engine, image: EngineImage, options: OpenOptions): Promise<Archive> {
  const {details, query, reference} = image
  const title = formatLocation(reference)
  const wanted = options.platform === undefined ? undefined : parsePlatform(options.platform)
  const found = platformOf(details)
  const isPlatformTaken = engine.speaks(PLATFORM_API) && (await engine.usesContainerd())
  if (wanted !== undefined && !isPlatformTaken && found !== undefined && !isWantedPlatform(found, wanted)) {
    throw platformUnsupported(options.platform ?? '', {reference: title, offered: [{platform: statedPlatform(found)}]})
  }
  const platform =
    wanted === undefined || !isPlatformTaken
      ? undefined
      : {os: wanted.os, ...(wanted.architecture === undefined ? {} : {architecture: wanted.architecture})}
  const step = {id: `save ${title}`, title: `Saving ${title} from ${engine.name}`}
  const totalBytes = details.Size === undefined ? {} : {totalBytes: details.Size}
  options.onEvent?.({kind: 'step', ...step, ...totalBytes})
  const archive = await Archive.ofStream(counted(engine.save(query, platform), step.id, options), {...options, title})
  options.onEvent?.({kind: 'done', id: step.id})
  return archive
}

/** Progress is told each time this many bytes have passed. */
const TELL_EVERY_BYTES = 4 * 2 ** 20

async function* counted(body: AsyncIterable<Uint8Array>, id: string, {onEvent}: WorkOptions) {
  let bytes = 0
  let told = 0
  for await (const chunk of body) {
    bytes += chunk.byteLength
    if (bytes - told >= TELL_EVERY_BYTES) onEvent?.({kind: 'progress', id, bytes: (told = bytes)})
    yield chunk
  }
}

/** A saved archive holds the one image that was asked for; on containerd's store maybe for several platforms. */
function chooseOffer(offers: readonly Offer[], image: EngineImage, {platform}: OpenOptions): IndexedOffer {
  const wanted = platform === undefined ? undefined : parsePlatform(platform)
  const indexed = offers.map((offer, index) => ({offer, index}))
  const fitting = indexed.filter(({offer}) => wanted === undefined || isWantedPlatform(offer.platform, wanted))
  const id = idDigest(image.details.Id)
  const [chosen] = [
    ...fitting.filter(({offer}) => offer.image?.imageId === id),
    ...fitting.filter(({offer}) => offer.isPrimary),
    ...fitting,
  ]
  if (chosen !== undefined) return chosen
  if (platform !== undefined && offers.length > 0) {
    const offered = offers.map((offer) => ({platform: statedPlatform(offer.platform)}))
    throw platformUnsupported(platform, {reference: formatLocation(image.reference), offered})
  }
  throw new InputError('NOT_FOUND', {
    what: `The engine did not save the image '${formatLocation(image.reference)}'.`,
    why: 'Its archive is empty.',
    at: {reference: formatLocation(image.reference)},
  })
}

/** All images of an engine, those of a name, or the one that the reference selects. */
export async function listImages(
  reference: Reference,
  options: WorkOptions & NetworkOptions,
): Promise<readonly ListItem[]> {
  const engine = await Engine.connect(options)
  const wanted = wantedOf(reference)
  const isOne = wanted.kind === 'id' || (wanted.kind === 'name' && (wanted.tag ?? wanted.digest) !== undefined)
  if (isOne) {
    const {details, query, reference: found} = await requireImage(engine, reference)
    const names = found.selector === undefined ? tagsOf(details) : [givenName(found) ?? query]
    return [await itemOf(engine, details, {names, reference: formatLocation(found)})]
  }
  const ids = [...new Set((await engine.images()).map(({Id}) => idDigest(Id)))]
  const images = await mapConcurrently(ids, CONCURRENCY, (id) => findTelling(engine, id))
  const faults = images.flatMap(({fault}) => (fault === undefined ? [] : [fault]))
  const items: ListItem[] = []
  for (const {id, details} of images) {
    // Gone meanwhile: not there to be listed.
    if (details === undefined) continue
    const tags = tagsOf(details)
    const names = wanted.kind === 'name' ? tags.filter((tag) => isOfRepository(tag, wanted.name)) : tags
    if (wanted.kind === 'name' && names.length === 0) continue
    const [name] = names
    items.push(await itemOf(engine, details, {names, reference: `${NAME}:${name ?? id}`}))
  }
  if (items.length === 0 && wanted.kind === 'name' && wanted.mayBeId) {
    const {details, reference: found} = await requireImage(engine, reference)
    return [await itemOf(engine, details, {names: tagsOf(details), reference: formatLocation(found)})]
  }
  const [first] = faults
  if (items.length === 0 && first !== undefined) throw first
  for (const {id, fault} of images) {
    if (fault === undefined) continue
    const message = `Skipped: ${fault.message}`
    options.onEvent?.({kind: 'note', code: IMAGE_UNREADABLE, message, subject: `${NAME}:${id}`})
  }
  return items.sort((left, right) => (left.reference < right.reference ? -1 : 1))
}

/** One image of many: what the engine cannot tell of it must not hide the others. */
async function findTelling(
  engine: Engine,
  id: Digest,
): Promise<{readonly id: Digest; readonly details?: ImageDetails | undefined; readonly fault?: TransshipError}> {
  try {
    return {id, details: await engine.find(id)}
  } catch (error) {
    if (!isOfOneImage(error)) throw error
    return {id, fault: error}
  }
}

/** An engine fails for one image with the same codes as for all; where every image fails, it is the engine. */
function isOfOneImage(error: unknown): error is TransshipError {
  return error instanceof TransshipError && (error.exitCode === 3 || error.exitCode === 4)
}

function isOfRepository(tag: string, name: string): boolean {
  const wanted = findTaggedName(name)?.repository
  return (
    findTaggedName(tag)?.repository === wanted || isSameName(tag, `localhost/${name}:${tag.split(':').at(-1) ?? ''}`)
  )
}

async function itemOf(
  engine: Engine,
  details: ImageDetails,
  {names, reference}: Pick<ListItem, 'names' | 'reference'>,
): Promise<ListItem> {
  const platform = platformOf(details)
  const layers = details.RootFS?.Layers
  return {
    kind: 'image',
    reference,
    names,
    ...((await engine.usesContainerd()) ? {} : {imageId: idDigest(details.Id)}),
    ...(platform === undefined ? {} : {platform}),
    ...(details.Created === undefined || details.Created === '' ? {} : {createdTime: details.Created}),
    ...(details.Size === undefined ? {} : {sizeBytes: details.Size}),
    ...(layers === undefined || layers === null ? {} : {layers: layers.length}),
  }
}

function platformOf({Os: os, Architecture: architecture, OsVersion: version}: ImageDetails): Platform | undefined {
  if (os === undefined || architecture === undefined) return undefined
  // Podman states the version of the engine that made the image there; only Windows has one of its own.
  const isStated = os === 'windows' && version !== undefined && version !== ''
  return {os, architecture, ...(isStated ? {osVersion: version} : {})}
}

/** Saves everything that the reference selects, one image at a time, and checks it to the last byte. */
export async function verifyImages(reference: Reference, options: OpenOptions): Promise<Verdict> {
  const engine = await Engine.connect(options)
  const faults: Fault[] = []
  // What the list leaves out has a fault here.
  const onEvent = (event: WorkEvent): void => {
    if (event.kind === 'note' && event.code === IMAGE_UNREADABLE)
      faults.push({code: 'ENGINE_REFUSED', message: event.message, subject: event.subject})
    else options.onEvent?.(event)
  }
  const items = wantedOf(reference).kind === 'all' ? await listImages(reference, {...options, onEvent}) : [undefined]
  const verdicts: Verdict[] = []
  let first: TransshipError | undefined
  for (const item of items) {
    const own = item === undefined ? reference : parseLocation(item.reference.slice(NAME.length + 1))
    try {
      verdicts.push(await verifySaved(engine, own, options))
    } catch (error) {
      // Of one image of many, what the engine refuses to give is a fault of that image.
      if (item === undefined || !isOfOneImage(error)) throw error
      faults.push({code: error.code, message: error.message, subject: item.reference})
      first ??= error
    }
  }
  if (first !== undefined && verdicts.length === 0) throw first
  verdicts.push({faults, layers: [], bytes: 0})
  return {
    faults: verdicts.flatMap((verdict) => verdict.faults),
    layers: verdicts.flatMap(({layers}) => layers),
    bytes: verdicts.reduce((sum, {bytes}) => sum + bytes, 0),
  }
}

async function verifySaved(engine: Engine, reference: Reference, options: OpenOptions): Promise<Verdict> {
  const image = await requireImage(engine, reference)
  const archive = await saveImage(engine, image, options)
  try {
    const isById = !(await engine.usesContainerd())
    return await new ArchiveCheck(archive, options).run((offers, faults) => {
      const chosen = chooseOffer(offers, image, options)
      const mismatch = isById ? findMismatch(chosen.offer, image, engine) : undefined
      if (mismatch !== undefined) faults.fault(mismatch)
      return [chosen]
    })
  } finally {
    await archive.close()
  }
}
