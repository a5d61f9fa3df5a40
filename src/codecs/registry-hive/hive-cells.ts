import type {InputError} from '../../model/errors.js'
import {BASE_BLOCK_BYTES, corruptAt, hex} from './hive-fault.js'
import type {HiveSource} from './hive-source.js'

/** No cell. */
export const NIL = 0xffffffff

const BIN_HEADER_BYTES = 32
const PAGE_BYTES = 4096

export interface CellsOptions {
  /** The last bin may reach beyond the stated length, as far as the file goes. */
  readonly acceptsLongerBin?: boolean
  /** It was not written to its end: what follows the last whole bin, and the last whole cell of a bin, is left out. */
  readonly isDamaged?: boolean
}

/**
 * The cells of a hive: which offsets an allocated cell starts at, and what is in it. Making one walks all bins, so that
 * afterwards no offset can point into the middle of a cell. Costs a bit for every 8 bytes of hive.
 */
export class HiveCells {
  readonly source: HiveSource
  /** Bytes of hive-bins data up to the end of the last bin. */
  readonly dataBytes: number
  readonly #starts: Uint8Array

  /**
   * Walks bins until `statedBytes` of them have passed. Throws `HIVE_CORRUPT` when the bins do not tile the data or the
   * cells do not tile their bin.
   */
  constructor(source: HiveSource, statedBytes: number, options: CellsOptions = {}) {
    this.source = source
    if (statedBytes === 0 || statedBytes % PAGE_BYTES !== 0) {
      throw corruptAt(-BASE_BLOCK_BYTES + 40, `The length of its data, ${statedBytes}, is not a multiple of 4096.`)
    }
    const fileBytes = source.size - BASE_BLOCK_BYTES
    if (fileBytes < PAGE_BYTES || (statedBytes > fileBytes && options.isDamaged !== true)) {
      throw corruptAt(
        fileBytes,
        `The file has ${source.size} bytes, but its header states ${BASE_BLOCK_BYTES + statedBytes}.`,
      )
    }
    const stated = Math.min(statedBytes, fileBytes)
    const limit = options.acceptsLongerBin === true ? fileBytes : stated
    this.#starts = new Uint8Array(Math.ceil(limit / 64))
    this.dataBytes = this.#walkBins(stated, limit, options.isDamaged === true)
  }

  /** Gives where the last bin ends. */
  #walkBins(stated: number, limit: number, isDamaged: boolean): number {
    let offset = 0
    while (offset < stated) {
      const size = this.#findBin(offset, limit)
      if (typeof size !== 'number') {
        if (!isDamaged || offset === 0) throw size
        break
      }
      const fault = this.#walkCells(offset, offset + size)
      if (fault !== undefined && !isDamaged) throw fault
      offset += size
    }
    return offset
  }

  #read(offset: number, length: number): Buffer {
    const bytes = this.source.read(BASE_BLOCK_BYTES + offset, length)
    return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  /** The size of the bin at `start`, or what is wrong with it. Source: section 1.2. */
  #findBin(start: number, limit: number): number | InputError {
    const left = limit - start
    if (left < BIN_HEADER_BYTES) return corruptAt(start, `A bin is cut off after ${left} bytes.`)
    const header = this.#read(start, BIN_HEADER_BYTES)
    const signature = header.toString('latin1', 0, 4) //  0  "hbin"
    const own = header.readUInt32LE(4) //                 4  own offset
    const size = header.readUInt32LE(8) //                8  size, bytes
    if (signature !== 'hbin') return corruptAt(start, `Expected 'hbin', found ${JSON.stringify(signature)}.`)
    if (own !== start) return corruptAt(start + 4, `The bin at ${hex(start)} states the offset ${hex(own)}.`)
    if (size === 0 || size % PAGE_BYTES !== 0 || size > left) {
      return corruptAt(start + 8, `A bin of ${size} bytes does not fit the remaining ${left}.`)
    }
    return size
  }

  /** Marks the cells in use of a bin, up to the first that is damaged; gives what is wrong with that one. */
  #walkCells(start: number, end: number): InputError | undefined {
    for (let offset = start + BIN_HEADER_BYTES; offset < end;) {
      const stated = this.source.readInt32(BASE_BLOCK_BYTES + offset)
      const length = Math.abs(stated)
      if (length < 8 || length % 8 !== 0 || length > end - offset) {
        return corruptAt(offset, `A cell of ${length} bytes does not fit the remaining ${end - offset} of its bin.`)
      }
      if (stated < 0) this.#starts[offset >>> 6] = (this.#starts[offset >>> 6] ?? 0) | (1 << ((offset >>> 3) & 7))
      offset += length
    }
    return undefined
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
    if (!this.has(offset))
      throw corruptAt(from, `${what} should be at ${hex(offset)}, but no cell in use starts there.`)
    const length = -this.source.readInt32(BASE_BLOCK_BYTES + offset) - 4
    if (length < atLeast) {
      throw corruptAt(offset, `${what} needs ${atLeast} bytes, its cell has ${length}.`)
    }
    return this.#read(offset + 4, length)
  }
}
