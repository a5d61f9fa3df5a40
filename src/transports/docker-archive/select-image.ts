import {InputError, UsageError} from '../../model/errors.js'
import type {Reference} from '../../model/reference.js'
import {
  isWantedPlatform,
  parsePlatform,
  platformUnsupported,
  statedPlatform,
} from '../../formats/image-documents/platform-choice.js'
import type {Offer} from '../../formats/image-archive/read-offers.js'
import {findDockerName, nameKey} from '../../formats/image-documents/image-name.js'
import {findPinned} from '../../formats/oci-layout/reference.js'
import {formatLocation, NAME, selectionOf} from './reference.js'

/** The offers that a reference's selector and a platform leave, with their indices. */
export function matching(
  offers: readonly Offer[],
  reference: Reference,
  platform?: string,
): readonly {readonly offer: Offer; readonly index: number}[] {
  const selection = selectionOf(reference)
  const wanted = platform === undefined ? undefined : parsePlatform(platform)
  const isSelected =
    selection === undefined
      ? () => true
      : selection.kind === 'index'
        ? (_offer: Offer, index: number) => index === selection.index
        : namedBy(selection.name)
  return offers
    .map((offer, index) => ({offer, index}))
    .filter(({offer, index}) => isSelected(offer, index))
    .filter(({offer}) => wanted === undefined || isWantedPlatform(offer.platform, wanted))
}

/** By that very name; one with a digest also by the digest of what has the name without it. */
function namedBy(wanted: string): (offer: Offer) => boolean {
  const key = nameKey(wanted)
  const pinned = findPinned(wanted)
  const {repository, tag} = findDockerName(pinned?.name ?? '') ?? {}
  return (offer) => {
    if (keysOf(offer).includes(key)) return true
    const {names, image} = offer
    if (pinned === undefined || ![image?.manifest?.digest, image?.imageId].includes(pinned.digest)) return false
    return names.some((name) => {
      const other = findDockerName(name)
      return other?.repository === repository && (tag === undefined || other?.tag === tag)
    })
  }
}

/** Of offers that are read once and looked through for each image of a large archive. */
const KEYS = new WeakMap<Offer, readonly string[]>()

function keysOf(offer: Offer): readonly string[] {
  const known = KEYS.get(offer)
  if (known !== undefined) return known
  const keys = [...new Set(offer.names.map(nameKey))]
  KEYS.set(offer, keys)
  return keys
}

/** The one offer that the reference selects. Throws `NOT_FOUND`, `PLATFORM_UNSUPPORTED`, or `AMBIGUOUS_SELECTION` with all that fit. */
export function requireOne(offers: readonly Offer[], reference: Reference, platform?: string): Offer {
  const found = matching(offers, reference, platform)
  const primary = found.filter(({offer}) => offer.isPrimary)
  const chosen = primary.length === 1 ? primary : found
  const [first, second] = chosen
  if (first !== undefined && second === undefined) return first.offer
  const referenceTo = referencesTo(reference.path, offers)
  const suggestions = (first === undefined ? offers.map((offer, index) => ({offer, index})) : chosen).map(
    ({offer, index}) => `${referenceTo(index)} (${describe(offer)})`,
  )
  const others = platform === undefined ? [] : matching(offers, reference)
  if (first === undefined && platform !== undefined && others.length > 0) {
    throw platformUnsupported(platform, {
      reference: formatLocation(reference),
      offered: others.map(({offer, index}) => ({
        ...(others.length === 1 ? {} : {reference: referenceTo(index)}),
        platform: statedPlatform(offer.platform),
      })),
    })
  }
  if (first === undefined) {
    throw new InputError('NOT_FOUND', {
      what: `'${reference.path}' does not contain this image.`,
      why: [
        ...(reference.selector === undefined ? [] : [`Looked for '${reference.selector}'.`]),
        offers.length === 0 ? 'The archive is empty.' : 'It contains the images listed below.',
      ].join(' '),
      suggestions,
      at: {reference: formatLocation(reference)},
    })
  }
  throw new UsageError('AMBIGUOUS_SELECTION', {
    what: `'${reference.path}' contains ${chosen.length} matching images.`,
    suggestions,
    at: {reference: formatLocation(reference)},
  })
}

function describe({names, platform}: Offer): string {
  return `${names.length === 0 ? 'untagged' : names.join(', ')}, ${platform.os}/${platform.architecture}`
}

/** Gives the reference that selects one offer: by name where that is unique, else by index. */
export function referencesTo(path: string, offers: readonly Offer[]): (index: number) => string {
  const counts = new Map<string, number>()
  for (const offer of offers) for (const key of keysOf(offer)) counts.set(key, (counts.get(key) ?? 0) + 1)
  return (index) => {
    const name = offers[index]?.names[0]
    const isUnique = name !== undefined && findDockerName(name) !== undefined && counts.get(nameKey(name)) === 1
    return formatLocation({transport: NAME, path, selector: isUnique ? name : `@${index}`})
  }
}
