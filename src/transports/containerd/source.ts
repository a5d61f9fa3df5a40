import type {Referrers} from '../../model/content-graph.js'
import {findDigest, type Digest} from '../../model/digest.js'
import {InputError, UnsupportedError} from '../../model/errors.js'
import {attempt, LeavingOut, StrictSink, type FaultSink} from '../../model/fault-sink.js'
import type {WorkOptions} from '../../model/events.js'
import type {Image} from '../../model/image.js'
import type {Reference} from '../../model/reference.js'
import type {ListItem, ListOptions, OpenOptions, Verdict} from '../../model/transport.js'
import type {ImageMessage} from '../../engine-api/containerd/store-services.js'
import {isLayerType} from '../../formats/image-documents/media-types.js'
import {formatPlatform, type OfferedPlatform} from '../../formats/image-documents/platform-choice.js'
import {platformOf} from '../../formats/image-documents/image-documents.js'
import {ImageCheck} from '../../formats/layer-blob/image-check.js'
import {chooseImage} from '../../formats/oci-layout/choose-image.js'
import type {FoundImage} from '../../formats/oci-layout/index-walk.js'
import {imageOver, readFound} from '../../formats/oci-layout/open-image.js'
import {tellOfPassed, verifyFound} from '../../formats/oci-layout/verify-layout.js'
import {verifyNamed} from '../../formats/oci-layout/verify-named.js'
import {verifyReferrers} from '../../formats/oci-layout/verify-referrers.js'
import {connect} from './connect.js'
import {isWholeIndex} from './open-index.js'
import {requireOne, requireRecords, type Found} from './find-image.js'
import {findHeld, isAbsentPlatform, isDiscarding, platformsAbsent, withoutAbsentBlobs, type Held} from './presence.js'
import {findReferrers, isReferrerRecord} from './referrers.js'
import {dockerNameOf, formatLocation, namesOf, referenceTo} from './reference.js'
import type {NamespaceStore} from './store.js'

/** Opens the one image that the reference selects; blobs are read from containerd when they are asked for. */
export async function openImage(reference: Reference, options: OpenOptions): Promise<Image> {
  const containerd = await connect(options)
  const close = () => {
    containerd.client.close()
    return Promise.resolve()
  }
  try {
    const found = await requireOne(containerd, reference, options)
    const {store, records} = found
    const held = narrowed(await findHeld(store, records, {...options, sink: new StrictSink()}), found)
    requireHeld(held, reference, options)
    const read = await chooseImage(store, held.images, {
      ...options,
      reference: formatLocation(reference),
      passedOver: held.others,
      unwanted: held.unwanted,
      referenceTo: (digest) => formatLocation(referenceTo(store.namespace, mainName(records), digest)),
    })
    const {digest: subject} = read.found.manifest
    const image = await imageOver(store, read, {
      ...options,
      names: namesOf(records),
      close,
      findReferrers: (inner) => findReferrers(store, records, {...inner, subjects: [subject]}),
    })
    const isDiscarded = await isDiscarding(store, read.found, options)
    const absent = platformsAbsent(held.absent)
    const notes = absent === undefined ? [] : [{code: 'platform-not-held', message: absent}]
    return withoutAbsentBlobs({...image, warnings: [...image.warnings, ...notes]}, isDiscarded)
  } catch (error) {
    await close()
    throw error
  }
}

/** What a digest selects of it: one manifest, or everything in one index. */
function narrowed(held: Held, {digest, records}: Found): Held {
  const isWhole = digest === undefined || records.some(({target}) => target?.digest === digest)
  if (isWhole) return held
  const isIt = ({manifest, within}: FoundImage) =>
    manifest.digest === digest || within.some((outer) => outer === digest)
  return {
    images: held.images.filter(isIt),
    unwanted: held.unwanted.filter((stated) => stated.digest === digest),
    others: held.others.filter((other) => other.digest === digest),
    absent: held.absent.filter((stated) => stated.digest === digest),
    ghosts: [],
  }
}

