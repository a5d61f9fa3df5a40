import {deflateRawSync, inflateRawSync} from 'node:zlib'
import {GrowingBytes} from '../bytes/growing-bytes.js'

/** Held as it comes until so much is together. */
const PIECE_BYTES = 256 * 1024
/** The quickest: lists of paths become a third of their size with any. */
const LEVEL = 1

/** Bytes that are made early and needed late, such as the lists at the end of an archive. They are kept deflated. */
export class HeldBytes {
  readonly #packed: Uint8Array[] = []
  readonly #open = new GrowingBytes(4096)
  #sizeBytes = 0

  /** Of all bytes, as they were given. */
  get sizeBytes(): number {
    return this.#sizeBytes
  }

  /** Copies them. */
  push(bytes: Uint8Array): void {
    this.#open.push(bytes)
    this.#sizeBytes += bytes.byteLength
    if (this.#open.length < PIECE_BYTES) return
    this.#packed.push(deflateRawSync(this.#open.view, {level: LEVEL}))
    this.#open.clear()
  }

  /** All bytes in pieces, again with each call. */
  *pieces(): Generator<Uint8Array> {
    for (const packed of this.#packed) yield inflateRawSync(packed)
    if (this.#open.length > 0) yield Uint8Array.from(this.#open.view)
  }
}
