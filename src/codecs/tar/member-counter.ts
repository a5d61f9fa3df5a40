import {LIMITS} from '../../model/limits.js'
import {hasBody, isExtension} from './member-headers.js'
import {findPaxNumber, findPaxRecords} from './pax.js'
import {BLOCK_BYTES, findTarHeader, isZero, paddingOf, type TarHeader} from './tar-header.js'

/** Counts the members of a tar whose bytes pass by in pieces. Checks nothing: what is no tar simply counts no more. */
export class MemberCounter {
  #members = 0
  /** Bytes of body and padding to leap over. */
  #skip = 0
  /** A header block, or a PAX header's body, in the making. */
  #wanted: Buffer = Buffer.alloc(BLOCK_BYTES)
  #filled = 0
  /** Bytes of the PAX header that is being gathered; 0 = a header block is. */
  #paxBytes = 0
  #paxSize: number | undefined
  /** Set while the blocks of a sparse map pass: bytes of body behind them. */
  #bodyAfterMap: number | undefined
  #isOver = false

  /** Members seen so far, extension members not counted. */
  get members(): number {
    return this.#members
  }

  update(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.byteLength && !this.#isOver;) {
      if (this.#skip > 0) {
        const leap = Math.min(this.#skip, chunk.byteLength - at)
        this.#skip -= leap
        at += leap
        continue
      }
      const piece = chunk.subarray(at, at + this.#wanted.byteLength - this.#filled)
      this.#wanted.set(piece, this.#filled)
      this.#filled += piece.byteLength
      at += piece.byteLength
      if (this.#filled === this.#wanted.byteLength) this.#take()
    }
  }

  #take(): void {
    const bytes = this.#wanted
    const paxBytes = this.#paxBytes
    this.#wanted = Buffer.alloc(BLOCK_BYTES)
    this.#filled = 0
    this.#paxBytes = 0
    if (paxBytes > 0) {
      this.#paxSize = findPaxNumber(findPaxRecords(bytes.subarray(0, paxBytes))?.get('size') ?? '')
      return
    }
    if (this.#bodyAfterMap !== undefined) {
      if (bytes[504] === 0) this.#leap(this.#bodyAfterMap)
      return
    }
    const header = isZero(bytes) ? undefined : findTarHeader(bytes)
    if (header === undefined) this.#isOver = true
    else this.#header(header, bytes)
  }

  #leap(size: number): void {
    this.#bodyAfterMap = undefined
    this.#skip = size + paddingOf(size)
  }

  #header(header: TarHeader, block: Uint8Array): void {
    const {typeflag} = header
    if (typeflag === 'x' && header.size > 0 && header.size <= LIMITS.extension.value) {
      this.#paxBytes = header.size
      this.#wanted = Buffer.alloc(header.size + paddingOf(header.size))
      return
    }
    const size = isExtension(typeflag) ? header.size : hasBody(typeflag) ? (this.#paxSize ?? header.size) : 0
    // Blocks of a sparse map lie between the header and the body.
    if (typeflag === 'S' && header.format === 'gnu' && block[482] !== 0) this.#bodyAfterMap = size
    else this.#leap(size)
    if (isExtension(typeflag)) return
    this.#paxSize = undefined
    this.#members++
  }
}
