import type {CellWriter} from './cell-writer.js'
import {NIL} from './hive-cells.js'
import {MAX_SEGMENT_BYTES, type HiveValue} from './hive-key.js'
import {isCompressible} from './key-node.js'
import {BIG_DATA_MINOR, INLINE, VALUE_NODE_BYTES, ValueFlag} from './value-cells.js'

/** Writes a value and its data, and gives the offset of its node. Source: section 5.1 of the registry hive format page. */
export function putValue(writer: CellWriter, value: HiveValue, minorVersion: number): number {
  const {name, data} = value
  const isInline = data.byteLength <= 4 && !value.isTombstone
  const dataOffset = isInline || value.isTombstone ? NIL : putData(writer, data, minorVersion)
  const isCompressed = name !== '' && isCompressible(name)
  const storedName = Buffer.from(name, isCompressed ? 'latin1' : 'utf16le')
  const offset = writer.allocate(VALUE_NODE_BYTES + storedName.byteLength)
  const cell = writer.at(offset)
  cell.write('vk', 0, 'latin1') //                                            0  signature
  cell.writeUInt16LE(storedName.byteLength, 2) //                             2  name length, bytes
  cell.writeUInt32LE(isInline ? INLINE + data.byteLength : data.byteLength, 4) // 4  data size; high bit: inline
  if (isInline)
    cell.set(data, 8) //                                          8  data offset, or the data
  else cell.writeUInt32LE(dataOffset, 8)
  cell.writeUInt32LE(value.type, 12) //                                      12  type
  const flags = (isCompressed ? ValueFlag.compressedName : 0) | (value.isTombstone ? ValueFlag.tombstone : 0)
  cell.writeUInt16LE(flags, 16) //                                           16  flags
  storedName.copy(cell, VALUE_NODE_BYTES) //                                 20  name
  return offset
}

function putData(writer: CellWriter, data: Uint8Array, minorVersion: number): number {
  if (data.byteLength <= MAX_SEGMENT_BYTES) return writer.put(data)
  if (minorVersion < BIG_DATA_MINOR) return writer.put(data, wholeCellBytes(data.byteLength))
  const segments: number[] = []
  for (let start = 0; start < data.byteLength; start += MAX_SEGMENT_BYTES) {
    // The last segment gets a full cell too: hivex and reglookup take its length from the cell.
    segments.push(writer.put(data.subarray(start, start + MAX_SEGMENT_BYTES), MAX_SEGMENT_BYTES + 4))
  }
  const list = writer.allocate(segments.length * 4)
  for (const [index, segment] of segments.entries()) writer.at(list).writeUInt32LE(segment, index * 4)
  const offset = writer.allocate(12)
  const head = writer.at(offset)
  head.write('db', 0, 'latin1') //         0  signature
  head.writeUInt16LE(segments.length, 2) // 2  segments
  head.writeUInt32LE(list, 4) //           4  list of segments
  return offset
}

/** Windows rounds cells above 16 KiB up to a power of two. */
function wholeCellBytes(length: number): number {
  let cell = 0x8000
  while (cell < length + 4) cell *= 2
  return cell - 4
}
