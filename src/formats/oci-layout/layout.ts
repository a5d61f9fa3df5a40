import path from 'node:path'
import {findDigest} from '../../model/digest.js'
import type {WorkOptions} from '../../model/events.js'
import type {ImageIndex} from '../../model/content-graph.js'
import type {Image} from '../../model/image.js'
import type {Reference} from '../../model/reference.js'
import {attempt, LeavingOut} from '../../model/fault-sink.js'
import {groupBy} from '../../model/group-by.js'
import {repeatedMembers} from '../archive-file/member-names.js'
import {findDockerName, isTag, refOf, nameKey, isSameName} from '../image-documents/image-name.js'
import type {ListItem, OpenOptions} from '../../model/transport.js'
import type {StatedDescriptor} from '../image-documents/image-documents.js'
import {chooseImage} from './choose-image.js'
import {IndexWalk, statedNames, type FoundImage, type PassedOver} from './index-walk.js'
import {imageOver, readFound} from './open-image.js'
import {indexOver} from './open-index.js'
import {
  findLayoutReferrers,
  selectedEntries,
  topEntries,
  walkIndexes,
  walkLayout,
  type LayoutPlace,
} from './opened-layout.js'
import {isRef} from './reference.js'
import {isOf, selected, type Selectable} from './selected-images.js'

/** Opens the one image that the reference selects. */
export async function openLayoutImage(place: LayoutPlace, reference: Reference, options: OpenOptions): Promise<Image> {
  const layout = await place.open(reference.path, options)
  try {
    const sink = new LeavingOut()
    const walk = await walkLayout(layout, reference, {...options, sink})
    const candidates = selected(walk.found, reference)
    // What cannot be read may be what is meant, unless another is named.
    if (reference.selector === undefined || candidates.length === 0) sink.requireNone()
    const read = await chooseImage(layout.store, candidates, {
      ...options,
      reference: place.format(reference),
      passedOver: walk.passedOver.filter(({refs, digest}) => isOf(reference, refs, digest)),
      referenceTo: (digest) => place.format({...reference, selector: `@${digest}`}),
    })
    const names = namesOf(read.found, reference.path)
    const {digest: subject} = read.found.manifest
    const image = await imageOver(layout.store, read, {
      ...options,
      names,
      close: () => layout.close(),
      findReferrers: (inner) => findLayoutReferrers(layout, [subject], inner),
    })
    const repeated = layout.members === undefined ? [] : repeatedMembers(layout.members)
    const sharers = sharersOf(walk, candidates, reference)
    return {...image, warnings: [...repeated, ...image.warnings, ...sink.leftOut, ...sharers]}
  } catch (error) {
    await layout.close()
    throw error
  }
}

/** A tag leads to the image that stands under it, though others may have it in their names. */
function sharersOf(
  {found, unwanted}: Pick<IndexWalk, 'found' | 'unwanted'>,
  chosen: readonly FoundImage[],
  {selector}: Reference,
): Image['warnings'] {
  if (selector === undefined || !isTag(selector) || chosen.every(({refs}) => !refs.includes(selector))) return []
  const isChosen = ({manifest}: FoundImage) => chosen.some((own) => own.manifest.digest === manifest.digest)
  const others = [...found.filter((image) => !isChosen(image)), ...unwanted].flatMap(({names}) => names)
  // Taking thousands of names apart costs more than a look at their ends.
  const sharing = [...new Set(others.filter((name) => name.endsWith(selector) && refOf(name) === selector))]
  if (sharing.length === 0) return []
  const [shown, more] = [sharing.slice(0, 5).join(', '), sharing.length > 5 ? ` and ${sharing.length - 5} more` : '']
  const message = `Other images here have the tag '${selector}' as well: ${shown}${more}. Their whole names select them.`
  return [{code: 'tag-shared', message}]
}

/** The one index of index.json that the reference selects, with all that it names; undefined where there is no such. */
export async function openLayoutIndex(
  place: LayoutPlace,
  reference: Reference,
  options: OpenOptions,
): Promise<ImageIndex | undefined> {
  const layout = await place.open(reference.path, options)
  try {
    const {found: images} = await walkLayout(layout, reference, {...options, sink: new LeavingOut()})
    const tops = new Set(selected(images, reference).map((found) => found.within[0]))
    const [digest] = tops
    const entries = (await topEntries(layout)).filter((stated) => stated.digest === digest)
    const [entry] = entries
    if (digest === undefined || entry === undefined || tops.size !== 1) {
      await layout.close()
      return undefined
    }
    const inside = new IndexWalk(layout.store, new LeavingOut(), options)
    await inside.entry(entry, 'index.json')
    return await indexOver(
      layout.store,
      {
        stated: entry,
        names: [...new Set(entries.flatMap((stated) => namesOf(statedNames(stated), reference.path)))],
        found: inside.found,
        findReferrers: (subjects, inner) => findLayoutReferrers(layout, subjects, inner),
        close: () => layout.close(),
      },
      options,
    )
  } catch (error) {
    await layout.close()
    throw error
  }
}

/** What the reference selects of that which is no image to be opened, with what is inside the indexes that it selects. */
export function namedBy(walk: Pick<IndexWalk, 'passedOver'>, reference: Reference): readonly PassedOver[] {
  const digest = findDigest(reference.selector?.slice(1) ?? '')
  return walk.passedOver.filter(
    (named) =>
      isOf(reference, named.refs, named.digest) ||
      named.refs.some((name) => reference.selector !== undefined && isSameName(name, reference.selector)) ||
      (digest !== undefined && named.within.includes(digest)),
  )
}

