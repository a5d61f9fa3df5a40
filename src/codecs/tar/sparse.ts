import type {SparseRange} from '../../model/content.js'
import {BLOCK_BYTES, type TarHeader} from './tar-header.js'

/*
 * Sparse bodies: only the allocated ranges are stored, and a map says where they belong. Source: GNU tar manual,
 * "Storing Sparse Files": old GNU format (typeflag S), PAX 0.0, 0.1 and 1.0.
 */

/** More ranges than any real file has; a bound for hostile input. */
const MAX_RANGES = 1_000_000

export interface SparseForm {
  readonly kind: 'map'
  readonly ranges: readonly SparseRange[]
  /** Size with holes. */
  readonly realSize: number
  /** PAX 1.0 keeps the map in front of the body: these bytes. */
  readonly mapBytes?: Uint8Array
}

/** The map is in the body and must be read from there. */
interface MapInBody {
  readonly kind: 'map-in-body'
  readonly realSize: number
}

function checked(ranges: readonly SparseRange[], realSize: number): SparseForm | 'malformed' {
  let end = 0
  for (const range of ranges) {
    if (range.offset < end || range.length < 0 || range.offset + range.length > realSize) return 'malformed'
    end = range.offset + range.length
  }
  return {kind: 'map', ranges: ranges.filter((range) => range.length > 0), realSize}
}

function findDecimal(text: string | undefined): number | undefined {
  return text !== undefined && /^[0-9]{1,15}$/.test(text) ? Number(text) : undefined
}

/** How a member's body is sparse; undefined when it is not. May take further header blocks (old GNU format). */
export async function findSparseForm(
  header: TarHeader,
  raw: Uint8Array[],
  pax: ReadonlyMap<string, string>,
  takeBlock: () => Promise<Uint8Array>,
): Promise<SparseForm | MapInBody | 'malformed' | undefined> {
  if (header.typeflag === 'S') return oldGnuForm(raw, takeBlock)
  const realSize = findDecimal(pax.get('GNU.sparse.realsize') ?? pax.get('GNU.sparse.size'))
  if (pax.get('GNU.sparse.major') === '1') return realSize === undefined ? 'malformed' : {kind: 'map-in-body', realSize}
  const map = pax.get('GNU.sparse.map')
  if (map === undefined) return undefined
  const numbers = map === '' ? [] : map.split(',').map(findDecimal)
  if (realSize === undefined || numbers.length % 2 !== 0 || numbers.length > 2 * MAX_RANGES) return 'malformed'
  return pairs(numbers, realSize)
}

function pairs(numbers: readonly (number | undefined)[], realSize: number): SparseForm | 'malformed' {
  const ranges: SparseRange[] = []
  for (let index = 0; index < numbers.length; index += 2) {
    const [offset, length] = [numbers[index], numbers[index + 1]]
    if (offset === undefined || length === undefined) return 'malformed'
    ranges.push({offset, length})
  }
  return checked(ranges, realSize)
}

/** Octal, or base-256 for large files. */
function findGnuNumber(bytes: Uint8Array): number | undefined {
  if (((bytes[0] ?? 0) & 0x80) !== 0) {
    let value = 0n
    for (const [index, byte] of bytes.entries()) value = (value << 8n) | BigInt(index === 0 ? byte & 0x7f : byte)
    return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : undefined
  }
  const text = Buffer.from(bytes).toString('latin1').replaceAll(/[ \0]/g, '')
  return /^[0-7]{1,12}$/.test(text) ? Number.parseInt(text, 8) : undefined
}

