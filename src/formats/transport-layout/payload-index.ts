import type {ByteSource} from '../../codecs/backup-stream/byte-source.js'
import {HeldBytes} from '../../codecs/compression/held-bytes.js'
import {Digester, type Digest} from '../../model/digest.js'
import {PathTable} from '../../model/path-table.js'
import {decodeIndexLine, encodeIndexLine, invalidLine, type IndexLine} from './index-line.js'
import {linesOf} from './lines-of.js'

export {encodeIndexLine, type IndexLine} from './index-line.js'

const NEWLINE = 0x0a
const SEPARATOR = 0x2f

/** Digest, size and the four times. */
const FACT_BYTES = 32 + 8 + 4 * 8
/** Lines whose facts are set aside for at a time. */
const GROUP_LINES = 16 * 1024

/** Gathers lines in any order; `finish` gives the file's bytes in index order. A million of them must fit. */
export class IndexWriter {
  /** Path -> the number of its line, from 1. Compared as Windows does: of two that are one there, the writer refuses the second. */
  readonly #paths = new PathTable({isFolding: true})
  #count = 0
  /** By number: what nearly every line consists of. */
  readonly #facts: Buffer[] = []
  /** By number: lines with less or more than that. */
  readonly #others = new Map<number, string>()
  /** Further name -> the first name, whose line tells size, digest and times of both. */
  readonly #links = new Map<string, string>()

  add(line: IndexLine): void {
    const number = ++this.#count
    this.#paths.set(line.path, number)
    if (!this.#keep(number, line)) this.#others.set(number, encodeIndexLine(line))
  }

  /** A further name of a file that has, or will have, a line of its own. */
  addLink(path: string, first: string): void {
    const written = this.#links.get(first) ?? first
    this.#links.set(path, written)
    const number = this.#paths.get(written)
    if (number !== 0) this.#paths.set(path, number)
  }

  /** The spelling of a name that has a line already, in whatever case; undefined for a new one. */
  findName(path: string): string | undefined {
    return this.#paths.get(path) === 0 ? undefined : this.#paths.at(this.#paths.find(path)).path
  }

  /** What was added of a file, under whichever of its names. */
  find(path: string): IndexLine | undefined {
    const number = this.#paths.get(this.#links.get(path) ?? path)
    return number === 0 ? undefined : this.#lineOf(path, number)
  }

  #factsOf(number: number): Buffer {
    const group = Math.floor(number / GROUP_LINES)
    const facts = (this.#facts[group] ??= Buffer.alloc(GROUP_LINES * FACT_BYTES))
    const at = (number % GROUP_LINES) * FACT_BYTES
    return facts.subarray(at, at + FACT_BYTES)
  }

  /** False for a line that does not consist of just these facts. */
  #keep(number: number, {sizeBytes, sha256, times, ...more}: IndexLine): boolean {
    const isMore = more.attributes !== undefined || more.metadata !== undefined || more.link !== undefined
    if (sizeBytes === undefined || sha256 === undefined || times === undefined || isMore) return false
    const ticks = [times.creation, times.lastAccess, times.lastWrite, times.change]
    if (ticks.some((time) => BigInt.asIntN(64, time) !== time)) return false
    const facts = this.#factsOf(number)
    facts.write(sha256, 0, 32, 'hex')
    facts.writeDoubleLE(sizeBytes, 32)
    for (const [index, time] of ticks.entries()) facts.writeBigInt64LE(time, 40 + 8 * index)
    return true
  }

