/** Random access to the bytes of a hive. */
export interface HiveSource {
  /** Bytes of the whole file. */
  readonly size: number
  /** Exactly `length` bytes, which the caller keeps inside `size`. They are not changed afterwards. */
  read(offset: number, length: number): Uint8Array
  /** The signed 32-bit number there, little-endian: the size of a cell, of which a hive has millions. */
  readInt32(offset: number): number
}

/** A hive whose bytes are at hand; nothing is copied. */
export function sourceOfBytes(bytes: Uint8Array): HiveSource {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return {
    size: buffer.byteLength,
    read: (offset, length) => buffer.subarray(offset, offset + length),
    readInt32: (offset) => buffer.readInt32LE(offset),
  }
}
