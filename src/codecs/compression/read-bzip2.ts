import bitIterator from 'unbzip2-stream/lib/bit_iterator.js'
import bzip2 from 'unbzip2-stream/lib/bzip2.js'

/** Input that holds any whole block of a stream of this block size (in units of 100,000 bytes), with its header. */
function inputNeeded(blockSize: number): number {
  return 25_000 + 100_000 * blockSize
}

type BitReader = ReturnType<typeof bitIterator>

/** `BZh`; the block size follows as a digit. */
const MAGIC = [0x42, 0x5a, 0x68]

/** A reader that gives a value first which has been read already. */
function replaying(value: number, bits: BitReader): BitReader {
  let isGiven = false
  const reader = (count: number | null) => {
    if (isGiven) return bits(count)
    isGiven = true
    return value
  }
  return Object.assign(reader, {bytesRead: 0})
}

/** A block of 900,000 bytes can be run-length coded from at most 255/5 as many. */
const MAX_BLOCK_BYTES = 900_000 * 51

/**
 * Decodes bzip2 in JavaScript, block by block. The library's own stream decodes all it was given at once, which a
 * hostile stream of tiny blocks would turn into gigabytes; this asks for one block after the other.
 */
export async function* readBzip2(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  // The bit reader asks for its first buffer when it is made.
  const queue: Uint8Array[] = [new Uint8Array()]
  let received = 0
  const bits = bitIterator(() => {
    const next = queue.shift()
    if (next === undefined) throw new Error('input stream ended prematurely')
    return next
  })
  const decoder = new BlockDecoder(bits)
  for await (const chunk of body) {
    if (chunk.byteLength === 0) continue
    queue.push(Uint8Array.from(chunk))
    received += chunk.byteLength
    while (received - bits.bytesRead + 1 >= inputNeeded(decoder.blockSize)) yield* decoder.next()
  }
  while (received > bits.bytesRead) yield* decoder.next()
  if (!decoder.isAtEnd) throw new Error('input stream ended prematurely')
}

class BlockDecoder {
  readonly #bits: BitReader
  #streamCrc: number | null = null
  #scratch = new Int32Array()
  #output = Buffer.allocUnsafe(2 ** 20)
  /** Zero between streams. */
  blockSize = 0
  #streams = 0
  /** Only zeros may come any more: bzip2(1) takes them for padding. */
  #isPadding = false

  constructor(bits: BitReader) {
    this.#bits = bits
  }

  get isAtEnd(): boolean {
    return this.blockSize === 0 && this.#streams > 0
  }

  /** Reads a stream header, or decodes one block. */
  *next(): Generator<Uint8Array> {
    if (this.blockSize === 0) {
      if (!this.#begin()) return
      this.#streamCrc = 0
      this.#scratch = new Int32Array(100_000 * this.blockSize)
      return
    }
    let length = 0
    const give = (byte: number) => {
      if (length === this.#output.byteLength) this.#grow()
      this.#output[length++] = byte
    }
    this.#streamCrc = bzip2.decompress(this.#bits, give, this.#scratch, this.#scratch.length, this.#streamCrc)
    if (this.#streamCrc === null) this.blockSize = 0
    if (length > 0) yield Uint8Array.from(this.#output.subarray(0, length))
  }

  /** Reads the header of a stream, or one byte of the padding behind the last; true for a header. */
  #begin(): boolean {
    const first = this.#bits(8)
    if (first === 0 && this.#streams > 0) this.#isPadding = true
    else if (this.#isPadding) throw new Error('extra data follows the zeros after its end')
    if (this.#isPadding) return false
    const isMagic = first === MAGIC[0] && this.#bits(8) === MAGIC[1] && this.#bits(8) === MAGIC[2]
    if (!isMagic)
      throw new Error(this.#streams > 0 ? 'data that is not bzip2 follows its end' : 'it does not start like bzip2')
    // The library reads the magic again, and makes its tables with that.
    const magic = MAGIC.reduce((value, byte) => value * 256 + byte, 0)
    this.blockSize = bzip2.header(replaying(magic, this.#bits))
    this.#streams++
    return true
  }

  #grow(): void {
    if (this.#output.byteLength >= MAX_BLOCK_BYTES) throw new Error('a block is larger than the format allows')
    const larger = Buffer.allocUnsafe(Math.min(this.#output.byteLength * 2, MAX_BLOCK_BYTES))
    this.#output.copy(larger)
    this.#output = larger
  }
}
