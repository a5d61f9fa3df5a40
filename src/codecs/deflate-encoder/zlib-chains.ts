import {MATCH, matchToken} from './token-codes.js'
import {ZlibBlocks} from './zlib-blocks.js'

const WINDOW_BYTES = 32768
const WINDOW_MASK = WINDOW_BYTES - 1
const MIN_MATCH = 3
const MAX_MATCH = 258
const MIN_LOOKAHEAD = MAX_MATCH + MIN_MATCH + 1
const MAX_DISTANCE = WINDOW_BYTES - MIN_LOOKAHEAD
const HASH_MASK = 0x7fff
/** A match of the shortest length is taken only from this near, by the lazy levels. */
const TOO_FAR = 4096

interface Level {
  readonly good: number
  /** Lazy levels: a match of this length is not improved on. Greedy: longer ones are not entered into the table. */
  readonly lazy: number
  readonly nice: number
  readonly chain: number
}

/** Levels 1 to 3 are greedy. */
const LEVELS: Readonly<Record<number, Level>> = {
  1: {good: 4, lazy: 4, nice: 8, chain: 4},
  2: {good: 4, lazy: 5, nice: 16, chain: 8},
  3: {good: 4, lazy: 6, nice: 32, chain: 32},
  4: {good: 4, lazy: 4, nice: 16, chain: 16},
  5: {good: 8, lazy: 16, nice: 32, chain: 32},
  6: {good: 8, lazy: 16, nice: 128, chain: 128},
  7: {good: 8, lazy: 32, nice: 128, chain: 256},
  8: {good: 32, lazy: 128, nice: 258, chain: 1024},
  9: {good: 32, lazy: 258, nice: 258, chain: 4096},
}

/** In what zlib and GNU gzip differ. */
export interface ChainsFlavour {
  /** A block ends when it holds this many tokens. */
  readonly blockTokens: number
  /** GNU gzip: from level 3 on, a block ends after 4096 tokens and any multiple where that promises to pay. */
  readonly endsEarly: boolean
  /** The last place of the window where a match is looked for. GNU gzip stops before its end, which only an end of the text reaches. */
  readonly lastSearched: number
}

export const ZLIB_FLAVOUR: ChainsFlavour = {blockTokens: 16383, endsEarly: false, lastSearched: Infinity}
export const GZIP_FLAVOUR: ChainsFlavour = {
  blockTokens: 32767,
  endsEarly: true,
  lastSearched: 2 * WINDOW_BYTES - MIN_LOOKAHEAD,
}

/**
 * Levels 1 to 9 of zlib 1.2.5 to 1.3 with 8 for its memory level, and with another flavour those of GNU gzip: hash chains
 * over three bytes. How the text is cut does not matter. Source: zlib deflate.c, deflate_fast and deflate_slow; gzip
 * deflate.c.
 */
export class ZlibChains {
  readonly blocks: ZlibBlocks
  readonly #level: Level
  readonly #isLazy: boolean
  readonly #blockTokens: number
  readonly #endsEarly: boolean
  readonly #lastSearched: number
  readonly #window = new Uint8Array(2 * WINDOW_BYTES)
  readonly #heads = new Uint16Array(HASH_MASK + 1)
  readonly #previous = new Uint16Array(WINDOW_BYTES)
  readonly #tokens: Uint32Array
  #tokenCount = 0
  #index = 0
  #end = 0
  #blockStart = 0
  /** Positions before `index` that are not in the table yet. */
  #uninserted = 0
  #length = MIN_MATCH - 1
  #start = 0
  #isPending = false

