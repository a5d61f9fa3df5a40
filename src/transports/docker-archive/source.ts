import type {WorkOptions} from '../../model/events.js'
import type {Image} from '../../model/image.js'
import type {Reference} from '../../model/reference.js'
import {Archive} from '../../formats/archive-file/archive.js'
import {openOffer} from '../../formats/image-archive/open-offer.js'
import {findOffers, type Offer} from '../../formats/image-archive/read-offers.js'
import type {ListItem, OpenOptions} from '../../model/transport.js'
import {selectionOf} from './reference.js'
import {matching, referencesTo, requireOne} from './select-image.js'

/** Opens the one image that the reference selects; layers are read from the archive in place. */
export async function openImage(reference: Reference, options: OpenOptions): Promise<Image> {
  const archive = await Archive.open(reference.path, options)
  try {
    const {offers, sink} = await findOffers(archive)
    // By name it is known which one is meant; by its place it is not where others are left out, nor without any.
    const isNamed = selectionOf(reference)?.kind === 'name' && matching(offers, reference, options.platform).length > 0
    if (!isNamed) sink.requireNone()
    const offer = requireOne(offers, reference, options.platform)
    return await openOffer(archive, offer, {...options, sink: {warnings: [...sink.warnings, ...sink.leftOut]}})
  } catch (error) {
    await archive.close()
    throw error
  }
}

/** Everything that the archive holds, or what the selector leaves of it. */
export async function listImages(reference: Reference, options: WorkOptions): Promise<readonly ListItem[]> {
  const archive = await Archive.open(reference.path, options)
  try {
    const {offers, sink} = await findOffers(archive)
    if (selectionOf(reference)?.kind === 'index') sink.requireNone()
    const referenceTo = referencesTo(reference.path, offers)
    const items = matching(offers, reference).map(({index, offer}) => listItem(offer, referenceTo(index)))
    sink.tell(items, options, reference.path)
    return items
  } finally {
    await archive.close()
  }
}

function listItem(offer: Offer, reference: string): ListItem {
  return {
    kind: 'image',
    reference,
    names: offer.names,
    ...(offer.image === undefined ? {} : {imageId: offer.image.imageId}),
    platform: offer.platform,
    ...(offer.createdTime === undefined ? {} : {createdTime: offer.createdTime}),
    sizeBytes: offer.layers.reduce((sum, entry) => sum + (entry?.size ?? 0), 0),
    layers: offer.layers.length,
  }
}
