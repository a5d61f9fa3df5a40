import {GoBlocks} from './go-blocks.js'
import {matchToken} from './token-codes.js'

const WINDOW_BYTES = 32768
const WINDOW_MASK = WINDOW_BYTES - 1
const MIN_MATCH = 4
const MAX_MATCH = 258
const HASH_BITS = 17
const HASH_FACTOR = 0x1e35a7bd
/** A match of the shortest length is taken only from this near. */
const MAX_SHORT_DISTANCE = 4096
const BLOCK_TOKENS = 16384
/** Positions are kept with an offset that grows with the window's moves, and begins anew beyond this. */
const MAX_HASH_OFFSET = 1 << 24
const UNKNOWN = Number.MAX_SAFE_INTEGER

interface Level {
  /** A match of this length is not improved on. */
  readonly lazy: number
  readonly nice: number
  readonly chain: number
  /** Greedy levels: matches longer than this are not entered into the table. Lazy levels have none. */
  readonly skip?: number
}

const LEVELS: Readonly<Record<number, Level>> = {
  2: {lazy: 0, nice: 16, chain: 8, skip: 5},
  3: {lazy: 0, nice: 32, chain: 32, skip: 6},
  4: {lazy: 4, nice: 16, chain: 16},
  5: {lazy: 16, nice: 32, chain: 32},
  6: {lazy: 16, nice: 128, chain: 128},
  7: {lazy: 32, nice: 128, chain: 256},
  8: {lazy: 128, nice: 258, chain: 1024},
  9: {lazy: 258, nice: 258, chain: 4096},
}

/**
 * Levels 2 to 9 of Go's compress/flate, 1.8 to 1.26: hash chains over a window of 64 KiB. Where the window moves depends
 * on how long the pieces are that are written, so `write` takes them as the encoder of old was given them; 32 KiB is what
 * copying from a file gives. Source: layer encodings page, sections 2.2 to 2.4 and 2.7; Go's deflate.go.
 */
export class GoChains {
  readonly #blocks: GoBlocks
  readonly #level: Level
  readonly #window = new Uint8Array(2 * WINDOW_BYTES)
  readonly #heads = new Int32Array(1 << HASH_BITS)
  readonly #previous = new Int32Array(WINDOW_BYTES)
  readonly #tokens = new Uint32Array(BLOCK_TOKENS)
  #tokenCount = 0
  #index = 0
  #end = 0
  #blockStart = 0
  #hashOffset = 1
  #head = -1
  #length = MIN_MATCH - 1
  #distance = 0
  #isPending = false

  constructor(level: number, onBytes: (bytes: Uint8Array) => void) {
    const found = LEVELS[level]
    if (found === undefined) throw new RangeError(`no level ${level}`)
    this.#level = found
    this.#blocks = new GoBlocks(onBytes)
  }

