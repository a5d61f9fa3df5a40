import {asTransshipError, InputError} from '../model/errors.js'
import type {WorkOptions} from '../model/events.js'
import type {FileRange} from '../model/layer-in-file.js'
import {fillBufferLater} from './fill-buffer.js'

/** Read at a time when streaming. */
const CHUNK_BYTES = 1024 * 1024

/** Up to `length` bytes at a place of an open file: fewer where it ends before. Fresh: they stay valid. */
export async function readAt({fd, title, offset, length}: FileRange): Promise<Uint8Array> {
  const buffer = Buffer.allocUnsafe(length)
  try {
    return buffer.subarray(0, await fillBufferLater(fd, buffer, offset))
  } catch (error) {
    throw asTransshipError(error, {path: title, offset})
  }
}

/** The range in pieces. `ARCHIVE_TRUNCATED` when the file is shorter. */
export async function* streamRange(range: FileRange, options: WorkOptions = {}): AsyncGenerator<Uint8Array> {
  const {title, offset, length} = range
  const end = offset + length
  const ask = (at: number) =>
    at < end ? readAt({...range, offset: at, length: Math.min(CHUNK_BYTES, end - at)}) : undefined
  // The next chunk is on its way while this one is used. Its failure is thrown when its turn comes, if it does.
  let next = ask(offset)
  try {
    for (let at = offset; at < end;) {
      options.signal?.throwIfAborted()
      const chunk = (await next) ?? new Uint8Array()
      if (chunk.byteLength === 0) {
        throw new InputError('ARCHIVE_TRUNCATED', {
          what: `'${title}' is cut short, or changed while it was read.`,
          at: {path: title, offset: at},
        })
      }
      at += chunk.byteLength
      next = ask(at)
      next?.catch(() => undefined)
      yield chunk
    }
  } finally {
    // Nothing reads from a file that its owner closes next.
    await Promise.allSettled([next])
  }
}
