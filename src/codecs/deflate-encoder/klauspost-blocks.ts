import {BitOutput} from './bit-output.js'
import {BlockHeader, scanAsGo} from './block-header.js'
import {TokenCounts, writeTokens} from './block-tokens.js'
import {HuffmanCode, MAX_CODE_BITS, packageMerge} from './huffman-code.js'
import {
  DISTANCE_EXTRA,
  DISTANCES,
  END_OF_BLOCK,
  FIRST_LENGTH,
  FIXED_DISTANCES,
  FIXED_LITERALS,
  LENGTH_EXTRA_BITS,
  LITERALS,
} from './token-codes.js'

/** With fewer tokens than this, the fixed code is looked at. */
const MAX_FIXED_TOKENS = 250
/** How many bits of literals alone a header takes, by guess. */
const GUESSED_HEADER_BITS = 70 * 8
/** A new table must be better by this part of the block's bits, as a shift. */
const NEW_TABLE_PENALTY = 7
const CANNOT = 0x7fffffff

/** The tokens of a piece of text. */
export interface PieceTokens {
  readonly tokens: Uint32Array
  readonly count: number
}

/**
 * Writes deflate blocks with the choices of klauspost/compress 1.15.10 to 1.18.0: a Huffman table may serve several pieces
 * of text, so that the end of a block is owed until the next one begins. Numbers are rounded to 32 bits after each step,
 * as on amd64. Source: layer encodings page, section 3.2; klauspost/compress flate/huffman_bit_writer.go.
 */
export class KlauspostBlocks {
  readonly #output: BitOutput
  readonly #counts = new TokenCounts()
  readonly #header = new BlockHeader()
  #literals = new HuffmanCode(LITERALS)
  #otherLiterals = new HuffmanCode(LITERALS)
  readonly #distances = new HuffmanCode(DISTANCES)
  readonly #oneDistance = new HuffmanCode(DISTANCES)
  /** Bits of the header of the table that can still be used; 0 = none. Then the end of its block is owed. */
  #openHeaderBits = 0
  #isOpenLiteral = false

