import {createHash, hash as hashOnce} from 'node:crypto'
import {closeSync, fsyncSync, ftruncateSync, openSync, writeSync} from 'node:fs'
import type {ContentLayout} from '../../codecs/carrier/carrier-frame.js'
import {
  attributesOf,
  encodeAlternateHeader,
  encodeBlockHeader,
  type CarrierPart,
} from '../../codecs/carrier/plan-carrier.js'
import {findSparseLayout} from '../../codecs/carrier/sparse-form.js'
import {asTransshipError, findSystemCode, InputError} from '../../model/errors.js'
import type {Content} from '../../model/content.js'
import {runsOf, zeros, type ContentRun} from '../../model/sparse-content.js'
import type {UnpackLimit} from '../../model/unpack-limit.js'

export interface StoredFile {
  readonly sizeBytes: number
  /** Hex SHA-256. */
  readonly sha256: string
}

/** Opens a new file; one that is there already is `DUPLICATE_ENTRY`, since a layer holds each name once. */
export function openNew(file: string, place: string): number {
  try {
    return openSync(file, 'wx')
  } catch (error) {
    if (findSystemCode(error) !== 'EEXIST') throw asTransshipError(error, {path: place})
    throw new InputError('DUPLICATE_ENTRY', {what: `The layer contains '${place}' twice.`, cause: error})
  }
}

/** Sets the times of a file that is open, once all of it is written. */
export type Stamp = (fd: number) => void

/** Writes a small file in one go. */
export function storeBytes(file: string, pieces: readonly Uint8Array[], place: string, stamp: Stamp): StoredFile {
  const fd = openNew(file, place)
  try {
    const bytes = pieces.length === 1 && pieces[0] !== undefined ? pieces[0] : Buffer.concat(pieces)
    writeFully(fd, bytes, place)
    stamp(fd)
    return {sizeBytes: bytes.byteLength, sha256: hashOnce('sha256', bytes, 'hex')}
  } finally {
    closeSync(fd)
  }
}

function writeFully(fd: number, bytes: Uint8Array, place: string, position = 0): void {
  try {
    for (let done = 0; done < bytes.byteLength;)
      done += writeSync(fd, bytes, done, bytes.byteLength - done, position + done)
  } catch (error) {
    throw asTransshipError(error, {path: place})
  }
}

