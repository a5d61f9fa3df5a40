import {UsageError} from '../model/errors.js'
import type {WorkEvent} from '../model/events.js'
import type {Image} from '../model/image.js'
import type {Reference} from '../model/reference.js'
import {resolveReference, transportOf} from '../transports/catalog.js'
import {IMAGE_UNREADABLE} from '../model/fault-sink.js'
import {findTaggedName} from '../formats/image-documents/image-name.js'
import {PACKAGE_UNREADABLE} from '../formats/package/open-package.js'
import type {Destination} from '../model/transport.js'
import {listImages} from './listing.js'
import type {ConvertOptions} from './options.js'

/** One image to convert. */
export interface Source {
  readonly reference: Reference
  /** The image by the names that it can still have when it has left its index. */
  readonly named: (image: Image) => Image
}

const asItIs = (image: Image): Image => image

/**
 * The images to convert: the one that the reference selects, or all that it leads to, one by one. With a platform, those
 * of all that are for it. Throws `BAD_OPTION`, `BAD_REFERENCE`, `PLATFORM_UNSUPPORTED`.
 */
export async function sourcesOf(
  reference: Reference,
  sink: Destination,
  options: ConvertOptions,
): Promise<readonly Source[]> {
  if (options.all !== true) return [{reference, named: asItIs}]
  const transport = transportOf(reference)
  const items = await listImages(reference, {...options, onEvent: (event) => options.onEvent?.(asLoss(event))})
  const isOneThing = reference.selector !== undefined && items.some(({kind}) => kind !== 'image')
  if (isOneThing) throw new UsageError('BAD_OPTION', {what: '--all takes everything, and the source selects one.'})
  if (items.length > 1 && sink.holds === 'images' && sink.holdsOne === true) {
    throw new UsageError('BAD_REFERENCE', {
      what: `The destination names one image, but the source has ${items.length}.`,
      suggestions: ['Convert each image to its own name.', ...items.slice(0, 10).map((item) => item.reference)],
    })
  }
  // The only image that fits keeps the name that it shared with those that do not.
  const counts = new Map<string, number>()
  for (const name of items.flatMap(({names}) => names)) counts.set(name, (counts.get(name) ?? 0) + 1)
  const isShared = (name: string) => (counts.get(name) ?? 0) > 1
  if (reference.selector !== undefined && items.length > 1) {
    options.onEvent?.({
      kind: 'loss',
      code: 'index-left-out',
      message: `The source is an index of ${items.length} images. transship converts each image, but does not write the index or its name.`,
      subject: transport.format(reference),
    })
  }
  return Promise.all(
    items.map(async (item) => ({
      reference: (await resolveReference(item.reference)).reference,
      named: (image: Image) => namedAs(image, item.names, isShared),
    })),
  )
}

/** Codes of the notes on what a listing shows no more of. */
const LEFT_OUT: ReadonlySet<string> = new Set([
  IMAGE_UNREADABLE,
  PACKAGE_UNREADABLE,
  'tag-left-out',
  'repository-left-out',
])

/** What a listing leaves out is lost where all of it is to be converted. */
function asLoss(event: WorkEvent): WorkEvent {
  return event.kind === 'note' && LEFT_OUT.has(event.code) ? {...event, kind: 'loss'} : event
}

/** Opened by its digest, an image does not know the tags that led there; names that others have as well would be taken from each other. */
function namedAs(image: Image, listed: readonly string[], isShared: (name: string) => boolean): Image {
  const isTagged = image.names.some((name) => findTaggedName(name) !== undefined)
  const names = isTagged || image.manifest === undefined ? image.names : [...listed, ...image.names]
  return {...image, names: [...new Set(names)].filter((name) => !isShared(name))}
}
