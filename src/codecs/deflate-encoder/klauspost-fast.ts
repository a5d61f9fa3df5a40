import {KlauspostBlocks} from './klauspost-blocks.js'
import {matchToken} from './token-codes.js'

/** Text is encoded in pieces of this size. */
const PIECE_BYTES = 65535
const TABLE_BITS = 15
const MAX_DISTANCE = 32768
const MAX_MATCH = 258
/** No match begins so near to the end of a piece. */
const MARGIN_BYTES = 11
const SMALL_BYTES = 128
const TINY_BYTES = 32
/** Matches shorter than this are tried to be bettered at their end. */
const SHORT_MATCH = 30
/** So many bytes at a better match's beginning may differ. */
const SKIPPED_BYTES = 2
const NOWHERE = -4 * MAX_DISTANCE

/** 2654435761, and 58295818150454627 in two halves. Source: klauspost/compress flate/fast_encoder.go. */
const PRIME_4 = 0x9e3779b1 | 0
const PRIME_7_HIGH = 0xcf1bbc | 0
const PRIME_7_LOW = 0xdcbfa563 | 0

/**
 * Level 5 of klauspost/compress 1.15.10 to 1.18.0, for one run of text with what came before it as dictionary. Source:
 * layer encodings page, section 3.2; klauspost/compress flate/level5.go and deflate.go, storeFast.
 */
export class KlauspostFast {
  readonly #blocks: KlauspostBlocks
  readonly #text: Uint8Array
  readonly #short = new Int32Array(1 << TABLE_BITS).fill(NOWHERE)
  readonly #long = new Int32Array(1 << TABLE_BITS).fill(NOWHERE)
  readonly #longBefore = new Int32Array(1 << TABLE_BITS).fill(NOWHERE)
  readonly #tokens = new Uint32Array(PIECE_BYTES + 1)
  #count = 0

  /** `text` has the dictionary in front. */
  constructor(text: Uint8Array, blocks: KlauspostBlocks) {
    this.#text = text
    this.#blocks = blocks
  }

  /** Encodes the text behind the dictionary; nothing is owed afterwards. */
  encode(dictionaryBytes: number): void {
    if (dictionaryBytes > 0) this.#tokenise(0, dictionaryBytes)
    for (let from = dictionaryBytes; from < this.#text.length; from += PIECE_BYTES) {
      const to = Math.min(from + PIECE_BYTES, this.#text.length)
      this.#encodePiece(from, to, to === this.#text.length)
    }
  }

  #encodePiece(from: number, to: number, isEnd: boolean): void {
    const input = this.#text.subarray(from, to)
    if (input.length < SMALL_BYTES) {
      if (input.length <= TINY_BYTES) this.#blocks.writeStored(input)
      else this.#blocks.writeLiterals(input, true)
      return
    }
    this.#count = 0
    this.#tokenise(from, to)
    if (this.#count === 0) this.#blocks.writeStored(input)
    else if (this.#count > input.length - (input.length >> 4)) this.#blocks.writeLiterals(input, isEnd)
    else this.#blocks.writeTokens({tokens: this.#tokens, count: this.#count}, input, isEnd)
  }

  #tokenise(from: number, end: number): void {
    const text = this.#text
    const short = this.#short
    const long = this.#long
    const longBefore = this.#longBefore
    const limit = end - MARGIN_BYTES
    let emitted = from
    let at: number
    let scan = from
    for (;;) {
      let next = scan
      let length = 0
      let place: number
      for (;;) {
        at = next
        next = at + 1 + ((at - emitted) >> 6)
        if (next > limit) {
          this.#remainder(emitted, end)
          return
        }
        const shortHash = hash4(text, at)
        const longHash = hash7(text, at)
        const shortPlace = short[shortHash] ?? 0
        const longPlace = long[longHash] ?? 0
        const olderPlace = longBefore[longHash] ?? 0
        short[shortHash] = at
        longBefore[longHash] = longPlace
        long[longHash] = at

        if (at - longPlace < MAX_DISTANCE) {
          if (isSame4(text, at, longPlace)) {
            this.#enter(next)
            place = longPlace
            if (at - olderPlace < MAX_DISTANCE && isSame4(text, at, olderPlace)) {
              length = this.#matchLength(at, longPlace, end)
              const older = this.#matchLength(at, olderPlace, end)
              if (older > length) {
                place = olderPlace
                length = older
              }
            }
            break
          }
          if (at - olderPlace < MAX_DISTANCE && isSame4(text, at, olderPlace)) {
            this.#enter(next)
            place = olderPlace
            break
          }
        }
        if (at - shortPlace < MAX_DISTANCE && isSame4(text, at, shortPlace)) {
          place = shortPlace
          length = this.#matchLength(at, shortPlace, end)
          const nextHash = hash7(text, next)
          const nextPlace = long[nextHash] ?? 0
          const nextOlder = longBefore[nextHash] ?? 0
          this.#enter(next)
          if (next - nextPlace < MAX_DISTANCE) {
            let better = isSame4(text, next, nextPlace) ? this.#matchLength(next, nextPlace, end) : 0
            let betterPlace = nextPlace
            if (better <= length && next - nextOlder < MAX_DISTANCE && isSame4(text, next, nextOlder)) {
              better = this.#matchLength(next, nextOlder, end)
              betterPlace = nextOlder
            }
            if (better > length) {
              place = betterPlace
              at = next
              length = better
            }
          }
          break
        }
      }

      if (length === 0) length = 4 + this.#extension(at + 4, place + 4, end)
      else if (length === MAX_MATCH) length += this.#extension(at + length, place + length, end)
      const behind = at + length
      if (length < SHORT_MATCH && behind < limit) {
        const otherPlace = (long[hash7(text, behind)] ?? 0) - length + SKIPPED_BYTES
        const otherAt = at + SKIPPED_BYTES
        const distance = otherAt - otherPlace
        if (otherPlace >= 0 && distance < MAX_DISTANCE && distance > 0) {
          const other = this.#extension(otherAt, otherPlace, end)
          if (other > length) {
            place = otherPlace
            length = other
            at = otherAt
          }
        }
      }
      while (place > 0 && at > emitted && text[place - 1] === text[at - 1]) {
        at -= 1
        place -= 1
        length += 1
      }
      for (let literal = emitted; literal < at; literal++) this.#add(text[literal] ?? 0)
      this.#addMatch(length, at - place)
      at += length
      emitted = at
      if (next >= at) at = next + 1
      if (at >= limit) {
        this.#remainder(emitted, end)
        return
      }
      this.#enterBetween(at - length + 1, at - 1)
      this.#enter(at - 1)
      scan = at
    }
  }

  /** Some of the places inside of a match. */
  #enterBetween(first: number, end: number): void {
    if (first >= end) return
    this.#enter(first)
    this.#enterLong(first + 1)
    this.#short[hash4(this.#text, first + 2)] = first + 2
    for (let at = first + 4; at < end; at += 3) {
      this.#enterLong(at)
      this.#short[hash4(this.#text, at + 1)] = at + 1
    }
  }

