import {InputError} from '../../model/errors.js'
import type {Reference} from '../../model/reference.js'
import type {OpenOptions, Verdict} from '../../model/transport.js'
import {nameFaults} from '../archive-file/member-names.js'
import {namesOfStored} from '../layer-blob/checked-names.js'
import {ImageCheck} from '../layer-blob/image-check.js'
import {isForeignType, statedCompression} from '../image-documents/media-types.js'
import type {StatedPlatform} from '../image-documents/image-documents.js'
import {
  fitsPlatform,
  listPlatforms,
  parsePlatform,
  platformUnsupported,
  statedPlatform,
  type OfferedPlatform,
} from '../image-documents/platform-choice.js'
import {blobKey, blobPath, type ContentStore} from './content-store.js'
import type {FoundImage} from './index-walk.js'
import {namedBy} from './layout.js'
import {findLayoutReferrers, walkLayout, type LayoutPlace} from './opened-layout.js'
import {selected} from './selected-images.js'
import {findStoredLayer, readFound} from './open-image.js'
import {verifyReferrers} from './verify-referrers.js'
import {isAsked, verifyBlob, verifyNamed, type Checking} from './verify-named.js'

/**
 * Checks all images that the reference selects, and without a selector every blob as well; gathers all faults. Throws
 * `PLATFORM_UNSUPPORTED`.
 */
export async function verifyLayout(place: LayoutPlace, reference: Reference, options: OpenOptions): Promise<Verdict> {
  const layout = await place.open(reference.path, options)
  try {
    const check = new ImageCheck(reference.path, options)
    const read = new Set<string>()
    const checking = {check, read, options}
    const passed: OfferedPlatform[] = []
    let count = 0
    await check.gatherTop(async () => {
      const walk = await walkLayout(layout, reference, {...options, sink: check})
      const images = selected(walk.found, reference)
      const named = namedBy(walk, reference)
      // Something was selected, and cannot be read: that is told already.
      if (images.length + named.length === 0 && reference.selector !== undefined && check.verdict.faults.length === 0)
        throw notFound(reference, place.format(reference))
      const absent = named.filter(({reason}) => reason === 'absent')
      count = images.length + absent.length
      passed.push(
        ...absent.flatMap(({stated}) => (isAsked(stated, options) ? [] : [{platform: stated.platform ?? undefined}])),
      )
      const selects = (digest: string) => place.format({...reference, selector: `@${digest}`})
      for (const found of images) {
        check.subject = found.refs[0] ?? found.names[0] ?? found.manifest.digest
        await check.gather(async () => {
          for (const each of await verifyFound(layout.store, found, {...checking, referenceTo: selects}))
            passed.push(each)
        })
      }
      await verifyNamed(layout.store, named, checking)
      check.subject = reference.path
      const subjects = images.flatMap(({manifest, within}) => [manifest.digest, ...within])
      await verifyReferrers(await findLayoutReferrers(layout, subjects, {...options, sink: check}), checking)
    })
    tellOfPassed(check, {passed, count}, {reference: place.format(reference), platform: options.platform})
    check.subject = reference.path
    if (layout.members !== undefined)
      for (const {code, message, name} of nameFaults(layout.members)) check.add(code, message, name)
    // Blobs of other images, and of none, were not asked for.
    if (reference.selector !== undefined) return check.verdict
    for await (const {name, sizeBytes, open} of layout.blobs()) {
      if (!read.has(name)) await check.blob(name, {sizeBytes, open: () => open(options)})
    }
    return check.verdict
  } finally {
    await layout.close()
  }
}

function notFound({selector = '', path}: Reference, reference: string): InputError {
  return new InputError('NOT_FOUND', {
    what: `'${path}' does not contain the image '${selector.slice(0, 300)}'.`,
    suggestions: [
      `List the images: transship list ${reference.slice(0, reference.length - selector.length).replace(/:$/, '')}`,
    ],
    at: {reference},
  })
}

