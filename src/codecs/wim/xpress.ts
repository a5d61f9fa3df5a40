import {HuffmanCode} from './huffman.js'
import {wimFault} from './wim-fault.js'

const SYMBOLS = 512
const LENGTH_BYTES = 256
const TABLE_BITS = 11
const LEAST_MATCH = 3

/**
 * Unpacks chunks of XPRESS (the LZ77 and Huffman form). Keeps its tables from chunk to chunk, not its state.
 * Source: wimlib src/xpress_decompress.c; MS-XCA 2.2.
 */
export class XpressDecoder {
  readonly #code = new HuffmanCode(SYMBOLS, TABLE_BITS)
  readonly #lengths = new Uint8Array(SYMBOLS)

  /** Fills `output` from a packed chunk. Throws `ARCHIVE_CORRUPT`. Bits past the end of the chunk read as zeros. */
  decode(input: Uint8Array, output: Uint8Array): void {
    if (input.length < LENGTH_BYTES) throw wimFault(`An XPRESS chunk has ${input.length} bytes.`)
    for (let at = 0; at < LENGTH_BYTES; at++) {
      const pair = input[at] ?? 0
      this.#lengths[2 * at] = pair & 15
      this.#lengths[2 * at + 1] = pair >>> 4
    }
    this.#code.assign(this.#lengths)
    this.#decodeItems(input, output)
  }

  #decodeItems(input: Uint8Array, output: Uint8Array): void {
    const code = this.#code
    const {table} = code
    const end = output.length
    let at = LENGTH_BYTES
    // The lower `count` of `bits` are loaded, always 16 to 31 of them: this fixes where raw bytes lie between the units.
    let bits = 0
    let count = 0
    let to = 0
    while (to < end) {
      if (count < 16) {
        bits = (bits << 16) | (at + 1 < input.length ? (input[at] ?? 0) | ((input[at + 1] ?? 0) << 8) : 0)
        at += 2
        count += 16
      }
      let item = table[(bits >>> (count - TABLE_BITS)) & ((1 << TABLE_BITS) - 1)] ?? 0
      if (item === 0) item = code.find((bits >>> (count - 16)) & 0xffff)
      count -= item & 31
      const symbol = item >>> 5
      if (symbol < 256) {
        output[to++] = symbol
        continue
      }
      if (count < 16) {
        bits = (bits << 16) | (at + 1 < input.length ? (input[at] ?? 0) | ((input[at + 1] ?? 0) << 8) : 0)
        at += 2
        count += 16
      }
      const offsetBits = (symbol >>> 4) & 15
      count -= offsetBits
      const offset = (1 << offsetBits) | ((bits >>> count) & ((1 << offsetBits) - 1))
      let length = symbol & 15
      if (length === 15) {
        if (at >= input.length) throw wimFault('An XPRESS chunk ends within a match.')
        const more = input[at++] ?? 0
        length += more
        if (more === 255) {
          if (at + 1 >= input.length) throw wimFault('An XPRESS chunk ends within a match.')
          length = (input[at] ?? 0) | ((input[at + 1] ?? 0) << 8)
          at += 2
        }
      }
      length += LEAST_MATCH
      if (offset > to) throw wimFault('A match in an XPRESS chunk starts before the chunk.')
      if (length > end - to) throw wimFault('A match in an XPRESS chunk runs past its end.')
      for (let from = to - offset; length > 0; length--) output[to++] = output[from++] ?? 0
    }
  }
}
