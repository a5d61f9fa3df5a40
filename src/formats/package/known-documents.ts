import {lstatSync} from 'node:fs'
import {findStamp} from '../../disk/file-stamp.js'
import type {PackageDocument} from './metadata.js'

/** What all documents that are kept may hold. */
const MOST_BYTES = 32 * 2 ** 20

interface Known {
  readonly stamp: string
  readonly bytes: number
  readonly document: PackageDocument
}

/** By the path of the file, the one asked for longest ago first. */
const KNOWN = new Map<string, Known>()
let held = 0

/**
 * The document in a file as `decode` gives it, or as it gave it before if the file is the same one since: same inode, size and
 * times. Each item of a batch looks through its whole repository; without this, a thousand items decode a million documents.
 */
export function decodeOnce(file: string, decode: () => PackageDocument): PackageDocument {
  const stats = lstatSync(file, {bigint: true, throwIfNoEntry: false})
  const stamp = findStamp(stats)
  const known = KNOWN.get(file)
  if (known !== undefined) forget(file, known)
  if (stats === undefined || stamp === undefined) return decode()
  const kept = known?.stamp === stamp ? known : {stamp, bytes: Number(stats.size), document: decode()}
  KNOWN.set(file, kept)
  held += kept.bytes
  for (const [oldest, each] of KNOWN) {
    if (held <= MOST_BYTES) break
    forget(oldest, each)
  }
  return kept.document
}

/** True while the file is the one that `decodeOnce` had these metadata from. */
export function isAsDecoded(file: string, {metadata}: Pick<PackageDocument, 'metadata'>): boolean {
  const known = KNOWN.get(file)
  const stamp = findStamp(lstatSync(file, {bigint: true, throwIfNoEntry: false}))
  return known !== undefined && known.stamp === stamp && known.document.metadata === metadata
}

function forget(file: string, {bytes}: Known): void {
  if (KNOWN.delete(file)) held -= bytes
}
