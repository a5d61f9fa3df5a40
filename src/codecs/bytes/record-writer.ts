/** Appends bytes and numbers to a record of a recipe. A number is LEB128: seven bits a byte, low ones first. */
export class RecordWriter {
  #bytes = Buffer.allocUnsafe(256)
  #length = 0

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.byteLength) return
    const grown = Buffer.allocUnsafe(Math.max(this.#bytes.byteLength * 2, this.#length + count))
    this.#bytes.copy(grown, 0, 0, this.#length)
    this.#bytes = grown
  }

  byte(value: number): this {
    this.#reserve(1)
    this.#bytes[this.#length++] = value
    return this
  }

  u32(value: number): this {
    this.#reserve(4)
    this.#length = this.#bytes.writeUInt32LE(value, this.#length)
    return this
  }

  /** Takes the low 64 bits. */
  i64(value: bigint): this {
    this.#reserve(8)
    this.#length = this.#bytes.writeBigInt64LE(BigInt.asIntN(64, value), this.#length)
    return this
  }

  /** A whole number up to 2^53-1. */
  number(value: number): this {
    let rest = value
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) this.byte((rest % 0x80) + 0x80)
    return this.byte(rest)
  }

  bytes(bytes: Uint8Array): this {
    this.#reserve(bytes.byteLength)
    this.#bytes.set(bytes, this.#length)
    this.#length += bytes.byteLength
    return this
  }

  /** A length and as many bytes; of a text those of its UTF-8. */
  block(content: Uint8Array | string): this {
    const bytes = typeof content === 'string' ? Buffer.from(content, 'utf8') : content
    return this.number(bytes.byteLength).bytes(bytes)
  }

  /** All bytes so far, as a copy. */
  finish(): Uint8Array {
    return Uint8Array.from(this.#bytes.subarray(0, this.#length))
  }
}
