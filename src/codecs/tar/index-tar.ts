import {InputError} from '../../model/errors.js'
import {LIMITS, type UnpackOptions} from '../../model/limits.js'
import {EntryLimit} from '../../model/unpack-limit.js'
import {HeaderBudget} from './header-budget.js'
import {ExtensionHeaders, isExtension, type MemberKind} from './member-headers.js'
import {BLOCK_BYTES, isZero, paddingOf, readTarHeader, type TarHeader} from './tar-header.js'

/** Bytes that can be read from any place. */
export interface RandomAccess {
  /** Length in bytes. */
  readonly size: number
  /** The bytes from `offset` on: `length` of them, fewer only at the end. */
  read(offset: number, length: number): Promise<Uint8Array>
}

/** A member of a tar, without its body. */
export interface TarIndexEntry {
  readonly kind: MemberKind
  /** Effective name, as spelt. */
  readonly name: string
  readonly linkname: string
  /** Of the body, bytes from the start of the tar. */
  readonly offset: number
  /** Of the body, bytes. */
  readonly size: number
}

export interface IndexTarOptions extends UnpackOptions {
  /** For messages: which tar this is. */
  readonly title: string
  readonly signal?: AbortSignal | undefined
}

/** Read at a time: many small members lie in one window. */
const WINDOW_BYTES = 64 * 1024

/**
 * The members of a tar by their headers alone: bodies are leapt over. Demands the end blocks (`ARCHIVE_TRUNCATED`).
 * `ARCHIVE_CORRUPT`, `NAME_UNSAFE`, `LIMIT_EXCEEDED`.
 */
export async function indexTar(tar: RandomAccess, options: IndexTarOptions): Promise<readonly TarIndexEntry[]> {
  return new TarIndexer(tar, options).entries()
}

class TarIndexer {
  readonly #tar: RandomAccess
  readonly #options: IndexTarOptions
  readonly #limit: EntryLimit
  readonly #budget: HeaderBudget
  #window: Uint8Array = new Uint8Array()
  #windowOffset = 0
  #offset = 0

  constructor(tar: RandomAccess, options: IndexTarOptions) {
    this.#tar = tar
    this.#options = options
    this.#limit = new EntryLimit(options.title, options, LIMITS.archiveEntries.value)
    this.#budget = new HeaderBudget(options.title)
  }

  async entries(): Promise<readonly TarIndexEntry[]> {
    const entries: TarIndexEntry[] = []
    for (let entry = await this.#next(); entry !== undefined; entry = await this.#next()) {
      this.#options.signal?.throwIfAborted()
      this.#limit.add()
      entries.push(entry)
    }
    if (!isZero(await this.#take(BLOCK_BYTES))) throw this.#corrupt('A single zero block separates two members.')
    return entries
  }

  async #next(): Promise<TarIndexEntry | undefined> {
    let extensions = new ExtensionHeaders()
    this.#budget.begin()
    for (;;) {
      this.#options.signal?.throwIfAborted()
      const block = await this.#take(BLOCK_BYTES)
      if (isZero(block)) return undefined
      const header = readTarHeader(block)
      if (typeof header === 'string') throw this.#corrupt(header)
      if (!isExtension(header.typeflag)) return this.#entry(header, extensions)
      if (header.size > LIMITS.extension.value) throw this.#corrupt('An extended header is larger than 1 MiB.')
      const length = header.size + paddingOf(header.size)
      this.#budget.spend(BLOCK_BYTES + length)
      const body = await this.#take(length)
      const fault = extensions.take(header.typeflag, Uint8Array.from(body.subarray(0, header.size)))
      if (fault !== undefined) throw this.#corrupt(fault)
      if (header.typeflag === 'g') extensions = new ExtensionHeaders()
    }
  }

  #entry(header: TarHeader, extensions: ExtensionHeaders): TarIndexEntry {
    const facts = extensions.resolve(header)
    if (typeof facts === 'string') throw this.#corrupt(facts)
    const {kind, name, linkname, storedSize: size} = facts
    if (header.typeflag === 'S' || [...facts.pax.keys()].some((key) => key.startsWith('GNU.sparse.'))) {
      throw this.#corrupt('It contains a sparse member, which image archives never have.')
    }
    if (facts.isIllFormed) throw this.#illFormed(name)
    const offset = this.#offset
    this.#offset += size + paddingOf(size)
    if (this.#offset > this.#tar.size) throw this.#truncated(this.#tar.size)
    return {kind, name, linkname, offset, size}
  }

  async #take(length: number): Promise<Uint8Array> {
    const from = this.#offset
    if (from < this.#windowOffset || from + length > this.#windowOffset + this.#window.byteLength) {
      this.#window = await this.#tar.read(from, Math.max(length, WINDOW_BYTES))
      this.#windowOffset = from
    }
    if (this.#window.byteLength - (from - this.#windowOffset) < length) throw this.#truncated(from)
    this.#offset += length
    return this.#window.subarray(from - this.#windowOffset, from - this.#windowOffset + length)
  }

  #truncated(offset: number): InputError {
    return new InputError('ARCHIVE_TRUNCATED', {
      what: `${this.#options.title} is cut short.`,
      why: 'Its end blocks are missing.',
      suggestions: ['Save or download it again, then retry.'],
      at: {path: this.#options.title, offset},
    })
  }

  #corrupt(why: string): InputError {
    return new InputError('ARCHIVE_CORRUPT', {
      what: `${this.#options.title} is not a well-formed tar.`,
      why,
      suggestions: ['Save or download it again, then retry.'],
      at: {path: this.#options.title, offset: Math.max(0, this.#offset - BLOCK_BYTES)},
    })
  }

  #illFormed(name: string): InputError {
    return new InputError('NAME_UNSAFE', {
      what: `${this.#options.title} has a member whose name is not UTF-8: ${JSON.stringify(name)}.`,
      why: 'Two such names could look alike.',
      suggestions: ['Create the archive again with names in UTF-8.'],
      at: {path: this.#options.title, offset: this.#offset - BLOCK_BYTES},
    })
  }
}
