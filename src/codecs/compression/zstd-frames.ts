import {PutBackInput} from './put-back-input.js'

/*
 * The frames of a zstd stream. Decoders differ in what they make of anything behind a frame, and some stop at the first
 * one; so they are given whole frames and nothing else. Source: RFC 8878, 3.1.
 */

const MAGIC = 0xfd2fb528
const MAGIC_BYTES = 4
const BLOCK_HEADER_BYTES = 3
const CHECKSUM_BYTES = 4
/** Block types. */
const [RLE, RESERVED] = [1, 3]
/** Bytes of the dictionary's number and of the content size, by their two bits in the descriptor of a frame. */
const DICTIONARY_BYTES = [0, 1, 2, 4]
const CONTENT_BYTES = [0, 2, 4, 8]
/** Headers are a few bytes: they go on together with what follows. */
const PIECE_BYTES = 64 * 1024

/**
 * Passes a zstd stream on; no chunk reaches over the end of a frame. Throws an `Error` at a cut, and at anything behind a
 * frame that is none: zstd(1) and Go refuse it too, zeros included.
 */
export async function* zstdFrames(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const input = new PutBackInput(body)
  try {
    for (let frames = 0; ; frames++) {
      const magic = await findMagic(input, frames)
      if (magic === undefined) return
      yield* gathered(isSkippable(magic) ? skippable(input, magic) : frame(input, magic))
    }
  } finally {
    await input.close()
  }
}

/** Decoders pass over such frames. Source: RFC 8878, 3.1.2. */
function isSkippable(magic: Buffer): boolean {
  return magic.readUInt32LE(0) >>> 4 === 0x184d2a5
}

/** Undefined at the end of the input, where it may end. */
async function findMagic(input: PutBackInput, frames: number): Promise<Buffer | undefined> {
  const first = await input.next()
  if (first === undefined && frames > 0) return undefined
  input.putBack(first ?? new Uint8Array(0))
  const isBegun = first?.[0] === (MAGIC & 0xff) || ((first?.[0] ?? 0) & 0xf0) === 0x50
  // What does not even begin like a magic is no cut one.
  const magic = isBegun ? await input.take(MAGIC_BYTES) : undefined
  if (magic !== undefined && (magic.readUInt32LE(0) === MAGIC || isSkippable(magic))) return magic
  if (first === undefined) throw new Error('unexpected end of file')
  throw new Error(frames > 0 ? 'data that is not zstd follows its end' : 'it does not start like zstd')
}

async function* skippable(input: PutBackInput, magic: Buffer): AsyncGenerator<Uint8Array> {
  yield magic
  const size = await input.take(4)
  yield size
  yield* passed(input, size.readUInt32LE(0))
}

async function* frame(input: PutBackInput, magic: Buffer): AsyncGenerator<Uint8Array> {
  yield magic
  const descriptor = await input.take(1)
  yield descriptor
  const bits = descriptor.readUInt8(0)
  const isSingleSegment = (bits & 0x20) !== 0
  const contentFlag = bits >>> 6
  const contentBytes = contentFlag === 0 && isSingleSegment ? 1 : (CONTENT_BYTES[contentFlag] ?? 0)
  yield await input.take((isSingleSegment ? 0 : 1) + (DICTIONARY_BYTES[bits & 3] ?? 0) + contentBytes)
  for (let isLast = false; !isLast;) {
    const header = await input.take(BLOCK_HEADER_BYTES)
    yield header
    const value = header.readUIntLE(0, BLOCK_HEADER_BYTES)
    const type = (value >>> 1) & 3
    if (type === RESERVED) throw new Error('a block has an unknown type')
    yield* passed(input, type === RLE ? 1 : value >>> 3)
    isLast = (value & 1) === 1
  }
  if ((bits & 4) !== 0) yield await input.take(CHECKSUM_BYTES)
}

async function* passed(input: PutBackInput, count: number): AsyncGenerator<Uint8Array> {
  for (let left = count; left > 0;) {
    const piece = await input.next()
    if (piece === undefined) throw new Error('unexpected end of file')
    const taken = piece.subarray(0, left)
    input.putBack(piece.subarray(taken.byteLength))
    left -= taken.byteLength
    yield taken
  }
}

async function* gathered(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let held: Uint8Array[] = []
  let length = 0
  for await (const piece of pieces) {
    held.push(piece)
    length += piece.byteLength
    if (length < PIECE_BYTES) continue
    yield Buffer.concat(held)
    held = []
    length = 0
  }
  if (length > 0) yield Buffer.concat(held)
}
