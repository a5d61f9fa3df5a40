import {UnsupportedError, UsageError} from '../../model/errors.js'
import type {Compression} from '../../model/image.js'
import {gzipInBlocks} from './gzip-blocks.js'
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
      return gzipInBlocks(body, options)
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

/** Numbers of zstd.h, which a Node that has zstd also lists in its constants. */
const ZSTD_COMPRESSION_LEVEL = 100
const ZSTD_CHECKSUM_FLAG = 201

function zstd(body: AsyncIterable<Uint8Array>, {level = 3, signal}: CompressOptions): AsyncIterable<Uint8Array> {
  const create = findNodeZstd('createZstdCompress')
  if (create === undefined) return body
  const params = {[ZSTD_COMPRESSION_LEVEL]: level, [ZSTD_CHECKSUM_FLAG]: 1}
  return throughTransform(body, create({params}), signal)
}