/** Everything the layout offers, or what the selector leaves of it. */
export async function listLayout(
  place: LayoutPlace,
  reference: Reference,
  options: WorkOptions,
): Promise<readonly ListItem[]> {
  const layout = await place.open(reference.path, options)
  try {
    const sink = new LeavingOut()
    const walk = await walkLayout(layout, reference, {...options, sink})
    for (const absent of absentOf(walk, reference)) {
      const [subject = absent.digest] = absent.refs
      options.onEvent?.({kind: 'note', code: 'image-not-held', message: notHeld(absent), subject})
    }
    const items: ListItem[] = []
    const {found: all, unwanted} = walk
    const selectorOf = uniqueSelectors([...all, ...unwanted.map(({refs, stated}) => ({refs, manifest: stated}))])
    const tops = groupBy(await selectedEntries(layout, reference), ({digest}) => digest)
    for (const found of selected(all, reference)) {
      const read = await attempt(sink, () => readFound(layout.store, found, options))
      if (read === undefined || read.facts.platform.os === 'unknown') continue
      const {facts, imageId} = read
      const selector = selectorOf(found)
      items.push({
        kind: 'image',
        reference: place.format({...reference, selector}),
        names: listedNamesOf(found, {place: reference.path, selector}),
        imageId,
        platform: facts.platform,
        ...(facts.created === undefined ? {} : {createdTime: facts.created}),
        sizeBytes: found.layers.reduce((sum, {size}) => sum + size, 0),
        layers: found.layers.length,
        ...indexOf(found, {place, reference, tops}),
      })
    }
    sink.tell(items, options, reference.path)
    return items
  } finally {
    await layout.close()
  }
}

/** Names that a listing would tell, and those of what the layout does not hold: only indexes are read. */
export async function namesInLayout(
  place: LayoutPlace,
  reference: Reference,
  options: WorkOptions,
): Promise<readonly string[]> {
  const layout = await place.open(reference.path, options)
  try {
    const {unwanted, passedOver} = await walkIndexes(layout, options)
    const passed = passedOver.map(({refs}) => ({names: [], refs}))
    return [...unwanted, ...passed].flatMap((each) => namesOf(each, reference.path))
  } finally {
    await layout.close()
  }
}

/** The outermost index that an image is in, and whether index.json offers the image itself as well. */
function indexOf(
  {within, manifest}: FoundImage,
  {
    place,
    reference,
    tops,
  }: {
    readonly place: LayoutPlace
    readonly reference: Reference
    readonly tops: ReadonlyMap<string, readonly StatedDescriptor[]>
  },
): Pick<ListItem, 'index'> {
  const digest = within.find((each) => tops.has(each))
  if (digest === undefined) return {}
  const own = tops.get(manifest.digest) ?? []
  const ownNames = [...new Set(own.flatMap((stated) => namesOf(statedNames(stated), reference.path)))]
  return {
    index: {
      reference: place.format({...reference, selector: `@${digest}`}),
      digest,
      ...(own.length === 0 ? {} : {ownNames}),
    },
  }
}

/** Images that the reference selects by what index.json says, and whose manifest the layout does not hold. */
export function absentOf(walk: Pick<IndexWalk, 'absent'>, reference: Reference): readonly PassedOver[] {
  return walk.absent.filter(({refs, digest}) => isOf(reference, refs, digest))
}

/** The message about such an image. */
export function notHeld({digest}: PassedOver): string {
  return `index.json names its manifest ${digest}, which is missing.`
}

/** Gives a tag that no other image has, else the digest. */
function uniqueSelectors(images: readonly Pick<Selectable, 'refs' | 'manifest'>[]): (found: FoundImage) => string {
  const known = new Map<string, string>()
  const shared = new Set<string>()
  for (const {refs, manifest} of images)
    for (const ref of refs) {
      if ((known.get(ref) ?? manifest.digest) !== manifest.digest) shared.add(ref)
      known.set(ref, manifest.digest)
    }
  return ({refs, manifest}) => refs.find((ref) => isRef(ref) && !shared.has(ref)) ?? `@${manifest.digest}`
}

/**
 * Names of an image. Where the layout states only a tag, the name of its folder or file is the repository, as in
 * `oci:shop:1.0`: that is how umoci and skopeo users call it. It need not be one of Docker's: the tag is to be kept.
 */
export function namesOf({names, refs}: Pick<FoundImage, 'names' | 'refs'>, place: string): readonly string[] {
  if (names.length > 0) return names
  const base = path
    .basename(path.resolve(place))
    .toLowerCase()
    .replace(/\.(?:tar|tar\.gz|tgz|oci)$/, '')
  return refs.map((ref) => `${base}${ref.startsWith('@') ? '' : ':'}${ref}`)
}

/**
 * Names as a listing tells them: a tag that none of the full names has is one more. Where folder and tag make no name, the
 * tag stands by itself, unless the reference of the row shows it.
 */
function listedNamesOf(
  {names, refs}: FoundImage,
  {place, selector}: {readonly place: string; readonly selector: string},
): readonly string[] {
  const [tags, keys] = [new Set(names.map(refOf)), new Set(names.map(nameKey))]
  const others = refs.filter((ref) => !tags.has(ref) && !keys.has(nameKey(ref)))
  const own = others.flatMap((ref) => {
    const [name] = namesOf({names: [], refs: [ref]}, place)
    const isName = name !== undefined && findDockerName(name) !== undefined
    return isName ? [name] : ref === selector ? [] : [ref]
  })
  return [...names, ...own]
}
