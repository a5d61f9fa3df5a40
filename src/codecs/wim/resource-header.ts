import {wimFault} from './wim-fault.js'

/** Where a resource lies in its file and how it is stored. */
export interface ResourceHeader {
  /** Bytes in the file, the chunk table included. Of a blob in a solid run: the bytes of the blob. */
  readonly size: number
  /** RESHDR_FLAG_* bits: see `ResourceFlag`. */
  readonly flags: number
  /** Bytes from the start of the file. Of a blob in a solid run: from the start of the run's unpacked bytes. */
  readonly offset: number
  /** Unpacked bytes. */
  readonly originalSize: number
}

/** RESHDR_FLAG_* bits. Source: wimlib resource.h. */
export const ResourceFlag = {
  free: 0x01,
  metadata: 0x02,
  compressed: 0x04,
  solid: 0x10,
} as const

export const RESOURCE_HEADER_BYTES = 24

/** Decodes 24 bytes. Throws `ARCHIVE_CORRUPT` for a size beyond 2^53-1. Source: wimlib resource.h, wim_reshdr_disk. */
export function decodeResourceHeader(bytes: Buffer, at: number): ResourceHeader {
  return {
    size: bytes.readUIntLE(at, 6) + checkedHigh(bytes.readUInt8(at + 6), at) * 2 ** 48, // 0  u56, bytes
    flags: bytes.readUInt8(at + 7), //                                                     7
    offset: safe(bytes.readBigUInt64LE(at + 8), 'offset', at), //                          8  bytes
    originalSize: safe(bytes.readBigUInt64LE(at + 16), 'original size', at), //           16  bytes
  }
}

/** A size of 2^53 or more is beyond every disk. */
function checkedHigh(high: number, at: number): number {
  if (high < 0x20) return high
  throw wimFault('The size of a resource is beyond 2^53.', at)
}

function safe(value: bigint, what: string, at: number): number {
  if (value <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(value)
  throw wimFault(`The ${what} of a resource is ${value}.`, at)
}

/** A resource that does not lie wholly in a file of `fileSize` bytes is damage, or a part of the file is missing. */
export function requireInside(header: ResourceHeader, title: string, fileSize: number): void {
  if (header.offset + header.size <= fileSize) return
  throw wimFault(
    `${title} ends at ${header.offset + header.size}, the file at ${fileSize}.`,
    header.offset,
    header.offset < fileSize ? 'ARCHIVE_TRUNCATED' : 'ARCHIVE_CORRUPT',
  )
}
