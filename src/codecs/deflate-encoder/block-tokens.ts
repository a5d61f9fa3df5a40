import type {BitOutput} from './bit-output.js'
import type {HuffmanCode} from './huffman-code.js'
import {
  DISTANCE_BASE,
  DISTANCE_EXTRA,
  DISTANCES,
  distanceCode,
  END_OF_BLOCK,
  FIRST_LENGTH,
  LENGTH_BASE,
  LENGTH_CODE,
  LENGTH_EXTRA_BITS,
  LITERALS,
  MATCH,
} from './token-codes.js'

/** How often a block uses each symbol. */
export class TokenCounts {
  readonly literals = new Int32Array(LITERALS)
  readonly distances = new Int32Array(DISTANCES)

  /** Counts the tokens of a block and its end. */
  count(tokens: Uint32Array, count: number): void {
    const literals = this.literals.fill(0)
    const distances = this.distances.fill(0)
    literals[END_OF_BLOCK] = 1
    for (let index = 0; index < count; index++) {
      const token = tokens[index] ?? 0
      if (token < MATCH) literals[token] = (literals[token] ?? 0) + 1
      else {
        const symbol = FIRST_LENGTH + (LENGTH_CODE[(token >>> 15) & 0xff] ?? 0)
        literals[symbol] = (literals[symbol] ?? 0) + 1
        const distance = distanceCode(token & 0x7fff)
        distances[distance] = (distances[distance] ?? 0) + 1
      }
    }
  }

  /** Bits that follow the codes of lengths and distances. */
  extraBits(): number {
    let bits = 0
    for (let symbol = FIRST_LENGTH + 8; symbol < LITERALS; symbol++)
      bits += (this.literals[symbol] ?? 0) * (LENGTH_EXTRA_BITS[symbol - FIRST_LENGTH] ?? 0)
    for (let symbol = 4; symbol < DISTANCES; symbol++)
      bits += (this.distances[symbol] ?? 0) * (DISTANCE_EXTRA[symbol] ?? 0)
    return bits
  }
}

/** Writes the tokens of a block and, by default, its end. */
export function writeTokens(
  output: BitOutput,
  tokens: Uint32Array,
  count: number,
  {literals, distances}: {readonly literals: HuffmanCode; readonly distances: HuffmanCode},
  ends = true,
): void {
  const {bits: literalBits, lengths: literalLengths} = literals
  const {bits: distanceBits, lengths: distanceLengths} = distances
  for (let index = 0; index < count; index++) {
    const token = tokens[index] ?? 0
    if (token < MATCH) {
      output.put(literalBits[token] ?? 0, literalLengths[token] ?? 0)
      continue
    }
    const length = (token >>> 15) & 0xff
    const lengthSymbol = LENGTH_CODE[length] ?? 0
    output.put(literalBits[FIRST_LENGTH + lengthSymbol] ?? 0, literalLengths[FIRST_LENGTH + lengthSymbol] ?? 0)
    const lengthExtra = LENGTH_EXTRA_BITS[lengthSymbol] ?? 0
    if (lengthExtra > 0) output.put(length - (LENGTH_BASE[lengthSymbol] ?? 0), lengthExtra)
    const distance = token & 0x7fff
    const distanceSymbol = distanceCode(distance)
    output.put(distanceBits[distanceSymbol] ?? 0, distanceLengths[distanceSymbol] ?? 0)
    const distanceExtra = DISTANCE_EXTRA[distanceSymbol] ?? 0
    if (distanceExtra > 0) output.put(distance - (DISTANCE_BASE[distanceSymbol] ?? 0), distanceExtra)
  }
  if (ends) output.put(literalBits[END_OF_BLOCK] ?? 0, literalLengths[END_OF_BLOCK] ?? 0)
}
