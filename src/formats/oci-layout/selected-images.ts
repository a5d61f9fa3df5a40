import type {Digest} from '../../model/digest.js'
import {groupByEach} from '../../model/group-by.js'
import type {Reference} from '../../model/reference.js'
import {isSameName, nameKey} from '../image-documents/image-name.js'
import type {StatedDescriptor} from '../image-documents/image-documents.js'
import {statedNames, type FoundImage} from './index-walk.js'
import {findPinned} from './reference.js'

/** What a selector goes by. */
export interface Selectable extends Pick<FoundImage, 'names' | 'refs' | 'within'> {
  readonly manifest: {readonly digest: string}
}

/** An entry of index.json by what it says of itself alone. */
export function entryAsImage(stated: StatedDescriptor): Selectable {
  return {...statedNames(stated), manifest: stated, within: []}
}

/** The images that the reference's selector leaves. */
export function selected<T extends Selectable>(images: readonly T[], {selector}: Reference): readonly T[] {
  if (selector === undefined) return images
  if (selector.startsWith('@')) {
    const digest = selector.slice(1)
    return images.filter(({manifest, within}) => manifest.digest === digest || within.includes(digest as Digest))
  }
  const byRef = images.filter(({refs}) => refs.includes(selector))
  if (byRef.length > 0) return byRef
  const byName = images.filter(({names}) => names.some((name) => isSameName(name, selector)))
  const pinned = findPinned(selector)
  if (byName.length > 0 || pinned === undefined) return byName
  // A digest says more than a tag in front of it.
  return images.filter(({manifest, within}) => manifest.digest === pinned.digest || within.includes(pinned.digest))
}

/** Images by all that a selector goes by: one of thousands is found without a look at each. */
export class SelectableImages<T extends Selectable> {
  readonly #images: readonly T[]
  /** With their positions. */
  readonly #byRef: ReadonlyMap<string, readonly Placed<T>[]>
  readonly #byName: ReadonlyMap<string, readonly Placed<T>[]>
  readonly #byDigest: ReadonlyMap<string, readonly Placed<T>[]>

  constructor(images: readonly T[]) {
    this.#images = images
    const placed = [...images.entries()]
    this.#byRef = groupByEach(placed, ([, {refs}]) => refs)
    this.#byName = groupByEach(placed, ([, {names}]) => names.map(nameKey))
    this.#byDigest = groupByEach(placed, ([, {manifest, within}]) => [manifest.digest, ...within])
  }

  /** Each that the selector would leave if it were the only one, in their order. */
  each({selector}: Reference): readonly T[] {
    if (selector === undefined) return this.#images
    const found = selector.startsWith('@') ? this.#byDigest.get(selector.slice(1)) : this.#named(selector)
    return [...new Set(found)].sort(([left], [right]) => left - right).map(([, image]) => image)
  }

  #named(selector: string): readonly Placed<T>[] {
    const pinned = findPinned(selector)
    return [
      ...(this.#byRef.get(selector) ?? []),
      ...(this.#byName.get(nameKey(selector)) ?? []),
      ...(pinned === undefined ? [] : (this.#byDigest.get(pinned.digest) ?? [])),
    ]
  }
}

type Placed<T> = readonly [position: number, image: T]

/** Whether the reference selects an entry that is not an image, by its names or digest. */
export function isOf({selector}: Reference, refs: readonly string[], digest: string): boolean {
  return selector === undefined || refs.includes(selector) || selector === `@${digest}`
}
