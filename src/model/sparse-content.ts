import {setImmediate} from 'node:timers/promises'
import type {Content, SparseRange} from './content.js'
import type {UnpackLimit} from './unpack-limit.js'

/** So many zeros that no byte is stored for. */
export interface Hole {
  /** Bytes. */
  readonly hole: number
}

/** A piece of content: bytes, or a hole. */
export type ContentRun = Uint8Array | Hole

/** The zeros that holes are spelt out with. Never written to. */
export const ZEROS: Uint8Array = new Uint8Array(256 * 1024)
/** Zeros come without waiting for anything: after so many, whatever else waits (a Ctrl-C) has its turn. */
const PAUSE_BYTES = 64 * ZEROS.byteLength

/** `length` zeros in pieces. Lets other work happen in between, and ends at once when the signal is aborted. */
export async function* zeros(length: number, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  let sincePause = 0
  for (let left = length; left > 0; left -= ZEROS.byteLength) {
    if (sincePause >= PAUSE_BYTES) {
      await setImmediate()
      sincePause = 0
    }
    signal?.throwIfAborted()
    const piece = left >= ZEROS.byteLength ? ZEROS : ZEROS.subarray(0, left)
    sincePause += piece.byteLength
    yield piece
  }
}

/** Content of which only some ranges are stored. */
export interface SparseSource {
  readonly size: number
  /** Ascending, not overlapping, inside `size`. */
  readonly ranges: readonly SparseRange[]
  /** The bytes of the ranges, one after the other; called at most once. */
  openRanges(): AsyncIterable<Uint8Array>
  readonly limit: UnpackLimit
  readonly signal?: AbortSignal | undefined
}

/** Sparse content. Whoever opens the whole of it spends the holes from the limit (`LIMIT_EXCEEDED`). */
export function sparseContent(source: SparseSource): Content {
  const {size, ranges, limit, signal} = source
  const content = {size, ranges, openRanges: () => source.openRanges()}
  return {...content, open: () => expanded(content, limit, signal)}
}

async function* expanded(
  content: Pick<Content, 'size' | 'ranges' | 'openRanges'>,
  limit: UnpackLimit,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  limit.spend(content.size - storedBytesOf(content))
  for await (const run of mapped(content.ranges ?? [], content.size, content.openRanges?.() ?? []))
    if (run instanceof Uint8Array) yield run
    else yield* zeros(run.hole, signal)
}

/** Bytes of content that are stored: all but the holes. */
export function storedBytesOf({size, ranges}: Pick<Content, 'size' | 'ranges'>): number {
  return ranges === undefined ? size : ranges.reduce((sum, {length}) => sum + length, 0)
}

/** Content in runs; its holes stay holes where it tells of them. In place of `open`, and like it called at most once. */
export async function* runsOf(content: Content): AsyncGenerator<ContentRun> {
  if (content.bytes !== undefined) yield content.bytes
  else if (content.ranges === undefined || content.openRanges === undefined) yield* content.open()
  else yield* mapped(content.ranges, content.size, content.openRanges())
}

/** Puts stored bytes where their ranges say. Bytes beyond the ranges are passed on, so that a wrong size shows. */
async function* mapped(
  ranges: readonly SparseRange[],
  size: number,
  stored: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<ContentRun> {
  let at = 0
  let index = 0
  let within = 0
  for await (const chunk of stored) {
    for (let from = 0; from < chunk.byteLength;) {
      const range = ranges[index] ?? {offset: at, length: Infinity}
      if (within === 0 && range.offset > at) yield {hole: range.offset - at}
      const piece = chunk.subarray(from, from + Math.min(chunk.byteLength - from, range.length - within))
      yield piece
      from += piece.byteLength
      within += piece.byteLength
      at = range.offset + within
      if (within < range.length) continue
      index++
      within = 0
    }
  }
  if (size > at) yield {hole: size - at}
}

/** Only these ranges of a content, as bytes: what of them is a hole is spelt out. */
export async function* rangesOf(
  ranges: readonly SparseRange[],
  runs: AsyncIterable<ContentRun>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  let at = 0
  let index = 0
  for await (const run of runs) {
    const end = at + (run instanceof Uint8Array ? run.byteLength : run.hole)
    for (let range = ranges[index]; range !== undefined && range.offset < end; range = ranges[index]) {
      const from = Math.max(range.offset, at)
      const to = Math.min(range.offset + range.length, end)
      if (to > from) {
        if (run instanceof Uint8Array) yield run.subarray(from - at, to - at)
        else yield* zeros(to - from, signal)
      }
      if (range.offset + range.length > end) break
      index++
    }
    at = end
  }
}
