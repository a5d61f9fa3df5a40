import {workers} from '../../workers/worker-pool.js'
import {PACK_BLOCKS} from './pack-task.js'

/** A block as it goes into a package. */
export interface PackedBlock {
  readonly plain: Uint8Array
  /** Undefined where it is stored. */
  readonly packed: Uint8Array | undefined
  /** Base64 SHA-256 of the plain bytes. */
  readonly hash: string
}

/** Blocks that go to another thread together: fewer, and the way there takes longer than the work. */
export const BATCH_BLOCKS = 8

/** Deflates and hashes blocks on another thread; without a level they are only hashed. The blocks are copied. */
export async function packBatch(
  blocks: readonly Uint8Array[],
  level: number | undefined,
): Promise<readonly PackedBlock[]> {
  const sizes = blocks.map(({byteLength}) => byteLength)
  const bytes = new Uint8Array(sizes.reduce((sum, size) => sum + size, 0))
  let at = 0
  for (const block of blocks) {
    bytes.set(block, at)
    at += block.byteLength
  }
  const done = await workers().run(PACK_BLOCKS, {bytes, sizes, level}, {transfer: [bytes.buffer]})
  let from = 0
  return sizes.map((size, index) => ({
    plain: done.bytes.subarray(from, (from += size)),
    packed: done.packed[index],
    hash: done.hashes[index] ?? '',
  }))
}
