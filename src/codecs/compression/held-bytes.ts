import {deflateRawSync, inflateRawSync} from 'node:zlib'

/** Held as it comes until so much is together. */
const PIECE_BYTES = 256 * 1024
/** The quickest: lists of paths become a third of their size with any. */
const LEVEL = 1

/** Bytes that are made early and needed late, such as the lists at the end of an archive. They are kept deflated. */
export class HeldBytes {
  readonly #packed: Uint8Array[] = []
  #open = Buffer.allocUnsafe(4096)
  #used = 0
  #sizeBytes = 0

  /** Of all bytes, as they were given. */
  get sizeBytes(): number {
    return this.#sizeBytes
  }

  /** Copies them. */
  push(bytes: Uint8Array): void {
    const end = this.#used + bytes.byteLength
    if (end > this.#open.byteLength) {
      const larger = Buffer.allocUnsafe(2 * end)
      larger.set(this.#open.subarray(0, this.#used))
      this.#open = larger
    }
    this.#open.set(bytes, this.#used)
    this.#used = end
    this.#sizeBytes += bytes.byteLength
    if (end < PIECE_BYTES) return
    this.#packed.push(deflateRawSync(this.#open.subarray(0, end), {level: LEVEL}))
    this.#used = 0
  }

  /** All bytes in pieces, again with each call. */
  *pieces(): Generator<Uint8Array> {
    for (const packed of this.#packed) yield inflateRawSync(packed)
    if (this.#used > 0) yield Uint8Array.from(this.#open.subarray(0, this.#used))
  }
}
