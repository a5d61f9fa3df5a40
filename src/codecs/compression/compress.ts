import {availableParallelism} from 'node:os'
import {promisify} from 'node:util'
import * as zlib from 'node:zlib'
import {UnsupportedError, UsageError} from '../../model/errors.js'
import type {Compression} from '../../model/image.js'
import {findNodeZstd} from './read-zstd.js'
import {throughTransform} from './through-transform.js'

export type WritableCompression = Extract<Compression, 'none' | 'gzip' | 'zstd'>

export interface CompressOptions {
  /** 0 to 9 for gzip, 1 to 22 for zstd; undefined = the format's default. */
  readonly level?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/** Compresses a stream. The bytes are a function of input, format and level alone. `BAD_OPTION`, `FORMAT_UNSUPPORTED`. */
export function compress(
  body: AsyncIterable<Uint8Array>,
  compression: WritableCompression,
  options: CompressOptions = {},
): AsyncIterable<Uint8Array> {
  requireCompression(compression, options.level)
  switch (compression) {
    case 'none':
      return body
    case 'gzip':
      return gzip(body, options)
    case 'zstd':
      return zstd(body, options)
  }
}

/** Refuses what cannot be written here before any work is done: a level out of range, zstd on a Node without it. */
export function requireCompression(compression: WritableCompression, level: number | undefined): void {
  if (compression === 'zstd' && findNodeZstd('createZstdCompress') === undefined) {
    throw new UnsupportedError('FORMAT_UNSUPPORTED', {
      what: 'This version of Node cannot write zstd.',
      why: `Found Node ${process.versions.node}; writing zstd needs Node 22.15 or later.`,
      suggestions: ['Use --compression gzip, or update Node.'],
    })
  }
  if (level === undefined) return
  const [low, high] = compression === 'zstd' ? [1, 22] : compression === 'gzip' ? [0, 9] : [0, 0]
  if (Number.isInteger(level) && level >= low && level <= high) return
  throw new UsageError('BAD_OPTION', {
    what: `${level} is not a valid level for ${compression}.`,
    why: compression === 'none' ? 'The level applies only with compression.' : `Expected ${low} to ${high}.`,
  })
}

/** Input compressed at a time, by one core. The size is part of the output: changing it changes digests. */
const BLOCK_BYTES = 512 * 1024
/** What deflate can look back to; each block gets the end of the one before as its dictionary. */
const WINDOW_BYTES = 32 * 1024
/** Header without name and time; system 255 = unknown, so that all hosts write the same. Source: RFC 1952, 2.3. */
const GZIP_HEADER = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255)
/** An empty final block. Source: RFC 1951, 3.2.6. */
const FINAL_BLOCK = Uint8Array.of(3, 0)

const deflateRaw = promisify<zlib.InputType, zlib.ZlibOptions, Buffer>(zlib.deflateRaw)

/** One gzip member whose blocks are compressed on all cores, as pigz does; the same bytes however many there are. */
async function* gzip(
  body: AsyncIterable<Uint8Array>,
  {level = 6, signal}: CompressOptions,
): AsyncGenerator<Uint8Array> {
  const ahead = availableParallelism() + 1
  const running: Promise<Buffer>[] = []
  let crc = 0
  let size = 0
  let dictionary: Buffer | undefined
  yield GZIP_HEADER
  try {
    for await (const block of blocksOf(body)) {
      signal?.throwIfAborted()
      crc = zlib.crc32(block, crc)
      size += block.byteLength
      running.push(
        deflateRaw(block, {
          level,
          finishFlush: zlib.constants.Z_SYNC_FLUSH,
          ...(dictionary === undefined ? {} : {dictionary}),
        }),
      )
      dictionary = block.subarray(Math.max(0, block.byteLength - WINDOW_BYTES))
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

async function* first(running: Promise<Buffer>[]): AsyncGenerator<Uint8Array> {
  const block = running.shift()
  if (block !== undefined) yield await block
}

/** The stream in blocks of one size; each is a copy. */
async function* blocksOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let block = Buffer.allocUnsafe(BLOCK_BYTES)
  let length = 0
  for await (const chunk of body) {
    for (let at = 0; at < chunk.byteLength;) {
      const piece = chunk.subarray(at, at + BLOCK_BYTES - length)
      block.set(piece, length)
      length += piece.byteLength
      at += piece.byteLength
      if (length < BLOCK_BYTES) continue
      yield block
      block = Buffer.allocUnsafe(BLOCK_BYTES)
      length = 0
    }
  }
  if (length > 0) yield block.subarray(0, length)
}

/** Numbers of zstd.h, which a Node that has zstd also lists in its constants. */
const ZSTD_COMPRESSION_LEVEL = 100
const ZSTD_CHECKSUM_FLAG = 201

function zstd(body: AsyncIterable<Uint8Array>, {level = 3, signal}: CompressOptions): AsyncIterable<Uint8Array> {
  const create = findNodeZstd('createZstdCompress')
  if (create === undefined) return body
  const params = {[ZSTD_COMPRESSION_LEVEL]: level, [ZSTD_CHECKSUM_FLAG]: 1}
  return throughTransform(body, create({params}), signal)
}
