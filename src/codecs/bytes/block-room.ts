/**
 * Memory for blocks that are held for a short while, used again and again: the garbage of a block per block makes a
 * process grow by what its collector lets wait.
 */
export class BlockRoom {
  readonly #blockBytes: number
  readonly #free: Uint8Array<ArrayBuffer>[] = []
  readonly #taken = new Set<ArrayBufferLike>()

  constructor(blockBytes: number) {
    this.#blockBytes = blockBytes
  }

  /** A block of whatever content, which is the caller's until it comes back. */
  readonly take = (): Uint8Array<ArrayBuffer> => {
    const block = this.#free.pop() ?? new Uint8Array(this.#blockBytes)
    this.#taken.add(block.buffer)
    return block
  }

  /** Takes a block back, or a part of one. Of bytes from elsewhere it takes no notice. */
  giveBack({buffer}: Uint8Array): void {
    if (this.#taken.delete(buffer)) this.#free.push(new Uint8Array(buffer as ArrayBuffer))
  }
}