/** Platforms that a note lists. */
const MAX_LISTED = 5

/**
 * Tells of images that were passed over for their platform, so that they do not count as sound. Where that is all that
 * there is, nothing was checked: `PLATFORM_UNSUPPORTED`.
 */
export function tellOfPassed(
  check: ImageCheck,
  {passed, count}: {readonly passed: readonly OfferedPlatform[]; readonly count: number},
  {reference, platform}: {readonly reference: string; readonly platform: string | undefined},
): void {
  if (platform === undefined || passed.length === 0) return
  if (passed.length >= count) throw platformUnsupported(platform, {reference, offered: passed})
  const held = passed.filter((each) => each.reference !== undefined)
  if (held.length === 0) return
  const images = held.length === 1 ? '1 image for another platform' : `${held.length} images for other platforms`
  check.unread(`${images} (${listPlatforms(held, MAX_LISTED)}).`, reference)
}

interface FoundChecking extends Checking {
  /** The reference that selects the image of this manifest alone. */
  readonly referenceTo: (digest: string) => string
}

/**
 * Checks one image to its last byte; blobs that were read before are not read again. An image for another platform than
 * the one that is asked for is passed over, and given back.
 */
export async function verifyFound(
  store: ContentStore,
  found: FoundImage,
  {check, read, options, referenceTo: selects}: FoundChecking,
): Promise<readonly OfferedPlatform[]> {
  const wanted = options.platform === undefined ? undefined : parsePlatform(options.platform)
  const passedOver = (platform: StatedPlatform) => [{reference: selects(found.manifest.digest), platform}]
  // By its descriptor already: the configuration of what is for another platform need not be there.
  const stated = found.entry.platform ?? {}
  if (wanted !== undefined && !fitsPlatform(stated, wanted, false)) return passedOver(stated)
  const {facts} = await readFound(store, found, options)
  read.add(blobPath(found.config.digest)).add(blobKey(found.config)).add(blobPath(found.manifest.digest))
  if (facts.platform.os === 'unknown') {
    // An attestation: what it names are documents of some sort, not layers.
    for (const part of found.stated.slice(1))
      await check.gather(() => verifyBlob(store, part, {check, read, options}, 'LAYER_MISSING'))
    return []
  }
  const platform = {...stated, ...statedPlatform(facts.platform)}
  if (wanted !== undefined && !fitsPlatform(platform, wanted, true)) return passedOver(platform)
  const {subject} = check
  const titleOf = (index: number) => `${subject} layer ${index}`
  const names = namesOfStored(
    found.layers.map((_, index) => {
      const title = titleOf(index)
      return {title, find: () => findStoredLayer(store, {found, facts, index, title}, options)}
    }),
  )
  for (const [index, descriptor] of found.layers.entries()) {
    const title = titleOf(index)
    await check.gather(async () => {
      const stored = await findStoredLayer(store, {found, facts, index, title}, options)
      if (stored === undefined) {
        if (isForeignType(descriptor.mediaType)) {
          check.unread(`The content of ${title}, the foreign layer ${descriptor.digest}, is stored elsewhere.`, title)
          return
        }
        check.add('LAYER_MISSING', `The content of ${title}, ${descriptor.digest}, is missing.`, title)
        return
      }
      const compression = statedCompression(descriptor.mediaType)
      if (compression !== undefined && compression !== stored.compression)
        check.add(
          'MANIFEST_INVALID',
          `Its type is ${descriptor.mediaType}, but its compression is ${stored.compression}.`,
          title,
        )
      const name = blobPath(descriptor.digest)
      // A layer that images share is read once, unless they say different things of it.
      const said = `${blobKey(descriptor)} ${facts.diffIds[index] ?? ''}`
      if (read.has(said)) return
      if (!read.has(name)) check.count(descriptor.size)
      read.add(name).add(blobKey(descriptor)).add(said)
      await check.layer(stored, facts.platform.os, {names, index})
    })
  }
  return []
}
