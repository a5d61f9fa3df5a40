import {UsageError} from '../model/errors.js'
import type {WorkEvent} from '../model/events.js'
import type {Image} from '../model/image.js'
import type {Reference} from '../model/reference.js'
import {resolveReference} from '../transports/catalog.js'
import {IMAGE_UNREADABLE} from '../model/fault-sink.js'
import {findTaggedName} from '../formats/image-documents/image-name.js'
import {PACKAGE_UNREADABLE} from '../formats/package/open-package.js'
import type {Destination, ImageDestination, ListItem} from '../model/transport.js'
import {listImages} from './listing.js'
import type {ConvertOptions} from './options.js'

/** One image to convert, or an index to be kept as it is. */
export type Source =
  | {
      readonly kind: 'image'
      readonly reference: Reference
      /** The image by the names that it can still have when it has left its index. */
      readonly named: (image: Image) => Image
      /** The index that it is in, where it was listed as a part of one. */
      readonly index?: Reference
    }
  | {
      readonly kind: 'index'
      readonly reference: Reference
      readonly sink: IndexDestination
    }

export type IndexDestination = ImageDestination & Required<Pick<ImageDestination, 'writeIndex'>>

const asItIs = (image: Image): Image => image

/**
 * What to convert: the image that the reference selects, or all that it leads to, one by one; indexes as they are, where
 * the destination takes them. With a platform, the images of all that are for it. Throws `BAD_OPTION`, `BAD_REFERENCE`,
 * `PLATFORM_UNSUPPORTED`.
 */
export async function sourcesOf(
  reference: Reference,
  sink: Destination,
  options: ConvertOptions,
): Promise<readonly Source[]> {
  if (options.all !== true) return [{kind: 'image', reference, named: asItIs}]
  const items = await listImages(reference, {...options, onEvent: (event) => options.onEvent?.(asLoss(event))})
  const isOneThing = reference.selector !== undefined && items.some(({kind}) => kind !== 'image')
  if (isOneThing) throw new UsageError('BAD_OPTION', {what: '--all takes everything, and the source selects one.'})
  const indexSink = findIndexSink(sink)
  const change = changeOf(options)
  const keeping = change === undefined ? indexSink : undefined
  const images =
    keeping === undefined
      ? withoutCompanions(items, sink, options)
      : items.filter(({index}) => index === undefined || index.ownNames !== undefined)
  const indexes = indexesOf(items)
  const count = images.length + (keeping === undefined ? 0 : indexes.length)
  if (count > 1 && sink.holds === 'images' && sink.holdsOne === true) {
    throw new UsageError('BAD_REFERENCE', {
      what: `The destination names one image, but the source has ${count}.`,
      suggestions: ['Convert each image to its own name.', ...items.slice(0, 10).map((item) => item.reference)],
    })
  }
  const isKept = sink.holds === 'packages' && sink.dropsMetadata !== true && options.companions === 'all'
  if (keeping === undefined && !isKept)
    tellLeftOut(indexes, {why: indexSink === undefined ? noRoomIn(sink) : change, options})
  // The only image that fits keeps the name that it shared with those that do not.
  const counts = new Map<string, number>()
  for (const name of images.flatMap(({names}) => names)) counts.set(name, (counts.get(name) ?? 0) + 1)
  const isShared = (name: string) => (counts.get(name) ?? 0) > 1
  const found: Source[] = await Promise.all(
    images.map(async (item) => ({
      kind: 'image' as const,
      reference: (await resolveReference(item.reference)).reference,
      ...(item.index === undefined ? {} : {index: (await resolveReference(item.index.reference)).reference}),
      named: (image: Image) => {
        const own = keeping === undefined ? undefined : item.index?.ownNames
        return own === undefined ? namedAs(image, item.names, isShared) : {...image, names: own}
      },
    })),
  )
  if (keeping === undefined) return found
  for (const {reference: own} of indexes)
    found.push({kind: 'index', reference: (await resolveReference(own)).reference, sink: keeping})
  return found
}

function findIndexSink(sink: Destination): IndexDestination | undefined {
  return sink.holds === 'images' && sink.writeIndex !== undefined ? (sink as IndexDestination) : undefined
}

/** An option that makes other images of those that an index names; undefined where all stay as they are. */
export function changeOf(options: ConvertOptions): string | undefined {
  const {platform, compression, compressionLevel, manifestFormat, layers, squashRange} = options
  if (platform !== undefined) return '--platform leaves out images of it'
  if (compression !== undefined || compressionLevel !== undefined) return '--compression changes its images'
  if (manifestFormat !== undefined) return '--manifest-format changes its manifests'
  return layers === 'squash' || squashRange !== undefined ? '--layers changes its images' : undefined
}

/** Packages hold what is for Windows; other images of an index with such ones are kept beside those. */
function withoutCompanions(
  items: readonly ListItem[],
  sink: Destination,
  options: ConvertOptions,
): readonly ListItem[] {
  if (sink.holds !== 'packages') return items
  const isWindows = ({platform}: ListItem) => platform?.os === 'windows'
  return items.filter((item) => {
    const isBeside = items.some((other) => other.index?.reference === item.index?.reference && isWindows(other))
    if (item.index === undefined || isWindows(item) || !isBeside) return true
    const {os = 'another system', architecture = ''} = item.platform ?? {}
    const message = `The image is for ${os}/${architecture}. It becomes no package, but a companion of those that its index has for Windows.`
    options.onEvent?.({kind: 'note', code: 'kept-as-companion', message, subject: item.reference})
    return false
  })
}

function noRoomIn({holds}: Destination): string {
  return holds === 'packages'
    ? 'packages keep an index only with --companions all'
    : 'this kind of destination cannot store an index; oci:, oci-archive:, docker:// and containerd: can'
}

interface FoundIndex {
  readonly reference: string
  readonly images: number
}

function indexesOf(items: readonly ListItem[]): readonly FoundIndex[] {
  const found = new Map<string, FoundIndex>()
  for (const {index} of items) {
    if (index === undefined) continue
    const images = (found.get(index.reference)?.images ?? 0) + 1
    found.set(index.reference, {reference: index.reference, images})
  }
  return [...found.values()]
}

/** An index of one image and what belongs to that says nothing that the image does not. */
function tellLeftOut(
  indexes: readonly FoundIndex[],
  {why, options}: {readonly why: string | undefined; readonly options: ConvertOptions},
): void {
  for (const {reference, images} of indexes) {
    if (images < 2) continue
    const because = why === undefined ? '' : `, because ${why}`
    options.onEvent?.({
      kind: 'loss',
      code: 'index-left-out',
      message: `The source is an index of ${images} images. transship converts each image, but does not write the index or its name${because}.`,
      subject: reference,
    })
  }
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
