/** Bytes that can be read by position: a buffer at hand, or a file behind positional reads. */
export interface ByteSource {
  readonly sizeBytes: number
  /** Exactly `length` bytes from `offset`; only asked for what lies inside `sizeBytes`. Valid until the next call. */
  read(offset: number, length: number): Uint8Array
}

/** A source over bytes at hand. */
export function byteSourceOf(bytes: Uint8Array): ByteSource {
  return {
    sizeBytes: bytes.byteLength,
    read: (offset, length) => bytes.subarray(offset, offset + length),
  }
}
