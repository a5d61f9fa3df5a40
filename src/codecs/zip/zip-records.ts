/*
 * The records of a zip as AppX packages have them. Source: PKWARE APPNOTE 6.3, sections 4.3 and 4.5; inbox package page,
 * section 2.1, for which fields hold what.
 */

export const STORED = 0
export const DEFLATED = 8
export type ZipMethod = typeof STORED | typeof DEFLATED

export const LOCAL_BYTES = 30
export const CENTRAL_BYTES = 46
export const DESCRIPTOR_BYTES = 24
export const END_BYTES = 22
export const LOCATOR_BYTES = 20
export const END64_BYTES = 56

export const SIGNATURES = {
  local: 0x04034b50,
  central: 0x02014b50,
  descriptor: 0x08074b50,
  end: 0x06054b50,
  locator: 0x07064b50,
  end64: 0x06064b50,
}

/** Sizes and CRC follow the data; in the local header they are 0. */
export const FLAG_DESCRIPTOR = 0x0008
/** 1980-01-01, the zero of DOS dates: packages of one content are the same bytes whenever they are made. */
export const NO_DATE = 0x0021
export const NO_TIME = 0
const VERSION_ZIP64 = 45
const VERSION_PLAIN = 20
const MAX_UINT32 = 0xffffffff

/** What the headers of an entry say. */
export interface ZipEntry {
  /** As stored: percent-encoded. */
  readonly name: string
  readonly method: ZipMethod
  readonly flags: number
  readonly crc: number
  /** Bytes as stored. */
  readonly packedBytes: number
  /** Bytes when unpacked. */
  readonly sizeBytes: number
  /** Of the local header, from the start of the file. */
  readonly offset: number
  /** DOS date in the upper and time in the lower 16 bits. */
  readonly modified?: number
}

function writeUint64(bytes: Buffer, value: number, at: number): void {
  bytes.writeBigUInt64LE(BigInt(value), at)
}

/** Local header. Of an entry with a descriptor it is known before the data. */
export function encodeLocalHeader(entry: Omit<ZipEntry, 'offset'>): Buffer {
  const isStreamed = (entry.flags & FLAG_DESCRIPTOR) !== 0
  const bytes = Buffer.alloc(LOCAL_BYTES + entry.name.length)
  bytes.writeUInt32LE(SIGNATURES.local, 0)
  bytes.writeUInt16LE(isStreamed ? VERSION_ZIP64 : VERSION_PLAIN, 4) // version needed
  bytes.writeUInt16LE(entry.flags, 6)
  bytes.writeUInt16LE(entry.method, 8)
  bytes.writeUInt16LE(NO_TIME, 10)
  bytes.writeUInt16LE(NO_DATE, 12)
  bytes.writeUInt32LE(isStreamed ? 0 : entry.crc, 14)
  bytes.writeUInt32LE(isStreamed ? 0 : entry.packedBytes, 18)
  bytes.writeUInt32LE(isStreamed ? 0 : entry.sizeBytes, 22)
  bytes.writeUInt16LE(entry.name.length, 26)
  bytes.writeUInt16LE(0, 28) // no extra field
  bytes.write(entry.name, LOCAL_BYTES, 'latin1')
  return bytes
}

/** Descriptor behind the data, always with 64-bit sizes. */
export function encodeDescriptor({crc, packedBytes, sizeBytes}: ZipEntry): Buffer {
  const bytes = Buffer.alloc(DESCRIPTOR_BYTES)
  bytes.writeUInt32LE(SIGNATURES.descriptor, 0)
  bytes.writeUInt32LE(crc, 4)
  writeUint64(bytes, packedBytes, 8)
  writeUint64(bytes, sizeBytes, 16)
  return bytes
}

/** Entry of the central directory; a zip64 field only for what 32 bits cannot hold. */
export function encodeCentralEntry(entry: ZipEntry): Buffer {
  const {packedBytes, sizeBytes, offset} = entry
  const wide = [sizeBytes, packedBytes, offset].filter((value) => value >= MAX_UINT32)
  const extra = wide.length === 0 ? 0 : 4 + 8 * wide.length
  const isStreamed = (entry.flags & FLAG_DESCRIPTOR) !== 0
  const bytes = Buffer.alloc(CENTRAL_BYTES + entry.name.length + extra)
  bytes.writeUInt32LE(SIGNATURES.central, 0)
  bytes.writeUInt16LE(VERSION_ZIP64, 4) // made by
  bytes.writeUInt16LE(isStreamed ? VERSION_ZIP64 : VERSION_PLAIN, 6) // needed
  bytes.writeUInt16LE(entry.flags, 8)
  bytes.writeUInt16LE(entry.method, 10)
  bytes.writeUInt16LE(NO_TIME, 12)
  bytes.writeUInt16LE(NO_DATE, 14)
  bytes.writeUInt32LE(entry.crc, 16)
  bytes.writeUInt32LE(Math.min(packedBytes, MAX_UINT32), 20)
  bytes.writeUInt32LE(Math.min(sizeBytes, MAX_UINT32), 24)
  bytes.writeUInt16LE(entry.name.length, 28)
  bytes.writeUInt16LE(extra, 30)
  // 32 comment length, 34 disk, 36 internal attributes, 38 external attributes: all 0
  bytes.writeUInt32LE(Math.min(offset, MAX_UINT32), 42)
  bytes.write(entry.name, CENTRAL_BYTES, 'latin1')
  if (wide.length > 0) {
    const at = CENTRAL_BYTES + entry.name.length
    bytes.writeUInt16LE(1, at) // zip64 extended information
    bytes.writeUInt16LE(8 * wide.length, at + 2)
    for (const [index, value] of wide.entries()) writeUint64(bytes, value, at + 4 + 8 * index)
  }
  return bytes
}

export interface CentralPlace {
  readonly entries: number
  /** Of the central directory, from the start of the file, bytes. */
  readonly offset: number
  readonly sizeBytes: number
}

/** Everything behind the central directory: zip64 end record, its locator, and the classic end record that points there. */
export function encodeEnd({entries, offset, sizeBytes}: CentralPlace): Buffer {
  const bytes = Buffer.alloc(END64_BYTES + LOCATOR_BYTES + END_BYTES)
  bytes.writeUInt32LE(SIGNATURES.end64, 0)
  writeUint64(bytes, END64_BYTES - 12, 4) // size of what follows
  bytes.writeUInt16LE(VERSION_ZIP64, 12) // made by
  bytes.writeUInt16LE(VERSION_ZIP64, 14) // needed
  // 16 this disk, 20 disk of the central directory: 0
  writeUint64(bytes, entries, 24) // on this disk
  writeUint64(bytes, entries, 32)
  writeUint64(bytes, sizeBytes, 40)
  writeUint64(bytes, offset, 48)
  bytes.writeUInt32LE(SIGNATURES.locator, 56)
  // 60 disk of the zip64 end record: 0
  writeUint64(bytes, offset + sizeBytes, 64)
  bytes.writeUInt32LE(1, 72) // disks
  bytes.writeUInt32LE(SIGNATURES.end, 76)
  // 80 this disk, 82 disk of the central directory: 0
  bytes.writeUInt16LE(0xffff, 84)
  bytes.writeUInt16LE(0xffff, 86)
  bytes.writeUInt32LE(MAX_UINT32, 88)
  bytes.writeUInt32LE(MAX_UINT32, 92)
  // 96 comment length: 0
  return bytes
}
