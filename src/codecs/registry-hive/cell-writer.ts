import {UnsupportedError} from '../../model/errors.js'
import {BASE_BLOCK_BYTES} from './hive-fault.js'

const BIN_HEADER_BYTES = 32
const PAGE_BYTES = 4096

/**
 * Lays cells out one after the other, in bins of 4096 bytes or, for a larger cell, of as many pages as it needs. What
 * is not written is zero. Room for the base block is kept in front. Source: section 5.1 of the registry hive format page.
 */
export class CellWriter {
  readonly #maxBytes: number
  #buffer = Buffer.alloc(64 * 1024)
  /** Offsets of the bins' data: the next cell, and the end of the open bin. */
  #next = 0
  #end = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  get dataBytes(): number {
    return this.#end
  }

  /** Gives the offset of a new cell with room for `length` bytes. */
  allocate(length: number): number {
    const size = Math.ceil((length + 4) / 8) * 8
    if (size > this.#end - this.#next) this.#openBin(size)
    const offset = this.#next
    this.#buffer.writeInt32LE(-size, BASE_BLOCK_BYTES + offset)
    this.#next += size
    return offset
  }

  /** What is in a cell, to be written to. Valid until the next cell is allocated. */
  at(offset: number): Buffer {
    return this.#buffer.subarray(BASE_BLOCK_BYTES + offset + 4)
  }

  /** A new cell with these bytes. */
  put(bytes: Uint8Array, length = bytes.byteLength): number {
    const offset = this.allocate(length)
    this.#buffer.set(bytes, BASE_BLOCK_BYTES + offset + 4)
    return offset
  }

  #openBin(cellBytes: number): void {
    this.#closeBin()
    const start = this.#end
    const size = Math.ceil((cellBytes + BIN_HEADER_BYTES) / PAGE_BYTES) * PAGE_BYTES
    this.#reserve(BASE_BLOCK_BYTES + start + size)
    const header = BASE_BLOCK_BYTES + start
    this.#buffer.write('hbin', header, 'latin1') //      0  signature
    this.#buffer.writeUInt32LE(start, header + 4) //     4  own offset
    this.#buffer.writeUInt32LE(size, header + 8) //      8  size, bytes
    //                                                  12  reserved, time, spare
    this.#next = start + BIN_HEADER_BYTES
    this.#end = start + size
  }

  /** What is left of the open bin becomes one free cell. */
  #closeBin(): void {
    const left = this.#end - this.#next
    if (left > 0) this.#buffer.writeInt32LE(left, BASE_BLOCK_BYTES + this.#next)
    this.#next = this.#end
  }

  #reserve(bytes: number): void {
    if (bytes > this.#maxBytes) {
      throw new UnsupportedError('LIMIT_EXCEEDED', {
        what: `The registry hive would be larger than ${this.#maxBytes} bytes.`,
      })
    }
    if (bytes <= this.#buffer.byteLength) return
    const grown = Buffer.alloc(Math.min(Math.max(this.#buffer.byteLength * 2, bytes), Math.max(this.#maxBytes, bytes)))
    this.#buffer.copy(grown)
    this.#buffer = grown
  }

  /** All of it, with the first bin stamped and the base block in front. */
  finish(baseBlock: Buffer, lastWritten: bigint): Buffer {
    this.#closeBin()
    this.#buffer.writeBigInt64LE(lastWritten, BASE_BLOCK_BYTES + 20)
    baseBlock.copy(this.#buffer)
    return this.#buffer.subarray(0, BASE_BLOCK_BYTES + this.#end)
  }
}
