import {endianness} from 'node:os'
import {HuffmanCode} from './huffman.js'
import {wimFault} from './wim-fault.js'

const VERBATIM = 1
const ALIGNED = 2
const UNCOMPRESSED = 3
const LITERALS = 256
const LENGTH_SYMBOLS = 249
const PRETREE_SYMBOLS = 20
const ALIGNED_SYMBOLS = 8
const LEAST_MATCH = 2
/** From here on a call that copies is faster than a loop. */
const LONG_MATCH = 32
/** Behind the longest chunk, so that reading a little too far reads zeros. */
const SPARE_BYTES = 64
const IS_BIG_ENDIAN = endianness() === 'BE'
const DEFAULT_BLOCK_BYTES = 32768
const MAIN_BITS = 11
const LENGTH_BITS = 10
const PRETREE_BITS = 6
const ALIGNED_BITS = 7

/** Offset slots by the order of the window, from 15 on. Source: wimlib src/lzx_common.c, lzx_get_num_main_syms. */
const SLOTS: readonly number[] = [30, 32, 34, 36, 38, 42, 50]

/** Extra bits of each offset slot, and the offset that it starts at. Source: wimlib src/lzx_common.c. */
const EXTRA_BITS = Uint8Array.from({length: 50}, (_, slot) => (slot < 4 ? 0 : slot < 36 ? (slot >> 1) - 1 : 17))
const SLOT_BASES = new Int32Array(51)
SLOT_BASES[0] = -2
for (let slot = 0; slot < 50; slot++) SLOT_BASES[slot + 1] = (SLOT_BASES[slot] ?? 0) + (1 << (EXTRA_BITS[slot] ?? 0))

/** The file size that calls are translated by, whatever the size of the file. Source: wimlib src/lzx_common.c. */
const CALL_FILE_SIZE = 12_000_000

/**
 * Unpacks chunks of LZX as Windows image files have it: each chunk alone, a window as large as the chunk, calls of x86
 * code translated always. Source: wimlib src/lzx_decompress.c and lzx_common.c; go-winio wim/lzx.
 */
export class LzxDecoder {
  readonly #windowOrder: number
  readonly #mainLengths: Uint8Array
  readonly #lengthLengths = new Uint8Array(LENGTH_SYMBOLS)
  readonly #pretreeLengths = new Uint8Array(PRETREE_SYMBOLS)
  readonly #alignedLengths = new Uint8Array(ALIGNED_SYMBOLS)
  readonly #main: HuffmanCode
  readonly #length = new HuffmanCode(LENGTH_SYMBOLS, LENGTH_BITS)
  readonly #pretree = new HuffmanCode(PRETREE_SYMBOLS, PRETREE_BITS)
  readonly #aligned = new HuffmanCode(ALIGNED_SYMBOLS, ALIGNED_BITS)
  #input: Uint8Array = new Uint8Array(0)
  #output: Uint8Array = new Uint8Array(0)
  /** The input as units of 16 bits, with zeros behind it. */
  readonly #unitBytes: Buffer
  readonly #units: Uint16Array
  #unitCount = 0
  /** The next unit to load. */
  #at = 0
  /** The upper `#count` of 32 are loaded, those below are zeros. */
  #bits = 0
  #count = 0
  #to = 0
  /** The three latest match offsets. */
  #r0 = 1
  #r1 = 1
  #r2 = 1

