import {InputError} from '../../../model/errors.js'
import type {Reference} from '../../../model/reference.js'
import type {OpenOptions, Verdict} from '../../transport.js'
import {ImageCheck} from '../image-check.js'
import {isForeignType, statedCompression} from '../media-types.js'
import {fitsPlatform, parsePlatform, platformUnsupported} from '../platform-choice.js'
import {blobPath, type ContentStore} from './content-store.js'
import type {FoundImage} from './index-walk.js'
import {namedBy, selected, walkLayout, type LayoutPlace} from './layout.js'
import {findStoredLayer, readFound} from './open-image.js'
import {verifyBlob, verifyNamed} from './verify-named.js'

/** Checks all images that the reference selects, and every blob, and gathers all faults. */
export async function verifyLayout(place: LayoutPlace, reference: Reference, options: OpenOptions): Promise<Verdict> {
  const layout = await place.open(reference.path, options)
  try {
    const check = new ImageCheck(reference.path, options)
    const read = new Set<string>()
    const checking = {check, read, options}
    await check.gatherTop(async () => {
      const walk = await walkLayout(layout, check, options)
      const images = selected(walk.found, reference)
      const named = namedBy(walk, reference)
      // Something was selected, and cannot be read: that is told already.
      if (images.length + named.length === 0 && reference.selector !== undefined && check.verdict.faults.length === 0) {
        throw notFound(reference, place.format(reference))
      }
      await verifyImages(layout.store, images, {...checking, reference: place.format(reference)})
      await verifyNamed(layout.store, named, checking)
    })
    check.subject = reference.path
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
    what: `There is no image '${selector.slice(0, 300)}' in '${path}'.`,
    suggestions: [
      `List what is there: transship list ${reference.slice(0, reference.length - selector.length).replace(/:$/, '')}`,
    ],
    at: {reference},
  })
}

/** Checks the images that are for the platform that was asked for. Throws `PLATFORM_UNSUPPORTED` where none is. */
export async function verifyImages(
  store: ContentStore,
  images: readonly FoundImage[],
  {reference, ...checking}: Checking & {readonly reference: string},
): Promise<void> {
  const {check, options} = checking
  const wanted = options.platform === undefined ? undefined : parsePlatform(options.platform)
  const fitting = images.filter(({entry}) => wanted === undefined || fitsPlatform(entry.platform ?? {}, wanted, false))
  if (fitting.length === 0 && images.length > 0) {
    const offered = images.map(({entry}) => ({platform: entry.platform ?? {}}))
    throw platformUnsupported(options.platform ?? '', {reference, offered})
  }
  for (const found of fitting) {
    check.subject = found.refs[0] ?? found.names[0] ?? found.manifest.digest
    await check.gather(() => verifyFound(store, found, checking))
  }
}

/** What checks of several images share. */
export interface Checking {
  readonly check: ImageCheck
  /** Paths of blobs that have been read to their end. */
  readonly read: Set<string>
  readonly options: OpenOptions
}

/** Checks one image to its last byte; blobs that were read before are not read again. */
export async function verifyFound(
  store: ContentStore,
  found: FoundImage,
  {check, read, options}: Checking,
): Promise<void> {
  const {facts} = await readFound(store, found, options)
  read.add(blobPath(found.config.digest)).add(blobPath(found.manifest.digest))
  if (facts.platform.os === 'unknown') {
    // An attestation: what it names are documents of some sort, not layers.
    for (const stated of found.stated.slice(1))
      await check.gather(() => verifyBlob(store, stated, {check, read, options}, 'LAYER_MISSING'))
    return
  }
  for (const [index, descriptor] of found.layers.entries()) {
    const title = `${check.subject} layer ${index}`
    await check.gather(async () => {
      const stored = await findStoredLayer(store, {found, facts, index, title}, options)
      if (stored === undefined) {
        if (isForeignType(descriptor.mediaType)) {
          check.unread(`The content of ${title}, the foreign layer ${descriptor.digest}, is kept elsewhere.`, title)
          return
        }
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
      await check.layer(stored, facts.platform.os)
    })
  }
}
