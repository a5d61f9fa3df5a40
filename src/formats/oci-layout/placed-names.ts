import type {Digest} from '../../model/digest.js'
import type {StatedDescriptor} from '../image-documents/image-documents.js'
import {isSameName, nameKey} from '../image-documents/image-name.js'
import type {IndexName} from './index-entries.js'
import {statedNames} from './index-walk.js'
import {isRef} from './reference.js'

/** A name as it stands in an index. */
export interface PlacedName extends IndexName {
  /** The reference gives the tag: whatever has it is meant, under whatever whole name. */
  readonly isAsked?: boolean
}

/** True when an entry with the tag of a name has that name: whole names differ where both state one. */
function hasName(entry: StatedDescriptor, {full, isAsked}: PlacedName): boolean {
  const {names} = statedNames(entry)
  return isAsked === true || full === undefined || names.length === 0 || names.some((name) => isSameName(name, full))
}

/**
 * What an index calls images by. An image is its whole name. It stands under its tag, by which skopeo and umoci select;
 * where another image stands under that already, as `shop:latest` beside `web:latest`, under its whole name. One that is
 * there stays where it is.
 */
export class PlacedNames {
  readonly #entries = new Map<string, StatedDescriptor[]>()
  readonly #digests = new Set<string>()
  /** By the keys of whole names, their tags. */
  readonly #tags = new Map<string, string>()
  /** By tags that are taken, the keys of the whole names under each; undefined for one that nobody states. */
  readonly #sharers = new Map<string, Set<string | undefined>>()

  /** Over what an index has, in time that grows with its length. */
  constructor(entries: readonly StatedDescriptor[]) {
    for (const entry of entries) {
      const {names, refs} = statedNames(entry)
      this.#digests.add(entry.digest)
      // One that states a whole name alone, as containerd goes by it, stands under that.
      for (const ref of refs.length > 0 ? refs : names.filter(isRef)) {
        this.add({ref, full: names[0]})
        const same = this.#entries.get(ref)
        if (same === undefined) this.#entries.set(ref, [entry])
        else same.push(entry)
      }
    }
  }

  /** The entries of the index that have a name. */
  standing(name: PlacedName): readonly StatedDescriptor[] {
    return (this.#entries.get(name.ref) ?? []).filter((entry) => hasName(entry, name))
  }

  /** True when any entry of the index is this, under whatever name. */
  holds(digest: Digest): boolean {
    return this.#digests.has(digest)
  }

  /** Takes a name for an image that is added. */
  add(name: PlacedName): PlacedName {
    const {ref, full} = name
    const key = full === undefined ? undefined : nameKey(full)
    const sharers = this.#sharers.get(ref) ?? new Set()
    this.#sharers.set(ref, sharers.add(key))
    if (key !== undefined && !this.#tags.has(key)) this.#tags.set(key, ref)
    return name
  }

  /** What selects the image of a name, and none beside it. */
  selectorOf({ref, full, isAsked}: PlacedName): string {
    if (full === undefined || isAsked === true) return ref
    const known = [...(this.#sharers.get(ref) ?? [])].filter((key) => key !== undefined)
    return known.length > 1 ? full : ref
  }

  /** Where an image of this name stands, or will. */
  place(name: IndexName): PlacedName {
    const {ref, full} = name
    if (full === undefined) return name
    const own = this.#tags.get(nameKey(full))
    if (own !== undefined) return {ref: own, full}
    // One whose whole name nobody knows may be this.
    return this.#sharers.get(ref)?.has(undefined) === false && isRef(full) ? {ref: full, full} : name
  }

  /** Under a tag that was asked for. A whole name that stands elsewhere stays there. */
  asked({ref, full}: IndexName): PlacedName {
    const own = full === undefined ? undefined : this.#tags.get(nameKey(full))
    return {ref, full: own === undefined || own === ref ? full : undefined, isAsked: true}
  }
}
