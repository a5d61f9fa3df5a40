import {createHash} from 'node:crypto'
import {closeSync, openSync, readSync} from 'node:fs'
import {OPEN_FLAGS} from './small-file.js'

const CHUNK_BYTES = 256 * 1024

/** Hex SHA-256 of a file. */
export function hashFile(file: string): string {
  const hash = createHash('sha256')
  const buffer = Buffer.allocUnsafe(CHUNK_BYTES)
  const fd = openSync(file, OPEN_FLAGS)
  try {
    for (let count = readSync(fd, buffer); count > 0; count = readSync(fd, buffer))
      hash.update(buffer.subarray(0, count))
    return hash.digest('hex')
  } finally {
    closeSync(fd)
  }
}
