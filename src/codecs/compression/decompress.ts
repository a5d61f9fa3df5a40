import {InputError, TransshipError, type ErrorCode} from '../../model/errors.js'
import type {Compression} from '../../model/image.js'
import type {UnpackOptions} from '../../model/limits.js'
import {StreamLimit} from '../../model/unpack-limit.js'
import {readBzip2} from './read-bzip2.js'
import {readGzip} from './read-gzip.js'
import {readXz} from './read-xz.js'
import {readZstd} from './read-zstd.js'

export interface DecompressOptions extends UnpackOptions {
  /** For messages: what is compressed. */
  readonly title: string
  /** Code of damage; a cut is `ARCHIVE_TRUNCATED`. */
  readonly code?: ErrorCode
  readonly signal?: AbortSignal | undefined
}

/** How the decoders say that the stream ended too early. */
const CUT = /unexpected end|prematurely|truncated|unexpected eof|Z_BUF_ERROR/i

/**
 * The plain bytes of a compressed stream; all members or frames of it. Zeros behind the last are padding where the format's
 * own tool takes them (gzip, bzip2, and four at a time xz); anything else behind it is damage. Damage is an `InputError` of the given code
 * (`ARCHIVE_CORRUPT` by default), a cut is `ARCHIVE_TRUNCATED`, too much of it is `LIMIT_EXCEEDED`; errors of the source pass unchanged.
 */
export async function* decompress(
  body: AsyncIterable<Uint8Array>,
  compression: Compression,
  options: DecompressOptions,
): AsyncGenerator<Uint8Array> {
  if (compression === 'none') {
    yield* body
    return
  }
  // The error of the source is told apart from the decoder's by where it was seen first.
  let sourceError: {readonly error: unknown} | undefined
  const limit = new StreamLimit(options.title, options)
  async function* watched(): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of body) {
        limit.take(chunk.byteLength)
        yield chunk
      }
    } catch (error) {
      sourceError = {error}
      throw error
    }
  }
  try {
    for await (const chunk of decoderOf(compression)(watched(), options.signal)) {
      limit.unpack(chunk.byteLength)
      yield chunk
    }
  } catch (error) {
    if (sourceError !== undefined) throw sourceError.error
    if (error instanceof TransshipError || options.signal?.aborted === true) throw error
    throw damaged(error, compression, options)
  }
}

type Decoder = (body: AsyncIterable<Uint8Array>, signal: AbortSignal | undefined) => AsyncIterable<Uint8Array>

function decoderOf(compression: Exclude<Compression, 'none'>): Decoder {
  switch (compression) {
    case 'gzip':
      return readGzip
    case 'zstd':
      return readZstd
    case 'bzip2':
      return readBzip2
    case 'xz':
      return readXz
  }
}

function damaged(cause: unknown, compression: Compression, options: DecompressOptions): InputError {
  const text = cause instanceof Error ? cause.message : String(cause)
  const isCut = CUT.test(text)
  return new InputError(isCut ? 'ARCHIVE_TRUNCATED' : (options.code ?? 'ARCHIVE_CORRUPT'), {
    what: isCut ? `${options.title} is cut short.` : `${options.title} is damaged.`,
    why: `The ${compression} decoder reports: ${text}.`,
    suggestions: ['Save or download it again, then retry.'],
    at: {path: options.title},
    cause,
  })
}
