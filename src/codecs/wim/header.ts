import {InputError} from '../../model/errors.js'
import {decodeResourceHeader, type ResourceHeader} from './resource-header.js'
import {wimFault, wimUnsupported} from './wim-fault.js'

/** How chunks are compressed. */
export type WimCompression = 'none' | 'xpress' | 'lzx' | 'lzms'

export interface WimHeader {
  /** 0x10d00, or 0xe00 where solid resources may occur. */
  readonly version: number
  /** WIM_HDR_FLAG_* bits. */
  readonly flags: number
  readonly compression: WimCompression
  /** Unpacked bytes of a chunk of a compressed resource; 0 = nothing is compressed. */
  readonly chunkSize: number
  /** Hex; the same in all parts of a split set. */
  readonly guid: string
  /** From 1. */
  readonly partNumber: number
  readonly totalParts: number
  readonly imageCount: number
  readonly blobTable: ResourceHeader
  readonly xml: ResourceHeader
  /** A copy of the boot image's entry in the table; of size 0 when there is none. */
  readonly bootMetadata: ResourceHeader
  /** From 1; 0 = none. */
  readonly bootIndex: number
  /** Of size 0 when there is none. */
  readonly integrity: ResourceHeader
  /** wimlib's form for pipes: chunk tables at the end of resources, this header at the end of the file. */
  readonly isPipable: boolean
}

/** WIM_HDR_FLAG_* bits. Source: wimlib header.h. */
export const HeaderFlag = {
  compression: 0x2,
  spanned: 0x8,
  writeInProgress: 0x40,
  /** Absolute links into the captured tree were rewritten to point to a drive that stands for its root. */
  linksFixed: 0x80,
  xpress: 0x20000,
  lzx: 0x40000,
  lzms: 0x80000,
  xpress2: 0x200000,
} as const

export const HEADER_BYTES = 208
const MAGIC = 'MSWIM\0\0\0'
const PIPABLE_MAGIC = 'WLPWM\0\0\0'
const VERSION = 0x10d00
/** Solid resources, LZMS. */
const SOLID_VERSION = 0xe00

/** What wimlib takes, as exponents of two; its bounds are those of the formats. Source: wimlib src/wim.c. */
const CHUNK_EXPONENTS: Readonly<Record<Exclude<WimCompression, 'none'>, readonly [number, number]>> = {
  xpress: [12, 16],
  lzx: [15, 21],
  lzms: [15, 30],
}

/** True for the first 12 bytes of a Windows image file: a tar may begin with a file called MSWIM, but has no number there. */
export function isWim(start: Uint8Array): boolean {
  if (start.byteLength < 12) return false
  const magic = Buffer.from(start.buffer, start.byteOffset, 8).toString('latin1')
  return (magic === MAGIC || magic === PIPABLE_MAGIC) && start.subarray(8, 12).some((byte) => byte !== 0)
}

/** True when the header that counts is the copy at the end of the file. */
export function isPipable(start: Uint8Array): boolean {
  return Buffer.from(start.buffer, start.byteOffset, Math.min(8, start.byteLength)).toString('latin1') === PIPABLE_MAGIC
}

/**
 * Decodes a header of 208 bytes. Throws `UNRECOGNISED_FORMAT`, `ARCHIVE_CORRUPT`, and `FORMAT_UNSUPPORTED` for the
 * versions before Windows Vista. Source: wimlib header.h and src/header.c.
 */
export function decodeHeader(bytes: Buffer): WimHeader {
  if (!isWim(bytes)) {
    throw new InputError('UNRECOGNISED_FORMAT', {
      what: 'The file is not a Windows image file.',
      why: `Expected 'MSWIM' at its start.`,
      suggestions: ['Check the path.'],
    })
  }
  const version = bytes.readUInt32LE(12)
  if (version !== VERSION && version !== SOLID_VERSION) {
    throw wimUnsupported(
      `The file has version 0x${version.toString(16)} of the WIM format.`,
      'Export its images to a new file with DISM /Export-Image, then retry.',
    )
  }
  if (bytes.readUInt32LE(8) !== HEADER_BYTES)
    throw wimFault(`The header claims to have ${bytes.readUInt32LE(8)} bytes.`, 8)
  const flags = bytes.readUInt32LE(16)
  const chunkSize = bytes.readUInt32LE(20)
  const header: WimHeader = {
    //                                                                  0  magic
    //                                                                  8  size of the header
    version, //                                                        12
    flags, //                                                          16
    compression: compressionOf(flags, version), //                     16
    chunkSize, //                                                      20  bytes, unpacked
    guid: bytes.toString('hex', 24, 40), //                            24
    partNumber: bytes.readUInt16LE(40), //                             40
    totalParts: bytes.readUInt16LE(42), //                             42
    imageCount: bytes.readUInt32LE(44), //                             44
    blobTable: decodeResourceHeader(bytes, 48), //                     48
    xml: decodeResourceHeader(bytes, 72), //                           72
    bootMetadata: decodeResourceHeader(bytes, 96), //                  96
    bootIndex: bytes.readUInt32LE(120), //                            120
    integrity: decodeResourceHeader(bytes, 124), //                   124
    isPipable: isPipable(bytes),
    //                                                                148  60 bytes, not used
  }
  requireChunkSize(header.compression, chunkSize)
  if (header.partNumber < 1 || header.partNumber > header.totalParts)
    throw wimFault(`It is part ${header.partNumber} of ${header.totalParts}.`, 40)
  if (header.imageCount > 0xffff) throw wimFault(`It claims ${header.imageCount} images.`, 44)
  return header
}

function compressionOf(flags: number, version: number): WimCompression {
  if ((flags & HeaderFlag.compression) === 0) return 'none'
  if ((flags & HeaderFlag.lzx) !== 0) return 'lzx'
  if ((flags & (HeaderFlag.xpress | HeaderFlag.xpress2)) !== 0) return 'xpress'
  if ((flags & HeaderFlag.lzms) !== 0 && version === SOLID_VERSION) return 'lzms'
  throw wimFault(`The flags 0x${flags.toString(16)} name no compression.`, 16)
}

/** Throws `ARCHIVE_CORRUPT` for a chunk size that the compression cannot have. */
export function requireChunkSize(compression: WimCompression, chunkSize: number): void {
  if (compression === 'none') return
  const [least, most] = CHUNK_EXPONENTS[compression]
  const exponent = Math.log2(chunkSize)
  if (Number.isInteger(exponent) && exponent >= least && exponent <= most) return
  throw wimFault(`Chunks of ${chunkSize} bytes do not occur with ${compression.toUpperCase()}.`, 20)
}
