import {asTransshipError, InputError} from '../model/errors.js'
import type {WorkOptions} from '../model/events.js'
import type {FileRange} from '../model/layer-in-file.js'
import {fillBufferLater} from './fill-buffer.js'

/** Read at a time when streaming. */
const CHUNK_BYTES = 1024 * 1024

/** Up to `length` bytes at a place of an open file: fewer where it ends before. Fresh: they stay valid. */
export function readAt(range: FileRange): Promise<Uint8Array> {
  return fill(range, range.offset, Buffer.allocUnsafe(range.length))
}

async function fill({fd, title}: FileRange, offset: number, into: Buffer): Promise<Uint8Array> {
  try {
    return into.subarray(0, await fillBufferLater(fd, into, offset))
  } catch (error) {
    throw asTransshipError(error, {path: title, offset})
  }
}

/** The range in pieces, each true until the next is asked for. `ARCHIVE_TRUNCATED` when the file is shorter. */
export async function* streamRange(range: FileRange, options: WorkOptions = {}): AsyncGenerator<Uint8Array> {
  const {title, offset, length} = range
  const end = offset + length
  // Two that take turns: one of its own for each piece would be garbage as large as the file.
  const room = Math.min(CHUNK_BYTES, length)
  const buffers = [Buffer.allocUnsafe(room), Buffer.allocUnsafe(Math.min(room, length - room))] as const
  const ask = (at: number, turn: number) =>
    at < end ? fill(range, at, buffers[turn === 0 ? 0 : 1].subarray(0, Math.min(room, end - at))) : undefined
  // The next chunk is on its way while this one is used. Its failure is thrown when its turn comes, if it does.
  let next = ask(offset, 0)
  let turn = 0
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
      turn = 1 - turn
      next = ask(at, turn)
      next?.catch(() => undefined)
      yield chunk
    }
  } finally {
    // Nothing reads from a file that its owner closes next.
    await Promise.allSettled([next])
  }
}
