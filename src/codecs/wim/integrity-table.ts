import {createHash} from 'node:crypto'
import type {RandomAccess} from '../tar/index-tar.js'
import {readBuffer} from './chunked-resource.js'
import {HEADER_BYTES, type WimHeader} from './header.js'
import {requireInside} from './resource-header.js'
import {wimFault} from './wim-fault.js'

const HEAD_BYTES = 12
const HASH_BYTES = 20
const PIECE_BYTES = 512 * 1024

/**
 * Checks the integrity table of a file, if it has one: SHA-1 of each piece from behind the header to the end of the
 * table of contents. Gives the offset of each piece that differs. Throws `ARCHIVE_CORRUPT` when the table is damaged
 * itself. Source: wimlib src/integrity.c.
 */
export async function* findDamage(
  source: RandomAccess,
  {integrity, blobTable}: WimHeader,
  signal?: AbortSignal,
): AsyncGenerator<{readonly offset: number; readonly sizeBytes: number}> {
  if (integrity.size === 0) return
  requireInside(integrity, 'The integrity table', source.size)
  if (integrity.size < HEAD_BYTES) throw wimFault('The integrity table is too short.', integrity.offset)
  const head = await readBuffer(source, integrity.offset, HEAD_BYTES)
  const size = head.readUInt32LE(0) //       0  of the table, bytes
  const count = head.readUInt32LE(4) //      4  hashes
  const pieceBytes = head.readUInt32LE(8) // 8  bytes of the file for each
  const end = blobTable.offset + blobTable.size
  const covered = end - HEADER_BYTES
  const isConsistent =
    size === integrity.size && size === HEAD_BYTES + count * HASH_BYTES && count === Math.ceil(covered / pieceBytes)
  if (!isConsistent)
    throw wimFault(
      `The integrity table claims to have ${count} hashes of ${pieceBytes} bytes in ${size}.`,
      integrity.offset,
    )
  for (let index = 0; index < count; index++) {
    signal?.throwIfAborted()
    const offset = HEADER_BYTES + index * pieceBytes
    const sizeBytes = Math.min(pieceBytes, end - offset)
    const want = await readBuffer(source, integrity.offset + HEAD_BYTES + index * HASH_BYTES, HASH_BYTES)
    const found = await hashRange(source, offset, sizeBytes)
    if (!want.equals(found)) yield {offset, sizeBytes}
  }
}

async function hashRange(source: RandomAccess, offset: number, length: number): Promise<Buffer> {
  const hash = createHash('sha1')
  for (let done = 0; done < length; done += PIECE_BYTES)
    hash.update(await readBuffer(source, offset + done, Math.min(PIECE_BYTES, length - done)))
  return hash.digest()
}
