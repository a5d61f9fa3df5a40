import {BASE_BLOCK_BYTES, corruptAt, hex} from './hive-fault.js'
import type {HiveSource} from './hive-source.js'

/** No cell. */
export const NIL = 0xffffffff

const BIN_HEADER_BYTES = 32

/**
 * The cells of a hive: which offsets an allocated cell starts at, and what is in it. Making one walks all bins, so that
 * afterwards no offset can point into the middle of a cell. Costs a bit for every 8 bytes of hive.
 */
export class HiveCells {
  readonly source: HiveSource
  readonly dataBytes: number
  readonly #starts: Uint8Array

  /** Throws `HIVE_CORRUPT` when the bins do not tile the data or the cells do not tile their bin. */
  constructor(source: HiveSource, dataBytes: number) {
    this.source = source
    this.dataBytes = dataBytes
    if (dataBytes === 0 || dataBytes % 4096 !== 0) {
      throw corruptAt(-BASE_BLOCK_BYTES + 40, `The length of its data, ${dataBytes}, is not a multiple of 4096.`)
    }
    if (BASE_BLOCK_BYTES + dataBytes > source.size) {
      throw corruptAt(
        source.size - BASE_BLOCK_BYTES,
        `The file has ${source.size} bytes, its head promises ${BASE_BLOCK_BYTES + dataBytes}.`,
      )
    }
    this.#starts = new Uint8Array(Math.ceil(dataBytes / 64))
    for (let offset = 0; offset < dataBytes;) offset = this.#walkBin(offset)
  }

  #read(offset: number, length: number): Buffer {
    const bytes = this.source.read(BASE_BLOCK_BYTES + offset, length)
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  /** Gives the offset of the next bin. Source: section 1.2. */
  #walkBin(start: number): number {
    const header = this.#read(start, BIN_HEADER_BYTES)
    const signature = header.toString('latin1', 0, 4) //  0  "hbin"
    const own = header.readUInt32LE(4) //                 4  own offset
    const size = header.readUInt32LE(8) //                8  size, bytes
    if (signature !== 'hbin') throw corruptAt(start, `Expected 'hbin', found ${JSON.stringify(signature)}.`)
    if (own !== start) throw corruptAt(start + 4, `A bin at ${hex(start)} says that it is at ${hex(own)}.`)
    if (size === 0 || size % 4096 !== 0 || size > this.dataBytes - start) {
      throw corruptAt(start + 8, `A bin is ${size} bytes long, ${this.dataBytes - start} are left.`)
    }
    const end = start + size
    for (let offset = start + BIN_HEADER_BYTES; offset < end;) {
      const stated = this.#read(offset, 4).readInt32LE(0)
      const length = Math.abs(stated)
      if (length < 8 || length % 8 !== 0 || length > end - offset) {
        throw corruptAt(offset, `A cell is ${length} bytes long, ${end - offset} are left in its bin.`)
      }
      if (stated < 0) this.#starts[offset >>> 6] = (this.#starts[offset >>> 6] ?? 0) | (1 << ((offset >>> 3) & 7))
      offset += length
    }
    return end
  }

  /** True when an allocated cell starts there. */
  has(offset: number): boolean {
    if (offset % 8 !== 0 || offset >= this.dataBytes) return false
    return ((this.#starts[offset >>> 6] ?? 0) & (1 << ((offset >>> 3) & 7))) !== 0
  }

  /**
   * What is in the allocated cell at `offset`, slack included. Throws `HIVE_CORRUPT` at `from`, where the offset was
   * read, when there is none, or when it holds fewer than `atLeast` bytes.
   */
  cell(offset: number, from: number, what: string, atLeast = 0): Buffer {
    if (!this.has(offset)) throw corruptAt(from, `${what} should be at ${hex(offset)}, where no cell in use starts.`)
    const length = -this.#read(offset, 4).readInt32LE(0) - 4
    if (length < atLeast) {
      throw corruptAt(offset, `${what} needs ${atLeast} bytes, its cell has ${length}.`)
    }
    return this.#read(offset + 4, length)
  }
}