  #lineOf(path: string, number: number): IndexLine {
    const other = this.#others.get(number)
    if (other !== undefined) return {...decodeIndexLine(other, number), path}
    const facts = this.#factsOf(number)
    return {
      path,
      sizeBytes: facts.readDoubleLE(32),
      sha256: facts.toString('hex', 0, 32),
      times: {
        creation: facts.readBigInt64LE(40),
        lastAccess: facts.readBigInt64LE(48),
        lastWrite: facts.readBigInt64LE(56),
        change: facts.readBigInt64LE(64),
      },
    }
  }

  /**
   * The bytes of the file. Of a file with several names the first in order has the line, whichever was written first, so
   * that the same payload always gives the same index.
   */
  finish(): {readonly bytes: HeldBytes; readonly digest: Digest} {
    const links = this.#placeLinks()
    const bytes = new HeldBytes()
    const digester = new Digester()
    for (const {path, value} of this.#paths.inWalkOrder()) {
      if (value === 0) continue
      const link = links.get(path)
      const line = Buffer.from(
        `${encodeIndexLine({...this.#lineOf(path, value), ...(link === undefined ? {} : {link})})}\n`,
      )
      bytes.push(line)
      digester.update(line)
    }
    return {bytes, digest: digester.digest()}
  }

  /** Gives all names of a file the number of its line; the further names with the first one in order. */
  #placeLinks(): ReadonlyMap<string, string> {
    const groups = new Map<string, string[]>()
    for (const [path, first] of this.#links) {
      const names = groups.get(first)
      if (names === undefined) groups.set(first, [first, path])
      else names.push(path)
    }
    const links = new Map<string, string>()
    for (const [written, names] of groups) {
      const number = this.#paths.get(written)
      if (number === 0) continue
      const [first = written, ...others] = names.sort((left, right) => Buffer.compare(orderKey(left), orderKey(right)))
      for (const name of names) this.#paths.set(name, number)
      for (const other of others) links.set(other, first)
    }
    return links
  }
}

/** Sorts paths as a walk meets them: the separator before everything else, so that a folder's content follows it at once. */
function orderKey(path: string): Buffer {
  return Buffer.from(path.replaceAll('/', '\0'))
}

/** Read at a time, and held of these: 8 MiB together, all of the index of most layers. */
const PAGE_BYTES = 64 * 1024
const HELD_PAGES = 128
/** Of so many lines one is remembered. */
const LINES_APART = 16

/**
 * A payload index, by path. It stays where it is and is read by pages, since a million lines take some 250 MB. Of one in
 * index order every sixteenth line is remembered, of another one each.
 */
export class PayloadIndex {
  readonly #source: ByteSource
  /** By number; the one that was used last is the last. */
  readonly #pages = new Map<number, Buffer>()
  /** Paths of lines in index order, and where they start; undefined when the index has another order. */
  readonly #marks: {readonly path: string; readonly start: number}[] | undefined
  /** Path -> start of its line, from 1. */
  readonly #starts: PathTable | undefined
  readonly digest: Digest
  /** Lines, but for empty ones. */
  readonly count: number

  /** Throws `METADATA_INVALID`, naming the line. */
  constructor(source: ByteSource) {
    this.#source = source
    const digester = new Digester()
    const marks: {path: string; start: number}[] = []
    let isOrdered = true
    let last = ''
    let number = 0
    for (const {path, start} of this.#scan(digester)) {
      isOrdered &&= compareInWalk(last, path) < 0
      last = path
      if (number++ % LINES_APART === 0 && isOrdered) marks.push({path, start})
    }
    this.digest = digester.digest()
    this.count = number
    if (isOrdered) this.#marks = marks
    else this.#starts = this.#table()
  }

  *#scan(digester: Digester | undefined): Generator<{readonly path: string; readonly start: number}> {
    let start = 0
    let number = 0
    for (const line of linesOf(this.#read(digester))) {
      number++
      if (line.byteLength > 1 || line[0] !== NEWLINE)
        yield {path: decodeIndexLine(line.toString('utf8'), number).path, start}
      start += line.byteLength
    }
  }

