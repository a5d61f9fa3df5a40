import {InputError} from '../../model/errors.js'

/** Reads what `RecordWriter` wrote. Throws `RECIPE_CORRUPT` when the bytes end early or state an impossible number. */
export class RecordReader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.byteLength
  }

  #take(count: number): number {
    const start = this.#at
    const left = this.#bytes.byteLength - start
    if (count > left) throw recipeCorrupt(`Expected ${count} bytes in a record, found ${left}.`)
    this.#at = start + count
    return start
  }

  byte(): number {
    return this.#bytes.readUInt8(this.#take(1))
  }

  u32(): number {
    return this.#bytes.readUInt32LE(this.#take(4))
  }

  i64(): bigint {
    return this.#bytes.readBigInt64LE(this.#take(8))
  }

  /** LEB128, below 2^53. */
  number(): number {
    let value = 0
    for (let factor = 1; ; factor *= 0x80) {
      const byte = this.byte()
      value += (byte & 0x7f) * factor
      if (!Number.isSafeInteger(value) || !Number.isSafeInteger(factor))
        throw recipeCorrupt('A number in a record is 2^53 or more.')
      if (byte < 0x80) return value
    }
  }

  bytes(length: number): Uint8Array {
    const start = this.#take(length)
    return this.#bytes.subarray(start, start + length)
  }

  /** A length and as many bytes. */
  block(): Uint8Array {
    return this.bytes(this.number())
  }

  /** A block as UTF-8. */
  text(): string {
    return Buffer.from(this.block()).toString('utf8')
  }

  rest(): Uint8Array {
    return this.bytes(this.#bytes.byteLength - this.#at)
  }
}

export function recipeCorrupt(why: string): InputError {
  return new InputError('RECIPE_CORRUPT', {
    what: 'A recipe is damaged.',
    why,
    suggestions: ['Restore it from a copy. Or delete it: transship then writes the layer with another digest.'],
  })
}
