const NOTHING = new Uint8Array()

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
    // What outlives its turn is copied, since it is only lent. Not slice: that of a Buffer shares its memory.
    const parts: Uint8Array[] = []
    let last: Uint8Array = this.#chunk.subarray(this.#at)
    let available = last.byteLength
    while (available < length && !this.#ended) {
      if (last.byteLength > 0) parts.push(Uint8Array.from(last))
      const next = await this.#source.next()
      this.#ended = next.done === true
      last = next.done === true ? NOTHING : next.value
      available += last.byteLength
    }
    this.#chunk = parts.length === 0 ? last : Buffer.concat([...parts, last])
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
