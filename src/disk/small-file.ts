import {asTransshipError, findSystemCode, InputError} from '../model/errors.js'
import {fillBuffer} from './fill-buffer.js'
import {readBounded} from './safe-open.js'

/** Fills `into` from `position` on; `IO_FAILED`-like errors come as they are, an early end is `SIZE_MISMATCH`. */
export function readFully(fd: number, into: Uint8Array, position: number, place: string): void {
  const filled = fillBuffer(fd, into, position)
  if (filled === into.byteLength) return
  throw new InputError('SIZE_MISMATCH', {
    what: 'A file shrank while it was read.',
    suggestions: ['Stop the program that writes to the source, then retry.'],
    at: {path: place, offset: position + filled},
  })
}

/** The bytes of a file up to a limit (`LIMIT_EXCEEDED`); undefined when there is no such file. Never through a link. */
export function findSmallFile(file: string, limitBytes: number, place: string): Uint8Array | undefined {
  try {
    return readBounded(file, limitBytes, {place})
  } catch (error) {
    if (findSystemCode(error) === 'ENOENT') return undefined
    throw asTransshipError(error, {path: place})
  }
}
