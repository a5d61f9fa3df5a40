import {InputError, UnsupportedError, UsageError} from '../../model/errors.js'
import type {WorkOptions} from '../../model/events.js'
import type {StatedDescriptor, StatedPlatform} from '../image-documents/image-documents.js'
import {
  fitsPlatform,
  formatPlatform,
  isWantedPlatform,
  parsePlatform,
  platformUnsupported,
  statedPlatform,
  type OfferedPlatform,
} from '../image-documents/platform-choice.js'
import type {ContentStore} from './content-store.js'
import type {FoundImage, PassedOver} from './index-walk.js'
import {readFound, type ReadImage} from './open-image.js'

export interface Choosing extends WorkOptions {
  /** The reference, for messages. */
  readonly reference: string
  readonly platform?: string | undefined
  readonly passedOver: readonly PassedOver[]
  /** Manifests that were left out unread, for their platform. */
  readonly unwanted?: readonly StatedDescriptor[]
  /** The reference that selects the image of this manifest alone. */
  referenceTo(digest: string): string
}

/**
 * The one image that is asked for. Without a platform a Windows image is preferred where there is exactly one, since
 * that is what this program carries over. Throws `NOT_FOUND`, `PLATFORM_UNSUPPORTED`,
 * `FORMAT_UNSUPPORTED`, `AMBIGUOUS_SELECTION`.
 */
export async function chooseImage(
  store: ContentStore,
  candidates: readonly FoundImage[],
  choosing: Choosing,
): Promise<ReadImage> {
  const wanted = choosing.platform === undefined ? undefined : parsePlatform(choosing.platform)
  const likely = candidates.filter(
    ({entry}) => wanted === undefined || fitsPlatform(entry.platform ?? {}, wanted, false),
  )
  const read: ReadImage[] = []
  const known = new Map<string, StatedPlatform>()
  for (const found of likely) {
    const image = await readFound(store, found, choosing)
    // The configuration says what the image is; the index only what someone wrote of it.
    const platform = {...found.entry.platform, ...image.facts.platform}
    if (platform.os !== 'unknown') known.set(found.manifest.digest, statedPlatform(platform))
    if (platform.os !== 'unknown' && (wanted === undefined || isWantedPlatform(platform, wanted))) read.push(image)
  }
  const windows = read.filter(({facts}) => facts.platform.os === 'windows')
  const fitting = wanted === undefined && windows.length === 1 ? windows : read
  const [first, second] = fitting
  if (first === undefined) throw nothingFits(store, candidates, {...choosing, known})
  if (second === undefined) return first
  throw new UsageError('AMBIGUOUS_SELECTION', {
    what: `${fitting.length} images match '${choosing.reference}'.`,
    suggestions: fitting.map(
      ({found, facts}) => `${choosing.referenceTo(found.manifest.digest)} (${formatPlatform(facts.platform)})`,
    ),
    at: {reference: choosing.reference},
  })
}

interface Searched extends Choosing {
  /** By the digest of its manifest, what the configuration of an image says. */
  readonly known: ReadonlyMap<string, StatedPlatform>
}

/** All images that are for another platform than the one that was asked for. */
function offeredBy(candidates: readonly FoundImage[], searched: Searched): readonly OfferedPlatform[] {
  const entries = [...candidates.map(({entry}) => entry), ...(searched.unwanted ?? [])]
  return entries.flatMap(({digest, platform}) => {
    const stated = searched.known.get(digest) ?? platform ?? {}
    if (stated.os === undefined || stated.os === 'unknown') return []
    return [{...(entries.length === 1 ? {} : {reference: searched.referenceTo(digest)}), platform: stated}]
  })
}

function nothingFits(store: ContentStore, candidates: readonly FoundImage[], choosing: Searched): Error {
  const {reference, platform, passedOver} = choosing
  const offered = offeredBy(candidates, choosing)
  if (platform !== undefined && offered.length > 0) return platformUnsupported(platform, {reference, offered})
  const [only] = passedOver
  if (candidates.length === 0 && only !== undefined && passedOver.every(({reason}) => reason !== 'absent')) {
    return new UnsupportedError('FORMAT_UNSUPPORTED', {
      what: `'${reference}' is not a container image.`,
      why: `Its type is '${only.mediaType.slice(0, 200)}'.`,
      at: {reference},
    })
  }
  const why =
    only?.reason === 'absent'
      ? `The index names ${only.digest}, but its content is missing.`
      : 'It contains no matching image.'
  return new InputError('NOT_FOUND', {
    what: `'${store.title}' does not contain this image.`,
    why,
    suggestions: candidates.map(
      (found) =>
        `${choosing.referenceTo(found.manifest.digest)}${describe(found.entry.platform?.os, found.entry.platform?.architecture)}`,
    ),
    at: {reference},
  })
}

function describe(os: string | undefined, architecture: string | undefined): string {
  return os === undefined ? '' : ` (${os}/${architecture ?? 'unknown'})`
}
