import {closeSync, constants, fstatSync, openSync, readSync} from 'node:fs'
import {asTransshipError, findSystemCode, InputError} from '../model/errors.js'

/** Never through a link, and never waiting for the other end of a pipe. Windows knows neither flag: undefined adds no bit. */
export const OPEN_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK

/** Fills `into` from `position` on; `IO_FAILED`-like errors come as they are, an early end is `SIZE_MISMATCH`. */
export function readFully(fd: number, into: Uint8Array, position: number, place: string): void {
  let done = 0
  while (done < into.byteLength) {
    const count = readSync(fd, into, done, into.byteLength - done, position + done)
    if (count === 0) {
      throw new InputError('SIZE_MISMATCH', {
        what: 'A file shrank while it was read.',
        suggestions: ['Stop the program that writes to the source, then retry.'],
        at: {path: place, offset: position + done},
      })
    }
    done += count
  }
}

/** The bytes of a file up to a limit (`LIMIT_EXCEEDED`); undefined when there is no such file. */
export function findSmallFile(file: string, limitBytes: number, place: string): Uint8Array | undefined {
  let fd
  try {
    fd = openSync(file, OPEN_FLAGS)
  } catch (error) {
    if (findSystemCode(error) === 'ENOENT') return undefined
    throw asTransshipError(error, {path: place})
  }
  try {
    const stats = fstatSync(fd)
    if (!stats.isFile()) {
      throw new InputError('UNRECOGNISED_FORMAT', {what: `'${place}' is not a file.`, at: {path: place}})
    }
    if (stats.size > limitBytes) {
      throw new InputError('LIMIT_EXCEEDED', {
        what: `'${place}' has ${stats.size} bytes; the limit is ${limitBytes}.`,
        at: {path: place},
      })
    }
    const bytes = Buffer.allocUnsafe(stats.size)
    readFully(fd, bytes, 0, place)
    return bytes
  } finally {
    closeSync(fd)
  }
}
