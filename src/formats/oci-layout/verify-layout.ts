import type {Reference} from '../../model/reference.js'
import type {OpenOptions, Verdict} from '../../model/transport.js'
import {namesOfStored} from '../layer-blob/checked-names.js'
import {ImageCheck} from '../layer-blob/image-check.js'
import {isForeignType, statedCompression} from '../image-documents/media-types.js'
import type {StatedPlatform} from '../image-documents/image-documents.js'
import {
  fitsPlatform,
  parsePlatform,
  platformUnsupported,
  statedPlatform,
  type OfferedPlatform,
} from '../image-documents/platform-choice.js'
import {blobPath, type ContentStore} from './content-store.js'
import type {FoundImage} from './index-walk.js'
import {absentOf, notHeld, selected, walkLayout, type LayoutPlace} from './layout.js'
import {findStoredLayer, readFound} from './open-image.js'

/** Checks all images that the reference selects, and every blob, and gathers all faults. Throws `PLATFORM_UNSUPPORTED`. */
export async function verifyLayout(place: LayoutPlace, reference: Reference, options: OpenOptions): Promise<Verdict> {
  const layout = await place.open(reference.path, options)
  try {
    const check = new ImageCheck(reference.path, options)
    const read = new Set<string>()
    const passed: OfferedPlatform[] = []
    let count = 0
    await check.gather(async () => {
      const walk = await walkLayout(layout, check, options)
      const images = selected(walk.found, reference)
      const absent = absentOf(walk, reference)
      count = images.length + absent.length
      for (const image of absent) check.add('MANIFEST_MISSING', notHeld(image), image.refs[0] ?? image.digest)
      if (count === 0 && reference.selector !== undefined) {
        check.add('NOT_FOUND', `There is no image '${reference.selector}' in the layout.`, reference.path)
      }
      for (const found of images) {
        check.subject = found.refs[0] ?? found.names[0] ?? found.manifest.digest
        const checking = {check, read, options, referenceTo: (digest: string) => referenceTo(reference, digest, place)}
        await check.gather(async () => {
          for (const each of await verifyFound(layout.store, found, checking)) passed.push(each)
        })
      }
    })
    requireFitting(passed, count, {reference: place.format(reference), platform: options.platform})
    check.subject = reference.path
    for await (const {name, sizeBytes, open} of layout.blobs()) {
      if (!read.has(name)) await check.blob(name, {sizeBytes, open: () => open(options)})
    }
    return check.verdict
  } finally {
    await layout.close()
  }
}

function referenceTo(reference: Reference, digest: string, place: LayoutPlace): string {
  return place.format({...reference, selector: `@${digest}`})
}

/** Where all that there is was passed over for its platform, nothing was checked, and must not be called sound. */
export function requireFitting(
  passed: readonly OfferedPlatform[],
  count: number,
  {reference, platform}: {readonly reference: string; readonly platform: string | undefined},
): void {
  if (platform === undefined || passed.length === 0 || passed.length < count) return
  throw platformUnsupported(platform, {reference, offered: passed})
}

/** What checks of several images share. */
export interface Checking {
  readonly check: ImageCheck
  /** Paths of blobs that have been read to their end. */
  readonly read: Set<string>
  readonly options: OpenOptions
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
  {check, read, options, referenceTo: selects}: Checking,
): Promise<readonly OfferedPlatform[]> {
  const wanted = options.platform === undefined ? undefined : parsePlatform(options.platform)
  const passedOver = (platform: StatedPlatform) => [{reference: selects(found.manifest.digest), platform}]
  // By its descriptor already: the configuration of what is for another platform need not be there.
  const stated = found.entry.platform ?? {}
  if (wanted !== undefined && !fitsPlatform(stated, wanted, false)) return passedOver(stated)
  const {facts} = await readFound(store, found, options)
  if (facts.platform.os === 'unknown') return []
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
        if (isForeignType(descriptor.mediaType)) return
        check.add('LAYER_MISSING', `The content of ${title}, ${descriptor.digest}, is not there.`, title)
        return
      }
      const compression = statedCompression(descriptor.mediaType)
      if (compression !== undefined && compression !== stored.compression)
        check.add(
          'MANIFEST_INVALID',
          `Its type is ${descriptor.mediaType}; its compression is ${stored.compression}.`,
          title,
        )
      const name = blobPath(descriptor.digest)
      // A layer that images share is read once, unless they say different things of it.
      if (read.has(`${name} ${facts.diffIds[index] ?? ''}`)) return
      if (!read.has(name)) check.count(descriptor.size)
      read.add(name).add(`${name} ${facts.diffIds[index] ?? ''}`)
      await check.layer(stored, facts.platform.os, {names, index})
    })
  }
  return []
}