  /** `chunkSize`: a power of two from 2^15 to 2^21, bytes. */
  constructor(chunkSize: number) {
    this.#windowOrder = Math.log2(chunkSize)
    const slots = SLOTS[this.#windowOrder - 15]
    if (slots === undefined) throw wimFault(`LZX has no window of ${chunkSize} bytes.`)
    this.#mainLengths = new Uint8Array(LITERALS + 8 * slots)
    this.#main = new HuffmanCode(this.#mainLengths.length, MAIN_BITS)
    const bytes = new ArrayBuffer(chunkSize + SPARE_BYTES)
    this.#unitBytes = Buffer.from(bytes)
    this.#units = new Uint16Array(bytes)
  }

  /** Fills `output` from a packed chunk. Throws `ARCHIVE_CORRUPT`. Bits past the end of the chunk read as zeros. */
  decode(input: Uint8Array, output: Uint8Array): void {
    this.#input = input
    this.#output = output
    this.#loadUnits(input)
    this.#at = this.#bits = this.#count = this.#to = 0
    this.#r0 = this.#r1 = this.#r2 = 1
    this.#mainLengths.fill(0)
    this.#lengthLengths.fill(0)
    while (this.#to < output.length) this.#decodeBlock()
    untranslateCalls(output)
  }

  #loadUnits(input: Uint8Array): void {
    const bytes = this.#unitBytes
    const before = this.#unitCount
    // No chunk that fits its window is longer; of a longer one, nothing past the end is read.
    const length = Math.min(input.length, bytes.length)
    bytes.set(input.subarray(0, length))
    this.#unitCount = Math.ceil(length / 2)
    bytes.fill(0, length, Math.max(2 * before, 2 * this.#unitCount))
    if (IS_BIG_ENDIAN) bytes.subarray(0, 2 * this.#unitCount).swap16()
  }

  #decodeBlock(): void {
    const kind = this.#take(3)
    let size = DEFAULT_BLOCK_BYTES
    if (this.#take(1) === 0) {
      size = this.#take(16)
      if (this.#windowOrder >= 16) size = (size << 8) | this.#take(8)
    }
    if (size === 0 || size > this.#output.length - this.#to)
      throw wimFault(`A block of ${size} bytes does not fit into its LZX chunk.`)
    if (kind === UNCOMPRESSED) {
      this.#copyBlock(size)
      return
    }
    if (kind !== VERBATIM && kind !== ALIGNED) throw wimFault(`An LZX block is of the unknown kind ${kind}.`)
    if (kind === ALIGNED) {
      for (let symbol = 0; symbol < ALIGNED_SYMBOLS; symbol++) this.#alignedLengths[symbol] = this.#take(3)
      this.#aligned.assign(this.#alignedLengths)
    }
    this.#readLengths(this.#mainLengths, 0, LITERALS)
    this.#readLengths(this.#mainLengths, LITERALS, this.#mainLengths.length)
    this.#readLengths(this.#lengthLengths, 0, LENGTH_SYMBOLS)
    this.#main.assign(this.#mainLengths)
    this.#length.assign(this.#lengthLengths)
    this.#decodeItems(this.#to + size, kind === ALIGNED)
  }

  /** Bits that are already aligned lose a whole unit: the format wants 1 to 16 bits skipped. */
  #copyBlock(size: number): void {
    if (this.#count === 0) this.#at++
    else if (this.#count > 16) this.#at--
    this.#bits = this.#count = 0
    const input = this.#input
    const at = 2 * this.#at
    if (at + 12 + size > input.length) throw wimFault('An LZX chunk ends within an uncompressed block.')
    const view = new DataView(input.buffer, input.byteOffset + at, 12)
    this.#r0 = view.getUint32(0, true)
    this.#r1 = view.getUint32(4, true)
    this.#r2 = view.getUint32(8, true)
    if (this.#r0 === 0 || this.#r1 === 0 || this.#r2 === 0) throw wimFault('A match offset in an LZX chunk is 0.')
    const from = at + 12
    this.#output.set(input.subarray(from, from + size), this.#to)
    this.#to += size
    this.#at = (from + size + (size & 1)) / 2
  }

  /** Lengths of codes are differences to those of the block before, packed by a code of their own. */
  #readLengths(lengths: Uint8Array, from: number, end: number): void {
    for (let symbol = 0; symbol < PRETREE_SYMBOLS; symbol++) this.#pretreeLengths[symbol] = this.#take(4)
    this.#pretree.assign(this.#pretreeLengths)
    for (let at = from; at < end;) {
      const symbol = this.#symbolOf(this.#pretree)
      let run = 1
      let value = 0
      if (symbol === 17) run = 4 + this.#take(4)
      else if (symbol === 18) run = 20 + this.#take(5)
      else if (symbol === 19) {
        run = 4 + this.#take(1)
        value = lengthAfter(lengths[at] ?? 0, this.#symbolOf(this.#pretree))
      } else value = lengthAfter(lengths[at] ?? 0, symbol)
      if (at + run > end) throw wimFault('A run of code lengths in an LZX chunk is too long.')
      lengths.fill(value, at, at + run)
      at += run
    }
  }

  #fill(): void {
    this.#bits |= (this.#units[this.#at++] ?? 0) << (16 - this.#count)
    this.#count += 16
  }

  /** 1 to 16 bits. */
  #take(count: number): number {
    if (this.#count < count) this.#fill()
    const value = this.#bits >>> (32 - count)
    this.#bits <<= count
    this.#count -= count
    return value
  }

  #symbolOf(code: HuffmanCode): number {
    if (this.#count < 16) this.#fill()
    let item = code.table[this.#bits >>> (32 - code.tableBits)] ?? 0
    if (item === 0) item = code.find(this.#bits >>> 16)
    this.#bits <<= item & 31
    this.#count -= item & 31
    return item >>> 5
  }

  /** The hot loop: its state is in locals meanwhile. */
  #decodeItems(end: number, isAligned: boolean): void {
    const units = this.#units
    const output = this.#output
    const main = this.#main
    const mainTable = main.table
    const lengthCode = this.#length
    const lengthTable = lengthCode.table
    let at = this.#at
    let bits = this.#bits
    let count = this.#count
    let to = this.#to
    let r0 = this.#r0
    let r1 = this.#r1
    let r2 = this.#r2
    while (to < end) {
      if (count < 16) {
        bits |= (units[at++] ?? 0) << (16 - count)
        count += 16
      }
      let item = mainTable[bits >>> (32 - MAIN_BITS)] ?? 0
      if (item === 0) item = main.find(bits >>> 16)
      bits <<= item & 31
      count -= item & 31
      const symbol = item >>> 5
      if (symbol < LITERALS) {
        output[to++] = symbol
        continue
      }
      let length = (symbol & 7) + LEAST_MATCH
      const slot = (symbol - LITERALS) >>> 3
      if (length === 7 + LEAST_MATCH) {
        if (count < 16) {
          bits |= (units[at++] ?? 0) << (16 - count)
          count += 16
        }
        item = lengthTable[bits >>> (32 - LENGTH_BITS)] ?? 0
        if (item === 0) item = lengthCode.find(bits >>> 16)
        bits <<= item & 31
        count -= item & 31
        length += item >>> 5
      }
      let offset = r0
      if (slot > 2) {
        let extra = EXTRA_BITS[slot] ?? 0
        offset = SLOT_BASES[slot] ?? 0
        const takesAligned = isAligned && extra >= 3
        if (takesAligned) extra -= 3
        if (extra > 0) {
          if (count < 16) {
            bits |= (units[at++] ?? 0) << (16 - count)
            count += 16
          }
          let high = 0
          if (extra > 16) {
            high = (bits >>> 31) << 16
            bits <<= 1
            count--
            extra = 16
            if (count < 16) {
              bits |= (units[at++] ?? 0) << (16 - count)
              count += 16
            }
          }
          high |= bits >>> (32 - extra)
          bits <<= extra
          count -= extra
          offset += takesAligned ? high * 8 : high
        }
        if (takesAligned) {
          if (count < 16) {
            bits |= (units[at++] ?? 0) << (16 - count)
            count += 16
          }
          item = this.#aligned.table[bits >>> (32 - ALIGNED_BITS)] ?? 0
          if (item === 0) item = this.#aligned.find(bits >>> 16)
          bits <<= item & 31
          count -= item & 31
          offset += item >>> 5
        }
        r2 = r1
        r1 = r0
        r0 = offset
      } else if (slot === 1) {
        offset = r1
        r1 = r0
        r0 = offset
      } else if (slot === 2) {
        offset = r2
        r2 = r0
        r0 = offset
      }
      if (offset > to) throw wimFault('A match in an LZX chunk starts before the chunk.')
      const stop = to + length
      if (stop > end) throw wimFault('A match in an LZX chunk runs past its block.')
      let from = to - offset
      if (length >= LONG_MATCH && offset >= length) {
        output.copyWithin(to, from, from + length)
        to = stop
      } else while (to < stop) output[to++] = output[from++] ?? 0
    }
    this.#at = at
    this.#bits = bits
    this.#count = count
    this.#to = to
    this.#r0 = r0
    this.#r1 = r1
    this.#r2 = r2
  }
}

function lengthAfter(old: number, symbol: number): number {
  const length = old - symbol
  return length < 0 ? length + 17 : length
}

/** Undoes what the packer did to operands of x86 calls. Source: wimlib src/lzx_common.c, lzx_postprocess. */
function untranslateCalls(bytes: Uint8Array): void {
  const end = bytes.length - 10
  for (let at = bytes.indexOf(0xe8); at >= 0 && at < end; at = bytes.indexOf(0xe8, at + 5)) {
    const target =
      (bytes[at + 1] ?? 0) | ((bytes[at + 2] ?? 0) << 8) | ((bytes[at + 3] ?? 0) << 16) | ((bytes[at + 4] ?? 0) << 24)
    if (target < -at || target >= CALL_FILE_SIZE) continue
    const value = target >= 0 ? target - at : target + CALL_FILE_SIZE
    bytes[at + 1] = value
    bytes[at + 2] = value >> 8
    bytes[at + 3] = value >> 16
    bytes[at + 4] = value >> 24
  }
}
