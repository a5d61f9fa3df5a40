import {InputError} from '../../model/errors.js'
import {findPaxRecords} from './pax.js'
import {hasBody} from './tar-reader.js'
import {BLOCK_BYTES, findTarHeader, isZero, paddingOf, type TarHeader} from './tar-header.js'

/** Bytes that can be read from any place. */
export interface RandomAccess {
  /** Length in bytes. */
  readonly size: number
  /** The bytes from `offset` on: `length` of them, fewer only at the end. */
  read(offset: number, length: number): Promise<Uint8Array>
}

/** A member of a tar, without its body. */
export interface TarIndexEntry {
  readonly kind: 'file' | 'directory' | 'symlink' | 'hard-link' | 'other'
  /** Effective name, as spelt. */
  readonly name: string
  readonly linkname: string
  /** Of the body, bytes from the start of the tar. */
  readonly offset: number
  /** Of the body, bytes. */
  readonly size: number
}

export interface IndexTarOptions {
  /** For messages: which tar this is. */
  readonly title: string
  readonly signal?: AbortSignal | undefined
}

/** No archive of images comes near; a bound for hostile input. */
const MAX_ENTRIES = 200_000
/** Extension members are path-sized; Go refuses more than this. */
const MAX_EXTENSION_BYTES = 2 ** 20
/** Read at a time: many small members lie in one window. */
const WINDOW_BYTES = 64 * 1024

const KINDS: Readonly<Record<string, TarIndexEntry['kind']>> = {
  '0': 'file',
  '\0': 'file',
  '7': 'file',
  '5': 'directory',
  '2': 'symlink',
  '1': 'hard-link',
}

/**
 * The members of a tar by their headers alone: bodies are leapt over. Demands the end blocks (`ARCHIVE_TRUNCATED`).
 * `ARCHIVE_CORRUPT`, `LIMIT_EXCEEDED`.
 */
export async function indexTar(tar: RandomAccess, options: IndexTarOptions): Promise<readonly TarIndexEntry[]> {
  return new TarIndexer(tar, options).entries()
}

interface Extensions {
  readonly pax: Map<string, string>
  longName: string | undefined
  longLink: string | undefined
}

class TarIndexer {
  readonly #tar: RandomAccess
  readonly #options: IndexTarOptions
  #window: Uint8Array = new Uint8Array()
  #windowOffset = 0
  #offset = 0

  constructor(tar: RandomAccess, options: IndexTarOptions) {
    this.#tar = tar
    this.#options = options
  }

  async entries(): Promise<readonly TarIndexEntry[]> {
    const entries: TarIndexEntry[] = []
    for (let entry = await this.#next(); entry !== undefined; entry = await this.#next()) {
      this.#options.signal?.throwIfAborted()
      entries.push(entry)
      if (entries.length > MAX_ENTRIES) throw this.#tooMany()
    }
    if (!isZero(await this.#take(BLOCK_BYTES))) throw this.#corrupt('A single zero block stands between members.')
    return entries
  }

  async #next(): Promise<TarIndexEntry | undefined> {
    const extensions: Extensions = {pax: new Map(), longName: undefined, longLink: undefined}
    for (;;) {
      const block = await this.#take(BLOCK_BYTES)
      if (isZero(block)) return undefined
      const header = findTarHeader(block)
      if (header === undefined) throw this.#corrupt('A header block is damaged: its checksum is wrong.')
      if (!(await this.#extend(header, extensions))) return this.#entry(header, extensions)
    }
  }

  /** Takes an extension member in; false when the header is an ordinary one. */
  async #extend(header: TarHeader, extensions: Extensions): Promise<boolean> {
    if (!['x', 'g', 'L', 'K'].includes(header.typeflag)) return false
    if (header.size > MAX_EXTENSION_BYTES) throw this.#corrupt('An extended header is larger than 1 MiB.')
    const body = (await this.#take(header.size + paddingOf(header.size))).subarray(0, header.size)
    if (header.typeflag === 'L') extensions.longName = textOf(body)
    if (header.typeflag === 'K') extensions.longLink = textOf(body)
    if (header.typeflag === 'x') {
      const records = findPaxRecords(body)
      if (records === undefined) throw this.#corrupt('A PAX header is malformed.')
      for (const [key, value] of records) extensions.pax.set(key, value)
    }
    return true
  }

  #entry(header: TarHeader, {pax, longName, longLink}: Extensions): TarIndexEntry {
    if (header.typeflag === 'S' || [...pax.keys()].some((key) => key.startsWith('GNU.sparse.'))) {
      throw this.#corrupt('It holds a sparse member, which no image archive has.')
    }
    const size = hasBody(header.typeflag) ? this.#sizeOf(header, pax) : 0
    const offset = this.#offset
    this.#offset += size + paddingOf(size)
    if (this.#offset > this.#tar.size) throw this.#truncated(this.#tar.size)
    const prefix = textOf(header.prefix)
    return {
      kind: KINDS[header.typeflag] ?? 'other',
      name: pax.get('path') ?? longName ?? (prefix === '' ? '' : `${prefix}/`) + textOf(header.name),
      linkname: pax.get('linkpath') ?? longLink ?? textOf(header.linkname),
      offset,
      size,
    }
  }

  #sizeOf(header: TarHeader, pax: ReadonlyMap<string, string>): number {
    const text = pax.get('size')
    if (text === undefined) return header.size
    const size = /^[0-9]{1,16}$/.test(text) ? Number(text) : Number.NaN
    if (!Number.isSafeInteger(size)) throw this.#corrupt('A PAX size is not a number.')
    return size
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
      why: 'It ends before its end blocks.',
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

  #tooMany(): InputError {
    return new InputError('LIMIT_EXCEEDED', {
      what: `${this.#options.title} has more than ${MAX_ENTRIES} members.`,
      why: 'No archive of images has that many.',
      at: {path: this.#options.title},
    })
  }
}

function textOf(bytes: Uint8Array): string {
  const end = bytes.indexOf(0)
  return Buffer.from(bytes.buffer, bytes.byteOffset, end < 0 ? bytes.byteLength : end).toString('utf8')
}
