import {upcase} from '../../model/upcase.js'
import type {FileTime} from '../../model/windows-metadata.js'
import {compareKeyNames, type HiveKey, type HiveValue, type KeyDisposition} from './hive-key.js'

/** Options of merging hives of layers. */
export interface LayeringOptions {
  /**
   * A key that cuts off what lies below inherits its class, and the class below is not empty: it is dropped, as the
   * specification words it, but no hive was ever seen that shows what Windows does. Called when the class is asked for.
   */
  readonly onDroppedClass?: (key: HiveKey) => void
}

/** What an upper key says, with values, subkeys, class and time composed from both. */
class LayeredKey implements HiveKey {
  readonly #upper: HiveKey
  readonly #lower: HiveKey | undefined
  readonly #parts: LayeredParts

  constructor(upper: HiveKey, lower: HiveKey | undefined, parts: LayeredParts) {
    this.#upper = upper
    this.#lower = lower
    this.#parts = parts
  }

  get name(): string {
    return this.#parts.head?.name ?? this.#upper.name
  }
  get flags(): number {
    return this.#parts.head?.flags ?? this.#upper.flags
  }
  get lastWrite(): FileTime {
    const lower = this.#upper.disposition === 'merge' ? this.#lower?.lastWrite : undefined
    return lower !== undefined && lower > this.#upper.lastWrite ? lower : this.#upper.lastWrite
  }
  get disposition(): KeyDisposition {
    return this.#parts.disposition
  }
  get inheritsClass(): boolean {
    return this.#parts.classOf().inherits
  }
  get className(): Uint8Array {
    return this.#parts.classOf().name
  }
  get security(): Uint8Array | undefined {
    return this.#upper.security ?? this.#lower?.security
  }
  get controlFlags(): number {
    return this.#upper.controlFlags
  }
  get predefinedHandle(): number | undefined {
    return this.#upper.predefinedHandle
  }
  values(): readonly HiveValue[] {
    return this.#parts.values()
  }
  subkeys(): readonly HiveKey[] {
    return [...this.#parts.subkeys()]
  }
  streamSubkeys(): Iterable<HiveKey> {
    return this.#parts.subkeys()
  }
}

interface KeyClass {
  readonly inherits: boolean
  readonly name: Uint8Array
}

interface LayeredParts {
  readonly disposition: KeyDisposition
  /** Whose name and flags count instead of the upper key's. */
  readonly head?: HiveKey
  classOf(): KeyClass
  values(): readonly HiveValue[]
  /** Made anew by each call. */
  subkeys(): Iterable<HiveKey>
}

const NO_CLASS: KeyClass = {inherits: false, name: new Uint8Array()}

/**
 * The hive that a container sees when a delta lies over a base: deletions are carried out, nothing is marked any more.
 * Lazy: a subtree that the delta does not touch is the base's own. Source: section 4.1 of the registry hive format page.
 */
export function flatten(base: HiveKey, delta: HiveKey, options: LayeringOptions = {}): HiveKey {
  return applied(base, delta, options, base)
}

/** A delta key over a plain key, or over nothing. */
function apply(base: HiveKey | undefined, delta: HiveKey | undefined, options: LayeringOptions): HiveKey | undefined {
  if (delta === undefined) return base
  return delta.disposition === 'tombstone' ? undefined : applied(base, delta, options)
}

function applied(base: HiveKey | undefined, delta: HiveKey, options: LayeringOptions, head?: HiveKey): HiveKey {
  const {disposition} = delta
  const lower = disposition === 'supersede-tree' ? undefined : base
  return new LayeredKey(delta, lower, {
    disposition: 'merge',
    ...(head === undefined ? {} : {head}),
    classOf: () => {
      if (!delta.inheritsClass) return {inherits: false, name: delta.className}
      if (disposition === 'merge') return base === undefined ? NO_CLASS : {inherits: false, name: base.className}
      if (base !== undefined && base.className.byteLength > 0) options.onDroppedClass?.(delta)
      return NO_CLASS
    },
    values: () => overlay(disposition === 'merge' && lower !== undefined ? lower.values() : [], delta.values(), false),
    subkeys: () =>
      joined(lower?.streamSubkeys() ?? [], delta.streamSubkeys(), (low, high) => apply(low, high, options)),
  })
}

/**
 * The one delta that does what two do: `flatten(base, compose(lower, upper))` equals `flatten(flatten(base, lower),
 * upper)` for any base, but for the order of values. Source: section 4.2 of the registry hive format page.
 */
export function compose(lower: HiveKey, upper: HiveKey, options: LayeringOptions = {}): HiveKey {
  if (upper.disposition === 'tombstone' || upper.disposition === 'supersede-tree') return upper
  switch (lower.disposition) {
    case 'tombstone':
      return superseding(applied(undefined, upper, options))
    case 'supersede-tree':
      return superseding(applied(applied(undefined, lower, options), upper, options))
    case 'merge':
    case 'supersede-local':
      return composed(lower, upper, options)
  }
}

/** Over a key that itself merges its subkeys with lower layers. */
function composed(lower: HiveKey, upper: HiveKey, options: LayeringOptions): HiveKey {
  const isMerge = upper.disposition === 'merge'
  const disposition = isMerge ? lower.disposition : upper.disposition
  return new LayeredKey(upper, lower, {
    disposition,
    classOf: () => {
      if (!upper.inheritsClass) return {inherits: false, name: upper.className}
      if (isMerge) return {inherits: lower.inheritsClass, name: lower.className}
      if (lower.className.byteLength === 0) return {inherits: true, name: NO_CLASS.name}
      options.onDroppedClass?.(upper)
      return NO_CLASS
    },
    values: () => overlay(isMerge ? lower.values() : [], upper.values(), disposition === 'merge'),
    subkeys: () =>
      joined(lower.streamSubkeys(), upper.streamSubkeys(), (low, high) => {
        if (low === undefined || high === undefined) return low ?? high
        return compose(low, high, options)
      }),
  })
}

/** A plain key and all below it, as what replaces everything in lower layers. */
function superseding(key: HiveKey): HiveKey {
  return new LayeredKey(key, undefined, {
    disposition: 'supersede-tree',
    classOf: () => ({inherits: false, name: key.className}),
    values: () => key.values(),
    subkeys: () => eachSuperseding(key.streamSubkeys()),
  })
}

function* eachSuperseding(keys: Iterable<HiveKey>): Generator<HiveKey> {
  for (const key of keys) yield superseding(key)
}

/** A value replaces the one of its name in place, a new one comes last; a deletion removes, or stays when it is kept. */
function overlay(lower: readonly HiveValue[], upper: readonly HiveValue[], keepTombstones: boolean): HiveValue[] {
  const byName = new Map(lower.map((value) => [upcase(value.name), value]))
  for (const value of upper) {
    if (value.isTombstone && !keepTombstones) byName.delete(upcase(value.name))
    else byName.set(upcase(value.name), value)
  }
  return [...byName.values()].filter((value) => keepTombstones || !value.isTombstone)
}

/** What is made of both lists of subkeys, which are in order, those of one name together; undefined is not given. */
function* joined(
  lower: Iterable<HiveKey>,
  upper: Iterable<HiveKey>,
  join: (lower: HiveKey | undefined, upper: HiveKey | undefined) => HiveKey | undefined,
): Generator<HiveKey> {
  for (const [low, high] of pairsOf(lower, upper)) {
    const key = join(low, high)
    if (key !== undefined) yield key
  }
}

/** Both lists of subkeys in order, those of one name together, one pair at a time. */
export function* pairsOf(
  lower: Iterable<HiveKey>,
  upper: Iterable<HiveKey>,
): Generator<readonly [HiveKey | undefined, HiveKey | undefined]> {
  const below = lower[Symbol.iterator]()
  const above = upper[Symbol.iterator]()
  let low = nextOf(below)
  let high = nextOf(above)
  while (low !== undefined || high !== undefined) {
    const order = low === undefined ? 1 : high === undefined ? -1 : compareKeyNames(low.name, high.name)
    yield [order <= 0 ? low : undefined, order >= 0 ? high : undefined]
    if (order <= 0) low = nextOf(below)
    if (order >= 0) high = nextOf(above)
  }
}

function nextOf(keys: Iterator<HiveKey>): HiveKey | undefined {
  const next = keys.next()
  return next.done === true ? undefined : next.value
}
