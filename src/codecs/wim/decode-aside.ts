import {workers} from '../../workers/worker-pool.js'
import type {ChunkPacking} from './chunk-decoder.js'
import {DECODE_CHUNKS} from './decode-task.js'

/** A chunk in a file. */
export interface ChunkSpan {
  /** Bytes from the start of the file. */
  readonly start: number
  /** Packed bytes. */
  readonly length: number
  /** Unpacked bytes. */
  readonly size: number
}

/** Below this, sending chunks to other threads takes longer than it saves. */
const LEAST_BYTES = 2 ** 20
/** Unpacked bytes of what one thread gets at a time. */
const BATCH_BYTES = 512 * 1024
/** Larger chunks, of which several would have to be held, are unpacked one by one. */
const MAX_CHUNK_BYTES = 2 ** 21

/** True where chunks are worth being unpacked by several threads. */
export function isWorthAside({compression, chunkSize}: ChunkPacking, originalSize: number): boolean {
  return compression !== 'none' && chunkSize <= MAX_CHUNK_BYTES && originalSize >= LEAST_BYTES
}

/** Unpacks chunks on all cores; pieces come in their order and stay valid. Memory: a batch for each core and one more. */
export async function* decodeAside(
  spans: Iterable<ChunkSpan>,
  {compression, chunkSize}: ChunkPacking,
  read: (offset: number, length: number) => Promise<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const pool = workers()
  const running: Promise<readonly Uint8Array[]>[] = []
  for (const chunks of batchesOf(spans)) {
    const [first, last] = [chunks[0], chunks.at(-1)]
    if (first === undefined || last === undefined) continue
    const whole = await read(first.start, last.start + last.length - first.start)
    const packed = packedOf(chunks, whole)
    const call = pool.run(
      DECODE_CHUNKS,
      {compression, chunkSize, packed, chunks: chunks.map(({length, size}) => ({length, size}))},
      {transfer: [packed.buffer]},
    )
    // Nobody may be there any more to hear of it.
    call.catch(() => undefined)
    running.push(call)
    if (running.length > pool.size) yield* (await running.shift()) ?? []
  }
  for (const call of running) yield* await call
}

/** Chunks end to end, without what lies between them, in memory of their own: it moves to the other thread. */
function packedOf(chunks: readonly ChunkSpan[], whole: Uint8Array): Uint8Array<ArrayBuffer> {
  const packed = new Uint8Array(chunks.reduce((sum, {length}) => sum + length, 0))
  const origin = chunks[0]?.start ?? 0
  let at = 0
  for (const {start, length} of chunks) {
    packed.set(whole.subarray(start - origin, start - origin + length), at)
    at += length
  }
  return packed
}

function* batchesOf(spans: Iterable<ChunkSpan>): Generator<readonly ChunkSpan[]> {
  let batch: ChunkSpan[] = []
  let bytes = 0
  for (const span of spans) {
    batch.push(span)
    bytes += span.size
    if (bytes < BATCH_BYTES) continue
    yield batch
    batch = []
    bytes = 0
  }
  if (batch.length > 0) yield batch
}
