import type {WimCompression} from './header.js'
import {LzmsDecoder} from './lzms.js'
import {LzxDecoder} from './lzx.js'
import {wimFault} from './wim-fault.js'
import {XpressDecoder} from './xpress.js'

/** How chunks are packed. */
export interface ChunkPacking {
  readonly compression: WimCompression
  /** Unpacked bytes of a chunk. */
  readonly chunkSize: number
}

/** Unpacks chunks; keeps tables and memory from one to the next. */
export class ChunkDecoder {
  readonly #decoder: {decode(input: Uint8Array, output: Uint8Array): void} | undefined

  constructor(packing: ChunkPacking) {
    this.#decoder = decoderOf(packing)
  }

  /** A chunk of `size` unpacked bytes. One that did not shrink is stored as it is. Throws `ARCHIVE_CORRUPT`. */
  decode(chunk: Uint8Array, size: number): Uint8Array {
    if (chunk.byteLength === size) return chunk
    if (this.#decoder === undefined) throw wimFault('A chunk without compression has another size than its content.')
    const output = new Uint8Array(size)
    this.#decoder.decode(chunk, output)
    return output
  }
}

function decoderOf({compression, chunkSize}: ChunkPacking) {
  switch (compression) {
    case 'none':
      return undefined
    case 'xpress':
      return new XpressDecoder()
    case 'lzx':
      return new LzxDecoder(chunkSize)
    case 'lzms':
      return new LzmsDecoder()
  }
}
