import {createHash} from 'node:crypto'
import {closeSync, readSync} from 'node:fs'
import {setImmediate} from 'node:timers/promises'
import {openRegular, type OpenedFile} from './safe-open.js'

const CHUNK_BYTES = 256 * 1024

/** A file that is read without waiting lets nothing else happen, a Ctrl-C neither; so far it may go on. */
const TURN_BYTES = 64 * CHUNK_BYTES

/** Hex SHA-256 of a file that is not large. */
export function hashFile(file: string): string {
  const hash = createHash('sha256')
  for (const chunk of chunksOf(openRegular(file))) hash.update(chunk)
  return hash.digest('hex')
}

/** Hex SHA-256 of a file of any size: other work has its turn meanwhile, and an aborted signal ends it. */
export async function hashFileInTurns(open: () => OpenedFile, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256')
  let sinceTurn = 0
  for (const chunk of chunksOf(open())) {
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
function* chunksOf({fd}: OpenedFile): Generator<Uint8Array> {
  const buffer = Buffer.allocUnsafe(CHUNK_BYTES)
  try {
    for (let count = readSync(fd, buffer); count > 0; count = readSync(fd, buffer)) yield buffer.subarray(0, count)
  } finally {
    closeSync(fd)
  }
}
