/** Bytes that are copied together: many small buffers take more than their bytes, and hold on to what they were cut from. */
export class GrowingBytes {
  readonly #room: number
  #buffer: Buffer
  #length = 0

  /** `room` bytes are there from the start. */
  constructor(room: number) {
    this.#room = room
    this.#buffer = Buffer.allocUnsafe(room)
  }

  get length(): number {
    return this.#length
  }

  push(bytes: Uint8Array): void {
    const end = this.#length + bytes.byteLength
    if (end > this.#buffer.byteLength) {
      const larger = Buffer.allocUnsafe(2 * end)
      larger.set(this.#buffer.subarray(0, this.#length))
      this.#buffer = larger
    }
    this.#buffer.set(bytes, this.#length)
    this.#length = end
  }

  /** All bytes so far; true until the next `push` or `clear`. */
  get view(): Buffer {
    return this.#buffer.subarray(0, this.#length)
  }

  /** Begins anew in the same place. */
  clear(): void {
    this.#length = 0
  }

  /** Gives all bytes away and begins anew in another place. */
  take(): Buffer {
    const taken = this.view
    this.#buffer = Buffer.allocUnsafe(this.#room)
    this.#length = 0
    return taken
  }
}