  write(bytes: Uint8Array): void {
    for (let offset = 0; offset < bytes.length;) {
      if (this.#end - this.#index >= MIN_MATCH + MAX_MATCH) this.#step(false)
      offset += this.#fill(bytes, offset)
    }
  }

  finish(): void {
    this.#step(true)
    if (this.#isPending) this.#add(this.#window[this.#index - 1] ?? 0)
    this.#isPending = false
    if (this.#tokenCount > 0) this.#writeBlock(this.#index)
    this.#blocks.finish()
  }

  #fill(bytes: Uint8Array, offset: number): number {
    if (this.#index >= 2 * WINDOW_BYTES - (MIN_MATCH + MAX_MATCH)) this.#moveWindow()
    const length = Math.min(bytes.length - offset, this.#window.length - this.#end)
    this.#window.set(bytes.subarray(offset, offset + length), this.#end)
    this.#end += length
    return length
  }

  #moveWindow(): void {
    this.#window.copyWithin(0, WINDOW_BYTES)
    this.#index -= WINDOW_BYTES
    this.#end -= WINDOW_BYTES
    this.#blockStart = this.#blockStart >= WINDOW_BYTES ? this.#blockStart - WINDOW_BYTES : UNKNOWN
    this.#hashOffset += WINDOW_BYTES
    if (this.#hashOffset <= MAX_HASH_OFFSET) return
    const delta = this.#hashOffset - 1
    this.#hashOffset -= delta
    this.#head -= delta
    lower(this.#previous, delta)
    lower(this.#heads, delta)
  }

  #add(token: number): void {
    this.#tokens[this.#tokenCount] = token
    this.#tokenCount += 1
  }

  #writeBlock(end: number): void {
    const isKnown = this.#blockStart <= end
    this.#blocks.writeBlock(
      this.#tokens,
      this.#tokenCount,
      isKnown ? this.#window.subarray(this.#blockStart, end) : undefined,
    )
    this.#blockStart = end
    this.#tokenCount = 0
  }

  /** Works off what the window holds; all of it with `isEnd`, else as long as a longest match is in sight. */
  #step(isEnd: boolean): void {
    const window = this.#window
    const heads = this.#heads
    const previous = this.#previous
    const hashOffset = this.#hashOffset
    const {lazy, nice, chain, skip} = this.#level
    const isLazy = skip === undefined
    const end = this.#end
    const lastInsert = end - (MIN_MATCH - 1)
    const least = isEnd ? 1 : MIN_MATCH + MAX_MATCH
    let index = this.#index
    let head = this.#head
    let length = this.#length
    let distance = this.#distance
    let isPending = this.#isPending

    while (end - index >= least) {
      const lookahead = end - index
      if (index < lastInsert) {
        const hash = hashAt(window, index)
        head = heads[hash] ?? 0
        previous[index & WINDOW_MASK] = head
        heads[hash] = index + hashOffset
      }
      const previousLength = length
      const previousDistance = distance
      length = MIN_MATCH - 1
      distance = 0
      const nearest = head - hashOffset
      const oldest = index > WINDOW_BYTES ? index - WINDOW_BYTES : 0
      if (
        nearest >= oldest &&
        (isLazy ? lookahead > previousLength && previousLength < lazy : lookahead > MIN_MATCH - 1)
      ) {
        // The chain of earlier places with the same hash, newest first.
        const longest = lookahead < MAX_MATCH ? lookahead : MAX_MATCH
        const enough = nice < longest ? nice : longest
        const limit = index - WINDOW_BYTES
        let best = MIN_MATCH - 1
        let last = window[index + best]
        let place = nearest
        for (let tries = chain; tries > 0; tries--) {
          if (
            window[place + best] === last &&
            window[place] === window[index] &&
            window[place + 1] === window[index + 1]
          ) {
            let size = 2
            while (size < longest && window[place + size] === window[index + size]) size++
            if (size > best && (size > MIN_MATCH || index - place <= MAX_SHORT_DISTANCE)) {
              best = size
              length = size
              distance = index - place
              if (size >= enough) break
              last = window[index + size]
            }
          }
          if (place === limit) break
          place = (previous[place & WINDOW_MASK] ?? 0) - hashOffset
          if (place < limit || place < 0) break
        }
      }

      if (isLazy ? previousLength >= MIN_MATCH && length <= previousLength : length >= MIN_MATCH) {
        this.#add(isLazy ? matchToken(previousLength, previousDistance) : matchToken(length, distance))
        if (isLazy || length <= skip) {
          const next = isLazy ? index + previousLength - 1 : index + length
          const inserted = next < lastInsert ? next : lastInsert
          let at = index + 1
          for (; at < inserted; at++) {
            const hash = hashAt(window, at)
            previous[at & WINDOW_MASK] = heads[hash] ?? 0
            heads[hash] = at + hashOffset
          }
          // With a match of four bytes of which one is behind, there is nothing between.
          index = next > index + 1 ? next : index + 1
          if (isLazy) {
            isPending = false
            length = MIN_MATCH - 1
          }
        } else index += length
        if (this.#tokenCount === BLOCK_TOKENS) this.#writeBlock(index)
      } else {
        if (!isLazy || isPending) {
          const at = isLazy ? index - 1 : index
          this.#add(window[at] ?? 0)
          if (this.#tokenCount === BLOCK_TOKENS) this.#writeBlock(at + 1)
        }
        index += 1
        if (isLazy) isPending = true
      }
    }

    this.#index = index
    this.#head = head
    this.#length = length
    this.#distance = distance
    this.#isPending = isPending
  }
}

function hashAt(window: Uint8Array, at: number): number {
  const value =
    ((window[at] ?? 0) << 24) | ((window[at + 1] ?? 0) << 16) | ((window[at + 2] ?? 0) << 8) | (window[at + 3] ?? 0)
  return Math.imul(value, HASH_FACTOR) >>> (32 - HASH_BITS)
}

function lower(positions: Int32Array, delta: number): void {
  for (let index = 0; index < positions.length; index++) {
    const position = positions[index] ?? 0
    positions[index] = position > delta ? position - delta : 0
  }
}