  constructor(level: number, flavour: ChainsFlavour, onBytes: (bytes: Uint8Array) => void) {
    const found = LEVELS[level]
    if (found === undefined) throw new RangeError(`no level ${level}`)
    this.#level = found
    this.#isLazy = level > 3
    this.#blockTokens = flavour.blockTokens
    this.#endsEarly = flavour.endsEarly && level > 2
    this.#lastSearched = flavour.lastSearched
    this.#tokens = new Uint32Array(flavour.blockTokens)
    this.blocks = new ZlibBlocks(onBytes)
    if (!this.#isLazy) this.#length = 0
  }

  /** Text that matches may reach back to without being written: the end of what came before, at most 32 KiB. */
  useDictionary(text: Uint8Array): void {
    const kept = text.subarray(Math.max(0, text.length - WINDOW_BYTES))
    this.#window.set(kept)
    for (let at = 0; at + MIN_MATCH <= kept.length; at++) this.#insert(at)
    this.#index = kept.length
    this.#end = kept.length
    this.#blockStart = kept.length
    this.#uninserted = Math.min(kept.length, MIN_MATCH - 1)
  }

  write(bytes: Uint8Array): void {
    for (let offset = 0; offset < bytes.length;) {
      offset += this.#fill(bytes, offset)
      this.#run(MIN_LOOKAHEAD)
    }
  }

  /** Works off all that is held and ends the block at hand; the last one even if it is empty. */
  endBlock(isLast: boolean): void {
    // As when there was text to come: both ask for more before they know that there is none.
    if (this.#index >= WINDOW_BYTES + MAX_DISTANCE) this.#moveWindow()
    this.#run(1)
    if (this.#isPending) this.#add(this.#window[this.#index - 1] ?? 0)
    this.#isPending = false
    if (isLast || this.#tokenCount > 0) this.#writeBlock(isLast)
  }

  finish(): void {
    this.endBlock(true)
    this.blocks.output.finish()
  }

  #fill(bytes: Uint8Array, offset: number): number {
    if (this.#index >= WINDOW_BYTES + MAX_DISTANCE) this.#moveWindow()
    const length = Math.min(bytes.length - offset, this.#window.length - this.#end)
    this.#window.set(bytes.subarray(offset, offset + length), this.#end)
    this.#end += length
    while (this.#uninserted > 0 && this.#end - this.#index + this.#uninserted >= MIN_MATCH) {
      this.#insert(this.#index - this.#uninserted)
      this.#uninserted -= 1
    }
    return length
  }

  #insert(at: number): void {
    const hash = hashAt(this.#window, at)
    this.#previous[at & WINDOW_MASK] = this.#heads[hash] ?? 0
    this.#heads[hash] = at
  }

  #moveWindow(): void {
    this.#window.copyWithin(0, WINDOW_BYTES)
    this.#start -= WINDOW_BYTES
    this.#index -= WINDOW_BYTES
    this.#end -= WINDOW_BYTES
    this.#blockStart -= WINDOW_BYTES
    lower(this.#heads)
    lower(this.#previous)
  }

  /** True when the block is to end with this token. */
  #add(token: number): boolean {
    this.#tokens[this.#tokenCount] = token
    this.#tokenCount += 1
    if (this.#tokenCount === this.#blockTokens) return true
    return this.#endsEarly && (this.#tokenCount & 0xfff) === 0 && this.#isWorthEnding()
  }

  #isWorthEnding(): boolean {
    // Upper bound of the block so far: a byte for each token, and what its distances take.
    let matches = 0
    let bits = this.#tokenCount * 8
    for (let index = 0; index < this.#tokenCount; index++) {
      const token = this.#tokens[index] ?? 0
      if (token < MATCH) continue
      matches += 1
      const distance = token & 0x7fff
      bits += 5 + (distance < 4 ? 0 : 30 - Math.clz32(distance))
    }
    return matches < this.#tokenCount >> 1 && bits >>> 3 < (this.#index - this.#blockStart) >> 1
  }

  #writeBlock(isLast: boolean): void {
    this.blocks.writeBlock(
      this.#tokens,
      this.#tokenCount,
      {
        sizeBytes: this.#index - this.#blockStart,
        bytes: this.#blockStart >= 0 ? this.#window.subarray(this.#blockStart, this.#index) : undefined,
      },
      isLast,
    )
    this.#blockStart = this.#index
    this.#tokenCount = 0
  }

  #run(least: number): void {
    if (this.#isLazy) this.#runLazy(least)
    else this.#runGreedy(least)
  }

  #runGreedy(least: number): void {
    const {lazy} = this.#level
    for (;;) {
      const lookahead = this.#end - this.#index
      if (lookahead < least) return
      let head = 0
      if (lookahead >= MIN_MATCH) {
        head = this.#heads[hashAt(this.#window, this.#index)] ?? 0
        this.#insert(this.#index)
      }
      const length = this.#isSearched(head) ? this.#longestMatch(head, MIN_MATCH - 1, lookahead) : 0
      let ends: boolean
      if (length >= MIN_MATCH) {
        ends = this.#add(matchToken(length, this.#index - this.#start))
        const next = this.#index + length
        if (length <= lazy && lookahead - length >= MIN_MATCH)
          for (let at = this.#index + 1; at < next; at++) this.#insert(at)
        this.#index = next
      } else {
        ends = this.#add(this.#window[this.#index] ?? 0)
        this.#index += 1
      }
      if (ends) this.#writeBlock(false)
    }
  }

  #runLazy(least: number): void {
    const {lazy} = this.#level
    for (;;) {
      const lookahead = this.#end - this.#index
      if (lookahead < least) return
      let head = 0
      if (lookahead >= MIN_MATCH) {
        head = this.#heads[hashAt(this.#window, this.#index)] ?? 0
        this.#insert(this.#index)
      }
      const previousLength = this.#length
      const previousStart = this.#start
      let length = MIN_MATCH - 1
      if (previousLength < lazy && this.#isSearched(head)) {
        length = this.#longestMatch(head, previousLength, lookahead)
        if (length === MIN_MATCH && this.#index - this.#start > TOO_FAR) length = MIN_MATCH - 1
      }
      this.#length = length
      if (previousLength >= MIN_MATCH && length <= previousLength) {
        const lastInsert = this.#end - MIN_MATCH
        const ends = this.#add(matchToken(previousLength, this.#index - 1 - previousStart))
        const next = this.#index - 1 + previousLength
        for (let at = this.#index + 1; at < next && at <= lastInsert; at++) this.#insert(at)
        this.#index = next
        this.#isPending = false
        this.#length = MIN_MATCH - 1
        if (ends) this.#writeBlock(false)
      } else {
        if (this.#isPending && this.#add(this.#window[this.#index - 1] ?? 0)) this.#writeBlock(false)
        this.#isPending = true
        this.#index += 1
      }
    }
  }

  #isSearched(head: number): boolean {
    return head !== 0 && this.#index - head <= MAX_DISTANCE && this.#index <= this.#lastSearched
  }

  /** The longest match that is longer than `best`, with its start in `#start`; at most the lookahead. */
  #longestMatch(head: number, previousLength: number, lookahead: number): number {
    const {good, nice, chain} = this.#level
    const window = this.#window
    const previous = this.#previous
    const index = this.#index
    const limit = index > MAX_DISTANCE ? index - MAX_DISTANCE : 0
    const enough = nice > lookahead ? lookahead : nice
    let tries = previousLength >= good ? chain >> 2 : chain
    let best = previousLength
    let place = head
    let last = window[index + best]
    let lastButOne = window[index + best - 1]
    const longest = MAX_MATCH < window.length - index ? MAX_MATCH : window.length - index
    do {
      if (
        window[place + best] === last &&
        window[place + best - 1] === lastButOne &&
        window[place] === window[index] &&
        window[place + 1] === window[index + 1]
      ) {
        let length = 2
        while (length < longest && window[place + length] === window[index + length]) length++
        if (length > best) {
          this.#start = place
          best = length
          if (length >= enough) break
          last = window[index + best]
          lastButOne = window[index + best - 1]
        }
      }
      place = previous[place & WINDOW_MASK] ?? 0
      tries -= 1
    } while (place > limit && tries !== 0)
    return best < lookahead ? best : lookahead
  }
}

function hashAt(window: Uint8Array, at: number): number {
  return (((window[at] ?? 0) << 10) ^ ((window[at + 1] ?? 0) << 5) ^ (window[at + 2] ?? 0)) & HASH_MASK
}

function lower(positions: Uint16Array): void {
  for (let index = 0; index < positions.length; index++) {
    const position = positions[index] ?? 0
    positions[index] = position >= WINDOW_BYTES ? position - WINDOW_BYTES : 0
  }
}
