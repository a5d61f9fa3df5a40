import type {Reference} from '../../../model/reference.js'
import type {OpenOptions, Verdict} from '../../transport.js'
import {namesOfStored} from '../checked-names.js'
import {ImageCheck} from '../image-check.js'
import {isForeignType, statedCompression} from '../media-types.js'
import {fitsPlatform, parsePlatform} from '../platform-choice.js'
import {blobPath, type ContentStore} from './content-store.js'
import type {FoundImage} from './index-walk.js'
import {absentOf, notHeld, selected, walkLayout, type LayoutPlace} from './layout.js'
import {findStoredLayer, readFound} from './open-image.js'

/** Checks all images that the reference selects, and every blob, and gathers all faults. */
export async function verifyLayout(place: LayoutPlace, reference: Reference, options: OpenOptions): Promise<Verdict> {
  const layout = await place.open(reference.path, options)
  try {
    const check = new ImageCheck(reference.path, options)
    const read = new Set<string>()
    await check.gather(async () => {
      const walk = await walkLayout(layout, check, options)
      const wanted = options.platform === undefined ? undefined : parsePlatform(options.platform)
      const images = selected(walk.found, reference)
      const absent = absentOf(walk, reference)
      for (const image of absent) check.add('MANIFEST_MISSING', notHeld(image), image.refs[0] ?? image.digest)
      if (images.length + absent.length === 0 && reference.selector !== undefined) {
        check.add('NOT_FOUND', `There is no image '${reference.selector}' in the layout.`, reference.path)
      }
      for (const found of images) {
        if (wanted !== undefined && !fitsPlatform(found.entry.platform ?? {}, wanted, false)) continue
        check.subject = found.refs[0] ?? found.names[0] ?? found.manifest.digest
        await check.gather(() => verifyFound(layout.store, found, {check, read, options}))
      }
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
  if (facts.platform.os === 'unknown') return
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
}
