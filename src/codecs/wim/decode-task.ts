import {taskName, type TaskResult} from '../../workers/task.js'
import {ChunkDecoder, type ChunkPacking} from './chunk-decoder.js'

export interface DecodeChunksInput extends ChunkPacking {
  /** Packed chunks, end to end. */
  readonly packed: Uint8Array
  /** Of each: the packed and the unpacked bytes. */
  readonly chunks: readonly {readonly length: number; readonly size: number}[]
}

export const DECODE_CHUNKS = taskName<DecodeChunksInput, readonly Uint8Array[]>('decode-wim-chunks')

/** The last decoder of this thread: most chunks in a row are of one form. */
let known: {readonly packing: ChunkPacking; readonly decoder: ChunkDecoder} | undefined

/** Unpacks chunks. Throws what `ChunkDecoder` throws. */
export function decodeChunks({
  packed,
  chunks,
  compression,
  chunkSize,
}: DecodeChunksInput): TaskResult<readonly Uint8Array[]> {
  if (known?.packing.compression !== compression || known.packing.chunkSize !== chunkSize) {
    const packing = {compression, chunkSize}
    known = {packing, decoder: new ChunkDecoder(packing)}
  }
  const {decoder} = known
  let at = 0
  const output = chunks.map(({length, size}) => {
    const unpacked = decoder.decode(packed.subarray(at, (at += length)), size)
    // One that is stored as it is shares the bytes of all, which go as a whole.
    return unpacked.buffer === packed.buffer ? Uint8Array.from(unpacked) : unpacked
  })
  return {output, transfer: output.map(({buffer}) => buffer as ArrayBuffer)}
}
