import type {RandomAccess} from '../tar/index-tar.js'
import {requireChunkSize, type WimCompression} from './header.js'
import {LzxDecoder} from './lzx.js'
import type {ResourceHeader} from './resource-header.js'
import {wimFault, wimLimit, wimUnsupported} from './wim-fault.js'
import {XpressDecoder} from './xpress.js'

/** How the chunks of a resource lie and are packed. */
export interface ChunkForm {
  readonly compression: WimCompression
  /** Unpacked bytes of a chunk. */
  readonly chunkSize: number
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

/** Unpacks chunks; keeps tables and memory from one to the next. */
export class ChunkDecoder {
  readonly #compression: WimCompression
  readonly #decoder: {decode(input: Uint8Array, output: Uint8Array): void} | undefined

  constructor({compression, chunkSize}: Pick<ChunkForm, 'compression' | 'chunkSize'>) {
    this.#compression = compression
    this.#decoder =
      compression === 'xpress' ? new XpressDecoder() : compression === 'lzx' ? new LzxDecoder(chunkSize) : undefined
  }

  /** A chunk of `size` unpacked bytes. One that did not shrink is stored as it is. */
  decode(chunk: Uint8Array, size: number): Uint8Array {
    if (chunk.byteLength === size) return chunk
    if (this.#decoder === undefined) throw lzmsUnsupported(this.#compression)
    const output = new Uint8Array(size)
    this.#decoder.decode(chunk, output)
    return output
  }
}

function lzmsUnsupported(compression: WimCompression): Error {
  if (compression === 'none') return wimFault('A chunk without compression has another size than its content.')
  return wimUnsupported(
    'The file uses LZMS compression, which transship cannot read. Most .esd files use it.',
    'Run `wimlib-imagex export FILE all NEW.wim --compress=lzx` or `DISM /Export-Image /Compress:max`, then use the new file.',
  )
}

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
  yield* decodeChunks(source, places, {originalSize: header.originalSize, chunkSize: form.chunkSize, decoder})
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

async function* decodeChunks(
  source: RandomAccess,
  {starts, gap}: ChunkPlaces,
  facts: {readonly originalSize: number; readonly chunkSize: number; readonly decoder: ChunkDecoder},
): AsyncGenerator<Uint8Array> {
  const {originalSize, chunkSize, decoder} = facts
  const count = starts.length - 1
  let window: {readonly start: number; readonly bytes: Buffer} = {start: 0, bytes: Buffer.alloc(0)}
  for (let index = 0; index < count; index++) {
    const start = starts[index] ?? 0
    const end = (starts[index + 1] ?? 0) - gap
    const size = Math.min(chunkSize, originalSize - index * chunkSize)
    if (!(end > start && end - start <= size))
      throw wimFault(`Chunk ${index} of a resource has ${end - start} bytes for ${size}.`, start)
    if (end > window.start + window.bytes.byteLength) {
      const last = starts[count] ?? 0
      window = {
        start,
        bytes: await readBuffer(source, start, Math.max(end - start, Math.min(WINDOW_BYTES, last - gap - start))),
      }
    }
    yield decoder.decode(window.bytes.subarray(start - window.start, end - window.start), size)
  }
}

/** Exactly these bytes. Throws `ARCHIVE_TRUNCATED`. */
export async function readBuffer(source: RandomAccess, offset: number, length: number): Promise<Buffer> {
  const bytes = await source.read(offset, length)
  if (bytes.byteLength === length) return Buffer.from(bytes.buffer, bytes.byteOffset, length)
  throw wimFault(`Expected ${length} bytes, found ${bytes.byteLength}.`, offset, 'ARCHIVE_TRUNCATED')
}
