import {InputError, type ErrorCode} from '../../model/errors.js'
import type {Content} from '../../model/content.js'
import {ByteReader} from './byte-reader.js'
import {findPaxRecords} from './pax.js'
import {expandSparse, findSparseForm, readSparseBodyMap, type SparseForm} from './sparse.js'
import {BLOCK_BYTES, findTarHeader, isZero, paddingOf, type TarHeader} from './tar-header.js'

/*
 * A tar reader of our own, not tar-stream's: layers must be given back byte for byte, so the raw header blocks, the
 * padding and what follows the end are kept; Windows layers have fractional and negative times; and small bodies must
 * cost no stream. tar-stream reads what we write in the tests.
 */

/** Extension members (PAX, long names) are JSON-sized in real layers; Go refuses more than this. */
const MAX_EXTENSION_BYTES = 2 ** 20
/** Bodies up to this size are given out as one piece. */
const SMALL_BODY_BYTES = 64 * 1024

/** What a tar is made of, in order. */
export type TarItem = TarMember | TarRemark

/**
 * Bytes that stand for no member: a global header, padding that is not zero, what follows the end blocks. `short-padding`
 * and `short-end` are the zeros that are there, fewer than there should be, where the tar just stops.
 */
export interface TarRemark {
  readonly kind: 'global' | 'padding' | 'end' | 'short-padding' | 'short-end'
  /** Exactly as stored; valid until the next item is asked for. */
  readonly raw: Uint8Array
}

export interface TarMember {
  readonly kind: 'member'
  /** Effective name: PAX `path`, GNU long name, or prefix and name. */
  readonly name: string
  readonly linkname: string
  readonly header: TarHeader
  /** Records of this member's own PAX header. */
  readonly pax: ReadonlyMap<string, string>
  /** All header blocks, extension members included, as stored. A copy: valid for good. */
  readonly raw: Uint8Array
  /** Of the first header block. */
  readonly offset: number
  /** Bytes of body as stored. */
  readonly storedSize: number
  /** The body, holes filled. Not read by the consumer = skipped. */
  readonly content: Content
  /** Where a sparse body keeps its map in front of the data: those bytes, as stored. */
  readonly mapBytes?: Uint8Array
}

export interface TarOptions {
  /** For messages: which tar this is. */
  readonly title: string
  /** Code of faults; `LAYER_CORRUPT` for a layer, `ARCHIVE_CORRUPT` otherwise. */
  readonly code?: ErrorCode
  /**
   * Take a tar that stops behind its last body for whole: `umoci insert` leaves the end out, and Go reads on without it.
   * Only for bytes whose digest is checked, since a cut between members looks the same.
   */
  readonly mayLackEnd?: boolean
  readonly signal?: AbortSignal | undefined
}

/**
 * The items of a tar, read strictly in order. Bodies must be read, or are skipped, before the next item is asked for.
 * A tar without its end blocks is `ARCHIVE_TRUNCATED`: a cut between members would look like the end otherwise.
 */
export async function* readTar(body: AsyncIterable<Uint8Array>, options: TarOptions): AsyncGenerator<TarItem> {
  const reader = new ByteReader(body)
  const tar = new TarReader(reader, options)
  try {
    for (;;) {
      options.signal?.throwIfAborted()
      const member = await tar.nextMember()
      if (member === undefined) break
      yield member
      if (member.kind === 'short-end') return
      const padding = await tar.finishBody()
      if (padding !== undefined) yield padding
      if (padding?.kind === 'short-padding') return
    }
    yield* tar.rest()
  } finally {
    await reader.close()
  }
}

interface Extensions {
  raw: Uint8Array[]
  pax: Map<string, string>
  longName: string | undefined
  longLink: string | undefined
}

class TarReader {
  readonly #reader: ByteReader
  readonly #options: TarOptions
  /** Stored body bytes not yet taken. */
  #left = 0
  #padding = 0

  constructor(reader: ByteReader, options: TarOptions) {
    this.#reader = reader
    this.#options = options
  }

