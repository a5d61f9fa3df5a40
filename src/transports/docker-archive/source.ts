import type {WorkOptions} from '../../model/events.js'
import type {Image} from '../../model/image.js'
import type {Reference} from '../../model/reference.js'
import {Archive} from '../../formats/archive-file/archive.js'
import {StrictSink} from '../../model/fault-sink.js'
import {openOffer} from '../../formats/image-archive/open-offer.js'
import {readOffers, type Offer} from '../../formats/image-archive/read-offers.js'
import type {ListItem, OpenOptions} from '../../model/transport.js'
import {matching, referenceOf, requireOne} from './select-image.js'

/** Opens the one image that the reference selects; layers are read from the archive in place. */
export async function openImage(reference: Reference, options: OpenOptions): Promise<Image> {
  const archive = await Archive.open(reference.path, options)
  try {
    const sink = new StrictSink()
    const offer = requireOne(await readOffers(archive, sink), reference, options.platform)
    return await openOffer(archive, offer, {...options, sink})
  } catch (error) {
    await archive.close()
    throw error
  }
}

/** Everything that the archive holds, or what the selector leaves of it. */
export async function listImages(reference: Reference, options: WorkOptions): Promise<readonly ListItem[]> {
  const archive = await Archive.open(reference.path, options)
  try {
    const offers = await readOffers(archive, new StrictSink())
    return matching(offers, reference).map(({index, offer}) => listItem(reference.path, offers, {index, offer}))
  } finally {
    await archive.close()
  }
}

function listItem(
  path: string,
  offers: readonly Offer[],
  {offer, index}: {readonly offer: Offer; readonly index: number},
): ListItem {
  return {
    kind: 'image',
    reference: referenceOf(path, offers, index),
    names: offer.names,
    ...(offer.image === undefined ? {} : {imageId: offer.image.imageId}),
    platform: offer.platform,
    ...(offer.createdTime === undefined ? {} : {createdTime: offer.createdTime}),
    sizeBytes: offer.layers.reduce((sum, entry) => sum + (entry?.size ?? 0), 0),
    layers: offer.layers.length,
  }
}
