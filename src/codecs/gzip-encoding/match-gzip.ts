import {crc32} from 'node:zlib'
import type {DeflateEncoder} from '../deflate-encoder/deflate-encoder.js'
import {findEncoder, HEADER_BYTES, likelyEncoders, TRAILER_BYTES, type GzipEncoderName} from './gzip-encoder.js'

/** How a gzip stream is made of its text again, byte for byte. */
export interface GzipRecipe {
  readonly encoder: GzipEncoderName
  /** The ten bytes in front, as they were. */
  readonly header: Uint8Array
}

/** Text that is held until an encoder is sought: enough for the first block of each, unless it is mostly repeats. */
const PROBE_BYTES = 2 ** 20 + 2 ** 17
/** Text that an encoder gets at a time, so that one that is wrong is given up soon. */
const PROBE_PIECE_BYTES = 2 ** 15
/** Above the most that one block can stand for: 32,768 matches of 258 bytes, as GNU gzip writes them. */
const MAX_PROBE_BYTES = 9 * 2 ** 20
/** Bytes of the stream that wait for an encoder to catch up; beyond, no encoder known is at work. */
const MAX_WAITING_BYTES = 8 * 2 ** 20
/** So many bytes must agree before an encoder is taken. */
const LEAST_PROOF_BYTES = 512

/**
 * Finds the encoder that made a gzip stream, while stream and text pass by, and proves it: each byte of the stream is
 * compared with what the encoder makes of the text. Give both as they come, the stream ahead of its text; then `finish`.
 * Streams with several members, optional header fields or bytes behind the trailer are not matched.
 */
export class GzipMatch {
  /** What of the stream is not compared yet. */
  readonly #waiting: Uint8Array[] = []
  #waitingBytes = 0
  /** All text so far, until an encoder is chosen. */
  readonly #probe: Uint8Array[] = []
  #header: Uint8Array | undefined
  /** Those that may still be right, the likeliest first. */
  #candidates: Comparison[] = []
  #chosen: Comparison | undefined
  #isLost = false
  #crc = 0
  #textBytes = 0

  /** True when no encoder can be right any more: nothing more need be given. */
  get isLost(): boolean {
    return this.#isLost
  }

