import {BitOutput} from './bit-output.js'
import {BlockHeader} from './block-header.js'
import {TokenCounts, writeTokens} from './block-tokens.js'
import {HuffmanCode, MAX_CODE_BITS} from './huffman-code.js'
import {DISTANCES, FIXED_DISTANCES, FIXED_LITERALS, LITERALS} from './token-codes.js'
import {buildTree} from './zlib-trees.js'

/** What a block covers. */
export interface BlockText {
  readonly sizeBytes: number
  /** The text, where all of it is still in the window: then the block may be stored. */
  readonly bytes: Uint8Array | undefined
}

/**
 * Writes deflate blocks with the choices of zlib and GNU gzip, the same in all releases in use. Source: zlib trees.c,
 * _tr_flush_block and what it calls.
 */
export class ZlibBlocks {
  readonly output: BitOutput
  readonly #counts = new TokenCounts()
  readonly #literals = new HuffmanCode(LITERALS)
  readonly #distances = new HuffmanCode(DISTANCES)
  readonly #header = new BlockHeader()

  constructor(onBytes: (bytes: Uint8Array) => void) {
    this.output = new BitOutput(onBytes)
  }

  writeBlock(tokens: Uint32Array, count: number, text: BlockText, isLast: boolean): void {
    this.#counts.count(tokens, count)
    const {literals: literalCounts, distances: distanceCounts} = this.#counts
    const literalSymbols = buildTree(this.#literals, literalCounts, MAX_CODE_BITS) + 1
    const distanceSymbols = buildTree(this.#distances, distanceCounts, MAX_CODE_BITS) + 1
    const extraBits = this.#counts.extraBits()
    this.#header.begin()
    this.#scan(this.#literals.lengths, literalSymbols)
    this.#scan(this.#distances.lengths, distanceSymbols)
    const dynamicBytes = bytesOf(
      this.#header.end(buildTree) +
        this.#literals.measure(literalCounts) +
        this.#distances.measure(distanceCounts) +
        extraBits,
    )
    const fixedBytes = bytesOf(
      3 + FIXED_LITERALS.measure(literalCounts) + FIXED_DISTANCES.measure(distanceCounts) + extraBits,
    )
    if (text.bytes !== undefined && text.sizeBytes + 4 <= Math.min(dynamicBytes, fixedBytes)) {
      this.writeStored(text.bytes, isLast)
      return
    }
    if (fixedBytes <= dynamicBytes) {
      this.output.put(isLast ? 0b011 : 0b010, 3)
      writeTokens(this.output, tokens, count, {literals: FIXED_LITERALS, distances: FIXED_DISTANCES})
    } else {
      this.#header.write(this.output, {literals: literalSymbols, distances: distanceSymbols, isLast})
      writeTokens(this.output, tokens, count, {literals: this.#literals, distances: this.#distances})
    }
    if (isLast) this.output.align()
  }

  writeStored(bytes: Uint8Array, isLast = false): void {
    this.output.put(isLast ? 1 : 0, 3)
    this.output.align()
    this.output.put(bytes.length, 16)
    this.output.put(~bytes.length & 0xffff, 16)
    this.output.append(bytes)
  }

  /** An empty block of fixed codes, 10 bits: what pads to a byte without the four bytes of a stored one. */
  writeEmptyFixed(): void {
    this.output.put(0b010, 10)
  }

  /** The runs of one alphabet; none crosses into the other. */
  #scan(lengths: Uint8Array, symbols: number): void {
    let previous = -1
    let count = 0
    let most = lengths[0] === 0 ? 138 : 7
    let least = lengths[0] === 0 ? 3 : 4
    for (let symbol = 0; symbol < symbols; symbol++) {
      const length = lengths[symbol] ?? 0
      const next = symbol + 1 < symbols ? (lengths[symbol + 1] ?? 0) : -1
      count += 1
      if (count < most && length === next) continue
      if (count < least) for (; count > 0; count--) this.#header.run(length, 0)
      else if (length !== 0) {
        if (length !== previous) {
          this.#header.run(length, 0)
          count -= 1
        }
        this.#header.run(16, count - 3)
      } else if (count <= 10) this.#header.run(17, count - 3)
      else this.#header.run(18, count - 11)
      count = 0
      previous = length
      most = next === 0 ? 138 : length === next ? 6 : 7
      least = next === 0 || length === next ? 3 : 4
    }
  }
}

/** Whole bytes of a block. */
function bytesOf(bits: number): number {
  return (bits + 7) >>> 3
}