  *#read(digester: Digester | undefined): Generator<Uint8Array> {
    const {sizeBytes} = this.#source
    for (let at = 0; at < sizeBytes; at += PAGE_BYTES) {
      const page = this.#page(at / PAGE_BYTES)
      digester?.update(page)
      yield page
    }
  }

  #table(): PathTable {
    const starts = new PathTable()
    let number = 0
    for (const {path, start} of this.#scan(undefined)) {
      number++
      if (starts.get(path) !== 0) throw invalidLine(`It names ${JSON.stringify(path)} a second time.`, number)
      starts.set(path, start + 1)
    }
    return starts
  }

  #page(number: number): Buffer {
    const known = this.#pages.get(number)
    if (known !== undefined) {
      this.#pages.delete(number)
      this.#pages.set(number, known)
      return known
    }
    const at = number * PAGE_BYTES
    const page = Buffer.from(this.#source.read(at, Math.min(PAGE_BYTES, this.#source.sizeBytes - at)))
    const [oldest] = this.#pages.keys()
    if (oldest !== undefined && this.#pages.size >= HELD_PAGES) this.#pages.delete(oldest)
    this.#pages.set(number, page)
    return page
  }

  /** The line that starts there, with its end. */
  #lineAt(start: number): Buffer {
    const pieces: Buffer[] = []
    for (let at = start; at < this.#source.sizeBytes;) {
      const page = this.#page(Math.floor(at / PAGE_BYTES))
      const end = page.indexOf(NEWLINE, at % PAGE_BYTES)
      const piece = page.subarray(at % PAGE_BYTES, end < 0 ? page.byteLength : end + 1)
      if (end >= 0 && pieces.length === 0) return piece
      pieces.push(piece)
      if (end >= 0) break
      at += piece.byteLength
    }
    return Buffer.concat(pieces)
  }

  get(path: string): IndexLine | undefined {
    if (this.#starts !== undefined) {
      const start = this.#starts.get(path) - 1
      return start < 0 ? undefined : decodeIndexLine(this.#lineAt(start).toString('utf8'), 0)
    }
    const lines = this.#linesNear(path)
    const head = Buffer.from(`{"p":${JSON.stringify(path)}`)
    const line = lines.find((each) => each.subarray(0, head.byteLength).equals(head))
    const found = line === undefined ? undefined : decodeIndexLine(line.toString('utf8'), 0)
    if (found?.path === path) return found
    // Another writer may order or escape the keys in another way.
    return lines.map((each) => decodeIndexLine(each.toString('utf8'), 0)).find((each) => each.path === path)
  }

  /** In an ordered index: from the last remembered line that is not behind the path to the next one. */
  #linesNear(path: string): readonly Buffer[] {
    const marks = this.#marks ?? []
    let [low, high] = [0, marks.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if (compareInWalk(marks[middle]?.path ?? '', path) <= 0) low = middle + 1
      else high = middle
    }
    const from = marks[low - 1]
    if (from === undefined) return []
    const end = marks[low]?.start ?? this.#source.sizeBytes
    const lines: Buffer[] = []
    for (let at = from.start; at < end;) {
      const line = this.#lineAt(at)
      if (line.byteLength > 1 || line[0] !== NEWLINE) lines.push(line)
      at += line.byteLength
    }
    return lines
  }

  /**
   * Number of the first line, from 1, that is out of order or spelt in another way than `IndexWriter` does: the same
   * payload gets another index, and another digest, when it is written again. Undefined when there is none.
   */
  findForeignLine(): number | undefined {
    let number = 0
    let last = ''
    for (const line of linesOf(this.#read(undefined))) {
      number++
      if (line.byteLength === 1 && line[0] === NEWLINE) return number
      const text = line.toString('utf8')
      const decoded = decodeIndexLine(text, number)
      if (text !== `${encodeIndexLine(decoded)}\n`) return number
      if (number > 1 && compareInWalk(last, decoded.path) >= 0) return number
      last = decoded.path
    }
    return undefined
  }

  /** All lines in the order in which they stand there. */
  *lines(): Generator<IndexLine> {
    let number = 0
    for (const line of linesOf(this.#read(undefined))) {
      number++
      if (line.byteLength > 1 || line[0] !== NEWLINE) yield decodeIndexLine(line.toString('utf8'), number)
    }
  }
}

/** Orders paths as `orderKey` does. */
function compareInWalk(left: string, right: string): number {
  const length = Math.min(left.length, right.length)
  for (let at = 0; at < length; at++) {
    const [one, other] = [left.charCodeAt(at), right.charCodeAt(at)]
    if (one !== other) return rankOfUnit(one) - rankOfUnit(other)
  }
  return left.length - right.length
}

/** The separator comes first, and what takes two units behind everything that takes one. */
function rankOfUnit(unit: number): number {
  if (unit === SEPARATOR) return -1
  if (unit < 0xd800) return unit
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800
}