  /** The next bytes of the stream; they are kept. */
  addStream(bytes: Uint8Array): void {
    if (this.#isLost || bytes.length === 0) return
    const kept = Uint8Array.from(bytes)
    this.#waiting.push(kept)
    this.#waitingBytes += kept.length
    if (this.#header === undefined && this.#waitingBytes >= HEADER_BYTES) this.#readHeader()
    if (this.#waitingBytes > MAX_WAITING_BYTES) this.#lose()
  }

  /** The next bytes of the text; they are not kept. */
  addText(bytes: Uint8Array): void {
    if (this.#isLost) return
    this.#crc = crc32(bytes, this.#crc)
    this.#textBytes += bytes.length
    if (this.#chosen !== undefined) {
      this.#chosen.encoder.write(bytes)
      this.#compare(this.#chosen)
    } else {
      this.#probe.push(Uint8Array.from(bytes))
      if (this.#textBytes >= PROBE_BYTES) this.#search()
    }
  }

  /** The recipe, proven; undefined where no encoder gives these bytes. */
  finish(): GzipRecipe | undefined {
    if (this.#isLost || this.#header === undefined) return undefined
    if (this.#chosen !== undefined) {
      this.#chosen.encoder.finish()
      this.#compare(this.#chosen)
    } else {
      const stream = Buffer.concat(this.#waiting)
      const body = stream.subarray(0, Math.max(0, stream.length - TRAILER_BYTES))
      this.#choose(this.#candidates.find((candidate) => candidate.catchUp(this.#probe, body) && candidate.finish(body)))
    }
    const {name} = this.#chosen ?? {}
    // What is left must be the trailer and nothing else.
    if (this.isLost || name === undefined || this.#waitingBytes !== TRAILER_BYTES) return undefined
    if (Buffer.compare(Buffer.concat(this.#waiting), trailerOf(this.#crc, this.#textBytes)) !== 0) return undefined
    return {encoder: name, header: this.#header}
  }

  #readHeader(): void {
    const header = this.#take(HEADER_BYTES)
    // Method 8 is deflate; a flag would announce a field of unknown length.
    if (header[0] !== 0x1f || header[1] !== 0x8b || header[2] !== 8 || header[3] !== 0) this.#lose()
    else {
      this.#header = header
      this.#candidates = likelyEncoders(header).map((name) => new Comparison(name))
    }
  }

  /**
   * Gives the text to the likeliest encoder, and to the next when it is wrong, until one has proven bytes. One that has made
   * too little yet gets more text first.
   */
  #search(): void {
    const stream = Buffer.concat(this.#waiting)
    const isLastChance = this.#textBytes >= MAX_PROBE_BYTES
    const undecided: Comparison[] = []
    for (const candidate of this.#candidates) {
      if (!candidate.catchUp(this.#probe, stream)) continue
      if (candidate.madeBytes >= LEAST_PROOF_BYTES) {
        this.#choose(candidate)
        return
      }
      undecided.push(candidate)
      if (!isLastChance) break
    }
    const [likeliest] = undecided
    // One that has made next to nothing of so much text is proven or lost by what follows.
    if (isLastChance || likeliest === undefined) this.#choose(likeliest)
    else this.#candidates.splice(0, this.#candidates.indexOf(likeliest))
  }

  /** Undefined where no encoder is right. */
  #choose(chosen: Comparison | undefined): void {
    if (chosen === undefined) {
      this.#lose()
      return
    }
    this.#chosen = chosen
    this.#probe.length = 0
    this.#candidates = []
    this.#take(chosen.madeBytes)
    chosen.clear()
  }

  #compare(chosen: Comparison): void {
    if (chosen.madeBytes === 0) return
    if (chosen.madeBytes > this.#waitingBytes || !chosen.agrees(this.#take(chosen.madeBytes))) this.#lose()
    chosen.clear()
  }

  /** Takes bytes off the front of what waits. */
  #take(count: number): Uint8Array {
    const taken = new Uint8Array(count)
    for (let offset = 0; offset < count;) {
      const [first] = this.#waiting
      if (first === undefined) break
      const size = Math.min(first.length, count - offset)
      taken.set(first.subarray(0, size), offset)
      offset += size
      if (size === first.length) this.#waiting.shift()
      else this.#waiting[0] = first.subarray(size)
    }
    this.#waitingBytes -= count
    return taken
  }

  #lose(): void {
    this.#isLost = true
    this.#chosen = undefined
    this.#waiting.length = 0
    this.#probe.length = 0
    this.#candidates = []
  }
}

/** An encoder at work, and what it made since it was last looked at. */
class Comparison {
  readonly name: GzipEncoderName
  #encoder: DeflateEncoder | undefined
  readonly #made: Uint8Array[] = []
  #seen = 0
  madeBytes = 0

  constructor(name: GzipEncoderName) {
    this.name = name
  }

  /** Made when it is needed: it holds tables, and most candidates never see any text. */
  get encoder(): DeflateEncoder {
    this.#encoder ??= findEncoder(this.name, (bytes) => {
      this.#made.push(bytes)
      this.madeBytes += bytes.length
    })
    if (this.#encoder === undefined) throw new RangeError(`no encoder ${this.name}`)
    return this.#encoder
  }

  /**
   * Takes what it has not seen of the text; false as soon as what is made of it does not stand at the front of the stream.
   */
  catchUp(text: readonly Uint8Array[], stream: Uint8Array): boolean {
    for (; this.#seen < text.length; this.#seen++) {
      const bytes = text[this.#seen] ?? new Uint8Array(0)
      for (let offset = 0; offset < bytes.length; offset += PROBE_PIECE_BYTES) {
        this.encoder.write(bytes.subarray(offset, offset + PROBE_PIECE_BYTES))
        if (!this.agrees(stream)) return false
      }
    }
    return true
  }

  /** Ends the text; true when this gives the whole body of the stream. */
  finish(body: Uint8Array): boolean {
    this.encoder.finish()
    return this.madeBytes === body.length && this.agrees(body)
  }

  /** True when all that was made stands at the front of these bytes. */
  agrees(stream: Uint8Array): boolean {
    if (this.madeBytes > stream.length) return false
    let offset = 0
    for (const bytes of this.#made) {
      if (Buffer.compare(bytes, stream.subarray(offset, offset + bytes.length)) !== 0) return false
      offset += bytes.length
    }
    return true
  }

  clear(): void {
    this.#made.length = 0
    this.madeBytes = 0
  }
}

/** What follows the deflate stream. Source: RFC 1952, section 2.3.1. */
export function trailerOf(crc: number, textBytes: number): Uint8Array {
  const trailer = Buffer.alloc(TRAILER_BYTES)
  trailer.writeUInt32LE(crc, 0)
  trailer.writeUInt32LE(textBytes % 2 ** 32, 4)
  return trailer
}
