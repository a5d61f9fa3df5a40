import {InputError, TransshipError, UnsupportedError} from '../model/errors.js'
import type {Reference} from '../model/reference.js'
import {findReference, transportOf} from '../transports/catalog.js'
import {
  fitsPlatform,
  parsePlatform,
  platformUnsupported,
  statedPlatform,
} from '../formats/image-documents/platform-choice.js'
import type {ListItem, ListOptions} from '../model/transport.js'

/** What a place holds for the platform that is asked for; what does not say its platform may be for any. */
export async function listItems(reference: Reference, options: ListOptions): Promise<readonly ListItem[]> {
  return (await listAll(reference, options)).fitting
}

/**
 * The same, with the images of each repository of an image registry in its place: what can be opened. A repository that
 * cannot be listed is told as a note. Throws `PLATFORM_UNSUPPORTED` where there is something, and none of it fits.
 */
export async function listImages(reference: Reference, options: ListOptions): Promise<readonly ListItem[]> {
  const fitting: ListItem[] = []
  const others: ListItem[] = []
  for (const item of await transportOf(reference).list(reference, options)) {
    const found = item.kind === 'repository' ? await listRepository(item, options) : split([item], options)
    for (const each of found.fitting) fitting.push(each)
    for (const each of found.others) others.push(each)
  }
  if (fitting.length > 0 || others.length === 0 || options.platform === undefined) return fitting
  throw platformUnsupported(options.platform, {
    reference: transportOf(reference).format(reference),
    offered: others.map(({reference: own, platform}) => ({
      reference: own,
      platform: platform === undefined ? undefined : statedPlatform(platform),
    })),
  })
}

interface Split {
  readonly fitting: readonly ListItem[]
  readonly others: readonly ListItem[]
}

function split(items: readonly ListItem[], {platform}: ListOptions): Split {
  if (platform === undefined) return {fitting: items, others: []}
  const wanted = parsePlatform(platform)
  const isFitting = (item: ListItem) =>
    item.platform === undefined || fitsPlatform(statedPlatform(item.platform), wanted, false)
  return {fitting: items.filter(isFitting), others: items.filter((item) => !isFitting(item))}
}

async function listAll(reference: Reference, options: ListOptions): Promise<Split> {
  return split(await transportOf(reference).list(reference, options), options)
}

/** One repository of many, which must not hide the others; that the registry cannot be reached is none of its own. */
async function listRepository(item: ListItem, options: ListOptions): Promise<Split> {
  const reference = findReference(item.reference)
  try {
    if (reference !== undefined) return await listAll(reference, options)
  } catch (error) {
    const isItsOwn =
      error instanceof InputError ||
      error instanceof UnsupportedError ||
      (error instanceof TransshipError && error.code === 'UNAUTHORIZED')
    if (!isItsOwn) throw error
    const message = ['Skipped.', error.what, error.why].filter((part) => part !== undefined).join(' ')
    options.onEvent?.({kind: 'note', code: 'repository-left-out', message, subject: item.reference})
  }
  return {fitting: [], others: []}
}
