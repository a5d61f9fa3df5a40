/** Bytes gathered before they are handed on. */
const CHUNK_BYTES = 64 * 1024
/** A put writes at most this many bytes. */
const MARGIN_BYTES = 8

/** A deflate bit stream, least significant bit first. Source: RFC 1951, section 3.1.1. */
export class BitOutput {
  readonly #onBytes: (bytes: Uint8Array) => void
  #bytes = new Uint8Array(CHUNK_BYTES)
  #used = 0
  #held = 0
  #heldBits = 0

  /** `onBytes` takes pieces of the stream, which it may keep. */
  constructor(onBytes: (bytes: Uint8Array) => void) {
    this.#onBytes = onBytes
  }

  /** Appends the low `count` bits of `value`; at most 16. */
  put(value: number, count: number): void {
    let held = this.#held | (value << this.#heldBits)
    let heldBits = this.#heldBits + count
    if (heldBits >= 16) {
      this.#bytes[this.#used] = held
      this.#bytes[this.#used + 1] = held >>> 8
      this.#used += 2
      held >>>= 16
      heldBits -= 16
      if (this.#used > CHUNK_BYTES - MARGIN_BYTES) this.#emit()
    }
    this.#held = held
    this.#heldBits = heldBits
  }

  /** Bits that stand in the last byte; 0 = the stream is aligned. */
  get looseBits(): number {
    return this.#heldBits & 7
  }

  /** Fills the last byte with zeros. */
  align(): void {
    while (this.#heldBits > 0) {
      this.#bytes[this.#used] = this.#held
      this.#used += 1
      this.#held >>>= 8
      this.#heldBits -= 8
    }
    this.#held = 0
    this.#heldBits = 0
    if (this.#used > CHUNK_BYTES - MARGIN_BYTES) this.#emit()
  }

  /** Appends whole bytes; the stream must be aligned. */
  append(bytes: Uint8Array): void {
    for (let offset = 0; offset < bytes.length;) {
      const length = Math.min(bytes.length - offset, CHUNK_BYTES - MARGIN_BYTES - this.#used)
      this.#bytes.set(bytes.subarray(offset, offset + length), this.#used)
      this.#used += length
      offset += length
      if (this.#used >= CHUNK_BYTES - MARGIN_BYTES) this.#emit()
    }
  }

  /** Fills the last byte, and hands on what is gathered. */
  finish(): void {
    this.align()
    this.#emit()
  }

  #emit(): void {
    if (this.#used === 0) return
    this.#onBytes(this.#bytes.subarray(0, this.#used))
    this.#bytes = new Uint8Array(CHUNK_BYTES)
    this.#used = 0
  }
}
