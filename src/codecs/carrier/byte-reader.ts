import {InputError} from '../../model/errors.js'

/** Reads what `ByteWriter` wrote; throws `RECIPE_CORRUPT` when the bytes end early or state an impossible number. */
export class ByteReader {
  readonly #bytes: Buffer
  #position = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get isAtEnd(): boolean {
    return this.#position === this.#bytes.byteLength
  }

  corrupt(why: string): InputError {
    return new InputError('RECIPE_CORRUPT', {
      what: 'A layout frame is damaged.',
      why,
      at: {offset: this.#position},
    })
  }

  #take(count: number): number {
    const start = this.#position
    if (count > this.#bytes.byteLength - start)
      throw this.corrupt(`Expected ${count} bytes, found ${this.#bytes.byteLength - start}.`)
    this.#position = start + count
    return start
  }

  u8(): number {
    return this.#bytes.readUInt8(this.#take(1))
  }

  u32(): number {
    return this.#bytes.readUInt32LE(this.#take(4))
  }

  i64(): bigint {
    return this.#bytes.readBigInt64LE(this.#take(8))
  }

  varint(): number {
    let value = 0
    let scale = 1
    for (;;) {
      const byte = this.u8()
      value += (byte & 0x7f) * scale
      if (value > Number.MAX_SAFE_INTEGER) throw this.corrupt('A number is larger than 2^53.')
      if (byte < 0x80) return value
      scale *= 0x80
      if (scale > Number.MAX_SAFE_INTEGER) throw this.corrupt('A number has too many bytes.')
    }
  }

  block(): Uint8Array {
    const length = this.varint()
    const start = this.#take(length)
    return this.#bytes.subarray(start, start + length)
  }

  text(): string {
    return Buffer.from(this.block()).toString('utf8')
  }
}
