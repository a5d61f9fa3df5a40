import {wimFault} from './wim-fault.js'

/** Longest code of any of the formats, bits. */
const MAX_BITS = 16

/**
 * Decoding tables of a canonical Huffman code: shorter codes first, then by symbol. A code of at most `tableBits` is
 * one look-up, of which `table` gives `symbol << 5 | length`; longer ones go by the limits of their lengths.
 */
export class HuffmanCode {
  readonly tableBits: number
  /** By the next `tableBits` bits; 0 = a longer code. */
  readonly table: Uint32Array
  /** By length: the first code of the next length, shifted to 16 bits. */
  readonly limits = new Uint32Array(MAX_BITS + 2)
  /** By length: what to add to a code to get its place in `symbols`. */
  readonly bases = new Int32Array(MAX_BITS + 2)
  /** In the order of their codes. */
  readonly symbols: Uint16Array
  readonly #counts = new Uint16Array(MAX_BITS + 2)
  readonly #next = new Uint16Array(MAX_BITS + 2)

  constructor(symbolCount: number, tableBits: number) {
    this.tableBits = tableBits
    this.table = new Uint32Array(1 << tableBits)
    this.symbols = new Uint16Array(symbolCount)
  }

  /**
   * Sets the lengths of the codes, 0 = the symbol has none. Throws `ARCHIVE_CORRUPT` for lengths that are no complete
   * code. No code at all is legal as long as none is read: then every look-up gives 0 and `find` throws.
   */
  assign(lengths: Uint8Array): void {
    const counts = this.#counts.fill(0)
    for (let symbol = 0; symbol < this.symbols.length; symbol++) {
      const length = lengths[symbol] ?? 0
      counts[length] = (counts[length] ?? 0) + 1
    }
    const used = this.symbols.length - (counts[0] ?? 0)
    counts[0] = 0
    let code = 0
    let place = 0
    for (let length = 1; length <= MAX_BITS; length++) {
      this.#next[length] = place
      this.bases[length] = place - code
      code += counts[length] ?? 0
      place += counts[length] ?? 0
      if (code > 1 << length) throw wimFault('A Huffman code has too many short codes.')
      this.limits[length] = code << (MAX_BITS - length)
      code <<= 1
    }
    if (used > 0 && this.limits[MAX_BITS] !== 1 << MAX_BITS) throw wimFault('A Huffman code is not complete.')
    for (let symbol = 0; symbol < this.symbols.length; symbol++) {
      const length = lengths[symbol] ?? 0
      if (length === 0) continue
      const place = this.#next[length] ?? 0
      this.symbols[place] = symbol
      this.#next[length] = place + 1
    }
    this.#fillTable(counts)
  }

  #fillTable(counts: Uint16Array): void {
    let at = 0
    let place = 0
    for (let length = 1; length <= this.tableBits; length++) {
      const span = 1 << (this.tableBits - length)
      for (let left = counts[length] ?? 0; left > 0; left--) {
        this.table.fill(((this.symbols[place++] ?? 0) << 5) | length, at, at + span)
        at += span
      }
    }
    this.table.fill(0, at)
  }

  /** `symbol << 5 | length` of the code that the next 16 bits begin with. Throws `ARCHIVE_CORRUPT` when there is none. */
  find(bits: number): number {
    for (let length = this.tableBits + 1; length <= MAX_BITS; length++) {
      if (bits < (this.limits[length] ?? 0)) {
        const place = (bits >>> (MAX_BITS - length)) + (this.bases[length] ?? 0)
        return ((this.symbols[place] ?? 0) << 5) | length
      }
    }
    throw wimFault('A symbol is read by a code that has none.')
  }
}
