import {AdaptiveCode, LENGTHS, OFFSETS, offsetSlots, type Slots} from './lzms-codes.js'
import {untranslateAddresses} from './lzms-filter.js'
import {wimFault} from './wim-fault.js'

/* Decisions between kinds of items, each with as many states of what was decided before. Source: wimlib lzms_constants.h. */
const MAIN = 0
const MATCH = 1
const LZ = 2
const DELTA = 3
const LZ_REPEAT = 4
const DELTA_REPEAT = 6
const STATES = [16, 32, 64, 64, 64, 64, 64, 64] as const
const STATE_STARTS = Int32Array.from(STATES, (_, decision) =>
  STATES.slice(0, decision).reduce<number>((sum, states) => sum + states, 0),
)
const STATE_MASKS = Int32Array.from(STATES, (states) => states - 1)
const ALL_STATES = STATES.reduce<number>((sum, states) => sum + states, 0)

/** Probabilities are parts of 64: how many of the last 64 decisions in a state were 0. */
const PROBABILITY_BITS = 6
const FIRST_ZEROS = 48
const FIRST_HISTORY = 0x55555555
const REPEATS = 3

/**
 * Unpacks chunks of LZMS: decisions from the front by a range coder, symbols and bits from the back by Huffman codes that
 * follow their frequencies. Source: wimlib src/lzms_decompress.c.
 */
export class LzmsDecoder {
  readonly #zeros = new Uint8Array(ALL_STATES)
  /** The last 64 decisions of a state, older and newer half. */
  readonly #older = new Uint32Array(ALL_STATES)
  readonly #newer = new Uint32Array(ALL_STATES)
  readonly #states = new Int32Array(STATES.length)
  #input: Uint8Array = new Uint8Array(0)
  #front = 0
  #range = 0
  #code = 0
  #back = 0
  /** The upper `#count` of 32 are loaded. */
  #bits = 0
  #count = 0

  /** Fills `output` from a packed chunk. Throws `ARCHIVE_CORRUPT`. Bits past the end of the chunk read as zeros. */
  decode(input: Uint8Array, output: Uint8Array): void {
    if (input.length < 4 || input.length % 2 !== 0) throw wimFault(`An LZMS chunk has ${input.length} bytes.`)
    this.#input = input
    this.#front = 0
    this.#back = input.length
    this.#bits = this.#count = 0
    this.#range = 0xffffffff
    this.#code = ((this.#nextUnit() << 16) | this.#nextUnit()) >>> 0
    this.#zeros.fill(FIRST_ZEROS)
    this.#older.fill(0)
    this.#newer.fill(FIRST_HISTORY)
    this.#states.fill(0)
    this.#decodeItems(output)
    untranslateAddresses(output)
  }

