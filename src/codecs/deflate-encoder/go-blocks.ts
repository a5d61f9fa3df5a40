import {BitOutput} from './bit-output.js'
import {HuffmanCode, MAX_CODE_BITS, packageMerge} from './huffman-code.js'
import {
  DISTANCE_BASE,
  distanceCode,
  DISTANCES,
  DISTANCE_EXTRA,
  END_OF_BLOCK,
  FIRST_LENGTH,
  LENGTH_BASE,
  LENGTH_CODE,
  LENGTH_EXTRA_BITS,
  LITERALS,
  MATCH,
} from './token-codes.js'

/** The most bytes of a stored block as Go writes them. */
export const MAX_STORED_BYTES = 65535

const CODE_LENGTH_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]
const REPEAT_BITS = [2, 3, 7]

const FIXED_LITERALS = fixedCode(LITERALS + 2, (symbol) => (symbol < 144 ? 8 : symbol < 256 ? 9 : symbol < 280 ? 7 : 8))
const FIXED_DISTANCES = fixedCode(DISTANCES, () => 5)

function fixedCode(symbols: number, lengthOf: (symbol: number) => number): HuffmanCode {
  const code = new HuffmanCode(symbols)
  for (let symbol = 0; symbol < symbols; symbol++) code.lengths[symbol] = lengthOf(symbol)
  code.assign()
  return code
}

/**
 * Writes deflate blocks with the choices of Go's compress/flate, 1.8 to 1.26: which kind of block, which code lengths,
 * how they are run-length coded. Source: layer encodings page, section 2.6; Go's huffman_bit_writer.go.
 */
export class GoBlocks {
  readonly #output: BitOutput
  readonly #literalCounts = new Int32Array(LITERALS)
  readonly #distanceCounts = new Int32Array(DISTANCES)
  readonly #literals = new HuffmanCode(LITERALS)
  readonly #distances = new HuffmanCode(DISTANCES)
  readonly #codeLengths = new HuffmanCode(19)
  readonly #codeLengthCounts = new Int32Array(19)
  /** Run-length coded lengths: pairs of symbol and repeat. */
  readonly #runs = new Uint8Array(2 * (LITERALS + DISTANCES))
  #runBytes = 0
  #literalSymbols = 0
  #distanceSymbols = 0

  constructor(onBytes: (bytes: Uint8Array) => void) {
    this.#output = new BitOutput(onBytes)
  }

  /** A block of levels 2 to 9. `input` is its text, where that is still known: then it may be stored. */
  writeBlock(tokens: Uint32Array, count: number, input: Uint8Array | undefined): void {
    this.#count(tokens, count)
    const storedBits = input === undefined || input.length > MAX_STORED_BYTES ? undefined : (input.length + 5) * 8
    // Go leaves the extra bits out where nothing could be stored: they would be the same on both sides.
    const extraBits = storedBits === undefined ? 0 : this.#extraBits()
    const fixedBits =
      3 + FIXED_LITERALS.measure(this.#literalCounts) + FIXED_DISTANCES.measure(this.#distanceCounts) + extraBits
    const dynamicBits = this.#planDynamic(this.#distances) + extraBits
    const isDynamic = dynamicBits < fixedBits
    if (input !== undefined && storedBits !== undefined && storedBits < (isDynamic ? dynamicBits : fixedBits)) {
      this.writeStored(input)
      return
    }
    if (isDynamic) this.#writeDynamicHeader()
    else this.#output.put(0b010, 3)
    this.#writeTokens(
      tokens,
      count,
      isDynamic ? this.#literals : FIXED_LITERALS,
      isDynamic ? this.#distances : FIXED_DISTANCES,
    )
  }

  /** A block of level 1: never with the fixed code, and stored when little is gained. */
  writeDynamicBlock(tokens: Uint32Array, count: number, input: Uint8Array): void {
    this.#count(tokens, count)
    if (this.#isHardlySmaller(this.#planDynamic(this.#distances), input)) {
      this.writeStored(input)
      return
    }
    this.#writeDynamicHeader()
    this.#writeTokens(tokens, count, this.#literals, this.#distances)
  }

