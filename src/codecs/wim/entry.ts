import type {FileTime} from '../../model/windows-metadata.js'
import {FileAttribute} from '../../model/windows-metadata.js'
import {decodeTaggedItems, type TaggedItem} from './tagged-items.js'
import {wimFault} from './wim-fault.js'

/** A stream of an entry; `hash` is the SHA-1 of its content, hex, '' = it is empty. */
export interface WimStream {
  readonly name: string
  readonly hash: string
}

/** A file or folder in the metadata of an image. */
export interface WimEntry {
  /** UTF-16 as stored, '' for the root. */
  readonly name: string
  readonly shortName: string
  /** FILE_ATTRIBUTE_* bits. */
  readonly attributes: number
  /** Number of the security descriptor; -1 = none. */
  readonly securityId: number
  /** Where the list of children starts in the metadata, bytes; 0 = there is none. */
  readonly childrenAt: number
  readonly creation: FileTime
  readonly lastAccess: FileTime
  readonly lastWrite: FileTime
  /** Entries of one image with the same number are one file; 0n = it has one name. */
  readonly linkGroup: bigint
  readonly reparse?: WimReparse
  /** SHA-1 of the unnamed data, hex; '' = it is empty, undefined = there is none. */
  readonly data?: string
  /** Alternate data streams. */
  readonly streams: readonly WimStream[]
  readonly items: readonly TaggedItem[]
  /** Encrypted by the file system: the data are what ReadEncryptedFileRaw gave. */
  readonly isEncrypted: boolean
}

export interface WimReparse {
  readonly tag: number
  /** Field `Reserved` of the head. */
  readonly reserved: number
  /** Its target is as it was on the captured disk. */
  readonly isNotFixed: boolean
  /** SHA-1 of the data behind the head, hex; '' = there are none. */
  readonly hash: string
}

const FIXED_BYTES = 0x66
const STREAM_FIXED_BYTES = 38
const ENCRYPTED = 0x4000
const NOT_FIXED = 0x1
const NO_HASH = '0'.repeat(40)

/** An entry, and where the next one of its list starts. */
export interface DecodedEntry {
  readonly entry: WimEntry
  readonly next: number
}

/**
 * Decodes the entry at an offset of the metadata; undefined at the end of a list. Throws `ARCHIVE_CORRUPT`.
 * Source: wimlib src/dentry.c, struct wim_dentry_on_disk.
 */
export function decodeEntry(bytes: Buffer, at: number): DecodedEntry | undefined {
  if (at + 8 > bytes.byteLength) throw wimFault('A list of entries runs past the end of the metadata.', at)
  const stated = bytes.readBigUInt64LE(at)
  if (stated <= 8n) return undefined
  if (stated < BigInt(FIXED_BYTES) || stated > BigInt(bytes.byteLength - at))
    throw wimFault(`An entry of the metadata claims to have ${stated} bytes.`, at)
  const end = Math.min(at + Math.ceil(Number(stated) / 8) * 8, bytes.byteLength)
  const attributes = bytes.readUInt32LE(at + 0x08) //       0x08  FILE_ATTRIBUTE_*
  const isReparse = (attributes & FileAttribute.reparsePoint) !== 0
  //                                                        0x18  16 bytes, not used
  const mainHash = hashAt(bytes, at + 0x40) //              0x40  SHA-1
  //                                                        0x54  u32, unknown
  const streamCount = bytes.readUInt16LE(at + 0x60) //      0x60
  const shortBytes = bytes.readUInt16LE(at + 0x62) //       0x62  without NUL, bytes
  const nameBytes = bytes.readUInt16LE(at + 0x64) //        0x64  without NUL, bytes
  const nameAt = at + FIXED_BYTES
  const shortAt = nameAt + (nameBytes === 0 ? 0 : nameBytes + 2)
  const namesEnd = shortAt + (shortBytes === 0 ? 0 : shortBytes + 2)
  if (nameBytes % 2 !== 0 || shortBytes % 2 !== 0 || namesEnd > end)
    throw wimFault('The name of an entry runs past its end.', at)
  const itemsAt = Math.min(at + Math.ceil((namesEnd - at) / 8) * 8, end)
  const {streams, next} = decodeStreams(bytes, end, streamCount)
  const isEncrypted = (attributes & ENCRYPTED) !== 0
  const kinds = streamKinds(mainHash, streams, {
    isReparse,
    isEncrypted,
    isDirectory: (attributes & FileAttribute.directory) !== 0,
  })
  const entry = {
    name: bytes.toString('utf16le', nameAt, nameAt + nameBytes),
    shortName: bytes.toString('utf16le', shortAt, shortAt + shortBytes),
    attributes,
    securityId: bytes.readInt32LE(at + 0x0c), //            0x0C
    childrenAt: childrenAt(bytes, at), //                   0x10
    creation: bytes.readBigInt64LE(at + 0x28), //           0x28  FILETIME
    lastAccess: bytes.readBigInt64LE(at + 0x30), //         0x30  FILETIME
    lastWrite: bytes.readBigInt64LE(at + 0x38), //          0x38  FILETIME
    linkGroup: isReparse ? 0n : bytes.readBigUInt64LE(at + 0x58), // 0x58, unless it is a reparse point
    ...(isReparse && kinds.reparse !== undefined
      ? {
          reparse: {
            tag: bytes.readUInt32LE(at + 0x58), //          0x58
            reserved: bytes.readUInt16LE(at + 0x5c), //     0x5C
            isNotFixed: (bytes.readUInt16LE(at + 0x5e) & NOT_FIXED) !== 0, // 0x5E
            hash: kinds.reparse,
          },
        }
      : {}),
    ...(kinds.data === undefined ? {} : {data: kinds.data}),
    streams: streams.filter((stream) => stream.name !== ''),
    items: decodeTaggedItems(bytes.subarray(itemsAt, end)),
    isEncrypted,
  }
  return {entry, next}
}

