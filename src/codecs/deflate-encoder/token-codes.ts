import {HuffmanCode} from './huffman-code.js'

/* How deflate spells lengths and distances. Source: RFC 1951, section 3.2.5. */

export const END_OF_BLOCK = 256
export const LITERALS = 286
export const DISTANCES = 30
/** First symbol of a length. */
export const FIRST_LENGTH = 257

/** Extra bits of each length symbol, from 257 on, and of each distance symbol. */
const LENGTH_EXTRA = Uint8Array.from('0000000011112222333344445555', Number)
export const DISTANCE_EXTRA = Uint8Array.from(
  Array.from({length: DISTANCES}, (_, code) => Math.max(0, (code >> 1) - 1)),
)

export const LENGTH_EXTRA_BITS = Uint8Array.from([...LENGTH_EXTRA, 0])
/** Shortest length of each symbol, less 3; smallest distance of each symbol, less 1. */
export const LENGTH_BASE = basesOf(LENGTH_EXTRA, 255)
export const DISTANCE_BASE = basesOf(DISTANCE_EXTRA)

function basesOf(extra: Uint8Array, last?: number): Uint16Array {
  const bases: number[] = []
  let base = 0
  for (const bits of extra) {
    bases.push(base)
    base += 1 << bits
  }
  return Uint16Array.from(last === undefined ? bases : [...bases, last])
}

/** Length less 3 -> symbol less 257. 258 has a symbol of its own, although the one before could spell it. */
export const LENGTH_CODE = codesOf(LENGTH_BASE, 256)
/** Distance less 1 -> symbol, below 256; above, by its upper bits: see `distanceCode`. */
const DISTANCE_CODE = codesOf(DISTANCE_BASE, 32768)

function codesOf(bases: Uint16Array, size: number): Uint8Array {
  const codes = new Uint8Array(size)
  bases.forEach((base, code) => codes.fill(code, base))
  return codes
}

/** Symbol of a distance less 1. */
export function distanceCode(distance: number): number {
  return DISTANCE_CODE[distance] ?? 0
}

/** A token is a literal byte, or this bit with the length less 3 at bit 15 and the distance less 1 below. */
export const MATCH = 0x40000000

export function matchToken(length: number, distance: number): number {
  return MATCH | ((length - 3) << 15) | (distance - 1)
}

/** In this order a block states the lengths of the codes that its code lengths are written in. */
export const CODE_LENGTH_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]
/** Extra bits of the symbols 16 to 18, which repeat a code length. */
export const REPEAT_BITS = [2, 3, 7]

export const FIXED_LITERALS = fixedCode(LITERALS + 2, (symbol) =>
  symbol < 144 ? 8 : symbol < 256 ? 9 : symbol < 280 ? 7 : 8,
)
export const FIXED_DISTANCES = fixedCode(DISTANCES, () => 5)

function fixedCode(symbols: number, lengthOf: (symbol: number) => number): HuffmanCode {
  const code = new HuffmanCode(symbols)
  for (let symbol = 0; symbol < symbols; symbol++) code.lengths[symbol] = lengthOf(symbol)
  code.assign()
  return code
}