async function oldGnuForm(raw: Uint8Array[], takeBlock: () => Promise<Uint8Array>): Promise<SparseForm | 'malformed'> {
  const block = raw.at(-1) ?? new Uint8Array(BLOCK_BYTES)
  const realSize = findGnuNumber(block.subarray(483, 495))
  const ranges: SparseRange[] = []
  let isExtended = block[482] !== 0
  if (realSize === undefined || !takeRanges(block.subarray(386, 482), ranges)) return 'malformed'
  while (isExtended) {
    const more = Uint8Array.from(await takeBlock())
    raw.push(more)
    isExtended = more[504] !== 0
    if (!takeRanges(more.subarray(0, 504), ranges) || ranges.length > MAX_RANGES) return 'malformed'
  }
  return checked(ranges, realSize)
}

/** Pairs of 12-byte numbers until an empty one. */
function takeRanges(bytes: Uint8Array, ranges: SparseRange[]): boolean {
  for (let at = 0; at < bytes.byteLength && bytes[at] !== 0; at += 24) {
    const offset = findGnuNumber(bytes.subarray(at, at + 12))
    const length = findGnuNumber(bytes.subarray(at + 12, at + 24))
    if (offset === undefined || length === undefined) return false
    ranges.push({offset, length})
  }
  return true
}

/** The PAX 1.0 map at the start of a body: decimal lines, count first, padded to a block. Undefined when malformed. */
export async function readSparseBodyMap(
  realSize: number,
  bodyBytes: number,
  takeBlock: () => Promise<Uint8Array>,
): Promise<SparseForm | undefined> {
  const blocks: Uint8Array[] = []
  const numbers: number[] = []
  let text = ''
  for (;;) {
    const [count] = numbers
    if (count !== undefined && (count > MAX_RANGES || numbers.length === 1 + 2 * count)) break
    if ((blocks.length + 1) * BLOCK_BYTES > bodyBytes) return undefined
    const block = Uint8Array.from(await takeBlock())
    blocks.push(block)
    text += Buffer.from(block).toString('latin1')
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
      const number = findDecimal(text.slice(0, end))
      if (number === undefined) return undefined
      numbers.push(number)
      text = text.slice(end + 1)
      const [wanted] = numbers
      if (wanted !== undefined && numbers.length === 1 + 2 * wanted) break
    }
    if (text.length > BLOCK_BYTES) return undefined
  }
  const form = numbers[0] === undefined || numbers[0] > MAX_RANGES ? 'malformed' : pairs(numbers.slice(1), realSize)
  return form === 'malformed' ? undefined : {...form, mapBytes: Buffer.concat(blocks)}
}

const ZEROS = new Uint8Array(64 * 1024)

function* zeros(length: number): Generator<Uint8Array> {
  for (let left = length; left > 0; left -= ZEROS.byteLength) {
    yield left >= ZEROS.byteLength ? ZEROS : ZEROS.subarray(0, left)
  }
}

/** The stored ranges with the holes between them filled with zeros. */
export async function* expandSparse(
  ranges: readonly SparseRange[],
  realSize: number,
  stored: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  let at = 0
  let index = 0
  let within = 0
  for await (const chunk of stored) {
    for (let from = 0; from < chunk.byteLength;) {
      const range = ranges[index]
      if (range === undefined) return
      if (within === 0) {
        yield* zeros(range.offset - at)
        at = range.offset
      }
      const piece = chunk.subarray(from, from + Math.min(chunk.byteLength - from, range.length - within))
      yield piece
      from += piece.byteLength
      within += piece.byteLength
      at += piece.byteLength
      if (within === range.length) {
        index++
        within = 0
      }
    }
  }
  yield* zeros(realSize - at)
}

/** The inverse: only the ranges of full content. */
export async function* onlyRanges(
  ranges: readonly SparseRange[],
  content: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  let at = 0
  let index = 0
  for await (const chunk of content) {
    const end = at + chunk.byteLength
    for (let range = ranges[index]; range !== undefined && range.offset < end; range = ranges[index]) {
      const from = Math.max(range.offset, at)
      const to = Math.min(range.offset + range.length, end)
      if (to > from) yield chunk.subarray(from - at, to - at)
      if (range.offset + range.length > end) break
      index++
    }
    at = end
  }
}
