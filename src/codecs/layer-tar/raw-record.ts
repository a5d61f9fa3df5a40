import type {SparseRange} from '../../model/content.js'
import type {ContentRun} from '../../model/sparse-content.js'
import {BLOCK_BYTES, isZero, paddingOf, readTarHeader} from '../tar/tar-header.js'
import type {RawPlace} from './archive-frame.js'

/**
 * True for bytes that are only what their place in a tar says: one global header, less than a block of padding, zeros
 * instead of an end. What follows the end blocks may be anything, since no reader takes it for a member.
 */
export function fitsPlace(place: RawPlace, bytes: Uint8Array): boolean {
  switch (place) {
    case 'global':
      return isGlobalHeader(bytes)
    case 'padding':
      return bytes.byteLength < BLOCK_BYTES
    case 'short-padding':
      return bytes.byteLength < BLOCK_BYTES && isZero(bytes)
    case 'short-end':
      return bytes.byteLength < 2 * BLOCK_BYTES && isZero(bytes)
    case 'end':
      return true
  }
}

function isGlobalHeader(bytes: Uint8Array): boolean {
  if (bytes.byteLength < BLOCK_BYTES) return false
  const header = readTarHeader(bytes.subarray(0, BLOCK_BYTES))
  return (
    typeof header !== 'string' &&
    header.typeflag === 'g' &&
    bytes.byteLength === BLOCK_BYTES + header.size + paddingOf(header.size)
  )
}

/** Passes runs on; `onData` is told when bytes other than zeros lie outside the ranges, which are in order. */
export async function* watchingGaps(
  ranges: readonly SparseRange[],
  runs: AsyncIterable<ContentRun>,
  onData: () => void,
): AsyncGenerator<ContentRun> {
  let at = 0
  let index = 0
  for await (const run of runs) {
    const end = at + (run instanceof Uint8Array ? run.byteLength : run.hole)
    if (run instanceof Uint8Array) {
      let from = at
      while (from < end) {
        const range = ranges[index]
        const until = Math.min(range?.offset ?? end, end)
        if (until > from && !isZero(run.subarray(from - at, until - at))) onData()
        if (range === undefined || range.offset >= end) break
        from = Math.max(from, range.offset + range.length)
        if (range.offset + range.length > end) break
        index++
      }
    } else {
      for (let range = ranges[index]; range !== undefined && range.offset + range.length <= end; range = ranges[index])
        index++
    }
    yield run
    at = end
  }
}
