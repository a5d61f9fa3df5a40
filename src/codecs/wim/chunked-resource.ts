import type {RandomAccess} from '../tar/index-tar.js'
import {ChunkDecoder, type ChunkPacking} from './chunk-decoder.js'
import {decodeAside, isWorthAside, type ChunkSpan} from './decode-aside.js'
import {requireChunkSize, type WimCompression} from './header.js'
import type {ResourceHeader} from './resource-header.js'
import {wimFault, wimLimit} from './wim-fault.js'

/** How the chunks of a resource lie and are packed. */
export interface ChunkForm extends ChunkPacking {
  /** wimlib's form for pipes: each chunk has its size in front, the table is at the end. */
  readonly isPipable: boolean
}

/** Where chunks lie: `starts` from the start of the file, one more than there are chunks. */
interface ChunkPlaces {
  readonly starts: Float64Array
  /** Bytes between two chunks that belong to neither. */
  readonly gap: number
}

/** Read at once. */
const WINDOW_BYTES = 512 * 1024
/** A chunk table of more would be that of a file of more than 500 GB. */
const MAX_TABLE_BYTES = 64 * 2 ** 20
/** Largest chunk that is held; wimlib's default for solid resources. */
const MAX_CHUNK_BYTES = 64 * 2 ** 20
const SOLID_HEADER_BYTES = 16
const SOLID_COMPRESSIONS: readonly WimCompression[] = ['none', 'xpress', 'lzx', 'lzms']

/**
 * The unpacked bytes of a resource, chunk by chunk; pieces stay valid. Throws `ARCHIVE_CORRUPT`, `ARCHIVE_TRUNCATED`,
 * `FORMAT_UNSUPPORTED`, `LIMIT_EXCEEDED`. Memory: one window of the file, the chunk table, a chunk.
 */
export async function* readChunked(
  source: RandomAccess,
  header: ResourceHeader,
  form: ChunkForm,
  decoder = new ChunkDecoder(form),
): AsyncGenerator<Uint8Array> {
  if (header.originalSize === 0) return
  const places = form.isPipable ? await pipablePlaces(source, header, form) : await normalPlaces(source, header, form)
  yield* decodeChunks(source, places, {...form, originalSize: header.originalSize, decoder})
}

/** The unpacked bytes of a solid resource, which states its compression itself. Source: wimlib resource.h. */
export async function* readSolid(source: RandomAccess, header: ResourceHeader): AsyncGenerator<Uint8Array> {
  const form = await readSolidForm(source, header)
  const {starts} = form
  yield* decodeChunks(source, {starts, gap: 0}, {...form, decoder: new ChunkDecoder(form)})
}

/** What the head of a solid resource states. */
export interface SolidForm extends ChunkForm {
  readonly originalSize: number
  readonly starts: Float64Array
}

/** Reads the head and the chunk table of a solid resource. */
export async function readSolidForm(source: RandomAccess, header: ResourceHeader): Promise<SolidForm> {
  const head = await readBuffer(source, header.offset, SOLID_HEADER_BYTES)
  const originalSize = Number(head.readBigUInt64LE(0)) //  0  bytes, unpacked
  const chunkSize = head.readUInt32LE(8) //                8  bytes, unpacked
  const number = head.readUInt32LE(12) //                 12  compression
  const compression = SOLID_COMPRESSIONS[number]
  if (compression === undefined)
    throw wimFault(`A solid resource has the unknown compression ${number}.`, header.offset)
  if (compression === 'none' && chunkSize === 0)
    throw wimFault('A solid resource has chunks of 0 bytes.', header.offset)
  requireChunkSize(compression, chunkSize)
  const tableStart = header.offset + SOLID_HEADER_BYTES
  const count = chunkCount(originalSize, chunkSize, {stored: header.size - SOLID_HEADER_BYTES, entry: 4, spare: 0})
  const table = await readBuffer(source, tableStart, count * 4)
  const starts = new Float64Array(count + 1)
  starts[0] = tableStart + count * 4
  for (let index = 0; index < count; index++) starts[index + 1] = (starts[index] ?? 0) + table.readUInt32LE(index * 4)
  const end = header.offset + header.size
  if (starts[count] !== end)
    throw wimFault(`The chunks of a solid resource end at ${starts[count] ?? 0}, not ${end}.`, tableStart)
  return {originalSize, chunkSize, compression, isPipable: false, starts}
}

/** Offsets of all chunks but the first, then the chunks. Source: wimlib resource.h. */
async function normalPlaces(
  source: RandomAccess,
  header: ResourceHeader,
  {chunkSize}: ChunkForm,
): Promise<ChunkPlaces> {
  const entry = entryBytes(header)
  const count = chunkCount(header.originalSize, chunkSize, {stored: header.size, entry, spare: 1})
  const tableBytes = (count - 1) * entry
  const table = await readBuffer(source, header.offset, tableBytes)
  const first = header.offset + tableBytes
  return {starts: startsOf(table, {entry, count, first, end: header.offset + header.size, gap: 0}), gap: 0}
}

