import {byteSourceOf, type ByteSource} from '../../codecs/backup-stream/byte-source.js'
import type {Carrier, CarrierKind, StreamLocation} from '../../codecs/carrier/carrier.js'
import {decodeCarrier} from '../../codecs/carrier/decode-carrier.js'
import {contentOf, type Content, type SparseRange} from '../../model/content.js'
import {InputError, TransshipError} from '../../model/errors.js'
import {sparseContent} from '../../model/sparse-content.js'
import type {UnpackLimit} from '../../model/unpack-limit.js'
import type {OpenFile} from './layout-files.js'

/** Up to this size a file is one buffer and one read: a stream for each small file costs several times the file. */
const SMALL_BYTES = 1024 * 1024
/** Headers are read through a window of this size. */
const WINDOW_BYTES = 4096

export interface PayloadFileOptions {
  /** For messages: where the file lies. */
  readonly place: string
  /** What its holes may be spelt out to. */
  readonly limit: UnpackLimit
  readonly signal?: AbortSignal | undefined
}

/** An open file of the payload. Small ones are read at once and need no closing. */
export class PayloadFile {
  readonly sizeBytes: number
  readonly #place: string
  readonly #options: PayloadFileOptions
  #file: OpenFile | undefined
  readonly #bytes: Uint8Array | undefined

  /** Takes over the open file, and closes it. */
  constructor(file: OpenFile, sizeBytes: number, options: PayloadFileOptions) {
    this.sizeBytes = sizeBytes
    this.#place = options.place
    this.#options = options
    this.#file = file
    if (sizeBytes > SMALL_BYTES) return
    try {
      this.#bytes = Buffer.allocUnsafe(sizeBytes)
      file.read(0, this.#bytes)
    } finally {
      this.close()
    }
  }

  close(): void {
    this.#file?.close()
    this.#file = undefined
  }

  /** Decodes the file as a carrier; errors name the place. */
  decode(kind: CarrierKind): Carrier {
    try {
      return decodeCarrier(this.#source(), kind)
    } catch (error) {
      if (!(error instanceof TransshipError) || !(error instanceof InputError)) throw error
      throw new InputError(error.code, {
        what: error.what,
        ...(error.why === undefined ? {} : {why: error.why}),
        suggestions: error.suggestions,
        at: {path: this.#place, ...(error.at.offset === undefined ? {} : {offset: error.at.offset})},
        cause: error,
      })
    }
  }

  #source(): ByteSource {
    if (this.#bytes !== undefined) return byteSourceOf(this.#bytes)
    return windowed({sizeBytes: this.sizeBytes, read: (offset, length) => this.#readNow(offset, length)})
  }

  #readNow(offset: number, length: number): Uint8Array {
    const bytes = Buffer.allocUnsafe(length)
    this.#requireOpen().read(offset, bytes)
    return bytes
  }

  #requireOpen(): OpenFile {
    if (this.#file !== undefined) return this.#file
    throw new InputError('SIZE_MISMATCH', {
      what: 'The content of a file was read after its entry had passed.',
      at: {path: this.#place},
    })
  }

  /** The whole file as content, for what is kept without a carrier; with `ranges`, all but those is known to be zeros. */
  whole(ranges?: readonly SparseRange[]): Content {
    if (ranges === undefined) {
      if (this.#bytes !== undefined) return contentOf(this.#bytes)
      return {size: this.sizeBytes, open: () => this.#range(0, this.sizeBytes)}
    }
    const extents = ranges.map(({offset, length}) => ({offset, length, position: offset}))
    return this.content({sizeBytes: this.sizeBytes, extents, isSparse: true})
  }

  /** The content that a carrier's stream locates. */
  content(location: StreamLocation): Content {
    const {sizeBytes: size, extents, isSparse} = location
    const [first, second] = extents
    if (!isSparse && second === undefined && (first?.length ?? 0) === size) {
      const start = first?.position ?? 0
      if (this.#bytes !== undefined) return contentOf(this.#bytes.subarray(start, start + size))
      return {size, open: () => this.#range(start, size)}
    }
    const ranges = extents.map(({offset, length}) => ({offset, length}))
    return sparseContent({...this.#options, size, ranges, openRanges: () => this.#pieces(location)})
  }

  async *#pieces({extents}: StreamLocation): AsyncGenerator<Uint8Array> {
    for (const {position, length} of extents) yield* this.#range(position, length)
  }

  async *#range(position: number, length: number): AsyncGenerator<Uint8Array> {
    if (this.#bytes !== undefined) {
      yield this.#bytes.subarray(position, position + length)
      return
    }
    yield* this.#requireOpen().range(position, length)
  }
}

/** Reads small pieces through one window, since a scan asks for twenty bytes at a time. */
function windowed(source: ByteSource): ByteSource {
  let start = 0
  let window: Uint8Array = new Uint8Array(0)
  return {
    sizeBytes: source.sizeBytes,
    read(offset, length) {
      if (length > WINDOW_BYTES) return source.read(offset, length)
      if (offset < start || offset + length > start + window.byteLength) {
        start = offset
        window = source.read(offset, Math.min(WINDOW_BYTES, source.sizeBytes - offset))
      }
      return window.subarray(offset - start, offset - start + length)
    },
  }
}