function childrenAt(bytes: Buffer, at: number): number {
  const offset = bytes.readBigUInt64LE(at + 0x10)
  if (offset < BigInt(bytes.byteLength)) return Number(offset)
  throw wimFault(`A folder's list of entries starts at ${offset}, the metadata end at ${bytes.byteLength}.`, at)
}

function hashAt(bytes: Buffer, at: number): string {
  const hash = bytes.toString('hex', at, at + 20)
  return hash === NO_HASH ? '' : hash
}

function decodeStreams(bytes: Buffer, from: number, count: number): {streams: WimStream[]; next: number} {
  const streams: WimStream[] = []
  let at = from
  for (let index = 0; index < count; index++) {
    if (at + STREAM_FIXED_BYTES > bytes.byteLength)
      throw wimFault('A stream entry runs past the end of the metadata.', at)
    const stated = bytes.readBigUInt64LE(at) //        0  bytes
    //                                                 8  8 bytes, not used
    const hash = hashAt(bytes, at + 16) //            16  SHA-1
    const nameBytes = bytes.readUInt16LE(at + 36) //  36  without NUL, bytes
    const nameAt = at + STREAM_FIXED_BYTES
    const isShort = stated < BigInt(STREAM_FIXED_BYTES + nameBytes) || stated > BigInt(bytes.byteLength - at)
    if (nameBytes % 2 !== 0 || isShort) throw wimFault(`A stream entry claims to have ${stated} bytes.`, at)
    streams.push({name: bytes.toString('utf16le', nameAt, nameAt + nameBytes), hash})
    at = Math.min(at + Math.ceil(Number(stated) / 8) * 8, bytes.byteLength)
  }
  return {streams, next: at}
}

/**
 * Which hash is what is nowhere stated: reparse data come before unnamed data, named streams lie anywhere between, and
 * the main hash counts unless it is empty and an unnamed stream is there. Source: wimlib src/dentry.c, assign_stream_types.
 */
function streamKinds(
  mainHash: string,
  streams: readonly WimStream[],
  is: {readonly isReparse: boolean; readonly isEncrypted: boolean; readonly isDirectory: boolean},
): {reparse?: string; data?: string} {
  const unnamed = streams.filter((stream) => stream.name === '').map((stream) => stream.hash)
  const candidates = mainHash === '' && unnamed.length > 0 ? unnamed : [mainHash, ...unnamed]
  if (is.isEncrypted) {
    const raw = candidates.find((hash) => hash !== '')
    return is.isDirectory || raw === undefined ? {} : {data: raw}
  }
  const [first = '', second] = candidates
  if (!is.isReparse) return is.isDirectory ? {} : {data: first}
  return {reparse: first, ...(is.isDirectory ? {} : {data: second ?? ''})}
}