/** Says what is missing where nothing can be opened: a record, an index and a platform may each lead to nothing. */
function requireHeld(held: Held, reference: Reference, {platform}: OpenOptions): void {
  if (held.images.length > 0) return
  const given = formatLocation(reference)
  const pull =
    'Pull it where a registry can be reached, or load it from an archive: transship convert docker-archive:FILE'
  const [ghost] = held.ghosts
  if (ghost !== undefined) {
    throw new InputError('MANIFEST_MISSING', {
      what: `containerd has the name '${ghost.name}', and nothing of its content.`,
      why: `It leads to ${ghost.target?.digest ?? 'nothing'}, which is not there.`,
      suggestions: [`${pull} ${given}`],
      at: {reference: given},
    })
  }
  const fitting = held.absent.filter((stated) => platform === undefined || isAbsentPlatform(stated, platform))
  const named = platformsAbsent(fitting)
  if (named === undefined) return
  const offered = held.unwanted.flatMap(({platform: stated}) => (stated ? [formatPlatform(platformOf(stated))] : []))
  throw new UnsupportedError('PLATFORM_UNSUPPORTED', {
    what: `containerd does not have '${given}'${platform === undefined ? '' : ` for ${platform}`}.`,
    why: named,
    suggestions: [...offered.map((text) => `--platform '${text}'`), `${pull} ${given}`],
    at: {reference: given},
  })
}

/** The name that people gave: Kubernetes keeps two more for each, by digest and by id. */
function mainName(records: readonly ImageMessage[]): string {
  return namedRecords(records)[0]?.name ?? ''
}

/** All images of containerd, of a namespace or of a name, or the one that the reference selects. */
export async function listImages(reference: Reference, options: ListOptions): Promise<readonly ListItem[]> {
  const containerd = await connect(options)
  try {
    const items: ListItem[] = []
    const sink = new LeavingOut()
    for (const found of await requireRecords(containerd, reference, options)) {
      const isNamed = found.records.length === 1
      const records = isNamed ? found.records : found.records.filter((record) => !isReferrerRecord(record))
      items.push(...(await itemsOf({...found, records}, sink, options)))
    }
    sink.tell(items, options, formatLocation(reference))
    return items
  } finally {
    containerd.client.close()
  }
}

async function itemsOf(found: Found, sink: LeavingOut, options: ListOptions): Promise<readonly ListItem[]> {
  const {store} = found
  const items: ListItem[] = []
  for (const records of byTarget(found.records)) {
    const held = narrowed(await findHeld(store, records, {...options, sink}), {...found, records})
    const named = namedRecords(records)
    for (const record of named) {
      const subject = formatLocation(referenceTo(store.namespace, record.name))
      for (const message of notesOf(held)) options.onEvent?.({kind: 'note', ...message, subject})
    }
    const [{target} = {target: null}] = records
    const isIndex = found.digest === undefined && target !== null && (await isWholeIndex(store, target, options))
    const isAlone = found.digest === undefined && held.images.length + held.unwanted.length + held.absent.length === 1
    const rows = (digest: string) =>
      named.map(({name}): Pick<ListItem, 'kind' | 'reference' | 'names' | 'index'> => {
        const selecting = referenceTo(store.namespace, name, isAlone ? undefined : digest)
        const index = {reference: formatLocation(referenceTo(store.namespace, name)), digest: target?.digest as Digest}
        const row = {kind: 'image', reference: formatLocation(selecting), names: namesOf([{name}])} as const
        return isIndex ? {...row, index} : row
      })
    for (const image of held.images) {
      const item = await attempt(sink, () => itemOf(store, image, options))
      if (item !== undefined) items.push(...rows(image.manifest.digest).map((row) => ({...row, ...item})))
    }
    for (const {digest, platform} of held.unwanted)
      items.push(...rows(digest).map((row) => ({...row, platform: platformOf(platform ?? {})})))
  }
  return items
}

/** Each name that people gave is a row of its own, since all of them are to be carried over; where there is none, one of the others. */
function namedRecords(records: readonly ImageMessage[]): readonly ImageMessage[] {
  const tagged = records.filter(({name}) => dockerNameOf(name)?.tag !== undefined)
  return tagged.length > 0 ? tagged : records.slice(0, 1)
}

/** Records by what they lead to, in the order of their names. */
function byTarget(records: readonly ImageMessage[]): readonly (readonly ImageMessage[])[] {
  const groups = new Map<string, ImageMessage[]>()
  for (const record of records) {
    const key = record.target?.digest ?? ''
    groups.set(key, [...(groups.get(key) ?? []), record])
  }
  return [...groups.values()]
}

