import type {SparseRange} from '../../model/content.js'
import {LIMITS} from '../../model/limits.js'
import type {GrowingBytes} from '../bytes/growing-bytes.js'
import type {MemberFacts} from './member-headers.js'
import {findPaxNumber, SPARSE_MAP, type PaxRecords} from './pax.js'
import {BLOCK_BYTES, findTarNumber, type TarHeader} from './tar-header.js'

/*
 * Sparse bodies: only the allocated ranges are stored, and a map says where they belong. Source: GNU tar manual,
 * "Storing Sparse Files": old GNU format (typeflag S), PAX 0.0, 0.1 and 1.0; Go archive/tar reader.go. Form 0.0 becomes
 * 0.1 when its records are read.
 */

const MAX_RANGES = LIMITS.sparseRanges.value

export interface SparseForm {
  readonly kind: 'map'
  readonly ranges: readonly SparseRange[]
  /** Size with holes. */
  readonly realSize: number
  /** PAX forms keep the file's name beside a made-up one. */
  readonly name?: Uint8Array
  /** PAX 1.0 keeps the map in front of the body: these bytes. */
  readonly mapBytes?: Uint8Array
}

/** The map is in the body and must be read from there. */
interface MapInBody {
  readonly kind: 'map-in-body'
  readonly realSize: number
  readonly name?: Uint8Array
}

const MALFORMED = 'A sparse map is malformed.'

function checked(ranges: readonly SparseRange[], realSize: number): SparseForm | undefined {
  if (realSize < 0) return undefined
  let end = 0
  for (const range of ranges) {
    if (range.offset < end || range.length < 0 || range.offset + range.length > realSize) return undefined
    end = range.offset + range.length
  }
  return {kind: 'map', ranges: ranges.filter((range) => range.length > 0), realSize}
}

/**
 * How a member's body is sparse; undefined when it is not, a sentence when that cannot be told. May take further header
 * blocks (old GNU format).
 */
export async function findSparseForm(
  header: TarHeader,
  {raw, facts}: {readonly raw: GrowingBytes; readonly facts: MemberFacts},
  takeBlock: () => Promise<Uint8Array>,
): Promise<SparseForm | MapInBody | string | undefined> {
  const hasRecords = [...facts.pax.keys()].some((key) => key.startsWith('GNU.sparse.'))
  if (header.typeflag === 'S') {
    // Star has the same type for a map of another shape.
    if (header.format !== 'gnu') return 'A sparse member is not in the GNU format.'
    if (hasRecords) return 'A member has two sparse maps.'
    return (await oldGnuForm(raw, takeBlock)) ?? MALFORMED
  }
  if (!hasRecords) return undefined
  if (facts.kind !== 'file') return 'A member that is not a file has a sparse map.'
  return paxForm(facts.pax, facts.storedSize)
}

function paxForm(pax: PaxRecords, storedSize: number): SparseForm | MapInBody | string {
  const version = `${pax.get('GNU.sparse.major') ?? ''}.${pax.get('GNU.sparse.minor') ?? ''}`
  const map = pax.get(SPARSE_MAP) ?? ''
  // Go takes what states neither for an ordinary file, GNU tar for a sparse one.
  if (!['0.0', '0.1', '1.0'].includes(version) && (version !== '.' || map === ''))
    return version === '.'
      ? 'A member has the records of a sparse file but no map.'
      : `A sparse map has the unknown version ${version}; expected 0.0, 0.1 or 1.0.`
  const size = pax.get('GNU.sparse.size') ?? ''
  const realSizeText = pax.get('GNU.sparse.realsize') ?? ''
  if (size !== '' && realSizeText !== '' && size !== realSizeText) return 'A sparse file has two sizes.'
  const stated = size === '' ? realSizeText : size
  const realSize = stated === '' ? storedSize : findPaxNumber(stated)
  const name = pax.get('GNU.sparse.name') ?? ''
  if (realSize === undefined || name.endsWith('/')) return MALFORMED
  const named = name === '' ? {} : {name: Buffer.from(name, 'latin1')}
  if (version === '1.0') return {kind: 'map-in-body', realSize, ...named}
  const numbers = map === '' ? [] : map.split(',').map(findPaxNumber)
  const count = findPaxNumber(pax.get('GNU.sparse.numblocks') ?? '')
  if (numbers.length !== 2 * (count ?? -1) || numbers.length > 2 * MAX_RANGES) return MALFORMED
  const form = pairs(numbers, realSize)
  return form === undefined ? MALFORMED : {...form, ...named}
}

function pairs(numbers: readonly (number | undefined)[], realSize: number): SparseForm | undefined {
  const ranges: SparseRange[] = []
  for (let index = 0; index < numbers.length; index += 2) {
    const [offset, length] = [numbers[index], numbers[index + 1]]
    if (offset === undefined || length === undefined) return undefined
    ranges.push({offset, length})
  }
  return checked(ranges, realSize)
}

async function oldGnuForm(raw: GrowingBytes, takeBlock: () => Promise<Uint8Array>): Promise<SparseForm | undefined> {
  const block = raw.view.subarray(-BLOCK_BYTES)
  const realSize = findTarNumber(block.subarray(483, 495))
  const ranges: SparseRange[] = []
  let isExtended = block[482] !== 0
  if (realSize === undefined || !takeRanges(block.subarray(386, 482), ranges)) return undefined
  while (isExtended) {
    const more = await takeBlock()
    raw.push(more)
    isExtended = more[504] !== 0
    if (!takeRanges(more.subarray(0, 504), ranges) || ranges.length > MAX_RANGES) return undefined
  }
  return checked(ranges, realSize)
}

/** Pairs of 12-byte numbers until an empty one. */
function takeRanges(bytes: Uint8Array, ranges: SparseRange[]): boolean {
  for (let at = 0; at < bytes.byteLength && bytes[at] !== 0; at += 24) {
    const offset = findTarNumber(bytes.subarray(at, at + 12))
    const length = findTarNumber(bytes.subarray(at + 12, at + 24))
    if (offset === undefined || length === undefined) return false
    ranges.push({offset, length})
  }
  return true
}

/** The PAX 1.0 map at the start of a body: decimal lines, count first, padded to a block. Undefined when malformed. */
export async function readSparseBodyMap(
  {realSize, name}: MapInBody,
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
      const number = findPaxNumber(text.slice(0, end))
      if (number === undefined) return undefined
      numbers.push(number)
      text = text.slice(end + 1)
      const [wanted] = numbers
      if (wanted !== undefined && numbers.length === 1 + 2 * wanted) break
    }
    if (text.length > BLOCK_BYTES) return undefined
  }
  const form = numbers[0] === undefined || numbers[0] > MAX_RANGES ? undefined : pairs(numbers.slice(1), realSize)
  if (form === undefined) return undefined
  return {...form, ...(name === undefined ? {} : {name}), mapBytes: Buffer.concat(blocks)}
}
