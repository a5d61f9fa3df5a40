import {closeSync, lstatSync, openSync, read, type BigIntStats} from 'node:fs'
import {promisify} from 'node:util'
import {byteSourceOf, type ByteSource} from '../../../codecs/backup-stream/byte-source.js'
import type {Carrier, CarrierKind, StreamLocation} from '../../../codecs/carrier/carrier.js'
import {decodeCarrier} from '../../../codecs/carrier/decode-carrier.js'
import {contentOf, type Content} from '../../../model/content.js'
import {asTransshipError, InputError, TransshipError} from '../../../model/errors.js'
import {OPEN_FLAGS, readFully} from './small-file.js'

const readAsync = promisify(read)

/** Up to this size a file is one buffer and one read: a stream for each small file costs several times the file. */
const SMALL_BYTES = 1024 * 1024
const CHUNK_BYTES = 256 * 1024
/** Zeros that stand for holes. */
const ZEROS = Buffer.alloc(CHUNK_BYTES)
/** Headers are read through a window of this size. */
const WINDOW_BYTES = 4096

/** `lstat` with 100 ns times; a missing file is `NOT_FOUND`, anything but a file or folder `UNRECOGNISED_FORMAT`. */
export function statPayload(file: string, place: string): BigIntStats {
  try {
    const stats = lstatSync(file, {bigint: true})
    if (stats.isFile() || stats.isDirectory()) return stats
  } catch (error) {
    throw asTransshipError(error, {path: place})
  }
  throw new InputError('UNRECOGNISED_FORMAT', {
    what: `'${place}' is neither a file nor a folder.`,
    suggestions: ['Copy the layout again without turning carriers into links.'],
  })
}

/** An open file of the payload. Small ones are read at once and need no closing. */
export class PayloadFile {
  readonly sizeBytes: number
  readonly #place: string
  #fd: number | undefined
  readonly #bytes: Uint8Array | undefined

  constructor(file: string, sizeBytes: number, place: string) {
    this.sizeBytes = sizeBytes
    this.#place = place
    try {
      this.#fd = openSync(file, OPEN_FLAGS)
    } catch (error) {
      throw asTransshipError(error, {path: place})
    }
    if (sizeBytes > SMALL_BYTES) return
    try {
      this.#bytes = Buffer.allocUnsafe(sizeBytes)
      readFully(this.#fd, this.#bytes, 0, place)
    } finally {
      this.close()
    }
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd)
    this.#fd = undefined
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
    readFully(this.#requireOpen(), bytes, offset, this.#place)
    return bytes
  }

  #requireOpen(): number {
    if (this.#fd !== undefined) return this.#fd
    throw new InputError('SIZE_MISMATCH', {
      what: 'The content of a file was asked for after its entry had gone by.',
      at: {path: this.#place},
    })
  }

  /** The whole file as content, for what is kept without a carrier. */
  whole(): Content {
    if (this.#bytes !== undefined) return contentOf(this.#bytes)
    return this.content({
      sizeBytes: this.sizeBytes,
      extents: [{offset: 0, length: this.sizeBytes, position: 0}],
      isSparse: false,
    })
  }

  /** The content that a carrier's stream locates. */
  content(location: StreamLocation): Content {
    const {sizeBytes, extents, isSparse} = location
    const [first, second] = extents
    const ranges = isSparse ? {ranges: extents.map(({offset, length}) => ({offset, length}))} : {}
    if (this.#bytes !== undefined && second === undefined && (first?.length ?? 0) === sizeBytes && !isSparse) {
      const start = first?.position ?? 0
      return contentOf(this.#bytes.subarray(start, start + sizeBytes))
    }
    return {size: sizeBytes, open: () => this.#pieces(location), ...ranges}
  }

  async *#pieces({sizeBytes, extents}: StreamLocation): AsyncGenerator<Uint8Array> {
    let at = 0
    for (const {offset, length, position} of extents) {
      yield* zeros(offset - at)
      yield* this.#range(position, length)
      at = offset + length
    }
    yield* zeros(sizeBytes - at)
  }

  async *#range(position: number, length: number): AsyncGenerator<Uint8Array> {
    if (this.#bytes !== undefined) {
      yield this.#bytes.subarray(position, position + length)
      return
    }
    const buffer = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, length))
    for (let done = 0; done < length;) {
      const wanted = Math.min(buffer.byteLength, length - done)
      const {bytesRead} = await readAsync(this.#requireOpen(), buffer, 0, wanted, position + done)
      if (bytesRead === 0) {
        throw new InputError('SIZE_MISMATCH', {
          what: 'A file became shorter while it was read.',
          suggestions: ['Stop what writes to the source, then retry.'],
          at: {path: this.#place, offset: position + done},
        })
      }
      yield buffer.subarray(0, bytesRead)
      done += bytesRead
    }
  }
}

function* zeros(count: number): Generator<Uint8Array> {
  for (let left = count; left > 0; left -= ZEROS.byteLength) yield ZEROS.subarray(0, Math.min(left, ZEROS.byteLength))
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
