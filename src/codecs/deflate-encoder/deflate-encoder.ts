import {GoChains} from './go-chains.js'
import {GoFast} from './go-fast.js'
import {GoLiteral} from './go-literal.js'
import {Pgzip} from './pgzip.js'
import {Pigz} from './pigz.js'
import {GZIP_FLAVOUR, ZLIB_FLAVOUR, ZlibChains} from './zlib-chains.js'

/** A deflate encoder that gives the very bytes of a known program. Text goes in by `write`, the stream comes out by callback. */
export interface DeflateEncoder {
  write(text: Uint8Array): void
  /** Ends the stream. */
  finish(): void
}

/** What copying a file through `io.Copy` writes at a time. */
const COPY_BYTES = 32768

/**
 * Go's compress/flate of Go 1.8 to 1.26 at a level: -2 (Huffman codes alone), -1 (6), 0 (stored) to 9. The text is cut as
 * `io.Copy` cuts it, whatever pieces it comes in.
 */
export function goDeflate(level: number, onBytes: (bytes: Uint8Array) => void): DeflateEncoder {
  if (level === -2 || level === 0) return new GoLiteral(level, onBytes)
  if (level === 1) return new GoFast(onBytes)
  return new Rechunked(new GoChains(level === -1 ? 6 : level, onBytes), COPY_BYTES)
}

/** Hands text on in pieces of one size. */
class Rechunked implements DeflateEncoder {
  readonly #encoder: DeflateEncoder
  readonly #piece: Uint8Array
  #size = 0

  constructor(encoder: DeflateEncoder, pieceBytes: number) {
    this.#encoder = encoder
    this.#piece = new Uint8Array(pieceBytes)
  }

  write(text: Uint8Array): void {
    for (let offset = 0; offset < text.length;) {
      const length = Math.min(text.length - offset, this.#piece.length - this.#size)
      this.#piece.set(text.subarray(offset, offset + length), this.#size)
      this.#size += length
      offset += length
      if (this.#size < this.#piece.length) return
      this.#encoder.write(this.#piece)
      this.#size = 0
    }
  }

  finish(): void {
    if (this.#size > 0) this.#encoder.write(this.#piece.subarray(0, this.#size))
    this.#encoder.finish()
  }
}

/** zlib's deflate (not that of Node, which is Chromium's) at a level from 1 to 9, as Python, Java and many others carry it. */
export function zlibDeflate(level: number, onBytes: (bytes: Uint8Array) => void): DeflateEncoder {
  return new ZlibChains(level, ZLIB_FLAVOUR, onBytes)
}

/** GNU gzip's own deflate at a level from 1 to 9. */
export function gzipDeflate(level: number, onBytes: (bytes: Uint8Array) => void): DeflateEncoder {
  return new ZlibChains(level, GZIP_FLAVOUR, onBytes)
}

/** pigz at a level from 1 to 9. */
export function pigzDeflate(level: number, onBytes: (bytes: Uint8Array) => void): DeflateEncoder {
  return new Pigz(level, onBytes)
}

/** pgzip at its default level, with blocks of 1 MiB unless told otherwise. */
export function pgzipDeflate(onBytes: (bytes: Uint8Array) => void, blockBytes = 2 ** 20): DeflateEncoder {
  return new Pgzip(blockBytes, onBytes)
}
