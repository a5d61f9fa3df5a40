import {createHash} from 'node:crypto'
import {closeSync, openSync, readSync} from 'node:fs'
import {setImmediate} from 'node:timers/promises'
import {OPEN_FLAGS} from './small-file.js'

const CHUNK_BYTES = 256 * 1024

/** A file that is read without waiting lets nothing else happen, a Ctrl-C neither; so far it may go on. */
const TURN_BYTES = 64 * CHUNK_BYTES

/** Hex SHA-256 of a file that is not large. */
export function hashFile(file: string): string {
  const hash = createHash('sha256')
  for (const chunk of chunksOf(file)) hash.update(chunk)
  return hash.digest('hex')
}

/** Hex SHA-256 of a file of any size: other work has its turn meanwhile, and an aborted signal ends it. */
export async function hashFileInTurns(file: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256')
  let sinceTurn = 0
  for (const chunk of chunksOf(file)) {
    if (sinceTurn >= TURN_BYTES) {
      await setImmediate()
      signal?.throwIfAborted()
      sinceTurn = 0
    }
    hash.update(chunk)
    sinceTurn += chunk.byteLength
  }
  return hash.digest('hex')
}

/** Pieces that are valid until the next one is asked for. */
function* chunksOf(file: string): Generator<Uint8Array> {
  const buffer = Buffer.allocUnsafe(CHUNK_BYTES)
  const fd = openSync(file, OPEN_FLAGS)
  try {
    for (let count = readSync(fd, buffer); count > 0; count = readSync(fd, buffer)) yield buffer.subarray(0, count)
  } finally {
    closeSync(fd)
  }
}