  constructor(onBytes: (bytes: Uint8Array) => void) {
    this.#output = new BitOutput(onBytes)
    packageMerge(this.#oneDistance, Int32Array.of(1), MAX_CODE_BITS)
  }

  writeStored(bytes: Uint8Array): void {
    this.#payEnd()
    this.#output.put(0, 3)
    this.#output.align()
    this.#output.put(bytes.length, 16)
    this.#output.put(~bytes.length & 0xffff, 16)
    this.#output.append(bytes)
  }

  /** Ends the stream with an empty block of the fixed code. */
  finish(): void {
    this.#payEnd()
    this.#output.put(0b011, 10)
    this.#output.finish()
  }

  /** Hands on what is gathered; the stream must be aligned. */
  flush(): void {
    this.#output.finish()
  }

  /** `isEnd`: nothing may be owed afterwards. */
  writeTokens(piece: PieceTokens, input: Uint8Array, isEnd: boolean): void {
    if (this.#isOpenLiteral && this.#openHeaderBits > 0) {
      this.#payEnd()
      this.#isOpenLiteral = false
    }
    this.#counts.count(piece.tokens, piece.count)
    const {literals, distances} = this.#counts
    literals[END_OF_BLOCK] = isEnd ? 1 : 0
    const tokens = piece.count + (isEnd ? 1 : 0)
    if (this.#openHeaderBits > 0 && !this.#canReuse()) this.#payEnd()
    const stated = isEnd ? this.#usedSymbols() : {literals: LITERALS, distances: DISTANCES}
    const storedBits = (input.length + 5) * 8
    const extraBits = this.#counts.extraBits()

    if (this.#openHeaderBits > 0) {
      const estimate = this.#openHeaderBits + this.#estimatedBits(tokens)
      const newBits = estimate + (this.#literals.lengths[END_OF_BLOCK] ?? 0) + (estimate >> NEW_TABLE_PENALTY)
      const reusedBits = this.#literals.measure(literals) + this.#distances.measure(distances) + extraBits
      if (newBits < reusedBits) this.#payEnd()
      const bits = Math.min(newBits, reusedBits)
      const fixedBits = tokens < MAX_FIXED_TOKENS ? this.#fixedBits(extraBits) + 7 : CANNOT
      if (storedBits <= bits) {
        this.writeStored(input)
        return
      }
      if (fixedBits < bits) {
        this.#writeFixed(piece)
        return
      }
    }

    if (this.#openHeaderBits === 0) {
      literals[END_OF_BLOCK] = 1
      packageMerge(this.#literals, literals, MAX_CODE_BITS)
      packageMerge(this.#distances, distances, MAX_CODE_BITS)
      scanAsGo(
        this.#header,
        {code: this.#literals, symbols: stated.literals},
        {code: this.#distances, symbols: stated.distances},
      )
      const headerBits = this.#header.end(packageMerge)
      const bits = headerBits + this.#literals.measure(literals) + this.#distances.measure(distances) + extraBits
      if (tokens < MAX_FIXED_TOKENS) {
        const fixedBits = this.#fixedBits(extraBits)
        if (fixedBits <= bits) {
          if (storedBits <= fixedBits) this.writeStored(input)
          else this.#writeFixed(piece)
          return
        }
      }
      if (storedBits <= bits) {
        this.writeStored(input)
        return
      }
      this.#header.write(this.#output, {...stated, isLast: false})
      if (!isEnd) this.#openHeaderBits = headerBits
      this.#isOpenLiteral = false
    }
    if (isEnd) this.#openHeaderBits = 0
    writeTokens(this.#output, piece.tokens, piece.count, {literals: this.#literals, distances: this.#distances}, isEnd)
  }

  /** Literals alone. */
  writeLiterals(input: Uint8Array, isEnd: boolean): void {
    const {literals} = this.#counts
    literals.fill(0)
    for (const byte of input) literals[byte] = (literals[byte] ?? 0) + 1
    const storedBits = (input.length + 5) * 8
    if (input.length > 1024 && isEven(literals, input.length)) {
      this.writeStored(input)
      return
    }
    literals[END_OF_BLOCK] = 1
    packageMerge(this.#otherLiterals, literals, MAX_CODE_BITS)
    let bits = this.#otherLiterals.measure(literals)
    bits += this.#openHeaderBits === 0 ? GUESSED_HEADER_BITS : this.#openHeaderBits
    bits += bits >> NEW_TABLE_PENALTY
    if (storedBits <= bits) {
      this.writeStored(input)
      return
    }
    literals[END_OF_BLOCK] = 0
    if (this.#openHeaderBits > 0 && bits < reuseBits(this.#literals, literals)) this.#payEnd()
    if (this.#openHeaderBits === 0) {
      const swapped = this.#literals
      this.#literals = this.#otherLiterals
      this.#otherLiterals = swapped
      const stated = {literals: END_OF_BLOCK + 1, distances: 1}
      scanAsGo(
        this.#header,
        {code: this.#literals, symbols: stated.literals},
        {code: this.#oneDistance, symbols: stated.distances},
      )
      this.#openHeaderBits = this.#header.end(packageMerge)
      this.#header.write(this.#output, {...stated, isLast: false})
      this.#isOpenLiteral = true
    }
    const {bits: codes, lengths} = this.#literals
    for (const byte of input) this.#output.put(codes[byte] ?? 0, lengths[byte] ?? 0)
    if (!isEnd) return
    this.#payEnd()
    this.#isOpenLiteral = false
  }

  #payEnd(): void {
    if (this.#openHeaderBits === 0) return
    this.#output.put(this.#literals.bits[END_OF_BLOCK] ?? 0, this.#literals.lengths[END_OF_BLOCK] ?? 0)
    this.#openHeaderBits = 0
  }

  #writeFixed({tokens, count}: PieceTokens): void {
    this.#payEnd()
    this.#output.put(0b010, 3)
    writeTokens(this.#output, tokens, count, {literals: FIXED_LITERALS, distances: FIXED_DISTANCES})
  }

  #fixedBits(extraBits: number): number {
    return (
      3 + FIXED_LITERALS.measure(this.#counts.literals) + FIXED_DISTANCES.measure(this.#counts.distances) + extraBits
    )
  }

  #canReuse(): boolean {
    return (
      reuseBits(this.#distances, this.#counts.distances) < CANNOT &&
      reuseBits(this.#literals, this.#counts.literals) < CANNOT
    )
  }

  #usedSymbols(): {readonly literals: number; readonly distances: number} {
    const {literals, distances} = this.#counts
    let usedLiterals = LITERALS
    while (literals[usedLiterals - 1] === 0) usedLiterals -= 1
    let usedDistances = DISTANCES
    while (usedDistances > 0 && distances[usedDistances - 1] === 0) usedDistances -= 1
    if (usedDistances > 0) return {literals: usedLiterals, distances: usedDistances}
    distances[0] = 1
    return {literals: usedLiterals, distances: 1}
  }

  /** The least that an optimal code would take, by Shannon. Source: klauspost/compress flate/token.go, EstimatedBits. */
  #estimatedBits(tokens: number): number {
    const {literals, distances} = this.#counts
    let shannon = 0
    let bits = 0
    let matches = 0
    let part = Math.fround(1 / tokens)
    for (let symbol = 0; symbol < END_OF_BLOCK; symbol++) shannon = plusShannon(shannon, literals[symbol] ?? 0, part)
    shannon = Math.fround(shannon + 15)
    for (let symbol = FIRST_LENGTH; symbol < LITERALS; symbol++) {
      const count = literals[symbol] ?? 0
      if (count === 0) continue
      shannon = plusShannon(shannon, count, part)
      bits += (LENGTH_EXTRA_BITS[symbol - FIRST_LENGTH] ?? 0) * count
      matches += count
    }
    if (matches > 0) {
      part = Math.fround(1 / matches)
      for (let symbol = 0; symbol < DISTANCES; symbol++) {
        const count = distances[symbol] ?? 0
        if (count === 0) continue
        shannon = plusShannon(shannon, count, part)
        bits += (DISTANCE_EXTRA[symbol] ?? 0) * count
      }
    }
    return Math.trunc(shannon) + bits
  }
}

/** The bits with a code, or `CANNOT` where it lacks a symbol. */
function reuseBits(code: HuffmanCode, counts: Int32Array): number {
  let total = 0
  for (let symbol = 0; symbol < code.lengths.length; symbol++) {
    const count = counts[symbol] ?? 0
    if (count === 0) continue
    const length = code.lengths[symbol] ?? 0
    if (length === 0) return CANNOT
    total += count * length
  }
  return total
}

/** True when the bytes are spread so evenly that no code would help. */
function isEven(counts: Int32Array, size: number): boolean {
  const average = size / 256
  const most = size * 2
  let sum = 0
  for (let byte = 0; byte < 256 && sum <= most; byte++) {
    const difference = (counts[byte] ?? 0) - average
    sum += difference * difference
  }
  return sum < most
}

const float = new Float32Array(1)
const integer = new Int32Array(float.buffer)

/** A base-2 logarithm by a parabola, in 32 bits. */
function fastLog2(value: number): number {
  float[0] = value
  const bits = integer[0] ?? 0
  let log = Math.fround(((bits >> 23) & 255) - 128)
  integer[0] = (bits & -0x7f800001) + (127 << 23)
  const mantissa = float[0]
  const slope = Math.fround(Math.fround(Math.fround(-0.34484843) * mantissa) + Math.fround(2.02466578))
  log = Math.fround(log + Math.fround(Math.fround(slope * mantissa) - Math.fround(0.67487759)))
  return log
}

function plusShannon(sum: number, count: number, part: number): number {
  if (count === 0) return sum
  const bits = -fastLog2(Math.fround(count * part))
  return Math.fround(sum + Math.fround((bits < 1 ? 1 : bits > 15 ? 15 : bits) * count))
}
