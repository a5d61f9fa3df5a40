/**
 * Lends chunks to a second reader while the first one goes on: `push` ends when the reader asks for the next chunk,
 * so nothing is buffered and a chunk need not outlive its turn. A reader that leaves no longer holds anything up.
 */
export class Handoff implements AsyncIterable<Uint8Array> {
  #chunk: Uint8Array | undefined
  #isEnded = false
  #hasLeft = false
  #wakeReader: () => void = () => undefined
  #wakeWriter: () => void = () => undefined

  async push(chunk: Uint8Array): Promise<void> {
    if (this.#hasLeft) return
    this.#chunk = chunk
    const taken = new Promise<void>((resolve) => {
      this.#wakeWriter = resolve
    })
    this.#wakeReader()
    await taken
  }

  end(): void {
    this.#isEnded = true
    this.#wakeReader()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        if (this.#chunk !== undefined) {
          yield this.#chunk
          this.#chunk = undefined
          this.#wakeWriter()
        }
        if (this.#isEnded) return
        await new Promise<void>((resolve) => {
          this.#wakeReader = resolve
        })
      }
    } finally {
      this.#hasLeft = true
      this.#wakeWriter()
    }
  }
}
