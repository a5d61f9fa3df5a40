/**
 * Takes a stream of chunks apart without copying where it can. A view it gives out is valid until the next call that
 * may read on, since chunks may be reused by whoever makes them.
 */
export class ByteReader {
  readonly #source: AsyncIterator<Uint8Array>
  #chunk: Uint8Array = new Uint8Array()
  #at = 0
  #offset = 0
  #ended = false

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]()
  }

  /** Bytes taken so far. */
  get offset(): number {
    return this.#offset
  }

  get #available(): number {
    return this.#chunk.byteLength - this.#at
  }

  /** Reads on until `length` bytes are at hand; false when the stream ends before. */
  async has(length: number): Promise<boolean> {
    if (this.#available >= length) return true
    // Not slice: that of a Buffer shares its memory, which the source may fill anew.
    const parts: Uint8Array[] = [Uint8Array.from(this.#chunk.subarray(this.#at))]
    let available = this.#available
    while (available < length && !this.#ended) {
      const next = await this.#source.next()
      if (next.done === true) {
        this.#ended = true
      } else if (available === 0) {
        parts.length = 0
        parts.push(next.value)
        available = next.value.byteLength
      } else {
        // Copied only where it must outlive its turn: another chunk follows, or it completes a split piece.
        parts.push(Uint8Array.from(next.value))
        available += next.value.byteLength
      }
    }
    const [first] = parts
    this.#chunk = parts.length === 1 && first !== undefined ? first : Buffer.concat(parts)
    this.#at = 0
    return available >= length
  }

  /** What is at hand, at most `length` bytes, without taking it: all that is left once `has` has said no. */
  peek(length = this.#available): Uint8Array {
    return this.#chunk.subarray(this.#at, this.#at + length)
  }

  /** The next `length` bytes, which `has` has promised. */
  take(length: number): Uint8Array {
    const bytes = this.#chunk.subarray(this.#at, this.#at + length)
    this.#at += length
    this.#offset += length
    return bytes
  }

  /** What is at hand, at most `length` bytes; reads on when nothing is. Empty only at the end. */
  async takeSome(length: number): Promise<Uint8Array> {
    if (length === 0 || !(await this.has(1))) return new Uint8Array()
    return this.take(Math.min(length, this.#available))
  }

  /** Closes the source; safe to call at any time. */
  async close(): Promise<void> {
    this.#ended = true
    await this.#source.return?.()
  }
}
