import type {HiveCells} from './hive-cells.js'
import {corruptAt, hex} from './hive-fault.js'
import {MAX_SEGMENT_BYTES, type HiveValue} from './hive-key.js'
import {decodeName} from './key-node.js'

/** Bytes of a value node before its name. */
export const VALUE_NODE_BYTES = 20
export const ValueFlag = {compressedName: 0x1, tombstone: 0x2} as const
/** Bit of the size: the data stands in the offset's place. */
export const INLINE = 0x80000000
/** First minor version that cuts large values into segments. */
export const BIG_DATA_MINOR = 4

export interface ReadValueOptions {
  /** Where its offset was read. */
  readonly from: number
  /** Of the hive. */
  readonly minorVersion: number
  /** The hive is a delta: its values may be deletions. */
  readonly isLayered: boolean
  /** Called with the name of a value that is marked deleted in an ordinary hive: the mark means nothing there. */
  readonly remark: (name: string) => void
}

/** Gives every cell that a value occupies, for counting who uses what. */
export type CellUse = (offset: number) => void

/**
 * The value at `offset`. Throws `HIVE_CORRUPT`. Data is a view of the hive where it stands in one piece. Source:
 * section 1.6 of the registry hive format page.
 */
export function readValue(cells: HiveCells, offset: number, options: ReadValueOptions): HiveValue {
  const cell = cells.cell(offset, options.from, 'A value', VALUE_NODE_BYTES)
  if (cell.toString('latin1', 0, 2) !== 'vk') throw corruptAt(offset, `Expected a value at ${hex(offset)}.`) // 0  "vk"
  const nameBytes = cell.readUInt16LE(2) //  2  name length, bytes
  const type = cell.readUInt32LE(12) //     12  type
  const flags = cell.readUInt16LE(16) //    16  flags
  //                                        18  spare
  if (VALUE_NODE_BYTES + nameBytes > cell.byteLength) {
    throw corruptAt(offset, `The name of a value has ${nameBytes} bytes, but its cell only ${cell.byteLength}.`)
  }
  const stored = cell.subarray(VALUE_NODE_BYTES, VALUE_NODE_BYTES + nameBytes)
  const name = decodeName(stored, (flags & ValueFlag.compressedName) !== 0, offset)
  const isMarked = (flags & ValueFlag.tombstone) !== 0
  if (isMarked && !options.isLayered) options.remark(name)
  const isTombstone = isMarked && options.isLayered
  const data = readData(cells, cell, offset, options.minorVersion)
  if (isTombstone && data.byteLength > 0) throw corruptAt(offset, 'A deleted value has data.')
  return {name, type, data, isTombstone}
}

function readData(cells: HiveCells, cell: Buffer, offset: number, minorVersion: number): Uint8Array {
  const stated = cell.readUInt32LE(4) //      4  data size, bytes; high bit: inline
  const dataOffset = cell.readUInt32LE(8) //  8  data offset, or the data
  const size = stated % INLINE
  if (stated >= INLINE) {
    if (size > 4) throw corruptAt(offset, `A value stores ${size} bytes in place; the limit is 4.`)
    return cell.subarray(8, 8 + size)
  }
  if (size === 0) return new Uint8Array()
  const data = cells.cell(dataOffset, offset, 'The data of a value')
  const isBig = size > MAX_SEGMENT_BYTES && minorVersion >= BIG_DATA_MINOR && data.toString('latin1', 0, 2) === 'db'
  if (isBig) return readSegments(cells, data, dataOffset, size)
  if (data.byteLength < size)
    throw corruptAt(dataOffset, `A value has ${size} bytes, but its cell only ${data.byteLength}.`)
  return data.subarray(0, size)
}

/** The segments of a big value: how many, and where each is. */
function* segmentsOf(cells: HiveCells, head: Buffer, headOffset: number, size: number): Generator<[number, number]> {
  const count = head.readUInt16LE(2) //       2  segments
  const listOffset = head.readUInt32LE(4) //  4  list of segments
  if (count !== Math.ceil(size / MAX_SEGMENT_BYTES)) {
    throw corruptAt(headOffset, `${size} bytes do not fill ${count} segments of ${MAX_SEGMENT_BYTES}.`)
  }
  const list = cells.cell(listOffset, headOffset, 'A list of segments', count * 4)
  for (let index = 0; index < count; index++) {
    yield [list.readUInt32LE(index * 4), Math.min(MAX_SEGMENT_BYTES, size - index * MAX_SEGMENT_BYTES)]
  }
}

function readSegments(cells: HiveCells, head: Buffer, headOffset: number, size: number): Uint8Array {
  // Before room is made for it: no segment serves twice, so that a value cannot be larger than its hive.
  if (size > cells.dataBytes) throw corruptAt(headOffset, `A value of ${size} bytes is larger than its hive.`)
  const pieces: Buffer[] = []
  for (const [offset, length] of segmentsOf(cells, head, headOffset, size)) {
    pieces.push(cells.cell(offset, headOffset, 'A segment of a value', length).subarray(0, length))
  }
  return Buffer.concat(pieces)
}

/** Tells all cells of the value at `offset`, which the key at `owner` lists. Throws `HIVE_CORRUPT`. */
export function useValueCells(
  cells: HiveCells,
  {offset, owner, minorVersion}: {readonly offset: number; readonly owner: number; readonly minorVersion: number},
  use: CellUse,
): void {
  use(offset)
  const cell = cells.cell(offset, owner, 'A value', VALUE_NODE_BYTES)
  const size = cell.readUInt32LE(4)
  if (size === 0 || size >= INLINE) return
  const dataOffset = cell.readUInt32LE(8)
  use(dataOffset)
  const data = cells.cell(dataOffset, offset, 'The data of a value')
  if (size <= MAX_SEGMENT_BYTES || minorVersion < BIG_DATA_MINOR || data.toString('latin1', 0, 2) !== 'db') return
  use(data.readUInt32LE(4))
  for (const [segment] of segmentsOf(cells, data, dataOffset, size)) use(segment)
}
