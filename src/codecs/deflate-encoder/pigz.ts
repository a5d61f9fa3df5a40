import {ZLIB_FLAVOUR, ZlibChains} from './zlib-chains.js'

const PIECE_BYTES = 131072
const DICTIONARY_BYTES = 32768
const EMPTY = new Uint8Array(0)

/**
 * pigz 2.3.4 to 2.8 at a level from 1 to 9, with its own size of pieces and however many threads: zlib's deflate of each
 * 128 KiB with the 32 KiB before as dictionary, the pieces ending at whole bytes. Source: layer encodings page, section 4;
 * pigz.c, compress_thread.
 */
export class Pigz {
  readonly #level: number
  readonly #onBytes: (bytes: Uint8Array) => void
  readonly #piece = new Uint8Array(PIECE_BYTES)
  #size = 0
  #dictionary: Uint8Array = EMPTY

  constructor(level: number, onBytes: (bytes: Uint8Array) => void) {
    this.#level = level
    this.#onBytes = onBytes
  }

  write(bytes: Uint8Array): void {
    for (let offset = 0; offset < bytes.length;) {
      // The last piece ends the stream, so a full one waits until it is known whether more comes.
      if (this.#size === PIECE_BYTES) this.#encodePiece(false)
      const length = Math.min(bytes.length - offset, PIECE_BYTES - this.#size)
      this.#piece.set(bytes.subarray(offset, offset + length), this.#size)
      this.#size += length
      offset += length
    }
  }

  finish(): void {
    this.#encodePiece(true)
  }

  #encodePiece(isLast: boolean): void {
    const chains = new ZlibChains(this.#level, ZLIB_FLAVOUR, this.#onBytes)
    if (this.#dictionary.length > 0) chains.useDictionary(this.#dictionary)
    const text = this.#piece.subarray(0, this.#size)
    chains.write(text)
    chains.endBlock(isLast)
    const {output} = chains.blocks
    if (!isLast) {
      if (output.looseBits % 2 === 1) chains.blocks.writeStored(EMPTY)
      else while (output.looseBits > 0) chains.blocks.writeEmptyFixed()
    }
    output.finish()
    this.#dictionary = Uint8Array.from(text.subarray(-DICTIONARY_BYTES))
    this.#size = 0
  }
}
