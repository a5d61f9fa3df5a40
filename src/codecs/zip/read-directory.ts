import {LIMITS} from '../../model/limits.js'
import type {ByteSource} from '../backup-stream/byte-source.js'
import {widenSizes} from './extra-fields.js'
import {zipFault} from './zip-fault.js'
import {
  CENTRAL_BYTES,
  DEFLATED,
  END64_BYTES,
  END_BYTES,
  FLAG_DESCRIPTOR,
  LOCAL_BYTES,
  LOCATOR_BYTES,
  SIGNATURES,
  STORED,
  type CentralPlace,
  type ZipEntry,
  type ZipMethod,
} from './zip-records.js'

/** An entry and where what belongs to it ends: at the next entry, or at the central directory. */
export interface PlacedEntry extends ZipEntry {
  readonly modified: number
  readonly endOffset: number
}

/**
 * A central directory that was read once and found right. There may be a million entries: what is kept of each is where
 * it stands, and it is read again when it is asked for.
 */
export class ZipDirectory {
  readonly central: CentralPlace
  readonly #window: Window
  readonly #title: string
  readonly #zip: ByteSource
  /** Of each entry, in order: where it stands, counted from the start of the list, and `endOffset`. */
  readonly #places: Uint32Array
  readonly #ends: Float64Array

  constructor(zip: ByteSource, title: string, found: {central: CentralPlace; places: Uint32Array; ends: Float64Array}) {
    this.central = found.central
    this.#places = found.places
    this.#ends = found.ends
    this.#zip = zip
    this.#title = title
    this.#window = new Window(zip, found.central, LOOK_BYTES)
  }

  get count(): number {
    return this.#places.length
  }

