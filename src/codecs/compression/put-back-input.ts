/** How the end of the input is told where more was needed; `decompress` knows the words. */
const TOO_SHORT = 'unexpected end of file'

/** A stream that is taken piece by piece, and to which what was too much can be given back. */
export class PutBackInput {
  readonly #iterator: AsyncIterator<Uint8Array>
  #rest: Uint8Array | undefined
  #isAtEnd = false

  constructor(body: AsyncIterable<Uint8Array>) {
    this.#iterator = body[Symbol.asyncIterator]()
  }

  /** The next piece, never an empty one; undefined at the end. It is the caller's to keep. */
  async next(): Promise<Uint8Array | undefined> {
    const rest = this.#rest
    this.#rest = undefined
    if (rest !== undefined) return rest
    while (!this.#isAtEnd) {
      const next = await this.#iterator.next()
      if (next.done === true) this.#isAtEnd = true
      // Chunks need not outlive their turn.
      else if (next.value.byteLength > 0) return Uint8Array.from(next.value)
    }
    return undefined
  }

  /** Of the piece that was taken last. */
  putBack(rest: Uint8Array): void {
    if (rest.byteLength > 0) this.#rest = rest
  }

  /** Exactly so many bytes. Throws an `Error` when there are fewer. */
  async take(count: number): Promise<Buffer> {
    const bytes = Buffer.alloc(count)
    for (let length = 0; length < count;) {
      const piece = await this.next()
      if (piece === undefined) throw new Error(TOO_SHORT)
      const taken = piece.subarray(0, count - length)
      bytes.set(taken, length)
      length += taken.byteLength
      this.putBack(piece.subarray(taken.byteLength))
    }
    return bytes
  }

  /** Passes over zeros up to the end; true when there was nothing else. What else there is comes next. */
  async skipZeros(): Promise<boolean> {
    for (let piece = await this.next(); piece !== undefined; piece = await this.next()) {
      const at = piece.findIndex((byte) => byte !== 0)
      if (at < 0) continue
      this.putBack(piece.subarray(at))
      return false
    }
    return true
  }

  /** Lets go of the source, also before its end. */
  async close(): Promise<void> {
    if (!this.#isAtEnd) await this.#iterator.return?.()
  }
}
