import {KlauspostBlocks} from './klauspost-blocks.js'
import {KlauspostFast} from './klauspost-fast.js'

const DICTIONARY_BYTES = 16384
const EMPTY = new Uint8Array(0)

/**
 * pgzip at its default level over klauspost/compress 1.15.10 to 1.18.0, as skopeo, podman and buildah (blocks of 1 MiB) and
 * umoci before 0.5 (256 KiB) write layers: each block alone, with the end of the one before as dictionary, ending at a whole
 * byte. Source: layer encodings page, section 3.1; pgzip gzip.go.
 */
export class Pgzip {
  readonly #onBytes: (bytes: Uint8Array) => void
  readonly #blockBytes: number
  /** The dictionary, and the block behind it. */
  readonly #text: Uint8Array
  #dictionaryBytes = 0
  #size = 0

  constructor(blockBytes: number, onBytes: (bytes: Uint8Array) => void) {
    this.#blockBytes = blockBytes
    this.#text = new Uint8Array(DICTIONARY_BYTES + blockBytes)
    this.#onBytes = onBytes
  }

  write(bytes: Uint8Array): void {
    for (let offset = 0; offset < bytes.length;) {
      const length = Math.min(bytes.length - offset, this.#blockBytes - this.#size)
      this.#text.set(bytes.subarray(offset, offset + length), this.#dictionaryBytes + this.#size)
      this.#size += length
      offset += length
      if (this.#size === this.#blockBytes) this.#encodeBlock(false)
    }
  }

  /** Ends the stream; its last block may be empty. */
  finish(): void {
    this.#encodeBlock(true)
  }

  #encodeBlock(isLast: boolean): void {
    const end = this.#dictionaryBytes + this.#size
    const blocks = new KlauspostBlocks(this.#onBytes)
    new KlauspostFast(this.#text.subarray(0, end), blocks).encode(this.#dictionaryBytes)
    blocks.writeStored(EMPTY)
    if (isLast) blocks.finish()
    else blocks.flush()
    this.#dictionaryBytes = this.#size > DICTIONARY_BYTES ? DICTIONARY_BYTES : 0
    this.#text.copyWithin(0, end - this.#dictionaryBytes, end)
    this.#size = 0
  }
}
