/** Seed of the hashes in registry logs. Source: section 2.2 of the registry hive format page. */
export const LOG_SEED = 0x82ef4d887a4e55c5n

function rotateLeft(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits))
}

/** Marvin32 of the bytes: 64 bits. Source: section 2.2 of the registry hive format page; as in .NET's string hashes. */
export function marvin32(bytes: Uint8Array, seed = LOG_SEED): bigint {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let low = Number(BigInt.asIntN(32, seed))
  let high = Number(BigInt.asIntN(32, seed >> 32n))
  const mix = (word: number): void => {
    low = (low + word) | 0
    high ^= low
    low = (rotateLeft(low, 20) + high) | 0
    high = rotateLeft(high, 9) ^ low
    low = (rotateLeft(low, 27) + high) | 0
    high = rotateLeft(high, 19)
  }
  const whole = buffer.byteLength - (buffer.byteLength % 4)
  for (let offset = 0; offset < whole; offset += 4) mix(buffer.readInt32LE(offset))
  const tail = Buffer.alloc(4)
  buffer.copy(tail, 0, whole)
  tail.writeUInt8(0x80, buffer.byteLength - whole)
  mix(tail.readInt32LE(0))
  mix(0)
  return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0)
}
