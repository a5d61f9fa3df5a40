import {isUtf8} from 'node:buffer'
import {InputError, type ErrorCode} from '../../model/errors.js'
import {MAX_CONTENT_BYTES, type Content} from '../../model/content.js'
import {sparseContent} from '../../model/sparse-content.js'
import {LIMITS, type UnpackOptions} from '../../model/limits.js'
import {EntryLimit, UnpackLimit} from '../../model/unpack-limit.js'
import {GrowingBytes} from '../bytes/growing-bytes.js'
import {ByteReader} from './byte-reader.js'
import {HeaderBudget} from './header-budget.js'
import {ExtensionHeaders, isExtension, textOf, type MemberFacts, type MemberKind} from './member-headers.js'
import type {PaxRecords} from './pax.js'
import {findSparseForm, readSparseBodyMap, type SparseForm} from './sparse.js'
import {BLOCK_BYTES, isZero, paddingOf, readTarHeader, type TarHeader} from './tar-header.js'

/*
 * A tar reader of our own, not tar-stream's: layers must be given back byte for byte, so the raw header blocks, the
 * padding and what follows the end are kept; Windows layers have fractional and negative times; and small bodies must
 * cost no stream. tar-stream reads what we write in the tests.
 */

/** Bodies up to this size are given out as one piece. */
const SMALL_BODY_BYTES = 64 * 1024

const NO_BYTES = new Uint8Array()
/** Enough for the headers of most members. */
const RAW_BYTES = 4096

/** What a tar is made of, in order. */
export type TarItem = TarMember | TarRemark

/**
 * Bytes that stand for no member: a global header, padding that is not zero, what follows the end blocks. `short-padding`
 * and `short-end` are the zeros that are there, fewer than there should be, where the tar just stops.
 */
export interface TarRemark {
  readonly kind: 'global' | 'padding' | 'end' | 'short-padding' | 'short-end'
  /** Exactly as stored. A copy: valid for good. */
  readonly raw: Uint8Array
}

export interface TarMember {
  readonly kind: 'member'
  /** What it is: by its type, and where that says nothing by its name. */
  readonly type: MemberKind
  /** Effective name: PAX `path`, GNU long name, or prefix and name. */
  readonly name: string
  readonly linkname: string
  /** Its name or link name is not UTF-8, and shows with U+FFFD. */
  readonly isIllFormed: boolean
  readonly header: TarHeader
  /** Records of this member's own PAX header, as byte strings. */
  readonly pax: PaxRecords
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

export interface TarOptions extends UnpackOptions {
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
      if (tar.passesBody()) continue
      const padding = await tar.finishBody()
      if (padding !== undefined) yield padding
      if (padding?.kind === 'short-padding') return
    }
    yield* tar.rest()
  } finally {
    await reader.close()
  }
}

class TarReader {
  readonly #reader: ByteReader
  readonly #options: TarOptions
  readonly #limit: UnpackLimit
  readonly #entries: EntryLimit
  readonly #budget: HeaderBudget
  /** Header blocks and extension bodies of the member that is read. */
  readonly #raw = new GrowingBytes(RAW_BYTES)
  /** Stored body bytes not yet taken. */
  #left = 0
  #padding = 0

  constructor(reader: ByteReader, options: TarOptions) {
    this.#reader = reader
    this.#options = options
    this.#limit = new UnpackLimit(options.title, options.maxUnpackedBytes)
    this.#entries = new EntryLimit(options.title, options)
    this.#budget = new HeaderBudget(options.title)
  }

