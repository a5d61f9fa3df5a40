import type {WimCompression} from './header.js'
import {LzxDecoder} from './lzx.js'
import {wimFault, wimUnsupported} from './wim-fault.js'
import {XpressDecoder} from './xpress.js'

/** How chunks are packed. */
export interface ChunkPacking {
  readonly compression: WimCompression
  /** Unpacked bytes of a chunk. */
  readonly chunkSize: number
}

/** Unpacks chunks; keeps tables and memory from one to the next. */
export class ChunkDecoder {
  readonly #compression: WimCompression
  readonly #decoder: {decode(input: Uint8Array, output: Uint8Array): void} | undefined

  constructor({compression, chunkSize}: ChunkPacking) {
    this.#compression = compression
    this.#decoder =
      compression === 'xpress' ? new XpressDecoder() : compression === 'lzx' ? new LzxDecoder(chunkSize) : undefined
  }

  /** A chunk of `size` unpacked bytes. One that did not shrink is stored as it is. */
  decode(chunk: Uint8Array, size: number): Uint8Array {
    if (chunk.byteLength === size) return chunk
    if (this.#decoder === undefined) throw lzmsUnsupported(this.#compression)
    const output = new Uint8Array(size)
    this.#decoder.decode(chunk, output)
    return output
  }
}

function lzmsUnsupported(compression: WimCompression): Error {
  if (compression === 'none') return wimFault('A chunk without compression has another size than its content.')
  return wimUnsupported(
    'The file uses LZMS compression, which transship cannot read. Most .esd files use it.',
    'Run `wimlib-imagex export FILE all NEW.wim --compress=lzx` or `DISM /Export-Image /Compress:max`, then use the new file.',
  )
}