  /** The entry at a place in the order of the central directory, from 0. */
  entry(index: number): PlacedEntry {
    const place = this.#places[index]
    if (place === undefined) throw zipFault(this.#title, `It has no entry ${index}.`)
    const {entry} = readEntry(this.#window, this.central.offset + place, {index, zip: this.#zip, title: this.#title})
    return {...entry, endOffset: this.#ends[index] ?? this.central.offset}
  }

  *entries(): Generator<PlacedEntry> {
    for (let index = 0; index < this.count; index++) yield this.entry(index)
  }
}

/** Twice the entries of the largest layers known; a bound for hostile input. */
const MAX_CENTRAL_BYTES = 2 ** 30
const WINDOW_BYTES = 1024 * 1024
/** Read at a time when single entries are asked for, mostly near the one before. */
const LOOK_BYTES = 64 * 1024
/** Bits 1 and 2 hint at the level of deflate, 3 is the descriptor, 11 says UTF-8. Source: inbox package page, section 2.1. */
const ALLOWED_FLAGS = 0x0806 | FLAG_DESCRIPTOR
const MAX_UINT32 = 0xffffffff

/**
 * Reads the central directory of a zip by the rules for AppX: nothing in front of the first entry, between entries or
 * between the directory and the end of the file; no comment, encryption or second disk. `ARCHIVE_TRUNCATED`,
 * `ARCHIVE_CORRUPT`, `LIMIT_EXCEEDED`.
 */
export function readZipDirectory(zip: ByteSource, title: string): ZipDirectory {
  const central = readEnd(zip, title)
  const {places, extents} = readCentral(zip, central, title)
  const ends = endsOf(extents, central, title, (index) => {
    const at = central.offset + (places[index] ?? 0)
    return readEntry(new Window(zip, central, LOOK_BYTES), at, {index, zip, title}).entry
  })
  return new ZipDirectory(zip, title, {central, places, ends})
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function readUint64(bytes: DataView, at: number, zip: ByteSource, title: string): number {
  return requireInside(bytes.getBigUint64(at, true), zip, title)
}

/** A place or length that lies inside the file. */
function requireInside(value: bigint, {sizeBytes}: ByteSource, title: string): number {
  if (value <= BigInt(sizeBytes)) return Number(value)
  throw zipFault(title, 'It points past its own end.', undefined, 'ARCHIVE_TRUNCATED')
}

function readEnd(zip: ByteSource, title: string): CentralPlace {
  const at = zip.sizeBytes - END_BYTES
  const end = at < 0 ? undefined : view(zip.read(at, END_BYTES).slice())
  if (end?.getUint32(0, true) !== SIGNATURES.end)
    throw zipFault(title, 'It does not end with an end record.', Math.max(at, 0), 'ARCHIVE_TRUNCATED')
  if (end.getUint16(20, true) !== 0) throw zipFault(title, 'It has a comment, which is not allowed.', at + 20)
  const disks = [end.getUint16(4, true), end.getUint16(6, true)]
  if (disks.some((disk) => disk !== 0 && disk !== 0xffff))
    throw zipFault(title, 'It is split over several disks.', at + 4)
  const wide = findEnd64(zip, at, title)
  if (wide !== undefined) {
    requireEqual(end, wide, {at, title})
    return wide
  }
  const plain = {
    entries: end.getUint16(10, true),
    sizeBytes: end.getUint32(12, true),
    offset: end.getUint32(16, true),
  }
  if (end.getUint16(8, true) !== plain.entries)
    throw zipFault(title, 'It states two different numbers of entries.', at + 8)
  return requirePlace(plain, at, title)
}

/** The fields of the classic record are all ones where zip64 has the number, or the same number. */
function requireEqual(
  end: DataView,
  wide: CentralPlace,
  {at, title}: {readonly at: number; readonly title: string},
): void {
  const fields: readonly [number, number, number][] = [
    [end.getUint16(8, true), 0xffff, wide.entries],
    [end.getUint16(10, true), 0xffff, wide.entries],
    [end.getUint32(12, true), MAX_UINT32, wide.sizeBytes],
    [end.getUint32(16, true), MAX_UINT32, wide.offset],
  ]
  if (fields.some(([found, ones, expected]) => found !== ones && found !== expected))
    throw zipFault(title, 'Its two end records contradict each other.', at + 8, 'ARCHIVE_CONTRADICTORY')
}

function findEnd64(zip: ByteSource, end: number, title: string): CentralPlace | undefined {
  const locatorAt = end - LOCATOR_BYTES
  const at = locatorAt - END64_BYTES
  if (at < 0) return undefined
  const locator = view(zip.read(locatorAt, LOCATOR_BYTES).slice())
  if (locator.getUint32(0, true) !== SIGNATURES.locator) return undefined
  if (locator.getUint32(4, true) !== 0 || locator.getUint32(16, true) !== 1)
    throw zipFault(title, 'It is split over several disks.', locatorAt)
  if (locator.getBigUint64(8, true) !== BigInt(at))
    throw zipFault(title, 'Its zip64 locator points to the wrong place.', locatorAt + 8)
  const wide = view(zip.read(at, END64_BYTES).slice())
  if (wide.getUint32(0, true) !== SIGNATURES.end64 || wide.getBigUint64(4, true) !== BigInt(END64_BYTES - 12))
    throw zipFault(title, 'Its zip64 end record is damaged.', at)
  if (wide.getUint32(16, true) !== 0 || wide.getUint32(20, true) !== 0)
    throw zipFault(title, 'It is split over several disks.', at + 16)
  const entries = wide.getBigUint64(32, true)
  if (wide.getBigUint64(24, true) !== entries)
    throw zipFault(title, 'It states two different numbers of entries.', at + 24)
  if (entries > BigInt(LIMITS.parts.value)) throw tooMany(title)
  const place = {
    entries: Number(entries),
    sizeBytes: readUint64(wide, 40, zip, title),
    offset: readUint64(wide, 48, zip, title),
  }
  return requirePlace(place, at, title)
}

function requirePlace(place: CentralPlace, end: number, title: string): CentralPlace {
  if (place.offset + place.sizeBytes !== end)
    throw zipFault(title, 'Its central directory does not end where its end record begins.', end)
  if (place.sizeBytes > MAX_CENTRAL_BYTES || place.entries > LIMITS.parts.value) throw tooMany(title)
  return place
}

function tooMany(title: string): Error {
  return zipFault(title, `It has more than ${LIMITS.parts.value} entries.`, undefined, 'LIMIT_EXCEEDED')
}

type ListedEntry = Omit<PlacedEntry, 'endOffset'>

/** Where entries begin, and where they end at the earliest. */
interface Extents {
  readonly starts: Float64Array
  readonly leasts: Float64Array
}

function readCentral(
  zip: ByteSource,
  central: CentralPlace,
  title: string,
): {readonly places: Uint32Array; readonly extents: Extents} {
  const count = central.entries
  // Nothing is set aside for entries for which there is no room.
  if (count * CENTRAL_BYTES > central.sizeBytes)
    throw zipFault(title, 'Its central directory is cut off.', central.offset)
  const places = new Uint32Array(count)
  const extents = {starts: new Float64Array(count), leasts: new Float64Array(count)}
  const window = new Window(zip, central, WINDOW_BYTES)
  let at = central.offset
  for (let index = 0; index < count; index++) {
    const {entry, sizeBytes} = readEntry(window, at, {index, zip, title})
    places[index] = at - central.offset
    extents.starts[index] = entry.offset
    extents.leasts[index] = entry.offset + LOCAL_BYTES + entry.name.length + entry.packedBytes
    at += sizeBytes
  }
  if (at !== central.offset + central.sizeBytes) {
    if (count === 0) throw zipFault(title, 'It states no entries but lists some.')
    throw zipFault(title, 'Extra data follows its central directory.', at)
  }
  return {places, extents}
}

function readEntry(
  window: Window,
  at: number,
  {index, ...place}: Omit<Place, 'at'> & {readonly index: number},
): {readonly entry: ListedEntry; readonly sizeBytes: number} {
  const fixed = window.read(at, CENTRAL_BYTES)
  if (fixed?.getUint32(0, true) !== SIGNATURES.central)
    throw zipFault(place.title, `Entry ${index} of its central directory is damaged.`, at)
  const sizeBytes = CENTRAL_BYTES + fixed.getUint16(28, true) + fixed.getUint16(30, true)
  const whole = window.read(at, sizeBytes)
  if (whole === undefined) throw zipFault(place.title, `Entry ${index} of its central directory is cut off.`, at)
  return {entry: decodeCentralEntry(whole, {...place, at}), sizeBytes}
}

/** Reads the directory through a window, since an entry is some hundred bytes. */
class Window {
  readonly #zip: ByteSource
  readonly #first: number
  readonly #end: number
  readonly #sizeBytes: number
  #start = 0
  #bytes: Uint8Array = new Uint8Array(0)

  constructor(zip: ByteSource, {offset, sizeBytes}: CentralPlace, windowBytes: number) {
    this.#zip = zip
    this.#first = offset
    this.#end = offset + sizeBytes
    this.#sizeBytes = windowBytes
  }

  read(at: number, length: number): DataView | undefined {
    if (at + length > this.#end) return undefined
    if (at < this.#start || at + length > this.#start + this.#bytes.byteLength) this.#move(at, length)
    return view(this.#bytes.subarray(at - this.#start, at - this.#start + length))
  }

  /** A part of it lies before the place: who does not go on from here may go back a little. */
  #move(at: number, length: number): void {
    this.#start = Math.max(this.#first, at - Math.floor(this.#sizeBytes / 8))
    const wanted = Math.max(this.#sizeBytes, at + length - this.#start)
    this.#bytes = this.#zip.read(this.#start, Math.min(wanted, this.#end - this.#start)).slice()
  }
}

interface Place {
  readonly at: number
  readonly zip: ByteSource
  readonly title: string
}

function decodeCentralEntry(bytes: DataView, place: Place): ListedEntry {
  const {at, title} = place
  const nameBytes = bytes.getUint16(28, true)
  const name = Buffer.from(bytes.buffer, bytes.byteOffset + CENTRAL_BYTES, nameBytes).toString('latin1')
  const fault = (why: string, offset: number) => zipFault(title, `'${name.slice(0, 300)}' ${why}`, at + offset)
  if (bytes.getUint16(6, true) > 45) throw fault('needs a newer version of zip.', 6)
  const flags = requireFlags(bytes.getUint16(8, true), () => fault('is encrypted or has an unknown flag.', 8))
  const method = requireMethod(bytes.getUint16(10, true), () => fault('is neither stored nor deflated.', 10))
  if (bytes.getUint16(32, true) !== 0) throw fault('has a comment, which is not allowed.', 32)
  const disk = bytes.getUint16(34, true)
  if (disk !== 0) throw fault('is on another disk.', 34)
  // 36 internal and 38 external attributes: of the system that made the zip, and no reader of packages takes them.
  const wide = widened(bytes, place, fault)
  return {name, method, flags, crc: bytes.getUint32(16, true), modified: bytes.getUint32(12, true), ...wide}
}

/** Sizes and offset, from the zip64 field where they are all ones in 32 bits. */
function widened(
  bytes: DataView,
  {zip, title}: Place,
  fault: (why: string, offset: number) => Error,
): Pick<ZipEntry, 'sizeBytes' | 'packedBytes' | 'offset'> {
  const start = CENTRAL_BYTES + bytes.getUint16(28, true)
  const extra = new DataView(bytes.buffer, bytes.byteOffset + start, bytes.getUint16(30, true))
  const [sizeBytes = 0n, packedBytes = 0n, offset = 0n] = widenSizes(
    [bytes.getUint32(24, true), bytes.getUint32(20, true), bytes.getUint32(42, true)],
    extra,
    (why) => fault(why, start),
  )
  // What a deflated entry becomes may be larger than the file.
  if (sizeBytes > BigInt(Number.MAX_SAFE_INTEGER)) throw fault('claims an impossible size.', start)
  const inside = (value: bigint) => requireInside(value, zip, title)
  return {sizeBytes: Number(sizeBytes), packedBytes: inside(packedBytes), offset: inside(offset)}
}

function requireFlags(flags: number, fault: () => Error): number {
  if ((flags & ~ALLOWED_FLAGS) !== 0) throw fault()
  return flags
}

function requireMethod(method: number, fault: () => Error): ZipMethod {
  if (method === STORED || method === DEFLATED) return method
  throw fault()
}

/** Entries lie one behind the other from the first byte on; what overlaps or leaves a hole is refused. */
function endsOf(
  {starts, leasts}: Extents,
  central: CentralPlace,
  title: string,
  entryAt: (index: number) => ListedEntry,
): Float64Array {
  const order = Uint32Array.from(starts, (_start, index) => index)
  const startOf = (index: number) => starts[index] ?? 0
  if (starts.some((start, index) => index > 0 && start < startOf(index - 1)))
    order.sort((left, right) => startOf(left) - startOf(right))
  const ends = new Float64Array(starts.length)
  let expected = 0
  for (const [place, index] of order.entries()) {
    const next = order[place + 1]
    const end = next === undefined ? central.offset : startOf(next)
    if (startOf(index) !== expected || (leasts[index] ?? 0) > end) {
      const {name, offset} = entryAt(index)
      throw zipFault(title, `'${name.slice(0, 300)}' overlaps another entry or leaves a gap.`, offset)
    }
    ends[index] = end
    expected = end
  }
  if (expected !== central.offset) throw zipFault(title, 'Extra data precedes its central directory.', expected)
  return ends
}