  async nextMember(): Promise<TarItem | undefined> {
    const {offset} = this.#reader
    const extensions = new ExtensionHeaders()
    this.#raw.clear()
    this.#budget.begin()
    // Each extension in front is a block and a body; `pieces` counts up to the block at hand.
    for (let pieces = 1; ; pieces += 2) {
      const short = pieces === 1 ? await this.#findShortEnd() : undefined
      if (short !== undefined) return short
      const block = await this.#takeBlock()
      if (isZero(block)) {
        if (pieces > 1) throw this.#corrupt('The archive ends after an extended header.')
        return undefined
      }
      const header = readTarHeader(block)
      if (typeof header === 'string') throw this.#corrupt(header, -BLOCK_BYTES)
      this.#raw.push(block)
      if (!isExtension(header.typeflag)) return this.#member(header, extensions, offset)
      if (pieces + 1 > LIMITS.headerPieces.value) throw this.#corrupt('A member has too many extended headers.')
      const fault = extensions.take(header.typeflag, await this.#takeExtension(header))
      if (fault !== undefined) throw this.#corrupt(fault)
      if (header.typeflag === 'g') return {kind: 'global', raw: Buffer.from(this.#raw.view)}
    }
  }

  /** The zeros in place of the end blocks, where it is allowed that they are too few. */
  async #findShortEnd(): Promise<TarRemark | undefined> {
    if (this.#options.mayLackEnd !== true || (await this.#reader.has(2 * BLOCK_BYTES))) return undefined
    const rest = this.#reader.peek()
    return isZero(rest) ? {kind: 'short-end', raw: Buffer.from(this.#reader.take(rest.byteLength))} : undefined
  }

  async #takeBlock(): Promise<Uint8Array> {
    if (!(await this.#reader.has(BLOCK_BYTES))) {
      throw this.#truncated('It ends where a header or the end blocks should follow.')
    }
    this.#budget.spend(BLOCK_BYTES)
    return this.#reader.take(BLOCK_BYTES)
  }

  /** Its body, which lies behind its header in what is kept of the member. */
  async #takeExtension(header: TarHeader): Promise<Uint8Array> {
    if (header.size > LIMITS.extension.value) throw this.#corrupt('An extended header is larger than 1 MiB.')
    const length = header.size + paddingOf(header.size)
    this.#budget.spend(length)
    if (!(await this.#reader.has(length))) throw this.#truncated('It ends inside an extended header.')
    const start = this.#raw.length
    this.#raw.push(this.#reader.take(length))
    return this.#raw.view.subarray(start, start + header.size)
  }

  async #member(header: TarHeader, extensions: ExtensionHeaders, offset: number): Promise<TarMember> {
    this.#entries.add()
    const facts = extensions.resolve(header)
    if (typeof facts === 'string') throw this.#corrupt(facts, -BLOCK_BYTES)
    const {kind: type, storedSize, pax, linkname, isIllFormed} = facts
    this.#left = storedSize
    this.#padding = paddingOf(storedSize)
    const sparse = await this.#sparse(header, facts)
    const content = sparse === undefined ? await this.#plainContent(storedSize) : this.#sparseContent(sparse)
    const sparseName = sparse?.name
    return {
      kind: 'member',
      type,
      name: sparseName === undefined ? facts.name : textOf(sparseName),
      linkname,
      isIllFormed: isIllFormed || (sparseName !== undefined && !isUtf8(sparseName)),
      header,
      pax,
      raw: Buffer.from(this.#raw.view),
      offset,
      storedSize,
      content,
      ...(sparse?.mapBytes === undefined ? {} : {mapBytes: sparse.mapBytes}),
    }
  }

  async #sparse(header: TarHeader, facts: MemberFacts): Promise<SparseForm | undefined> {
    const takeBlock = () => this.#takeBlock()
    const form = await findSparseForm(header, {raw: this.#raw, facts}, takeBlock)
    if (form === undefined) return undefined
    if (typeof form === 'string') throw this.#corrupt(form)
    if (form.kind === 'map') return form
    const mapped = await readSparseBodyMap(form, this.#left, takeBlock)
    if (mapped === undefined) throw this.#corrupt('A sparse map is malformed.')
    this.#left -= mapped.mapBytes?.byteLength ?? 0
    return mapped
  }

  async #plainContent(size: number): Promise<Content> {
    if (size === 0) return {size, bytes: NO_BYTES, open: () => this.#chunks(0)}
    if (size > SMALL_BODY_BYTES) return {size, open: () => this.#chunks(size)}
    if (!(await this.#reader.has(size))) throw this.#truncated('It ends inside a body.')
    const bytes = this.#reader.take(size)
    this.#left = 0
    return {size, bytes, open: () => once(bytes)}
  }

  #sparseContent({ranges, realSize}: SparseForm): Content {
    const stored = ranges.reduce((sum, range) => sum + range.length, 0)
    if (stored !== this.#left) throw this.#corrupt('A sparse map does not match its body.')
    if (realSize > MAX_CONTENT_BYTES) throw this.#tooLarge(realSize)
    const {signal} = this.#options
    const openRanges = () => this.#chunks(stored)
    return sparseContent({size: realSize, ranges, openRanges, limit: this.#limit, signal})
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

  /** True where nothing is left of a body and its padding is at hand and zero, which it takes. */
  passesBody(): boolean {
    if (this.#left > 0) return false
    const padding = this.#reader.peek(this.#padding)
    if (padding.byteLength < this.#padding || !isZero(padding)) return false
    this.#reader.take(this.#padding)
    this.#padding = 0
    return true
  }

  /** Skips what is left of a body and its padding; the padding when it is not zero, or not all there. */
  async finishBody(): Promise<TarRemark | undefined> {
    if (this.#left > 0) for await (const _chunk of this.#chunks(this.#left));
    const length = this.#padding
    this.#padding = 0
    if (length === 0) return undefined
    if (!(await this.#reader.has(length))) {
      const rest = this.#reader.peek()
      if (this.#options.mayLackEnd === true && isZero(rest)) {
        return {kind: 'short-padding', raw: Buffer.from(this.#reader.take(rest.byteLength))}
      }
      throw this.#truncated('It ends inside the padding of a body.')
    }
    const padding = this.#reader.take(length)
    return isZero(padding) ? undefined : {kind: 'padding', raw: Buffer.from(padding)}
  }

  /** After the first zero block: demands the second, then gives out whatever follows them. */
  async *rest(): AsyncGenerator<TarRemark> {
    if (!(await this.#reader.has(BLOCK_BYTES))) throw this.#truncated('The second of the two end blocks is missing.')
    const second = this.#reader.take(BLOCK_BYTES)
    if (!isZero(second)) throw this.#corrupt('A single zero block separates two members.', -BLOCK_BYTES)
    for (;;) {
      const raw = await this.#reader.takeSome(SMALL_BODY_BYTES)
      if (raw.byteLength === 0) return
      yield {kind: 'end', raw: Buffer.from(raw)}
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

  #tooLarge(size: number): InputError {
    return new InputError('LIMIT_EXCEEDED', {
      what: `${this.#options.title} contains a sparse file of ${size} bytes; the limit is ${MAX_CONTENT_BYTES}.`,
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

// eslint-disable-next-line @typescript-eslint/require-await -- what is at hand, in the shape of what is not
async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}