/** Writes a new file to the disk. */
export function writePieces(file: string, pieces: Iterable<Uint8Array>): void {
  const fd = openNew(file, file)
  try {
    let position = 0
    for (const piece of pieces) {
      writeFully(fd, piece, file, position)
      position += piece.byteLength
    }
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

/** Zeros below this are written: a file system keeps no smaller hole. */
const MIN_HOLE_BYTES = 64 * 1024

export interface CarrierOutputOptions {
  /** For messages: where the file lies. */
  readonly place: string
  /** What holes may be spelt out to where the file cannot tell of them. */
  readonly limit: UnpackLimit
  readonly signal?: AbortSignal | undefined
}

/** A new file that is written part by part, in order, and hashed as it goes. Holes of what it takes stay holes. */
export class CarrierOutput {
  readonly #fd: number
  readonly #place: string
  readonly #options: CarrierOutputOptions
  readonly #hash = createHash('sha256')
  #sizeBytes = 0
  /** The file ends here so far; behind it lies a hole. */
  #writtenBytes = 0

  constructor(file: string, options: CarrierOutputOptions) {
    this.#fd = openNew(file, options.place)
    this.#place = options.place
    this.#options = options
  }

  put(bytes: Uint8Array): void {
    writeFully(this.#fd, bytes, this.#place, this.#sizeBytes)
    this.#hash.update(bytes)
    this.#sizeBytes += bytes.byteLength
    this.#writtenBytes = this.#sizeBytes
  }

  async #putZeros(length: number): Promise<void> {
    // On the disk they take no room, but each goes into the digest.
    this.#options.limit.spend(length)
    for await (const piece of zeros(length, this.#options.signal)) {
      if (length < MIN_HOLE_BYTES) {
        this.put(piece)
        continue
      }
      this.#hash.update(piece)
      this.#sizeBytes += piece.byteLength
    }
  }

  async #putRun(run: ContentRun): Promise<void> {
    if (run instanceof Uint8Array) this.put(run)
    else await this.#putZeros(run.hole)
  }

  /** Content as the layout of its blocks asks for; in one piece without one. */
  async content(content: Content | undefined, sizeBytes: number, sparse: ContentLayout | undefined): Promise<void> {
    const runs = content === undefined ? noRuns() : runsOf(content)
    const size = sparse === undefined ? await this.#whole(runs) : await this.#blocks(runs, sizeBytes, sparse)
    if (size === sizeBytes) return
    throw new InputError('SIZE_MISMATCH', {
      what: 'A file changed while it was read.',
      why: `Expected ${sizeBytes} bytes of content, found ${size}.`,
      suggestions: ['Stop the program that writes to the source, then retry.'],
      at: {path: this.#place},
    })
  }

  async #whole(runs: AsyncIterable<ContentRun>): Promise<number> {
    let size = 0
    for await (const run of runs) {
      await this.#putRun(run)
      size += lengthOf(run)
    }
    return size
  }

  /** Only what lies inside the blocks; what lies between must be zeros, or it would be lost. */
  async #blocks(runs: AsyncIterable<ContentRun>, sizeBytes: number, layout: ContentLayout): Promise<number> {
    const {blocks} = layout
    let index = 0
    let area = {offset: 0, length: layout.headBytes}
    let at = 0
    // Leaves areas that are complete, empty ones too; each block has its header in front.
    const advance = () => {
      for (let next = blocks[index]; next !== undefined && at >= area.offset + area.length; next = blocks[index]) {
        this.put(encodeBlockHeader(next))
        area = next
        index++
      }
    }
    advance()
    for await (const run of runs) {
      const length = lengthOf(run)
      for (let done = 0; done < length;) {
        const end = area.offset + area.length
        const isInside = at >= area.offset && at < end
        const stop = isInside ? end : at < area.offset ? area.offset : Math.max(sizeBytes, at + length)
        const part = slice(run, done, done + Math.min(length - done, stop - at))
        if (isInside) await this.#putRun(part)
        else if (part instanceof Uint8Array && !part.every((byte) => byte === 0)) throw this.#notZero(at)
        at += lengthOf(part)
        done += lengthOf(part)
        advance()
      }
    }
    advance()
    return at
  }

  #notZero(offset: number): InputError {
    return new InputError('RECIPE_CORRUPT', {
      what: 'The layout frame of an entry does not match it: the frame states zeros where the content has data.',
      suggestions: ['Convert without the recipe (--no-keep-recipe).'],
      at: {path: this.#place, offset},
    })
  }

  /** A named stream with its header; without a part, in canonical form. */
  async stream(
    name: string,
    content: Content,
    part: Extract<CarrierPart, {kind: 'stream'}> | undefined,
  ): Promise<void> {
    const sparse = part === undefined ? findSparseLayout(content) : part.sparse
    const attributes = part?.attributes ?? attributesOf(sparse)
    this.put(encodeAlternateHeader(name, sparse?.headBytes ?? content.size, attributes))
    await this.content(content, part?.sizeBytes ?? content.size, sparse)
  }

  /** Sets the times and gives what was written. */
  finish(stamp: Stamp): StoredFile {
    this.end()
    stamp(this.#fd)
    return {sizeBytes: this.#sizeBytes, sha256: this.#hash.digest('hex')}
  }

  /** Gives the file its size, where it ends in a hole. */
  end(): void {
    if (this.#writtenBytes === this.#sizeBytes) return
    try {
      ftruncateSync(this.#fd, this.#sizeBytes)
    } catch (error) {
      throw asTransshipError(error, {path: this.#place})
    }
  }

  close(): void {
    closeSync(this.#fd)
  }
}

function lengthOf(run: ContentRun): number {
  return run instanceof Uint8Array ? run.byteLength : run.hole
}

function slice(run: ContentRun, from: number, to: number): ContentRun {
  return run instanceof Uint8Array ? run.subarray(from, to) : {hole: to - from}
}

async function* noRuns(): AsyncGenerator<ContentRun> {
  // An entry without content.
}
