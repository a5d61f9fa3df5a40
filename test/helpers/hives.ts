import fc from 'fast-check'
import {baseBlockChecksum} from '../../src/codecs/registry-hive/base-block.js'
import {encodeHive} from '../../src/codecs/registry-hive/encode-hive.js'
import {HiveFile, type HiveOptions} from '../../src/codecs/registry-hive/hive-file.js'
import {keyOf, valueOf, valueTombstone, type HiveKey, type HiveValue} from '../../src/codecs/registry-hive/hive-key.js'
import {sourceOfBytes} from '../../src/codecs/registry-hive/hive-source.js'
import {marvin32} from '../../src/codecs/registry-hive/marvin32.js'
import {upcase} from '../../src/model/upcase.js'

/** A self-relative descriptor that grants everything, owned by `S-1-5-<rid>`. */
export function descriptorOf(rid: number): Uint8Array {
  const sid = Buffer.from([1, 1, 0, 0, 0, 0, 0, 5, rid, 0, 0, 0])
  const head = Buffer.alloc(20)
  head.writeUInt8(1, 0)
  head.writeUInt16LE(0x8000, 2)
  head.writeUInt32LE(20, 4)
  return Buffer.concat([head, sid])
}

/** Everything a key says, deep, for comparing. */
export function describeTree(key: HiveKey): unknown {
  return {
    name: key.name,
    flags: key.flags,
    lastWrite: key.lastWrite,
    layer: `${key.disposition}${key.inheritsClass ? ' inherits' : ''}`,
    className: Buffer.from(key.className).toString('hex'),
    security: key.security === undefined ? undefined : Buffer.from(key.security).toString('hex'),
    controlFlags: key.controlFlags,
    predefinedHandle: key.predefinedHandle,
    values: key.values().map(describeValue),
    subkeys: key.subkeys().map(describeTree),
  }
}

function describeValue(value: HiveValue): string {
  const data = Buffer.from(value.data)
  return `${JSON.stringify(value.name)} ${value.isTombstone ? 'deleted' : `${value.type} ${data.toString('hex')}`}`
}

/** Opens a hive in memory. */
export function openHive(bytes: Uint8Array, options: HiveOptions = {}): HiveFile {
  return new HiveFile(sourceOfBytes(bytes), options)
}

/** An ordinary hive of version 1.5. */
export function hiveOf(root: HiveKey, minorVersion = 5): Buffer {
  return encodeHive(root, {minorVersion, isLayered: false})
}

export function deltaOf(root: HiveKey): Buffer {
  return encodeHive(root, {minorVersion: 6, isLayered: true})
}

/** The hive or log with other 32-bit fields in its head, and the checksum that goes with them. */
export function sealed(bytes: Uint8Array, fields: Readonly<Record<number, number>>): Buffer {
  const copy = Buffer.from(bytes)
  for (const [offset, value] of Object.entries(fields)) copy.writeUInt32LE(value, Number(offset))
  copy.writeUInt32LE(baseBlockChecksum(copy), 508)
  return copy
}

/** UTF-16LE with its NUL, as Windows stores text. */
export function text(value: string): Buffer {
  return Buffer.from(`${value}\0`, 'utf16le')
}

const plainName = fc.constantFrom('a', 'B', 'c', 'Dd', 'software', 'Ünïcode')
const oddName = fc.constantFrom('\u{10400}', '\ud800', 'ÿ', 'µ', 'Ω', 'nul\0inside', 'ß', 'a/b', '1.2')
const anyUnit = fc.integer({min: 1, max: 0xffff}).filter((unit) => unit !== 0x5c)
const anyName = fc.array(anyUnit, {minLength: 1, maxLength: 12}).map((units) => String.fromCharCode(...units))

/** Names that often meet, and some of every kind of unit. */
export const keyName = fc.oneof({weight: 6, arbitrary: plainName}, {weight: 2, arbitrary: oddName}, anyName)
const bytes = fc.oneof(
  fc.uint8Array({maxLength: 12}),
  fc.constantFrom(16343, 16344, 16345, 40000).map((length) => new Uint8Array(length).fill(length % 251)),
)
const value = (name: string): fc.Arbitrary<HiveValue> =>
  fc
    .record({type: fc.oneof(fc.nat({max: 11}), fc.constant(0xffff0012)), data: bytes})
    .map(({type, data}) => valueOf(name, type, data))
const valueNames = fc.uniqueArray(fc.oneof(fc.constant(''), keyName), {maxLength: 4, selector: upcase})

function valuesOf(withTombstones: boolean): fc.Arbitrary<HiveValue[]> {
  return valueNames.chain((names) =>
    fc.tuple(
      ...names.map((name) =>
        withTombstones ? fc.oneof({weight: 3, arbitrary: value(name)}, fc.constant(valueTombstone(name))) : value(name),
      ),
    ),
  )
}