  #decodeItems(output: Uint8Array): void {
    const end = output.length
    const slots = offsetSlots(end)
    const literals = new AdaptiveCode(256, 1024)
    const offsets = new AdaptiveCode(slots, 1024)
    const lengths = new AdaptiveCode(LENGTHS.extraBits.length, 512)
    const deltaOffsets = new AdaptiveCode(slots, 1024)
    const deltaPowers = new AdaptiveCode(8, 512)
    const lzQueue = new RepeatQueue()
    const deltaQueue = new RepeatQueue()
    // What was used last enters its queue one item later.
    let last: 'literal' | 'lz' | 'delta' = 'literal'
    for (let to = 0; to < end;) {
      if (this.#decide(MAIN) === 0) {
        output[to++] = this.#symbol(literals)
        last = 'literal'
        continue
      }
      const isDelta = this.#decide(MATCH) === 1
      if (!isDelta) {
        const repeat = this.#repeat(LZ, LZ_REPEAT)
        const offset = repeat < 0 ? lzQueue.push(this.#value(offsets, OFFSETS)) : lzQueue.take(repeat, last === 'lz')
        last = 'lz'
        const stop = stopOf(to, this.#value(lengths, LENGTHS), end)
        if (offset > to) throw wimFault('A match in an LZMS chunk starts before the chunk.')
        if (offset >= stop - to) {
          output.copyWithin(to, to - offset, stop - offset)
          to = stop
        } else for (; to < stop; to++) output[to] = output[to - offset] ?? 0
        continue
      }
      const repeat = this.#repeat(DELTA, DELTA_REPEAT)
      const pair =
        repeat < 0
          ? deltaQueue.push(this.#symbol(deltaPowers) * 2 ** 32 + this.#value(deltaOffsets, OFFSETS))
          : deltaQueue.take(repeat, last === 'delta')
      last = 'delta'
      const span = 2 ** Math.floor(pair / 2 ** 32)
      const offset = (pair % 2 ** 32) * span
      const stop = stopOf(to, this.#value(lengths, LENGTHS), end)
      if (offset + span > to) throw wimFault('A match in an LZMS chunk starts before the chunk.')
      for (; to < stop; to++)
        output[to] = (output[to - offset] ?? 0) + (output[to - span] ?? 0) - (output[to - offset - span] ?? 0)
    }
  }

  /** Number of the latest source that is used again; -1 = a new one follows. */
  #repeat(isRepeat: number, which: number): number {
    if (this.#decide(isRepeat) === 0) return -1
    for (let repeat = 0; repeat < REPEATS - 1; repeat++) if (this.#decide(which + repeat) === 0) return repeat
    return REPEATS - 1
  }

  #nextUnit(): number {
    const at = this.#front
    if (at >= this.#input.length) return 0
    this.#front = at + 2
    return (this.#input[at] ?? 0) | ((this.#input[at + 1] ?? 0) << 8)
  }

  #decide(decision: number): number {
    const state = this.#states[decision] ?? 0
    const at = (STATE_STARTS[decision] ?? 0) + state
    const zeros = this.#zeros[at] ?? 0
    const chance = zeros === 0 ? 1 : zeros === 64 ? 63 : zeros
    if (this.#range < 0x10000) {
      this.#range = (this.#range << 16) >>> 0
      this.#code = ((this.#code << 16) | this.#nextUnit()) >>> 0
    }
    const bound = (this.#range >>> PROBABILITY_BITS) * chance
    const bit = this.#code < bound ? 0 : 1
    if (bit === 0) this.#range = bound
    else {
      this.#range -= bound
      this.#code -= bound
    }
    const older = this.#older[at] ?? 0
    const newer = this.#newer[at] ?? 0
    // What falls out of the history was a zero or not, and so is what enters it.
    this.#zeros[at] = zeros + (older >>> 31) - bit
    this.#older[at] = (older << 1) | (newer >>> 31)
    this.#newer[at] = (newer << 1) | bit
    this.#states[decision] = ((state << 1) & (STATE_MASKS[decision] ?? 0)) | bit
    return bit
  }

  #fill(): void {
    let unit = 0
    if (this.#back > 0) {
      this.#back -= 2
      unit = (this.#input[this.#back] ?? 0) | ((this.#input[this.#back + 1] ?? 0) << 8)
    }
    this.#bits |= unit << (16 - this.#count)
    this.#count += 16
  }

  #symbol(code: AdaptiveCode): number {
    if (this.#count < 16) this.#fill()
    const item = code.take(this.#bits >>> 16)
    this.#bits <<= item & 31
    this.#count -= item & 31
    return item >>> 5
  }

  #value(code: AdaptiveCode, {extraBits, bases}: Slots): number {
    const slot = this.#symbol(code)
    const extra = extraBits[slot] ?? 0
    const base = bases[slot] ?? 0
    if (extra <= 16) return base + this.#take(extra)
    const high = this.#take(extra - 16)
    return base + high * 65536 + this.#take(16)
  }

  /** Up to 16 bits. */
  #take(count: number): number {
    if (count === 0) return 0
    if (this.#count < count) this.#fill()
    const value = this.#bits >>> (32 - count)
    this.#bits <<= count
    this.#count -= count
    return value
  }
}

function stopOf(to: number, length: number, end: number): number {
  if (length > end - to) throw wimFault('A match in an LZMS chunk runs past its end.')
  return to + length
}

/** Sources of matches, the latest first; one more than can be named, since the last one is not yet among them. */
class RepeatQueue {
  readonly #sources = Float64Array.from({length: REPEATS + 1}, (_, index) => index + 1)

  push(source: number): number {
    this.#sources.copyWithin(1, 0)
    this.#sources[0] = source
    return source
  }

  /** `isDelayed`: the first one is that of the item before, which does not count yet. */
  take(repeat: number, isDelayed: boolean): number {
    const at = repeat + (isDelayed ? 1 : 0)
    const source = this.#sources[at] ?? 0
    this.#sources[at] = this.#sources[repeat] ?? 0
    this.#sources.copyWithin(1, 0, repeat)
    this.#sources[0] = source
    return source
  }
}
