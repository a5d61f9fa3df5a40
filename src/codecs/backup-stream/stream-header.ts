import {InputError} from '../../model/errors.js'

/** Ids of backup streams. Source: winbase.h BACKUP_*; 11 is from MS-BKUP 2.2. */
export const StreamId = {
  data: 1,
  extendedAttributes: 2,
  security: 3,
  alternateData: 4,
  link: 5,
  propertyData: 6,
  objectId: 7,
  reparseData: 8,
  sparseBlock: 9,
  txfsData: 10,
  ghostedExtents: 11,
} as const

const STREAM_NAMES: ReadonlyMap<number, string> = new Map([
  [1, 'DATA'],
  [2, 'EA_DATA'],
  [3, 'SECURITY_DATA'],
  [4, 'ALTERNATE_DATA'],
  [5, 'LINK'],
  [6, 'PROPERTY_DATA'],
  [7, 'OBJECT_ID'],
  [8, 'REPARSE_DATA'],
  [9, 'SPARSE_BLOCK'],
  [10, 'TXFS_DATA'],
  [11, 'GHOSTED_FILE_EXTENTS'],
])

/** `SECURITY_DATA` …, or `stream 42` for an id that is not known. */
export function streamIdName(id: number): string {
  return STREAM_NAMES.get(id) ?? `stream ${id}`
}

/** STREAM_* attribute bits. Source: winnt.h. */
export const StreamAttribute = {
  modifiedWhenRead: 1,
  /** Set by Windows on every SECURITY_DATA stream; Microsoft's tar importer writes 0. */
  containsSecurity: 2,
  containsProperties: 4,
  sparse: 8,
} as const

/** Bytes of WIN32_STREAM_ID before the name. */
export const STREAM_HEADER_BYTES = 20
/** Bytes in front of the payload of a SPARSE_BLOCK that its size counts. */
export const BLOCK_OFFSET_BYTES = 8
/** A name holds 255 units, two colons and a type; anything far above is damage, and is refused before it is read. */
const MAX_NAME_BYTES = 4096

/** Header before each stream of a backup stream. */
export interface StreamHeader {
  readonly id: number
  readonly attributes: number
  /** Payload as stated: bytes, the offset of a sparse block included. */
  readonly sizeBytes: number
  /** UTF-16LE name, bytes. */
  readonly nameBytes: number
}

/** A carrier is not what its own headers say. `offset` counts from the start of the carrier. */
export function carrierCorrupt(why: string, offset: number): InputError {
  return new InputError('CARRIER_CORRUPT', {
    what: 'The carrier is damaged.',
    why,
    suggestions: ['Copy or export the layer again; the file was cut off or changed.'],
    at: {offset},
  })
}

/**
 * Decodes a stream header of 20 bytes, little-endian. Throws `CARRIER_CORRUPT` for a negative or absurd size and for a
 * name of an odd or absurd length; `offset` is where the header lies. Source: WIN32_STREAM_ID, winbase.h; MS-BKUP 2.2.
 */
export function decodeStreamHeader(bytes: Uint8Array, offset: number): StreamHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, STREAM_HEADER_BYTES)
  const high = view.getInt32(12, true)
  const header: StreamHeader = {
    id: view.getUint32(0, true), //          0  dwStreamId
    attributes: view.getUint32(4, true), //  4  dwStreamAttributes
    sizeBytes: high * 0x1_0000_0000 + view.getUint32(8, true), // 8  Size: signed, 64 bit, bytes
    nameBytes: view.getUint32(16, true), // 16  dwStreamNameSize: UTF-16LE name, bytes
  }
  if (high < 0 || header.sizeBytes > Number.MAX_SAFE_INTEGER)
    throw carrierCorrupt(`A ${streamIdName(header.id)} stream claims a size of ${header.sizeBytes} bytes.`, offset + 8)
  if (header.nameBytes % 2 !== 0 || header.nameBytes > MAX_NAME_BYTES)
    throw carrierCorrupt(
      `A ${streamIdName(header.id)} stream claims a name of ${header.nameBytes} bytes; expected an even number up to ${MAX_NAME_BYTES}.`,
      offset + 16,
    )
  return header
}

/** Writes a header, and the name behind it, into `into` at `at`; gives the position after them. */
export function putStreamHeader(
  into: Buffer,
  at: number,
  header: {readonly id: number; readonly attributes: number; readonly sizeBytes: number; readonly name?: Uint8Array},
): number {
  into.writeUInt32LE(header.id, at) //                                            0  dwStreamId
  into.writeUInt32LE(header.attributes, at + 4) //                                4  dwStreamAttributes
  into.writeUInt32LE(header.sizeBytes % 0x1_0000_0000, at + 8) //                 8  Size, low half
  into.writeUInt32LE(Math.floor(header.sizeBytes / 0x1_0000_0000), at + 12) //   12  Size, high half
  into.writeUInt32LE(header.name?.byteLength ?? 0, at + 16) //                   16  dwStreamNameSize
  if (header.name !== undefined) into.set(header.name, at + STREAM_HEADER_BYTES)
  return at + STREAM_HEADER_BYTES + (header.name?.byteLength ?? 0)
}

/** Writes the header of a sparse block and its file offset; gives the position of the payload. */
export function putSparseBlockHeader(
  into: Buffer,
  at: number,
  block: {readonly offset: number; readonly length: number; readonly attributes: number},
): number {
  const end = putStreamHeader(into, at, {
    id: StreamId.sparseBlock,
    attributes: block.attributes,
    sizeBytes: block.length + BLOCK_OFFSET_BYTES,
  })
  into.writeUInt32LE(block.offset % 0x1_0000_0000, end)
  into.writeUInt32LE(Math.floor(block.offset / 0x1_0000_0000), end + 4)
  return end + BLOCK_OFFSET_BYTES
}