  #enter(at: number): void {
    this.#short[hash4(this.#text, at)] = at
    this.#enterLong(at)
  }

  #enterLong(at: number): void {
    const hash = hash7(this.#text, at)
    this.#longBefore[hash] = this.#long[hash] ?? 0
    this.#long[hash] = at
  }

  /** Four bytes are the same already; at most the longest that one token can say. */
  #matchLength(at: number, place: number, end: number): number {
    return 4 + this.#extension(at + 4, place + 4, Math.min(end, at + MAX_MATCH))
  }

  #extension(at: number, place: number, end: number): number {
    const text = this.#text
    let length = 0
    while (at + length < end && text[at + length] === text[place + length]) length++
    return length
  }

  #add(token: number): void {
    this.#tokens[this.#count] = token
    this.#count += 1
  }

  /** A match longer than one token can say is split so that the rest is long enough for one. */
  #addMatch(length: number, distance: number): void {
    for (let left = length; left > 0;) {
      const size = left <= MAX_MATCH ? left : left > MAX_MATCH + 3 ? MAX_MATCH : MAX_MATCH - 3
      this.#add(matchToken(size, distance))
      left -= size
    }
  }

  #remainder(from: number, to: number): void {
    if (from === to || this.#count === 0) return
    for (let at = from; at < to; at++) this.#add(this.#text[at] ?? 0)
  }
}

function isSame4(text: Uint8Array, left: number, right: number): boolean {
  return (
    text[left] === text[right] &&
    text[left + 1] === text[right + 1] &&
    text[left + 2] === text[right + 2] &&
    text[left + 3] === text[right + 3]
  )
}

function load(text: Uint8Array, at: number): number {
  return (text[at] ?? 0) | ((text[at + 1] ?? 0) << 8) | ((text[at + 2] ?? 0) << 16) | ((text[at + 3] ?? 0) << 24)
}

function hash4(text: Uint8Array, at: number): number {
  return Math.imul(load(text, at), PRIME_4) >>> (32 - TABLE_BITS)
}

/** The upper bits of a product of 64 bits: seven bytes, at the top, times a prime. */
function hash7(text: Uint8Array, at: number): number {
  const low = load(text, at) << 8
  const high =
    (text[at + 3] ?? 0) | ((text[at + 4] ?? 0) << 8) | ((text[at + 5] ?? 0) << 16) | ((text[at + 6] ?? 0) << 24)
  const product = (upperHalf(low, PRIME_7_LOW) + Math.imul(low, PRIME_7_HIGH) + Math.imul(high, PRIME_7_LOW)) | 0
  return product >>> (32 - TABLE_BITS)
}

/** The upper 32 bits of an unsigned product of 64. */
function upperHalf(left: number, right: number): number {
  const leftLow = left & 0xffff
  const leftHigh = left >>> 16
  const rightLow = right & 0xffff
  const rightHigh = right >>> 16
  const middle = leftHigh * rightLow + ((leftLow * rightLow) >>> 16)
  const other = leftLow * rightHigh + (middle % 65536)
  return leftHigh * rightHigh + Math.floor(middle / 65536) + Math.floor(other / 65536)
}
