import type {BitOutput} from './bit-output.js'
import {HuffmanCode} from './huffman-code.js'
import {CODE_LENGTH_ORDER, DISTANCES, LITERALS, REPEAT_BITS} from './token-codes.js'

/** Code lengths as a block states them: run-length coded, in a code of their own. Source: RFC 1951, section 3.2.7. */
export class BlockHeader {
  readonly #code = new HuffmanCode(CODE_LENGTH_ORDER.length)
  readonly #counts = new Int32Array(CODE_LENGTH_ORDER.length)
  /** Pairs of symbol and repeat. */
  readonly #runs = new Uint8Array(2 * (LITERALS + DISTANCES))
  #runBytes = 0

  begin(): void {
    this.#counts.fill(0)
    this.#runBytes = 0
  }

  /** A length, or a repeat: 16 to 18 with how often less the fewest. */
  run(symbol: number, repeat: number): void {
    this.#counts[symbol] = (this.#counts[symbol] ?? 0) + 1
    this.#runs[this.#runBytes] = symbol
    this.#runs[this.#runBytes + 1] = repeat
    this.#runBytes += 2
  }

  /** Ends the runs; gives the bits of the header with the three that say which kind of block this is. */
  end(build: (code: HuffmanCode, counts: Int32Array, maxBits: number) => unknown): number {
    build(this.#code, this.#counts, 7)
    return (
      17 +
      3 * this.#symbols() +
      this.#code.measure(this.#counts) +
      (this.#counts[16] ?? 0) * 2 +
      (this.#counts[17] ?? 0) * 3 +
      (this.#counts[18] ?? 0) * 7
    )
  }

  write(
    output: BitOutput,
    {literals, distances, isLast}: {readonly literals: number; readonly distances: number; readonly isLast: boolean},
  ): void {
    const symbols = this.#symbols()
    output.put(isLast ? 0b101 : 0b100, 3)
    output.put(literals - 257, 5)
    output.put(distances - 1, 5)
    output.put(symbols - 4, 4)
    const {bits, lengths} = this.#code
    for (const symbol of CODE_LENGTH_ORDER.slice(0, symbols)) output.put(lengths[symbol] ?? 0, 3)
    for (let at = 0; at < this.#runBytes; at += 2) {
      const symbol = this.#runs[at] ?? 0
      output.put(bits[symbol] ?? 0, lengths[symbol] ?? 0)
      if (symbol >= 16) output.put(this.#runs[at + 1] ?? 0, REPEAT_BITS[symbol - 16] ?? 0)
    }
  }

  #symbols(): number {
    let symbols = CODE_LENGTH_ORDER.length
    while (symbols > 4 && this.#code.lengths[CODE_LENGTH_ORDER[symbols - 1] ?? 0] === 0) symbols -= 1
    return symbols
  }
}

/** How many of an alphabet's symbols a header states. */
export interface StatedCode {
  readonly code: HuffmanCode
  readonly symbols: number
}

/**
 * The runs that Go's compress/flate and its descendants make; they cross from one alphabet into the other. Source: Go's
 * huffman_bit_writer.go, generateCodegen.
 */
export function scanAsGo(header: BlockHeader, literals: StatedCode, distances: StatedCode): void {
  header.begin()
  const total = literals.symbols + distances.symbols
  const lengthAt = (index: number): number =>
    (index < literals.symbols ? literals.code.lengths[index] : distances.code.lengths[index - literals.symbols]) ?? 0
  for (let index = 0; index < total;) {
    const length = lengthAt(index)
    let count = 1
    while (index + count < total && lengthAt(index + count) === length) count += 1
    index += count
    if (length === 0) {
      for (; count >= 11; count -= Math.min(138, count)) header.run(18, Math.min(138, count) - 11)
      if (count >= 3) {
        header.run(17, count - 3)
        count = 0
      }
    } else {
      header.run(length, 0)
      count -= 1
      for (; count >= 3; count -= Math.min(6, count)) header.run(16, Math.min(6, count) - 3)
    }
    for (; count > 0; count--) header.run(length, 0)
  }
}
