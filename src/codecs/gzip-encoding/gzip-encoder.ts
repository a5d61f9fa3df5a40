import {
  goDeflate,
  gzipDeflate,
  pgzipDeflate,
  pigzDeflate,
  zlibDeflate,
  type DeflateEncoder,
} from '../deflate-encoder/deflate-encoder.js'

/**
 * Names of the encoders whose bytes can be made again: the family and generation, then the level or size of blocks. They
 * stand in metadata, so each keeps its meaning for ever. Source: layer encodings page, sections 2 to 4.
 */
export type GzipEncoderName = `${'go-1.8' | 'zlib' | 'gzip' | 'pigz'}:${number}` | `pgzip-1.15.10:${number}`

/** Length of a gzip header without optional fields. Source: RFC 1952, section 2.3. */
export const HEADER_BYTES = 10
/** CRC-32 and size. */
export const TRAILER_BYTES = 8

const EVERY_LEVEL = [6, 9, 1, 5, 4, 3, 2, 7, 8]

/** The encoder of a name; undefined for a name that this release does not know. */
export function findEncoder(name: string, onBytes: (bytes: Uint8Array) => void): DeflateEncoder | undefined {
  const match = /^([a-z]+(?:-[0-9.]+)?):(-?\d{1,7})$/.exec(name)
  if (match === null) return undefined
  const number = Number(match[2])
  const hasLevel = number >= 1 && number <= 9
  switch (match[1]) {
    case 'go-1.8':
      return hasLevel || number === 0 || number === -2 ? goDeflate(number, onBytes) : undefined
    case 'zlib':
      return hasLevel ? zlibDeflate(number, onBytes) : undefined
    case 'gzip':
      return hasLevel ? gzipDeflate(number, onBytes) : undefined
    case 'pigz':
      return hasLevel ? pigzDeflate(number, onBytes) : undefined
    case 'pgzip-1.15.10':
      return number > 16384 && number <= 2 ** 22 ? pgzipDeflate(onBytes, number) : undefined
    default:
      return undefined
  }
}

/**
 * Encoders that may have written a stream with this header, the likeliest first. A header is only a hint: which tool wrote
 * it shows in its time, its extra flags and its operating system. Source: layer encodings page, section 1.
 */
export function likelyEncoders(header: Uint8Array): readonly GzipEncoderName[] {
  const levels = levelsOf(header[8] ?? 0)
  const isKlauspost = header[4] === 0x00 && header[5] === 0x09 && header[6] === 0x6e && header[7] === 0x88
  const go = [...levels, ...(header[8] === 0 ? [-2, 0] : [])].map((level): GzipEncoderName => `go-1.8:${level}`)
  const zlib = levels.map((level): GzipEncoderName => `zlib:${level}`)
  if (isKlauspost) return ['pgzip-1.15.10:1048576', 'pgzip-1.15.10:262144', ...go]
  if (header[9] === 0xff) return [...go, ...zlib]
  const others = levels.flatMap((level): GzipEncoderName[] => [`gzip:${level}`, `pigz:${level}`])
  return [...others, ...zlib, ...go]
}

/** Extra flags say "slowest" or "fastest"; some writers set none whatever the level. */
function levelsOf(extraFlags: number): readonly number[] {
  if (extraFlags === 2) return [9]
  if (extraFlags === 4) return [1]
  return EVERY_LEVEL
}
