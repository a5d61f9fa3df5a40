import {GoBlocks, MAX_STORED_BYTES} from './go-blocks.js'
import {matchToken} from './token-codes.js'

const TABLE_BITS = 14
const HASH_FACTOR = 0x1e35a7bd
const MAX_DISTANCE = 32768
const MAX_MATCH = 258
/** No match begins so near to the end of a block. */
const MARGIN_BYTES = 15
const LEAST_BYTES = 17
/** At the end, less than this is not searched. */
const SMALL_BYTES = 128
const TINY_BYTES = 16
/** Offsets are brought down again before they leave 32 bits. */
const MAX_OFFSET = 0x7fffffff - 2 * MAX_STORED_BYTES

/**
 * Level 1 of Go's compress/flate, 1.8 to 1.26 (over 2 GiB: from 1.15): blocks of 65535 bytes, matched against themselves
 * and the block before. The size of writes does not matter. Source: layer encodings page, section 2.5; Go's
 * deflatefast.go.
 */
export class GoFast {
  readonly #blocks: GoBlocks
  readonly #values = new Uint32Array(1 << TABLE_BITS)
  readonly #offsets = new Int32Array(1 << TABLE_BITS)
  readonly #tokens = new Uint32Array(MAX_STORED_BYTES)
  #tokenCount = 0
  /** The block before, and the block at hand behind it. */
  #text = new Uint8Array(2 * MAX_STORED_BYTES)
  #before = 0
  #size = 0
  #current = MAX_STORED_BYTES

  constructor(onBytes: (bytes: Uint8Array) => void) {
    this.#blocks = new GoBlocks(onBytes)
  }

  write(bytes: Uint8Array): void {
    for (let offset = 0; offset < bytes.length;) {
      if (this.#size === MAX_STORED_BYTES) this.#encodeBlock()
      const length = Math.min(bytes.length - offset, MAX_STORED_BYTES - this.#size)
      this.#text.set(bytes.subarray(offset, offset + length), this.#before + this.#size)
      this.#size += length
      offset += length
    }
  }

  finish(): void {
    const input = this.#input()
    if (this.#size >= SMALL_BYTES) this.#encodeBlock()
    else if (this.#size > TINY_BYTES) this.#blocks.writeHuffmanBlock(input)
    else if (this.#size > 0) this.#blocks.writeStored(input)
    this.#blocks.finish()
  }

  #input(): Uint8Array {
    return this.#text.subarray(this.#before, this.#before + this.#size)
  }

  #encodeBlock(): void {
    const input = this.#input()
    this.#tokenCount = 0
    this.#tokenise()
    if (this.#tokenCount > input.length - (input.length >> 4)) this.#blocks.writeHuffmanBlock(input)
    else this.#blocks.writeDynamicBlock(this.#tokens, this.#tokenCount, input)
    this.#text.copyWithin(0, this.#before, this.#before + this.#size)
    this.#before = this.#size
    this.#current += this.#size
    this.#size = 0
  }

  #literals(from: number, to: number): void {
    for (let at = from; at < to; at++) this.#tokens[this.#tokenCount++] = this.#text[at] ?? 0
  }

  /** Positions are those in the text; `shift` added gives the table's. */
  #tokenise(): void {
    if (this.#current >= MAX_OFFSET) this.#lowerOffsets()
    const text = this.#text
    const values = this.#values
    const offsets = this.#offsets
    const start = this.#before
    const end = start + this.#size
    if (this.#size < LEAST_BYTES) {
      this.#literals(start, end)
      return
    }
    const shift = this.#current - start
    const limit = end - MARGIN_BYTES
    let emitted = start
    let at = start
    let value = load(text, at)
    for (;;) {
      let skip = 32
      let next = at
      let place: number
      for (;;) {
        at = next
        const step = skip >> 5
        next = at + step
        skip += step
        if (next > limit) {
          this.#literals(emitted, end)
          return
        }
        const slot = hashOf(value)
        place = (offsets[slot] ?? 0) - shift
        const found = values[slot] ?? 0
        values[slot] = value
        offsets[slot] = at + shift
        const ahead = load(text, next)
        if (at - place <= MAX_DISTANCE && found === value) break
        value = ahead
      }
      this.#literals(emitted, at)
      for (;;) {
        const length = this.#matchLength(place, at, end)
        this.#tokens[this.#tokenCount++] = matchToken(length, at - place)
        at += length
        emitted = at
        if (at >= limit) {
          this.#literals(emitted, end)
          return
        }
        const behind = load(text, at - 1)
        const slotBehind = hashOf(behind)
        values[slotBehind] = behind
        offsets[slotBehind] = at - 1 + shift
        value = load(text, at)
        const slot = hashOf(value)
        place = (offsets[slot] ?? 0) - shift
        const found = values[slot] ?? 0
        values[slot] = value
        offsets[slot] = at + shift
        if (at - place > MAX_DISTANCE || found !== value) {
          at += 1
          value = load(text, at)
          break
        }
      }
    }
  }

  /** Four bytes match, as the table says. What lies before the kept text cannot be looked at. */
  #matchLength(place: number, at: number, end: number): number {
    if (place < 0 && place + 4 < 0) return 4
    const longest = Math.min(MAX_MATCH, end - at)
    let length = 4
    while (length < longest && this.#text[place + length] === this.#text[at + length]) length++
    return length
  }

  #lowerOffsets(): void {
    const shift = this.#current - (MAX_DISTANCE + 1)
    for (let slot = 0; slot < this.#offsets.length; slot++) {
      if (this.#before === 0) {
        this.#offsets[slot] = 0
        this.#values[slot] = 0
      } else this.#offsets[slot] = Math.max(0, (this.#offsets[slot] ?? 0) - shift)
    }
    this.#current = MAX_DISTANCE + 1
  }
}

function load(text: Uint8Array, at: number): number {
  return (
    ((text[at] ?? 0) | ((text[at + 1] ?? 0) << 8) | ((text[at + 2] ?? 0) << 16) | ((text[at + 3] ?? 0) << 24)) >>> 0
  )
}

function hashOf(value: number): number {
  return Math.imul(value, HASH_FACTOR) >>> (32 - TABLE_BITS)
}