const facts = {
  flags: fc.constantFrom(0, 0, 8, 0x10),
  lastWrite: fc.bigInt({min: 0n, max: 2n ** 60n}),
  className: fc.oneof(
    {weight: 3, arbitrary: fc.constant(new Uint8Array())},
    fc.constantFrom('ab', 'class').map((name) => Uint8Array.from(Buffer.from(name, 'utf16le'))),
  ),
  security: fc.constantFrom(descriptorOf(18), descriptorOf(19), descriptorOf(20)),
  controlFlags: fc.constantFrom(0, 0, 1, 0x20),
}

const subkeyNames = fc.uniqueArray(keyName, {maxLength: 4, selector: upcase})

function subkeysOf(depth: number, one: (name: string) => fc.Arbitrary<HiveKey>): fc.Arbitrary<HiveKey[]> {
  return depth === 0 ? fc.constant([]) : subkeyNames.chain((names) => fc.tuple(...names.map(one)))
}

/** The tree of an ordinary hive. */
export function plainTree(name = 'ROOT', depth = 3): fc.Arbitrary<HiveKey> {
  return fc
    .record({...facts, values: valuesOf(false), subkeys: subkeysOf(depth, (child) => plainTree(child, depth - 1))})
    .map((draft) => keyOf({...draft, name}))
}

/** The tree of a delta; the root merges. */
export function deltaTree(name = 'ROOT', depth = 3): fc.Arbitrary<HiveKey> {
  const merging = fc
    .record({
      ...facts,
      inheritsClass: fc.boolean(),
      values: valuesOf(true),
      subkeys: subkeysOf(depth, (child) => deltaKey(child, depth - 1)),
    })
    .map((draft) => keyOf({...draft, name, ...(draft.inheritsClass ? {className: new Uint8Array()} : {})}))
  return merging
}

function deltaKey(name: string, depth: number): fc.Arbitrary<HiveKey> {
  const local = fc
    .record({...facts, values: valuesOf(false), subkeys: subkeysOf(depth, (child) => deltaKey(child, depth - 1))})
    .map((draft) => keyOf({...draft, name, disposition: 'supersede-local'}))
  return fc.oneof(
    {weight: 5, arbitrary: deltaTree(name, depth)},
    {weight: 2, arbitrary: tombstoneKey(name)},
    {weight: 1, arbitrary: local},
    {weight: 1, arbitrary: supersedingTree(name, depth)},
  )
}

function tombstoneKey(name: string): fc.Arbitrary<HiveKey> {
  return facts.security.map((security) => keyOf({name, disposition: 'tombstone', security}))
}

function supersedingTree(name: string, depth: number): fc.Arbitrary<HiveKey> {
  const subkeys = subkeysOf(depth, (child) =>
    fc.oneof({weight: 4, arbitrary: supersedingTree(child, depth - 1)}, tombstoneKey(child)),
  )
  return fc
    .record({...facts, values: valuesOf(false), subkeys})
    .map((draft) => keyOf({...draft, name, disposition: 'supersede-tree'}))
}

/**
 * An entry of a log of Windows 8.1 and later that makes the hive-bins data of `state` of anything. Source: section 2.2 of
 * the registry hive format page.
 */
export function logEntry(state: Uint8Array, sequence: number): Buffer {
  const data = state.subarray(4096)
  const size = Math.ceil((48 + data.byteLength) / 512) * 512
  const entry = Buffer.alloc(size)
  entry.write('HvLE', 0, 'latin1')
  entry.writeUInt32LE(size, 4)
  entry.writeUInt32LE(sequence, 12)
  entry.writeUInt32LE(data.byteLength, 16)
  entry.writeUInt32LE(1, 20)
  entry.writeUInt32LE(0, 40)
  entry.writeUInt32LE(data.byteLength, 44)
  entry.set(data, 48)
  return sealLogEntry(entry)
}

/** Makes the hashes of a log entry fit it, in place. */
export function sealLogEntry(entry: Buffer): Buffer {
  entry.writeBigUInt64LE(marvin32(entry.subarray(40)), 24)
  entry.writeBigUInt64LE(marvin32(entry.subarray(0, 32)), 32)
  return entry
}

/** A log of Windows 8.1 and later for the hive, whose first entry has the sequence. */
export function logOf(hive: Uint8Array, sequence: number, entries: readonly Buffer[]): Buffer {
  return Buffer.concat([sealed(hive.subarray(0, 512), {4: sequence, 8: sequence, 28: 6}), ...entries])
}

/** A log up to Windows 8 that holds all pages of `state`; `fields` of its head. Source: section 2.1 of the same page. */
export function oldLogOf(state: Uint8Array, fields: Readonly<Record<number, number>>): Buffer {
  const data = state.subarray(4096)
  const bitmap = Buffer.alloc(data.byteLength / 4096, 0xff)
  const head = Buffer.concat([Buffer.from('DIRT', 'latin1'), bitmap])
  const padding = Buffer.alloc((512 - (head.byteLength % 512)) % 512)
  return Buffer.concat([sealed(state.subarray(0, 512), fields), head, padding, data])
}
