import {createHash, hash as hashOnce} from 'node:crypto'
import {closeSync, fsyncSync, openSync, writeSync} from 'node:fs'
import {
  encodeAlternateHeader,
  encodeBlockHeader,
  type CarrierPart,
  type ContentLayout,
} from '../../../codecs/carrier/plan-carrier.js'
import {asTransshipError, findSystemCode, InputError} from '../../../model/errors.js'
import type {Content} from '../../../model/content.js'

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
    throw new InputError('DUPLICATE_ENTRY', {what: `The layer holds '${place}' twice.`, cause: error})
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

function writeFully(fd: number, bytes: Uint8Array, place: string): void {
  try {
    for (let done = 0; done < bytes.byteLength;) done += writeSync(fd, bytes, done)
  } catch (error) {
    throw asTransshipError(error, {path: place})
  }
}

/** Writes a new file to the disk. */
export function writePieces(file: string, pieces: Iterable<Uint8Array>): void {
  const fd = openNew(file, file)
  try {
    for (const piece of pieces) writeFully(fd, piece, file)
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

/** A new file that is written part by part, in order, and hashed as it goes. */
export class CarrierOutput {
  readonly #fd: number
  readonly #place: string
  readonly #hash = createHash('sha256')
  #sizeBytes = 0

  constructor(file: string, place: string) {
    this.#fd = openNew(file, place)
    this.#place = place
  }

  put(bytes: Uint8Array): void {
    writeFully(this.#fd, bytes, this.#place)
    this.#hash.update(bytes)
    this.#sizeBytes += bytes.byteLength
  }

  /** Content as the layout of its blocks asks for; in one piece without one. */
  async content(content: Content | undefined, sizeBytes: number, sparse: ContentLayout | undefined): Promise<void> {
    const pieces = piecesOf(content)
    const size = sparse === undefined ? await this.#whole(pieces) : await this.#blocks(pieces, sizeBytes, sparse)
    if (size === sizeBytes) return
    throw new InputError('SIZE_MISMATCH', {
      what: 'A file changed while it was read.',
      why: `Expected ${sizeBytes} bytes of content, found ${size}.`,
      suggestions: ['Stop what writes to the source, then retry.'],
      at: {path: this.#place},
    })
  }

  async #whole(pieces: AsyncIterable<Uint8Array>): Promise<number> {
    let size = 0
    for await (const piece of pieces) {
      this.put(piece)
      size += piece.byteLength
    }
    return size
  }

  /** Only what lies inside the blocks; what lies between must be zeros, or it would be lost. */
  async #blocks(pieces: AsyncIterable<Uint8Array>, sizeBytes: number, layout: ContentLayout): Promise<number> {
    const blocks = [...layout.blocks]
    let area = {offset: 0, length: layout.headBytes}
    let at = 0
    // Leaves areas that are complete, empty ones too; each block has its header in front.
    const advance = () => {
      while (blocks.length > 0 && at >= area.offset + area.length) {
        const next = blocks.shift()
        if (next === undefined) return
        this.put(encodeBlockHeader(next))
        area = next
      }
    }
    advance()
    for await (const piece of pieces) {
      for (let done = 0; done < piece.byteLength;) {
        const end = area.offset + area.length
        const isInside = at >= area.offset && at < end
        const stop = isInside ? end : at < area.offset ? area.offset : Math.max(sizeBytes, at + piece.byteLength)
        const run = piece.subarray(done, done + Math.min(piece.byteLength - done, stop - at))
        if (isInside) this.put(run)
        else if (!run.every((byte) => byte === 0)) throw this.#notZero(at)
        at += run.byteLength
        done += run.byteLength
        advance()
      }
    }
    advance()
    return at
  }

  #notZero(offset: number): InputError {
    return new InputError('RECIPE_CORRUPT', {
      what: 'A layout frame does not fit its entry: it says there are zeros where the content has bytes.',
      suggestions: ['Convert without it (--no-keep-recipe).'],
      at: {path: this.#place, offset},
    })
  }

  /** A named stream with its header. */
  async stream(
    name: string,
    content: Content,
    part: Extract<CarrierPart, {kind: 'stream'}> | undefined,
  ): Promise<void> {
    const {sparse} = part ?? {}
    this.put(encodeAlternateHeader(name, sparse?.headBytes ?? content.size, part?.attributes))
    await this.content(content, part?.sizeBytes ?? content.size, sparse)
  }

  /** Gives what was written. */
  finish(stamp: Stamp): StoredFile {
    stamp(this.#fd)
    return {sizeBytes: this.#sizeBytes, sha256: this.#hash.digest('hex')}
  }

  close(): void {
    closeSync(this.#fd)
  }
}

/** The bytes of a content, however it is held. */
export async function* piecesOf(content: Content | undefined): AsyncGenerator<Uint8Array> {
  if (content?.bytes !== undefined) yield content.bytes
  else if (content !== undefined) yield* content.open()
}