/** Each chunk behind its size, then the table, which counts as if the sizes were not there. Source: wimlib src/write.c. */
async function pipablePlaces(
  source: RandomAccess,
  header: ResourceHeader,
  {chunkSize}: ChunkForm,
): Promise<ChunkPlaces> {
  const gap = 4
  const entry = entryBytes(header)
  const count = chunkCount(header.originalSize, chunkSize, {stored: header.size, entry: entry + gap, spare: 1})
  const tableBytes = (count - 1) * entry
  const end = header.offset + header.size - tableBytes
  const table = await readBuffer(source, end, tableBytes)
  // The end is that of a chunk that would follow: behind the size that it would have.
  return {starts: startsOf(table, {entry, count, first: header.offset + gap, end: end + gap, gap}), gap}
}

function entryBytes({originalSize}: ResourceHeader): 4 | 8 {
  return originalSize > 0xffffffff ? 8 : 4
}

/** Every chunk has a byte and an entry of the table at least, but for `spare` of them: else the size is a lie. */
function chunkCount(
  originalSize: number,
  chunkSize: number,
  {stored, entry, spare}: {readonly stored: number; readonly entry: number; readonly spare: number},
): number {
  if (chunkSize === 0) throw wimFault('A resource is compressed in a file that says to be not.')
  const count = Math.ceil(originalSize / chunkSize)
  if (!Number.isSafeInteger(originalSize) || count === 0 || (count - spare) * entry + count > stored)
    throw wimFault(`A resource of ${stored} bytes claims to hold ${originalSize} in chunks of ${chunkSize}.`)
  if (count * entry > MAX_TABLE_BYTES) throw wimLimit('The file has a resource of too many chunks.', `It has ${count}.`)
  if (chunkSize > MAX_CHUNK_BYTES)
    throw wimLimit(
      'The file has chunks that are too large.',
      `They have ${chunkSize} bytes. The limit is ${MAX_CHUNK_BYTES}.`,
    )
  return count
}

function startsOf(
  table: Buffer,
  layout: {
    readonly entry: 4 | 8
    readonly count: number
    readonly first: number
    readonly end: number
    readonly gap: number
  },
): Float64Array {
  const {entry, count, first, end, gap} = layout
  const starts = new Float64Array(count + 1)
  starts[0] = first
  for (let index = 1; index < count; index++) {
    const at = (index - 1) * entry
    const offset = entry === 4 ? table.readUInt32LE(at) : Number(table.readBigUInt64LE(at))
    starts[index] = first + offset + gap * index
  }
  starts[count] = end
  return starts
}

/** Chunks of a resource, on all cores where there are many. */
async function* decodeChunks(
  source: RandomAccess,
  places: ChunkPlaces,
  facts: {readonly originalSize: number; readonly decoder: ChunkDecoder} & ChunkPacking,
): AsyncGenerator<Uint8Array> {
  const {originalSize, decoder} = facts
  const spans = spansOf(places, facts)
  if (isWorthAside(facts, originalSize)) {
    yield* decodeAside(spans, facts, (offset, length) => readBuffer(source, offset, length))
    return
  }
  const end = (places.starts.at(-1) ?? 0) - places.gap
  let window: {readonly start: number; readonly bytes: Buffer} = {start: 0, bytes: Buffer.alloc(0)}
  for (const {start, length, size} of spans) {
    if (start + length > window.start + window.bytes.byteLength)
      window = {start, bytes: await readBuffer(source, start, Math.max(length, Math.min(WINDOW_BYTES, end - start)))}
    const from = start - window.start
    yield decoder.decode(window.bytes.subarray(from, from + length), size)
  }
}

/** Where each chunk lies. Throws `ARCHIVE_CORRUPT` for one that has no bytes, or more than it unpacks to. */
function* spansOf(
  {starts, gap}: ChunkPlaces,
  {originalSize, chunkSize}: {readonly originalSize: number; readonly chunkSize: number},
): Generator<ChunkSpan> {
  const count = starts.length - 1
  for (let index = 0; index < count; index++) {
    const start = starts[index] ?? 0
    const length = (starts[index + 1] ?? 0) - gap - start
    const size = Math.min(chunkSize, originalSize - index * chunkSize)
    if (!(length > 0 && length <= size))
      throw wimFault(`Chunk ${index} of a resource has ${length} bytes for ${size}.`, start)
    yield {start, length, size}
  }
}

/** Exactly these bytes. Throws `ARCHIVE_TRUNCATED`. */
export async function readBuffer(source: RandomAccess, offset: number, length: number): Promise<Buffer> {
  const bytes = await source.read(offset, length)
  if (bytes.byteLength === length) return Buffer.from(bytes.buffer, bytes.byteOffset, length)
  throw wimFault(`Expected ${length} bytes, found ${bytes.byteLength}.`, offset, 'ARCHIVE_TRUNCATED')
}