  async nextMember(): Promise<TarItem | undefined> {
    const {offset} = this.#reader
    const extensions: Extensions = {raw: [], pax: new Map(), longName: undefined, longLink: undefined}
    for (;;) {
      const short = extensions.raw.length === 0 ? await this.#findShortEnd() : undefined
      if (short !== undefined) return short
      const block = await this.#takeBlock()
      if (isZero(block)) {
        if (extensions.raw.length > 0) throw this.#corrupt('An extended header is followed by the end.')
        return undefined
      }
      const header = findTarHeader(block)
      if (header === undefined) throw this.#corrupt('A header block is damaged: its checksum is wrong.', -BLOCK_BYTES)
      extensions.raw.push(Uint8Array.from(block))
      if (header.typeflag === 'g' && extensions.raw.length === 1) return this.#global(header, extensions)
      if (!(await this.#extend(header, extensions))) return this.#member(header, extensions, offset)
    }
  }

  /** The zeros in place of the end blocks, where it is allowed that they are too few. */
  async #findShortEnd(): Promise<TarRemark | undefined> {
    if (this.#options.mayLackEnd !== true || (await this.#reader.has(2 * BLOCK_BYTES))) return undefined
    const rest = this.#reader.peek()
    return isZero(rest) ? {kind: 'short-end', raw: this.#reader.take(rest.byteLength)} : undefined
  }

  async #takeBlock(): Promise<Uint8Array> {
    if (!(await this.#reader.has(BLOCK_BYTES))) {
      throw this.#truncated('It ends where a header or the end blocks should be.')
    }
    return this.#reader.take(BLOCK_BYTES)
  }

  async #global(header: TarHeader, extensions: Extensions): Promise<TarItem> {
    await this.#takeExtension(header, extensions)
    return {kind: 'global', raw: Buffer.concat(extensions.raw)}
  }

  /** Takes an extension member in; false when the header is not one. */
  async #extend(header: TarHeader, extensions: Extensions): Promise<boolean> {
    switch (header.typeflag) {
      case 'x': {
        const records = findPaxRecords(await this.#takeExtension(header, extensions))
        if (records === undefined) throw this.#corrupt('A PAX header is malformed.')
        for (const [key, value] of records) extensions.pax.set(key, value)
        return true
      }
      case 'L':
        extensions.longName = textOf(await this.#takeExtension(header, extensions))
        return true
      case 'K':
        extensions.longLink = textOf(await this.#takeExtension(header, extensions))
        return true
      default:
        return false
    }
  }

  async #takeExtension(header: TarHeader, extensions: Extensions): Promise<Uint8Array> {
    if (header.size > MAX_EXTENSION_BYTES) throw this.#corrupt('An extended header is larger than 1 MiB.')
    const length = header.size + paddingOf(header.size)
    if (!(await this.#reader.has(length))) throw this.#truncated('It ends inside an extended header.')
    const bytes = Uint8Array.from(this.#reader.take(length))
    extensions.raw.push(bytes)
    return bytes.subarray(0, header.size)
  }

  async #member(header: TarHeader, extensions: Extensions, offset: number): Promise<TarMember> {
    const {pax} = extensions
    const ustarName = header.prefix.length > 0 ? `${textOf(header.prefix)}/${textOf(header.name)}` : textOf(header.name)
    const storedSize = hasBody(header.typeflag) ? this.#sizeOf(header, pax) : 0
    this.#left = storedSize
    this.#padding = paddingOf(storedSize)
    const sparse = await this.#sparse(header, extensions)
    const content = sparse === undefined ? await this.#plainContent(storedSize) : this.#sparseContent(sparse)
    return {
      kind: 'member',
      name: pax.get('GNU.sparse.name') ?? pax.get('path') ?? extensions.longName ?? ustarName,
      linkname: pax.get('linkpath') ?? extensions.longLink ?? textOf(header.linkname),
      header,
      pax,
      raw: Buffer.concat(extensions.raw),
      offset,
      storedSize,
      content,
      ...(sparse?.mapBytes === undefined ? {} : {mapBytes: sparse.mapBytes}),
    }
  }

  #sizeOf(header: TarHeader, pax: ReadonlyMap<string, string>): number {
    const text = pax.get('size')
    if (text === undefined) return header.size
    const size = /^[0-9]{1,16}$/.test(text) ? Number(text) : Number.NaN
    if (!Number.isSafeInteger(size)) throw this.#corrupt('A PAX size is not a number.')
    return size
  }

  async #sparse(header: TarHeader, extensions: Extensions): Promise<SparseForm | undefined> {
    const takeBlock = () => this.#takeBlock()
    const form = await findSparseForm(header, extensions.raw, extensions.pax, takeBlock)
    if (form === 'malformed') throw this.#corrupt('A sparse map is malformed.')
    if (form === undefined || form.kind === 'map') return form
    const mapped = await readSparseBodyMap(form.realSize, this.#left, takeBlock)
    if (mapped === undefined) throw this.#corrupt('A sparse map is malformed.')
    this.#left -= mapped.mapBytes?.byteLength ?? 0
    return mapped
  }

  async #plainContent(size: number): Promise<Content> {
    if (size === 0) return {size, bytes: new Uint8Array(), open: () => this.#chunks(0)}
    if (size > SMALL_BODY_BYTES) return {size, open: () => this.#chunks(size)}
    if (!(await this.#reader.has(size))) throw this.#truncated('It ends inside a body.')
    const bytes = this.#reader.take(size)
    this.#left = 0
    return {size, bytes, open: () => once(bytes)}
  }

  #sparseContent(sparse: SparseForm): Content {
    const stored = sparse.ranges.reduce((sum, range) => sum + range.length, 0)
    if (stored !== this.#left) throw this.#corrupt('A sparse map does not fit its body.')
    return {
      size: sparse.realSize,
      ranges: sparse.ranges,
      open: () => expandSparse(sparse.ranges, sparse.realSize, this.#chunks(stored)),
    }
  }

  async *#chunks(size: number): AsyncGenerator<Uint8Array> {
    for (let left = size; left > 0;) {
      this.#options.signal?.throwIfAborted()
      const chunk = await this.#reader.takeSome(left)
      if (chunk.byteLength === 0) throw this.#truncated('It ends inside a body.')
      left -= chunk.byteLength
      this.#left -= chunk.byteLength
      yield chunk
    }
  }

  /** Skips what is left of a body and its padding; the padding when it is not zero, or not all there. */
  async finishBody(): Promise<TarRemark | undefined> {
    for await (const _chunk of this.#chunks(this.#left));
    const length = this.#padding
    this.#padding = 0
    if (length === 0) return undefined
    if (!(await this.#reader.has(length))) {
      const rest = this.#reader.peek()
      if (this.#options.mayLackEnd === true && isZero(rest)) {
        return {kind: 'short-padding', raw: this.#reader.take(rest.byteLength)}
      }
      throw this.#truncated('It ends inside the padding of a body.')
    }
    const padding = this.#reader.take(length)
    return isZero(padding) ? undefined : {kind: 'padding', raw: padding}
  }

  /** After the first zero block: demands the second, then gives out whatever follows them. */
  async *rest(): AsyncGenerator<TarRemark> {
    if (!(await this.#reader.has(BLOCK_BYTES))) throw this.#truncated('The second of the two end blocks is missing.')
    const second = this.#reader.take(BLOCK_BYTES)
    if (!isZero(second)) throw this.#corrupt('A single zero block stands between members.', -BLOCK_BYTES)
    for (;;) {
      const raw = await this.#reader.takeSome(SMALL_BODY_BYTES)
      if (raw.byteLength === 0) return
      yield {kind: 'end', raw}
    }
  }

  #truncated(why: string): InputError {
    return new InputError('ARCHIVE_TRUNCATED', {
      what: `${this.#options.title} is cut short.`,
      why,
      suggestions: ['Save or download it again, then retry.'],
      at: {path: this.#options.title, offset: this.#reader.offset},
    })
  }

  #corrupt(why: string, delta = 0): InputError {
    return new InputError(this.#options.code ?? 'ARCHIVE_CORRUPT', {
      what: `${this.#options.title} is not a well-formed tar.`,
      why,
      suggestions: ['Save or download it again, then retry.'],
      at: {path: this.#options.title, offset: this.#reader.offset + delta},
    })
  }
}

/** Links, directories and devices have no body, whatever their size field says. Source: Go archive/tar isHeaderOnlyType. */
export function hasBody(typeflag: string): boolean {
  return !['1', '2', '3', '4', '5', '6'].includes(typeflag)
}

function textOf(bytes: Uint8Array): string {
  const end = bytes.indexOf(0)
  return Buffer.from(bytes.buffer, bytes.byteOffset, end < 0 ? bytes.byteLength : end).toString('utf8')
}

// eslint-disable-next-line @typescript-eslint/require-await -- what is at hand, in the shape of what is not
async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}
