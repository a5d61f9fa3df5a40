import {GoBlocks, MAX_STORED_BYTES} from './go-blocks.js'

/**
 * The levels of Go's compress/flate that look for no matches: 0 stores, -2 has Huffman codes alone; both in blocks of
 * 65535 bytes. The size of writes does not matter. Source: layer encodings page, section 2.2; Go's deflate.go.
 */
export class GoLiteral {
  readonly #blocks: GoBlocks
  readonly #isStored: boolean
  readonly #text = new Uint8Array(MAX_STORED_BYTES)
  #size = 0

  constructor(level: 0 | -2, onBytes: (bytes: Uint8Array) => void) {
    this.#blocks = new GoBlocks(onBytes)
    this.#isStored = level === 0
  }

  write(bytes: Uint8Array): void {
    for (let offset = 0; offset < bytes.length;) {
      if (this.#size === MAX_STORED_BYTES) this.#writeBlock()
      const length = Math.min(bytes.length - offset, MAX_STORED_BYTES - this.#size)
      this.#text.set(bytes.subarray(offset, offset + length), this.#size)
      this.#size += length
      offset += length
    }
  }

  finish(): void {
    if (this.#size > 0) this.#writeBlock()
    this.#blocks.finish()
  }

  #writeBlock(): void {
    const input = this.#text.subarray(0, this.#size)
    if (this.#isStored) this.#blocks.writeStored(input)
    else this.#blocks.writeHuffmanBlock(input)
    this.#size = 0
  }
}
