import {digestOf, type Digest} from '../../../model/digest.js'
import {InputError} from '../../../model/errors.js'
import type {ExtendedAttribute, FileTimes, WindowsMetadata} from '../../../model/windows-metadata.js'

/*
 * `payload-index.jsonl`: what a disk, a zip or a copy cannot keep of a transport layout. One JSON object a line, one line
 * for each file and for each directory without a carrier, in the order of a walk: name by name, by their UTF-8 bytes. Keys, left out where unknown:
 *   p path, `/` between names; s size in bytes; d SHA-256 of the file, hex; c a w h creation, access, write and change
 *   time as decimal FILETIMEs; link the first name of the file that this is a further name of; and of what is no carrier:
 *   attr FILE_ATTRIBUTE_*, sd security descriptor and rp reparse buffer in base64, ea [name, flags, base64] each.
 *   Source: inbox package page, sections 3.2 and 3.3; attr, sd, rp and ea are our additions.
 */

export interface IndexLine {
  readonly path: string
  /** Bytes of the file as stored; undefined for a directory. */
  readonly sizeBytes?: number
  /** Hex SHA-256 of the file as stored. */
  readonly sha256?: string
  readonly times?: FileTimes
  readonly attributes?: number
  /** Of a file or directory that has no carrier to keep it. */
  readonly metadata?: Pick<WindowsMetadata, 'securityDescriptor' | 'extendedAttributes' | 'reparsePoint'>
  readonly link?: string
}

/** The longest line: a path of 32,767 units, escaped, twice. */
const MAX_LINE_BYTES = 1024 * 1024

export function encodeIndexLine(line: IndexLine): string {
  const {times} = line
  return JSON.stringify({
    p: line.path,
    s: line.sizeBytes,
    d: line.sha256,
    c: times?.creation.toString(),
    a: times?.lastAccess.toString(),
    w: times?.lastWrite.toString(),
    h: times?.change.toString(),
    attr: line.attributes,
    sd: base64(line.metadata?.securityDescriptor),
    ea: line.metadata?.extendedAttributes?.map(({name, flags, value}) => [name, flags, base64(value)]),
    rp: base64(line.metadata?.reparsePoint),
    link: line.link,
  })
}

function base64(bytes: Uint8Array | undefined): string | undefined {
  return bytes === undefined ? undefined : Buffer.from(bytes).toString('base64')
}

const TIME = /^-?\d{1,20}$/
const INT64 = 2n ** 63n

function invalid(why: string, line: number): InputError {
  return new InputError('METADATA_INVALID', {
    what: `Line ${line} of payload-index.jsonl is malformed.`,
    why,
    suggestions: ['Restore the file from a copy, or delete it: times are then taken from the disk.'],
  })
}

function decodeExtendedAttributes(list: unknown, number: number): ExtendedAttribute[] {
  if (!Array.isArray(list)) throw invalid('ea is no list.', number)
  return list.map((item: unknown) => {
    const [name, flags, value] = Array.isArray(item) ? (item as unknown[]) : []
    if (typeof name !== 'string' || typeof flags !== 'number' || typeof value !== 'string')
      throw invalid('ea has an item that is no [name, flags, value].', number)
    return {name, flags, value: Buffer.from(value, 'base64')}
  })
}

function decodeMetadata(keys: Readonly<Record<string, unknown>>, number: number): Pick<IndexLine, 'metadata'> {
  const {sd, ea, rp} = keys
  if (sd === undefined && ea === undefined && rp === undefined) return {}
  return {
    metadata: {
      ...(typeof sd === 'string' ? {securityDescriptor: Buffer.from(sd, 'base64')} : {}),
      ...(ea === undefined ? {} : {extendedAttributes: decodeExtendedAttributes(ea, number)}),
      ...(typeof rp === 'string' ? {reparsePoint: Buffer.from(rp, 'base64')} : {}),
    },
  }
}

