import {readSync} from 'node:fs'
import {asTransshipError, findSystemCode, InputError} from '../model/errors.js'
import {readBounded} from './safe-open.js'

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

/** The bytes of a file up to a limit (`LIMIT_EXCEEDED`); undefined when there is no such file. Never through a link. */
export function findSmallFile(file: string, limitBytes: number, place: string): Uint8Array | undefined {
  try {
    return readBounded(file, limitBytes, {place})
  } catch (error) {
    if (findSystemCode(error) === 'ENOENT') return undefined
    throw asTransshipError(error, {path: place})
  }
}
