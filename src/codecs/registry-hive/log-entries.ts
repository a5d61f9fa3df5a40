import {findBaseBlock, type BaseBlock} from './base-block.js'
import {marvin32} from './marvin32.js'

/** Bytes that a log entry, or the head of an old log, is a multiple of. */
export const SECTOR_BYTES = 512
const ENTRY_HEAD_BYTES = 40

/** Bytes of the hive as they should be. */
export interface LoggedPage {
  /** In the hive-bins data. */
  readonly offset: number
  readonly bytes: Uint8Array
}

/** One write of the hive that may not have reached it. */
export interface LogEntry {
  readonly sequence: number
  /** Bytes of hive-bins data after it. */
  readonly dataBytes: number
  readonly flags: number
  readonly pages: readonly LoggedPage[]
}

/** A log whose head is right. */
export interface HiveLog {
  readonly header: BaseBlock
  readonly bytes: Buffer
}

/** A log; undefined when the file is none, or its head is damaged: such a log is of no use to Windows either. */
export function findLog(bytes: Uint8Array): HiveLog | undefined {
  const header = findBaseBlock(bytes)
  return header === undefined
    ? undefined
    : {header, bytes: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)}
}

/** What a log of Windows 8.1 and later holds. */
export interface LoggedWrites {
  readonly entries: readonly LogEntry[]
  /** The next write is there, and damaged: not just left from earlier use. */
  readonly isCutShort: boolean
}

/**
 * The entries of a log of Windows 8.1 and later, as far as they are whole and follow each other: what comes after is left
 * from earlier use. Source: section 2.2 of the registry hive format page.
 */
export function readEntries({header, bytes}: HiveLog): LoggedWrites {
  const entries: LogEntry[] = []
  for (let offset = SECTOR_BYTES; offset + ENTRY_HEAD_BYTES <= bytes.byteLength;) {
    const next = (header.primarySequence + entries.length) >>> 0
    const size = bytes.readUInt32LE(offset + 4)
    const isPossible = size >= ENTRY_HEAD_BYTES && size % SECTOR_BYTES === 0 && offset + size <= bytes.byteLength
    const entry = isPossible ? findEntry(bytes.subarray(offset, offset + size)) : undefined
    if (entry?.sequence !== next) return {entries, isCutShort: isNamed(bytes, offset, next)}
    entries.push(entry)
    offset += size
  }
  return {entries, isCutShort: false}
}

/** True when an entry of this sequence begins there, whole or not. */
function isNamed(bytes: Buffer, offset: number, sequence: number): boolean {
  return bytes.toString('latin1', offset, offset + 4) === 'HvLE' && bytes.readUInt32LE(offset + 12) === sequence
}

function findEntry(entry: Buffer): LogEntry | undefined {
  if (entry.toString('latin1', 0, 4) !== 'HvLE') return undefined //  0  "HvLE"
  //                                                                  4  size, bytes
  const flags = entry.readUInt32LE(8) //                              8  flags of the hive
  const sequence = entry.readUInt32LE(12) //                         12  sequence
  const dataBytes = entry.readUInt32LE(16) //                        16  hive-bins data size, bytes
  const count = entry.readUInt32LE(20) //                            20  pages
  const pagesHash = entry.readBigUInt64LE(24) //                     24  hash of what follows the head
  const headHash = entry.readBigUInt64LE(32) //                      32  hash of the head before it
  if (dataBytes % 4096 !== 0 || marvin32(entry.subarray(0, 32)) !== headHash) return undefined
  if (marvin32(entry.subarray(ENTRY_HEAD_BYTES)) !== pagesHash) return undefined
  const pages: LoggedPage[] = []
  let position = ENTRY_HEAD_BYTES + count * 8
  if (position > entry.byteLength) return undefined
  for (let index = 0; index < count; index++) {
    const offset = entry.readUInt32LE(ENTRY_HEAD_BYTES + index * 8) //    page's offset in the hive-bins data
    const size = entry.readUInt32LE(ENTRY_HEAD_BYTES + 4 + index * 8) //  and its size, bytes
    if (position + size > entry.byteLength || offset + size > dataBytes) return undefined
    pages.push({offset, bytes: entry.subarray(position, position + size)})
    position += size
  }
  return {sequence, dataBytes, flags, pages}
}

/**
 * The pages of a log up to Windows 8: its head is that of the hive as it should be. Undefined when it is cut or has no
 * bitmap of pages. Source: section 2.1 of the registry hive format page.
 */
export function findOldPages({header, bytes}: HiveLog): readonly LoggedPage[] | undefined {
  // Bins are whole pages of 4096 bytes; of another size, the last bit would stand for bytes outside the hive.
  if (header.dataBytes % (SECTOR_BYTES * 8) !== 0) return undefined
  const start = Math.max(1, header.clusteringFactor) * SECTOR_BYTES
  const bitmapBytes = header.dataBytes / (SECTOR_BYTES * 8)
  const bitmap = start + 4
  if (bitmap + bitmapBytes > bytes.byteLength || bytes.toString('latin1', start, bitmap) !== 'DIRT') return undefined
  const pages: LoggedPage[] = []
  let position = Math.ceil((bitmap + bitmapBytes) / SECTOR_BYTES) * SECTOR_BYTES
  for (let page = 0; page < header.dataBytes / SECTOR_BYTES; page++) {
    if ((bytes.readUInt8(bitmap + (page >>> 3)) & (1 << (page & 7))) === 0) continue
    if (position + SECTOR_BYTES > bytes.byteLength) return undefined
    pages.push({offset: page * SECTOR_BYTES, bytes: bytes.subarray(position, position + SECTOR_BYTES)})
    position += SECTOR_BYTES
  }
  return pages
}
