import {BitOutput} from './bit-output.js'
import {BlockHeader, scanAsGo} from './block-header.js'
import {TokenCounts, writeTokens} from './block-tokens.js'
import {HuffmanCode, MAX_CODE_BITS, packageMerge} from './huffman-code.js'
import {DISTANCES, END_OF_BLOCK, FIXED_DISTANCES, FIXED_LITERALS, LITERALS} from './token-codes.js'

/** The most bytes of a stored block as Go writes them. */
export const MAX_STORED_BYTES = 65535

/**
 * Writes deflate blocks with the choices of Go's compress/flate, 1.8 to 1.26: which kind of block, which code lengths,
 * how they are run-length coded. Source: layer encodings page, section 2.6; Go's huffman_bit_writer.go.
 */
export class GoBlocks {
  readonly #output: BitOutput
  readonly #counts = new TokenCounts()
  readonly #literals = new HuffmanCode(LITERALS)
  readonly #distances = new HuffmanCode(DISTANCES)
  readonly #header = new BlockHeader()
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
    const extraBits = storedBits === undefined ? 0 : this.#counts.extraBits()
    const fixedBits =
      3 + FIXED_LITERALS.measure(this.#counts.literals) + FIXED_DISTANCES.measure(this.#counts.distances) + extraBits
    const dynamicBits = this.#planDynamic() + extraBits
    const isDynamic = dynamicBits < fixedBits
    if (input !== undefined && storedBits !== undefined && storedBits < (isDynamic ? dynamicBits : fixedBits)) {
      this.writeStored(input)
      return
    }
    if (isDynamic) this.#writeDynamicHeader()
    else this.#output.put(0b010, 3)
    writeTokens(this.#output, tokens, count, {
      literals: isDynamic ? this.#literals : FIXED_LITERALS,
      distances: isDynamic ? this.#distances : FIXED_DISTANCES,
    })
  }

  /** A block of level 1: never with the fixed code, and stored when little is gained. */
  writeDynamicBlock(tokens: Uint32Array, count: number, input: Uint8Array): void {
    this.#count(tokens, count)
    if (this.#isHardlySmaller(this.#planDynamic(), input)) {
      this.writeStored(input)
      return
    }
    this.#writeDynamicHeader()
    writeTokens(this.#output, tokens, count, {literals: this.#literals, distances: this.#distances})
  }

  /** Literals alone. */
  writeHuffmanBlock(input: Uint8Array): void {
    this.#counts.literals.fill(0)
    for (const byte of input) this.#counts.literals[byte] = (this.#counts.literals[byte] ?? 0) + 1
    this.#counts.literals[END_OF_BLOCK] = 1
    this.#counts.distances.fill(0)
    this.#counts.distances[0] = 1
    this.#literalSymbols = END_OF_BLOCK + 1
    this.#distanceSymbols = 1
    packageMerge(this.#literals, this.#counts.literals, MAX_CODE_BITS)
    packageMerge(this.#distances, this.#counts.distances, MAX_CODE_BITS)
    if (this.#isHardlySmaller(this.#planDynamic(), input)) {
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
    this.#counts.count(tokens, count)
    const {literals: literalCounts, distances: distanceCounts} = this.#counts
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

  /** Plans the header; gives the bits of the block without extra bits. */
  #planDynamic(): number {
    scanAsGo(
      this.#header,
      {code: this.#literals, symbols: this.#literalSymbols},
      {code: this.#distances, symbols: this.#distanceSymbols},
    )
    return (
      this.#header.end(packageMerge) +
      this.#literals.measure(this.#counts.literals) +
      this.#distances.measure(this.#counts.distances)
    )
  }

  #writeDynamicHeader(): void {
    this.#header.write(this.#output, {
      literals: this.#literalSymbols,
      distances: this.#distanceSymbols,
      isLast: false,
    })
  }
}

function usedSymbols(counts: Int32Array): number {
  let used = counts.length
  while (used > 0 && counts[used - 1] === 0) used -= 1
  return used
}
