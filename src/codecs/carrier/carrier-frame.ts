import {StreamId} from '../backup-stream/stream-header.js'
import {recipeCorrupt, RecordReader} from '../bytes/record-reader.js'
import {RecordWriter} from '../bytes/record-writer.js'

/** One sparse block of a stream, as stored. Bytes of content. */
export interface FrameBlock {
  readonly offset: number
  readonly length: number
  readonly attributes: number
}

/** How content is laid into a carrier. */
export interface ContentLayout {
  /** Content before the first block, bytes. */
  readonly headBytes: number
  readonly blocks: readonly FrameBlock[]
}

/** One stream of a carrier: which bytes it has, and where they come from. */
export interface FrameStream {
  readonly id: number
  readonly attributes: number
  /** The stored name where it is not the one that the entry gives. */
  readonly name?: Uint8Array
  /** The whole payload, where the entry does not hold it; a sparse block's offset included. Else it is the entry's. */
  readonly inline?: Uint8Array
  /** Logical size of a named stream of the entry. */
  readonly sizeBytes?: number
  /** How a data stream of the entry is stored in blocks. */
  readonly sparse?: {
    /** Size field of the stream's own header: so many bytes of content follow it before the first block. */
    readonly headBytes: number
    readonly sizeBytes: number
    readonly blocks: readonly FrameBlock[]
  }
}

/** The exact form of one carrier, without what the entry holds anyway. */
export interface CarrierFrame {
  /** The attribute word, where its directory bit contradicts the kind of the object. */
  readonly attributes?: number
  /** The directory has no carrier at all. */
  readonly isAbsent?: boolean
  readonly streams: readonly FrameStream[]
  /** Zeros behind the last stream. */
  readonly tail: Uint8Array
}

/** First byte of every carrier frame: its format. */
export const CARRIER_FRAME = 1

const HAS_ATTRIBUTES = 1
const HAS_TAIL = 2
const IS_ABSENT = 4

/** In the first byte of a stream, above its id in four bits; 15 = the id follows. */
const LONG_ID = 15
const HAS_STREAM_ATTRIBUTES = 0x10
const IS_INLINE = 0x20
const IS_SPARSE = 0x40
const HAS_NAME = 0x80

/** Bytes of a frame: format, flags, the exceptions, then one record a stream. See docs/recipe.md. */
export function encodeCarrierFrame(frame: CarrierFrame): Uint8Array {
  const out = new RecordWriter()
  out.byte(CARRIER_FRAME)
  out.byte(
    (frame.attributes === undefined ? 0 : HAS_ATTRIBUTES) |
      (frame.tail.byteLength === 0 ? 0 : HAS_TAIL) |
      (frame.isAbsent === true ? IS_ABSENT : 0),
  )
  if (frame.attributes !== undefined) out.u32(frame.attributes)
  if (frame.tail.byteLength > 0) out.block(frame.tail)
  for (const stream of frame.streams) putStream(out, stream)
  return out.finish()
}

function putStream(out: RecordWriter, stream: FrameStream): void {
  out.byte(
    Math.min(stream.id, LONG_ID) |
      (stream.attributes === 0 ? 0 : HAS_STREAM_ATTRIBUTES) |
      (stream.inline === undefined ? 0 : IS_INLINE) |
      (stream.sparse === undefined ? 0 : IS_SPARSE) |
      (stream.name === undefined ? 0 : HAS_NAME),
  )
  if (stream.id >= LONG_ID) out.number(stream.id)
  if (stream.attributes !== 0) out.number(stream.attributes)
  if (stream.name !== undefined) out.block(stream.name)
  if (stream.inline !== undefined) out.block(stream.inline)
  if (stream.sizeBytes !== undefined) out.number(stream.sizeBytes)
  if (stream.sparse === undefined) return
  out.number(stream.sparse.headBytes)
  out.number(stream.sparse.sizeBytes)
  out.number(stream.sparse.blocks.length)
  let end = stream.sparse.headBytes
  for (const block of stream.sparse.blocks) {
    out.number(block.offset - end)
    out.number(block.length)
    out.number(block.attributes)
    end = block.offset + block.length
  }
}

/** The inverse of `encodeCarrierFrame`. Throws `RECIPE_CORRUPT`. */
export function decodeCarrierFrame(bytes: Uint8Array): CarrierFrame {
  const reader = new RecordReader(bytes)
  if (reader.byte() !== CARRIER_FRAME) throw recipeCorrupt('It is not a carrier frame.')
  const flags = reader.byte()
  const attributes = (flags & HAS_ATTRIBUTES) === 0 ? undefined : reader.u32()
  const tail = (flags & HAS_TAIL) === 0 ? new Uint8Array(0) : reader.block()
  const streams: FrameStream[] = []
  while (!reader.isAtEnd) streams.push(takeStream(reader))
  return {
    ...(attributes === undefined ? {} : {attributes}),
    ...((flags & IS_ABSENT) === 0 ? {} : {isAbsent: true}),
    streams,
    tail,
  }
}

function takeStream(reader: RecordReader): FrameStream {
  const head = reader.byte()
  const id = (head & 0x0f) === LONG_ID ? reader.number() : head & 0x0f
  const attributes = (head & HAS_STREAM_ATTRIBUTES) === 0 ? 0 : reader.number()
  if (id > 0xffffffff || attributes > 0xffffffff) throw recipeCorrupt('A number has more than 32 bits.')
  const name = (head & HAS_NAME) === 0 ? undefined : reader.block()
  const inline = (head & IS_INLINE) === 0 ? undefined : reader.block()
  const sizeBytes = id === StreamId.alternateData && inline === undefined ? reader.number() : undefined
  const sparse = (head & IS_SPARSE) === 0 ? undefined : takeSparse(reader)
  return {
    id,
    attributes,
    ...(name === undefined ? {} : {name}),
    ...(inline === undefined ? {} : {inline}),
    ...(sizeBytes === undefined ? {} : {sizeBytes}),
    ...(sparse === undefined ? {} : {sparse}),
  }
}

function takeSparse(reader: RecordReader): NonNullable<FrameStream['sparse']> {
  const headBytes = reader.number()
  const sizeBytes = reader.number()
  const count = reader.number()
  const blocks: FrameBlock[] = []
  let end = headBytes
  for (let index = 0; index < count; index++) {
    const offset = end + reader.number()
    const length = reader.number()
    const attributes = reader.number()
    end = offset + length
    if (end > sizeBytes || attributes > 0xffffffff) throw recipeCorrupt('A sparse block is outside its stream.')
    blocks.push({offset, length, attributes})
  }
  if (headBytes > sizeBytes) throw recipeCorrupt('A sparse stream is shorter than its header.')
  return {headBytes, sizeBytes, blocks}
}

/** True when the streams are just what Microsoft's importer writes for such an object. */
export function isCanonical(frame: CarrierFrame, expected: readonly number[]): boolean {
  return (
    frame.attributes === undefined &&
    frame.isAbsent !== true &&
    frame.tail.byteLength === 0 &&
    frame.streams.length === expected.length &&
    frame.streams.every(
      (stream, index) =>
        stream.id === expected[index] &&
        stream.attributes === 0 &&
        stream.name === undefined &&
        stream.inline === undefined &&
        stream.sparse === undefined,
    )
  )
}
