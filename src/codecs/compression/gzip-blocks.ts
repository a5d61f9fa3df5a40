import {availableParallelism} from 'node:os'
import {promisify} from 'node:util'
import * as zlib from 'node:zlib'
import {isNoise, NOISE_BYTES} from './noise.js'

/** Input compressed at a time, by one core. The size is part of the output: changing it changes digests. */
const BLOCK_BYTES = 512 * 1024
/** What deflate can look back to; each block gets the end of the one before as its dictionary. */
const WINDOW_BYTES = 32 * 1024
/** Header without name and time; system 255 = unknown, so that all hosts write the same. Source: RFC 1952, 2.3. */
const GZIP_HEADER = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255)
/** An empty final block. Source: RFC 1951, 3.2.6. */
const FINAL_BLOCK = Uint8Array.of(3, 0)
/** A stored block is no longer. Source: RFC 1951, 3.2.4. */
const MAX_STORED_BYTES = 0xffff
/**
 * What is used when no level is asked for. Of programs, level 6 makes 2.5 % less in 1.8 times the time; what skopeo and
 * docker push write by default is larger than what this does.
 */
const DEFAULT_LEVEL = 4

const deflateRaw = promisify<zlib.InputType, zlib.ZlibOptions, Buffer>(zlib.deflateRaw)

export interface GzipOptions {
  /** 0 to 9. */
  readonly level?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * One gzip member whose blocks are compressed on all cores, as pigz does; the same bytes however many there are, and
 * whatever the chunks. What cannot be compressed is stored.
 */
export async function* gzipInBlocks(
  body: AsyncIterable<Uint8Array>,
  {level = DEFAULT_LEVEL, signal}: GzipOptions,
): AsyncGenerator<Uint8Array> {
  const ahead = availableParallelism() + 1
  const running: Promise<readonly Uint8Array[]>[] = []
  let crc = 0
  let size = 0
  yield GZIP_HEADER
  try {
    for await (const {bytes, window} of blocksOf(body, ahead)) {
      signal?.throwIfAborted()
      crc = zlib.crc32(bytes, crc)
      size += bytes.byteLength
      running.push(packed(bytes, {window, level}))
      if (running.length >= ahead) yield* first(running)
    }
    while (running.length > 0) yield* first(running)
  } finally {
    // Work that nobody waits for any more must not fail unheard.
    await Promise.allSettled(running)
  }
  const trailer = Buffer.alloc(FINAL_BLOCK.byteLength + 8)
  trailer.set(FINAL_BLOCK)
  trailer.writeUInt32LE(crc, FINAL_BLOCK.byteLength)
  trailer.writeUInt32LE(size % 2 ** 32, FINAL_BLOCK.byteLength + 4)
  yield trailer
}

async function* first(running: Promise<readonly Uint8Array[]>[]): AsyncGenerator<Uint8Array> {
  const block = running.shift()
  if (block !== undefined) yield* await block
}

interface Block {
  readonly bytes: Uint8Array
  /** What lies before it in the stream, as far as deflate looks back. */
  readonly window: Uint8Array
}

/** The stream in blocks of one size. Each is valid until `ahead` more have been asked for. */
async function* blocksOf(body: AsyncIterable<Uint8Array>, ahead: number): AsyncGenerator<Block> {
  // The window of a block lies in the one before, so that must stay as well.
  const buffers = Array.from({length: ahead + 2}, () => Buffer.alloc(0))
  let turn = 0
  let window: Uint8Array = new Uint8Array(0)
  const next = () => {
    const at = turn++ % buffers.length
    // Short streams are not to pay for many.
    if (buffers[at]?.byteLength !== BLOCK_BYTES) buffers[at] = Buffer.allocUnsafeSlow(BLOCK_BYTES)
    return buffers[at]
  }
  let block: Buffer | undefined
  let length = 0
  const take = (): Block => {
    const bytes = block?.subarray(0, length) ?? new Uint8Array(0)
    const taken = {bytes, window}
    window = bytes.subarray(Math.max(0, bytes.byteLength - WINDOW_BYTES))
    block = undefined
    length = 0
    return taken
  }
  for await (const chunk of body) {
    for (let at = 0; at < chunk.byteLength;) {
      block ??= next()
      const piece = chunk.subarray(at, at + BLOCK_BYTES - length)
      block.set(piece, length)
      length += piece.byteLength
      at += piece.byteLength
      if (length === BLOCK_BYTES) yield take()
    }
  }
  if (length > 0) yield take()
}

/** The block as whole deflate blocks that end at a byte. */
async function packed(
  bytes: Uint8Array,
  {window, level}: {readonly window: Uint8Array; readonly level: number},
): Promise<readonly Uint8Array[]> {
  const parts: Promise<readonly Uint8Array[]>[] = []
  for (const {from, to, isStored} of runsOf(bytes, level)) {
    const run = bytes.subarray(from, to)
    if (isStored) {
      parts.push(Promise.resolve(stored(run)))
      continue
    }
    const before = from >= WINDOW_BYTES ? bytes.subarray(from - WINDOW_BYTES, from) : window
    const options = {
      level,
      finishFlush: zlib.constants.Z_SYNC_FLUSH,
      ...(before.byteLength === 0 ? {} : {dictionary: before}),
    }
    parts.push(deflateRaw(run, options).then((part) => [part]))
  }
  return (await Promise.all(parts)).flat()
}

/** Neighbouring pieces that are treated alike. */
function runsOf(bytes: Uint8Array, level: number): readonly {from: number; to: number; isStored: boolean}[] {
  const runs: {from: number; to: number; isStored: boolean}[] = []
  for (let from = 0; from < bytes.byteLength; from += NOISE_BYTES) {
    const to = Math.min(from + NOISE_BYTES, bytes.byteLength)
    const isStored = level > 0 && isNoise(bytes.subarray(from, to))
    const last = runs.at(-1)
    if (last?.isStored === isStored) last.to = to
    else runs.push({from, to, isStored})
  }
  return runs
}

/** Stored blocks, none of them the last. They begin at a byte, as whatever is before them ends. Source: RFC 1951, 3.2.4. */
function stored(bytes: Uint8Array): readonly Uint8Array[] {
  const parts: Uint8Array[] = []
  for (let at = 0; at < bytes.byteLength; at += MAX_STORED_BYTES) {
    const piece = bytes.subarray(at, at + MAX_STORED_BYTES)
    const head = Buffer.alloc(5)
    head.writeUInt16LE(piece.byteLength, 1)
    head.writeUInt16LE(piece.byteLength ^ 0xffff, 3)
    parts.push(head, piece)
  }
  return parts
}