  /** Literals alone. */
  writeHuffmanBlock(input: Uint8Array): void {
    this.#literalCounts.fill(0)
    for (const byte of input) this.#literalCounts[byte] = (this.#literalCounts[byte] ?? 0) + 1
    this.#literalCounts[END_OF_BLOCK] = 1
    this.#distanceCounts.fill(0)
    this.#distanceCounts[0] = 1
    this.#literalSymbols = END_OF_BLOCK + 1
    this.#distanceSymbols = 1
    packageMerge(this.#literals, this.#literalCounts, MAX_CODE_BITS)
    packageMerge(this.#distances, this.#distanceCounts, MAX_CODE_BITS)
    if (this.#isHardlySmaller(this.#planDynamic(this.#distances), input)) {
      this.writeStored(input)
      return
    }
    this.#writeDynamicHeader()
    const {bits, lengths} = this.#literals
    for (const byte of input) this.#output.put(bits[byte] ?? 0, lengths[byte] ?? 0)
    this.#output.put(bits[END_OF_BLOCK] ?? 0, lengths[END_OF_BLOCK] ?? 0)
  }

  writeStored(input: Uint8Array, isLast = false): void {
    this.#output.put(isLast ? 1 : 0, 3)
    this.#output.align()
    this.#output.put(input.length, 16)
    this.#output.put(~input.length & 0xffff, 16)
    this.#output.append(input)
  }

  /** Every stream of Go's ends with an empty stored block, which alone is marked as the last. */
  finish(): void {
    this.writeStored(new Uint8Array(0), true)
    this.#output.finish()
  }

  #isHardlySmaller(bits: number, input: Uint8Array): boolean {
    return input.length <= MAX_STORED_BYTES && (input.length + 5) * 8 < bits + (bits >> 4)
  }

  #count(tokens: Uint32Array, count: number): void {
    const literalCounts = this.#literalCounts.fill(0)
    const distanceCounts = this.#distanceCounts.fill(0)
    literalCounts[END_OF_BLOCK] = 1
    for (let index = 0; index < count; index++) {
      const token = tokens[index] ?? 0
      if (token < MATCH) literalCounts[token] = (literalCounts[token] ?? 0) + 1
      else {
        const symbol = FIRST_LENGTH + (LENGTH_CODE[(token >>> 15) & 0xff] ?? 0)
        literalCounts[symbol] = (literalCounts[symbol] ?? 0) + 1
        const distance = distanceCode(token & 0x7fff)
        distanceCounts[distance] = (distanceCounts[distance] ?? 0) + 1
      }
    }
    this.#literalSymbols = usedSymbols(literalCounts)
    this.#distanceSymbols = usedSymbols(distanceCounts)
    if (this.#distanceSymbols === 0) {
      // A block without matches states one distance all the same, and its bits count.
      distanceCounts[0] = 1
      this.#distanceSymbols = 1
    }
    packageMerge(this.#literals, literalCounts, MAX_CODE_BITS)
    packageMerge(this.#distances, distanceCounts, MAX_CODE_BITS)
  }

  #extraBits(): number {
    let bits = 0
    for (let symbol = FIRST_LENGTH + 8; symbol < this.#literalSymbols; symbol++)
      bits += (this.#literalCounts[symbol] ?? 0) * (LENGTH_EXTRA_BITS[symbol - FIRST_LENGTH] ?? 0)
    for (let symbol = 4; symbol < this.#distanceSymbols; symbol++)
      bits += (this.#distanceCounts[symbol] ?? 0) * (DISTANCE_EXTRA[symbol] ?? 0)
    return bits
  }

  /** Run-length codes the code lengths; gives the bits of the block without extra bits. */
  #planDynamic(distances: HuffmanCode): number {
    const counts = this.#codeLengthCounts.fill(0)
    const total = this.#literalSymbols + this.#distanceSymbols
    const lengthAt = (index: number): number =>
      (index < this.#literalSymbols
        ? this.#literals.lengths[index]
        : distances.lengths[index - this.#literalSymbols]) ?? 0
    this.#runBytes = 0
    for (let index = 0; index < total;) {
      const length = lengthAt(index)
      let count = 1
      while (index + count < total && lengthAt(index + count) === length) count += 1
      index += count
      if (length === 0) {
        for (; count >= 11; count -= Math.min(138, count)) this.#run(18, Math.min(138, count) - 11)
        if (count >= 3) {
          this.#run(17, count - 3)
          count = 0
        }
      } else {
        this.#run(length, 0)
        count -= 1
        for (; count >= 3; count -= Math.min(6, count)) this.#run(16, Math.min(6, count) - 3)
      }
      for (; count > 0; count--) this.#run(length, 0)
    }
    packageMerge(this.#codeLengths, counts, 7)
    return (
      17 +
      3 * this.#codeLengthSymbols() +
      this.#codeLengths.measure(counts) +
      (counts[16] ?? 0) * 2 +
      (counts[17] ?? 0) * 3 +
      (counts[18] ?? 0) * 7 +
      this.#literals.measure(this.#literalCounts) +
      distances.measure(this.#distanceCounts)
    )
  }

  #run(symbol: number, repeat: number): void {
    this.#codeLengthCounts[symbol] = (this.#codeLengthCounts[symbol] ?? 0) + 1
    this.#runs[this.#runBytes] = symbol
    this.#runs[this.#runBytes + 1] = repeat
    this.#runBytes += 2
  }

  #codeLengthSymbols(): number {
    let symbols = 19
    while (symbols > 4 && this.#codeLengthCounts[CODE_LENGTH_ORDER[symbols - 1] ?? 0] === 0) symbols -= 1
    return symbols
  }

  #writeDynamicHeader(): void {
    const symbols = this.#codeLengthSymbols()
    this.#output.put(0b100, 3)
    this.#output.put(this.#literalSymbols - 257, 5)
    this.#output.put(this.#distanceSymbols - 1, 5)
    this.#output.put(symbols - 4, 4)
    const {bits, lengths} = this.#codeLengths
    for (const symbol of CODE_LENGTH_ORDER.slice(0, symbols)) this.#output.put(lengths[symbol] ?? 0, 3)
    for (let at = 0; at < this.#runBytes; at += 2) {
      const symbol = this.#runs[at] ?? 0
      this.#output.put(bits[symbol] ?? 0, lengths[symbol] ?? 0)
      if (symbol >= 16) this.#output.put(this.#runs[at + 1] ?? 0, REPEAT_BITS[symbol - 16] ?? 0)
    }
  }

  #writeTokens(tokens: Uint32Array, count: number, literals: HuffmanCode, distances: HuffmanCode): void {
    const output = this.#output
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
    output.put(literalBits[END_OF_BLOCK] ?? 0, literalLengths[END_OF_BLOCK] ?? 0)
  }
}

function usedSymbols(counts: Int32Array): number {
  let used = counts.length
  while (used > 0 && counts[used - 1] === 0) used -= 1
  return used
}