function decodeLine(text: string, number: number): IndexLine {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    throw invalid('It is not JSON.', number)
  }
  if (typeof json !== 'object' || json === null) throw invalid('It is not an object.', number)
  const keys = json as Readonly<Record<string, unknown>>
  const time = (key: string) => {
    const value = keys[key]
    if (typeof value !== 'string' || !TIME.test(value)) return undefined
    const ticks = BigInt(value)
    return ticks < INT64 && ticks >= -INT64 ? ticks : undefined
  }
  const [creation, lastAccess, lastWrite, change] = [time('c'), time('a'), time('w'), time('h')]
  const {p: path, s: size, d: sha256, attr, link} = keys
  if (typeof path !== 'string' || path === '') throw invalid('It names no path.', number)
  if (size !== undefined && !(Number.isSafeInteger(size) && Number(size) >= 0)) throw invalid('s is no size.', number)
  if (attr !== undefined && !(Number.isInteger(attr) && Number(attr) >= 0 && Number(attr) <= 0xffffffff))
    throw invalid('attr is no 32-bit number.', number)
  if (sha256 !== undefined && !(typeof sha256 === 'string' && /^[0-9a-f]{64}$/.test(sha256)))
    throw invalid('d is no SHA-256.', number)
  return {
    path,
    ...(size === undefined ? {} : {sizeBytes: Number(size)}),
    ...(typeof sha256 === 'string' ? {sha256} : {}),
    ...(creation === undefined || lastAccess === undefined || lastWrite === undefined || change === undefined
      ? {}
      : {times: {creation, lastAccess, lastWrite, change}}),
    ...(attr === undefined ? {} : {attributes: Number(attr)}),
    ...decodeMetadata(keys, number),
    ...(typeof link === 'string' ? {link} : {}),
  }
}

/** Gathers lines in any order; `finish` gives the file's bytes in index order. */
export class IndexWriter {
  /** Lines stay text: a million of them must fit. */
  readonly #lines: {readonly path: string; readonly text: string}[] = []
  /** Further name -> the first name, whose line tells size, digest and times of both. */
  readonly #links = new Map<string, string>()

  add(line: IndexLine): void {
    this.#lines.push({path: line.path, text: encodeIndexLine(line)})
  }

  /** A further name of a file that has, or will have, a line of its own. */
  addLink(path: string, first: string): void {
    this.#links.set(path, this.#links.get(first) ?? first)
  }

  /**
   * The bytes of the file. Of a file with several names the first in order has the line, whichever was written first, so
   * that the same payload always gives the same index.
   */
  finish(): Buffer {
    const groups = new Map<string, string[]>()
    for (const [path, first] of this.#links) {
      const names = groups.get(first)
      if (names === undefined) groups.set(first, [first, path])
      else names.push(path)
    }
    const lines = this.#lines.filter(({path}) => !groups.has(path))
    for (const {path, text} of this.#lines) {
      const names = groups.get(path)
      if (names === undefined) continue
      const [first = path, ...others] = names.sort((left, right) => Buffer.compare(orderKey(left), orderKey(right)))
      const facts = decodeLine(text, 0)
      lines.push({path: first, text: encodeIndexLine({...facts, path: first})})
      for (const other of others) lines.push({path: other, text: encodeIndexLine({...facts, path: other, link: first})})
    }
    const keyed = lines.map(({path, text}) => ({key: orderKey(path), text}))
    keyed.sort((left, right) => Buffer.compare(left.key, right.key))
    return Buffer.concat(keyed.flatMap(({text}) => [Buffer.from(text), NEWLINE]))
  }
}

/** Sorts paths as a walk meets them: the separator before everything else, so that a folder's content follows it at once. */
function orderKey(path: string): Buffer {
  return Buffer.from(path.replaceAll('/', '\0'))
}

const NEWLINE = Buffer.from('\n')

/** A payload index at hand, by path. Lines stay encoded until they are asked for: a million of them must fit. */
export class PayloadIndex {
  readonly #bytes: Buffer
  /** Path -> start of its line. */
  readonly #starts = new Map<string, number>()
  readonly digest: Digest

  /** Throws `METADATA_INVALID`, naming the line. */
  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.digest = digestOf(this.#bytes)
    let number = 1
    for (let start = 0; start < this.#bytes.byteLength; number++) {
      const end = this.#lineEnd(start)
      if (end - start > MAX_LINE_BYTES) throw invalid(`It is longer than ${MAX_LINE_BYTES} bytes.`, number)
      if (end > start) {
        const {path} = decodeLine(this.#bytes.toString('utf8', start, end), number)
        if (this.#starts.has(path)) throw invalid(`It names ${JSON.stringify(path)} a second time.`, number)
        this.#starts.set(path, start)
      }
      start = end + 1
    }
  }

  #lineEnd(start: number): number {
    const end = this.#bytes.indexOf(0x0a, start)
    return end < 0 ? this.#bytes.byteLength : end
  }

  get(path: string): IndexLine | undefined {
    const start = this.#starts.get(path)
    return start === undefined ? undefined : decodeLine(this.#bytes.toString('utf8', start, this.#lineEnd(start)), 0)
  }

  paths(): IterableIterator<string> {
    return this.#starts.keys()
  }

  get size(): number {
    return this.#starts.size
  }
}