function notesOf({absent, ghosts}: Held): readonly {readonly code: string; readonly message: string}[] {
  const message = platformsAbsent(absent)
  return [
    ...ghosts.map(({target}) => ({
      code: 'image-not-held',
      message: `It leads to ${target?.digest ?? 'nothing'}, which containerd does not have.`,
    })),
    ...(message === undefined ? [] : [{code: 'platform-not-held', message}]),
  ]
}

async function itemOf(store: NamespaceStore, found: FoundImage, options: WorkOptions) {
  if (!found.layers.every(({mediaType}) => isLayerType(mediaType))) return undefined
  const {facts, imageId} = await readFound(store, found, options)
  if (facts.platform.os === 'unknown') return undefined
  return {
    imageId,
    platform: facts.platform,
    ...(facts.created === undefined ? {} : {createdTime: facts.created}),
    sizeBytes: found.layers.reduce((sum, {size}) => sum + size, 0),
    layers: found.layers.length,
  }
}

/** Reads everything that the reference selects and checks it to the last byte. */
export async function verifyImages(reference: Reference, options: OpenOptions): Promise<Verdict> {
  const containerd = await connect(options)
  try {
    const title = formatLocation(reference)
    const check = new ImageCheck(title, options)
    const passed: OfferedPlatform[] = []
    let count = 0
    await check.gatherTop(async () => {
      const all = await requireRecords(containerd, reference, options)
      const read = new Set<string>()
      for (const found of all) {
        // One by one, so that what one cannot be read for hides no other.
        for (const records of found.digest === undefined ? byTarget(found.records) : [found.records]) {
          check.subject = formatLocation(referenceTo(found.store.namespace, mainName(records)))
          const told = await verifyRecords({...found, records}, {check, read, options})
          count += told.count
          passed.push(...told.passed)
        }
      }
    })
    tellOfPassed(check, {passed, count}, {reference: title, platform: options.platform})
    return check.verdict
  } finally {
    containerd.client.close()
  }
}

interface Checking {
  readonly check: ImageCheck
  readonly read: Set<string>
  readonly options: OpenOptions
}

async function verifyRecords(found: Found, {check, read, options}: Checking) {
  const {store, records} = found
  const {subject} = check
  const sink: FaultSink = check
  const held = narrowed(await findHeld(store, records, {...options, sink}), found)
  const selects = (digest: string) => formatLocation(referenceTo(store.namespace, mainName(records), digest))
  const passed: OfferedPlatform[] = held.unwanted.map(({digest, platform}) => ({
    reference: selects(digest),
    platform: platform ?? {},
  }))
  for (const {target} of held.ghosts)
    check.add('MANIFEST_MISSING', `It leads to ${target?.digest ?? 'nothing'}, which is not there.`, subject)
  const isEmpty = held.images.length + held.unwanted.length + held.others.length + held.ghosts.length === 0
  const absent = platformsAbsent(held.absent)
  if (isEmpty && held.absent.length > 0)
    check.add('MANIFEST_MISSING', absent ?? 'Nothing that the index names is there.', subject)
  else if (absent !== undefined) check.unread(absent, subject)
  for (const image of held.images) {
    check.subject = held.images.length === 1 ? subject : `${subject}@${image.manifest.digest}`
    await check.gather(async () => {
      if (await isDiscarding(store, image, options))
        check.unread('containerd has discarded its compressed layers.', check.subject)
      passed.push(...(await verifyFound(store, image, {check, read, options, referenceTo: selects})))
    })
  }
  await verifyNamed(store, held.others, {check, read, options})
  check.subject = subject
  await verifyReferrers(await referrersOf(found, held, check, options), {check, read, options})
  return {count: held.images.length + held.unwanted.length + held.absent.length + held.ghosts.length, passed}
}

/** What refers to an index, to the images in it, and to what else it names. */
function referrersOf({store, records}: Found, held: Held, check: ImageCheck, options: OpenOptions): Promise<Referrers> {
  const apart = new Set(held.others.flatMap(({digest}) => findDigest(digest) ?? []))
  const targets = records.flatMap(({target}) => findDigest(target?.digest ?? '') ?? [])
  const subjects = [...targets, ...held.images.map(({manifest}) => manifest.digest), ...apart]
  return findReferrers(store, records, {...options, subjects, sink: check, apart})
}
