import {taskName, type TaskResult} from '../../workers/task.js'
import {hashBlock, packBlockSync} from './pack-blocks.js'

export interface PackBlocksInput {
  /** Blocks one after the other. */
  readonly bytes: Uint8Array
  /** Size of each, in their order. */
  readonly sizes: readonly number[]
  /** Of deflate, 1 to 9; undefined where the blocks are stored as they are and only their hashes are asked for. */
  readonly level: number | undefined
}

export interface PackedBlocks {
  /** As given: moves back to the caller. */
  readonly bytes: Uint8Array
  /** Each block deflated for itself; empty without a level. */
  readonly packed: readonly Uint8Array[]
  /** Base64 SHA-256 of each block, as the block map has it. */
  readonly hashes: readonly string[]
}

export const PACK_BLOCKS = taskName<PackBlocksInput, PackedBlocks>('pack-blocks')

/** Deflates and hashes blocks of a package; the same bytes as `packBlock` gives. */
export function packBlocks({bytes, sizes, level}: PackBlocksInput): TaskResult<PackedBlocks> {
  const packed: Uint8Array[] = []
  const hashes: string[] = []
  const moved = [bytes.buffer as ArrayBuffer]
  let at = 0
  for (const size of sizes) {
    const block = bytes.subarray(at, (at += size))
    hashes.push(hashBlock(block))
    if (level === undefined) continue
    // What zlib gives may share a buffer of Node's, which must not move.
    const own = Uint8Array.from(packBlockSync(block, level))
    packed.push(own)
    moved.push(own.buffer)
  }
  return {output: {bytes, packed, hashes}, transfer: moved}
}
