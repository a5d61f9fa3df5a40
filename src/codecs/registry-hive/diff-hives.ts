import {upcase} from '../../model/upcase.js'
import {keyOf, valueTombstone, type HiveKey, type HiveValue} from './hive-key.js'
import {pairsOf} from './layered-keys.js'

/**
 * The delta that makes `after` of `before`: `flatten(before, diff(before, after))` equals `after`. Undefined when they are
 * equal. Name and flags of the root, which a delta cannot change, are not compared; nor can a root take back its time or
 * the order of its values. Both hives are plain. Source: section 4.3 of the registry hive format page.
 */
export function diff(before: HiveKey, after: HiveKey): HiveKey | undefined {
  return changed(before, after, true)
}

function changed(before: HiveKey | undefined, after: HiveKey | undefined, isRoot: boolean): HiveKey | undefined {
  if (before === after) return undefined
  if (after === undefined) return before === undefined ? undefined : tombstoneOf(before)
  // What is new merges with nothing: it is written as it is, as Windows itself does.
  if (before === undefined) return after
  const subkeys = [...pairsOf(before.streamSubkeys(), after.streamSubkeys())].flatMap(
    ([low, high]) => changed(low, high, false) ?? [],
  )
  const values = changedValues(before.values(), after.values())
  const isInexact = values === undefined || after.lastWrite < before.lastWrite
  if (isInexact && !isRoot) return deltaKey(after, {disposition: 'supersede-local', values: after.values(), subkeys})
  const hasSameClass = isEqual(before.className, after.className)
  const isSame =
    values?.length === 0 &&
    subkeys.length === 0 &&
    hasSameClass &&
    before.lastWrite === after.lastWrite &&
    isEqual(before.security, after.security) &&
    before.controlFlags === after.controlFlags &&
    before.predefinedHandle === after.predefinedHandle &&
    (isRoot || (before.name === after.name && before.flags === after.flags))
  if (isSame) return undefined
  return deltaKey(after, {
    disposition: 'merge',
    inheritsClass: hasSameClass,
    values: values ?? replacedValues(before.values(), after.values()),
    subkeys,
  })
}

/** The parts of a delta key that are not simply those of the key it leads to. */
type DeltaParts = Pick<HiveKey, 'disposition'> & {
  readonly inheritsClass?: boolean
  readonly values: readonly HiveValue[]
  readonly subkeys: readonly HiveKey[]
}

function deltaKey(after: HiveKey, parts: DeltaParts): HiveKey {
  const {name, flags, lastWrite, security, controlFlags, predefinedHandle} = after
  const className = parts.inheritsClass === true ? new Uint8Array() : after.className
  return keyOf({name, flags, lastWrite, security, controlFlags, predefinedHandle, className, ...parts})
}

/** Windows leaves no time on a deleted key, but a security descriptor. */
function tombstoneOf(key: HiveKey): HiveKey {
  return keyOf({name: key.name, disposition: 'tombstone', security: key.security})
}

/** Values to set and deletions; undefined when setting them would leave the values in another order. */
function changedValues(before: readonly HiveValue[], after: readonly HiveValue[]): HiveValue[] | undefined {
  const wanted = new Set(after.map((value) => upcase(value.name)))
  const known = new Set(before.map((value) => upcase(value.name)))
  const kept = before.filter((value) => wanted.has(upcase(value.name)))
  const order = [...kept, ...after.filter((value) => !known.has(upcase(value.name)))]
  if (order.some((value, index) => upcase(value.name) !== upcase(after[index]?.name ?? ''))) return undefined
  return replacedValues(before, after)
}

function replacedValues(before: readonly HiveValue[], after: readonly HiveValue[]): HiveValue[] {
  const known = new Map(before.map((value) => [upcase(value.name), value]))
  const wanted = new Set(after.map((value) => upcase(value.name)))
  const gone = before.filter((value) => !wanted.has(upcase(value.name)))
  const set = after.filter((value) => {
    const old = known.get(upcase(value.name))
    return old?.name !== value.name || old.type !== value.type || !isEqual(old.data, value.data)
  })
  return [...set, ...gone.map((value) => valueTombstone(value.name))]
}

function isEqual(left: Uint8Array | undefined, right: Uint8Array | undefined): boolean {
  if (left === undefined || right === undefined) return left === right
  return left === right || (left.byteLength === right.byteLength && Buffer.compare(left, right) === 0)
}
