import {upcase} from '../../model/upcase.js'
import type {FileTime} from '../../model/windows-metadata.js'

/**
 * What a key of a delta does to the key of the same path in the layers below; a key of an ordinary hive always merges.
 * Source: section 3.1 of the registry hive format page.
 */
export type KeyDisposition = 'merge' | 'tombstone' | 'supersede-local' | 'supersede-tree'

/** A value as stored; its data is never re-encoded, since a missing or doubled NUL is common. */
export interface HiveValue {
  /** Empty for the default value. Any UTF-16 units, lone surrogates and NUL included. */
  readonly name: string
  /** REG_*; any u32. */
  readonly type: number
  readonly data: Uint8Array
  /** In a delta: the value of this name in lower layers is gone. Type 0, no data. */
  readonly isTombstone: boolean
}

/**
 * A key and what lies under it, whether it stands in a hive file, was made here, or follows from other keys. Values and
 * subkeys are made anew by each call, so that a tree costs no more memory than what is being looked at.
 */
export interface HiveKey {
  /** Any UTF-16 units but the backslash. */
  readonly name: string
  /** KEY_* bits that mean something: no-delete 8, symbolic link 0x10, predefined handle 0x40 and above; see `KeyFlag`. */
  readonly flags: number
  readonly lastWrite: FileTime
  readonly disposition: KeyDisposition
  /** The class is that of the next lower layer. */
  readonly inheritsClass: boolean
  /** Raw bytes, UTF-16LE as a rule; empty = none. */
  readonly className: Uint8Array
  /** Self-relative SECURITY_DESCRIPTOR, verbatim. */
  readonly security: Uint8Array | undefined
  /** User flags (low nibble) and virtualisation control flags (high nibble) in one byte, verbatim. */
  readonly controlFlags: number
  /** The handle that a predefined-handle key stands for; such a key has no values. */
  readonly predefinedHandle: number | undefined
  /** In the order of creation, which is the order in which Windows tells them. */
  values(): readonly HiveValue[]
  /** Ascending by `compareKeyNames`, no name twice. */
  subkeys(): readonly HiveKey[]
  /** The same one at a time: a key of 500,000 subkeys then needs no more memory than one of them. */
  streamSubkeys(): Iterable<HiveKey>
}

/** Bits of a key's flags. Source: section 1.3 of the registry hive format page. */
export const KeyFlag = {
  volatile: 0x1,
  hiveExit: 0x2,
  hiveEntry: 0x4,
  noDelete: 0x8,
  symbolicLink: 0x10,
  compressedName: 0x20,
  predefinedHandle: 0x40,
} as const

/** Bits that tell how or where a key is stored and nothing about it. */
export const STORAGE_FLAGS = KeyFlag.volatile | KeyFlag.hiveExit | KeyFlag.hiveEntry | KeyFlag.compressedName

/** Most bytes a value can have in one cell before it is cut into segments. Source: section 1.6. */
export const MAX_SEGMENT_BYTES = 16344
/** Most levels of keys. Source: registry element size limits, learn.microsoft.com. */
export const MAX_DEPTH = 512

const NO_BYTES = new Uint8Array()

/** A key to be: everything that is not stated is empty, and the subkeys come in any order. */
export interface KeyDraft extends Partial<Omit<HiveKey, 'values' | 'subkeys' | 'streamSubkeys'>> {
  readonly name: string
  readonly values?: readonly HiveValue[]
  readonly subkeys?: readonly HiveKey[]
}

/** A key in memory. */
export function keyOf(draft: KeyDraft): HiveKey {
  const {values = [], subkeys = []} = draft
  const sorted = subkeys.toSorted((left, right) => compareKeyNames(left.name, right.name))
  return {
    name: draft.name,
    flags: draft.flags ?? 0,
    lastWrite: draft.lastWrite ?? 0n,
    disposition: draft.disposition ?? 'merge',
    inheritsClass: draft.inheritsClass ?? false,
    className: draft.className ?? NO_BYTES,
    security: draft.security,
    controlFlags: draft.controlFlags ?? 0,
    predefinedHandle: draft.predefinedHandle,
    values: () => values,
    subkeys: () => sorted,
    streamSubkeys: () => sorted,
  }
}

/** A value in memory. */
export function valueOf(name: string, type: number, data: Uint8Array): HiveValue {
  return {name, type, data, isTombstone: false}
}

/** The deletion of a value. */
export function valueTombstone(name: string): HiveValue {
  return {name, type: 0, data: NO_BYTES, isTombstone: true}
}

/**
 * The order of subkeys: upper-cased UTF-16 units one by one, the shorter first; 0 = the same name. Source: section 1.4.
 */
export function compareKeyNames(left: string, right: string): number {
  const [a, b] = [upcase(left), upcase(right)]
  return a === b ? 0 : a < b ? -1 : 1
}

/** The subkey of a name; undefined = none. */
export function findSubkey(key: HiveKey, name: string): HiveKey | undefined {
  for (const subkey of key.streamSubkeys()) if (compareKeyNames(subkey.name, name) === 0) return subkey
  return undefined
}

/** The key at a path of names below `root`; undefined = none. */
export function findKey(root: HiveKey, path: readonly string[]): HiveKey | undefined {
  let key: HiveKey | undefined = root
  for (const name of path) key = key === undefined ? undefined : findSubkey(key, name)
  return key
}

/** A key and its full name. */
export interface PlacedKey {
  readonly key: HiveKey
  /** `\` between names. */
  readonly path: string
}

/** A key and all below it, parents before what is in them, in order; one key of each level at a time. */
export function* walkKeys(root: HiveKey, path: string): Generator<PlacedKey> {
  yield {key: root, path}
  const open = [{path, subkeys: root.streamSubkeys()[Symbol.iterator]()}]
  for (let level = open.at(-1); level !== undefined; level = open.at(-1)) {
    const next = level.subkeys.next()
    if (next.done === true) {
      open.pop()
      continue
    }
    const key = next.value
    const placed = {key, path: `${level.path}\\${key.name}`}
    yield placed
    open.push({path: placed.path, subkeys: key.streamSubkeys()[Symbol.iterator]()})
  }
}
