import {HuffmanCode} from './huffman.js'

/** Longest code of LZMS, bits. */
const MAX_BITS = 15
const TABLE_BITS = 10
/** A symbol takes so many bits beside its frequency while they are sorted. */
const SYMBOL_BITS = 10

/** Slots: `[extra bits, slots in a row with as many]`. Source: wimlib src/lzms_common.c. */
const OFFSET_RUNS = [
  [0, 8], [2, 9], [3, 7], [4, 10], [5, 15], [6, 15], [7, 20], [8, 20], [9, 30], [10, 33], [11, 40],
  [12, 42], [13, 45], [14, 60], [15, 73], [16, 80], [17, 85], [18, 95], [19, 105], [20, 6], [30, 1],
] as const // prettier-ignore
const LENGTH_RUNS = [
  [0, 26], [1, 4], [2, 6], [3, 4], [4, 5], [5, 2], [6, 1], [7, 1], [8, 1], [9, 1], [10, 1], [16, 1], [30, 1],
] as const // prettier-ignore

/** Values by slots: each has a base, and bits that are added to it. */
export interface Slots {
  readonly extraBits: Uint8Array
  readonly bases: Float64Array
}

function slotsOf(runs: readonly (readonly [number, number])[]): Slots {
  const extraBits = Uint8Array.from(runs.flatMap(([bits, count]) => new Array<number>(count).fill(bits)))
  const bases = new Float64Array(extraBits.length)
  let base = 1
  for (const [slot, bits] of extraBits.entries()) {
    bases[slot] = base
    base += 2 ** bits
  }
  return {extraBits, bases}
}

export const OFFSETS = slotsOf(OFFSET_RUNS)
export const LENGTHS = slotsOf(LENGTH_RUNS)

/** How many slots offsets have in a chunk of this size. */
export function offsetSlots(sizeBytes: number): number {
  if (sizeBytes < 2) return 0
  let slots = 0
  while (slots < OFFSETS.bases.length && (OFFSETS.bases[slots] ?? 0) <= sizeBytes - 1) slots++
  return slots
}

/** A Huffman code that follows the frequencies of its symbols. Source: wimlib src/lzms_decompress.c. */
export class AdaptiveCode {
  readonly #code: HuffmanCode
  readonly #frequencies: Uint32Array
  readonly #lengths: Uint8Array
  readonly #rebuiltEach: number
  #left = 0

  /** `rebuiltEach`: symbols between two codes. */
  constructor(symbols: number, rebuiltEach: number) {
    // One symbol alone has a code of one bit, and so has another that does not occur.
    this.#frequencies = new Uint32Array(symbols).fill(1)
    this.#lengths = new Uint8Array(Math.max(symbols, 2))
    this.#code = new HuffmanCode(this.#lengths.length, TABLE_BITS)
    this.#rebuiltEach = rebuiltEach
    this.#build()
  }

  /** `symbol << 5 | length` of what the next 16 bits begin with; counts the symbol. Throws `ARCHIVE_CORRUPT`. */
  take(next: number): number {
    let item = this.#code.table[next >>> (16 - TABLE_BITS)] ?? 0
    if (item === 0) item = this.#code.find(next)
    const symbol = item >>> 5
    const frequencies = this.#frequencies
    frequencies[symbol] = (frequencies[symbol] ?? 0) + 1
    if (--this.#left === 0) {
      this.#build()
      for (let at = 0; at < frequencies.length; at++) frequencies[at] = ((frequencies[at] ?? 0) >>> 1) + 1
    }
    return item
  }

  #build(): void {
    codeLengths(this.#frequencies, this.#lengths)
    this.#code.assign(this.#lengths)
    this.#left = this.#rebuiltEach
  }
}

/**
 * Lengths of the codes for frequencies, none of them 0. Of nodes that weigh the same, leaves are joined first; codes that
 * would be too long are shortened at the cost of others. Source: wimlib src/compress_common.c.
 */
export function codeLengths(frequencies: Uint32Array, lengths: Uint8Array): void {
  const count = frequencies.length
  lengths.fill(0)
  if (count < 2) {
    if (count === 1) lengths.fill(1, 0, 2)
    return
  }
  const leaves = frequencies.map((frequency, symbol) => (frequency << SYMBOL_BITS) | symbol).sort()
  const {parents} = joined(leaves)
  const counts = new Uint32Array(MAX_BITS + 2)
  counts[1] = 2
  const depths = new Uint32Array(parents.length)
  for (let node = parents.length - 2; node >= 0; node--) {
    const depth = (depths[parents[node] ?? 0] ?? 0) + 1
    depths[node] = depth
    let length = depth
    if (length >= MAX_BITS) {
      length = MAX_BITS - 1
      while (counts[length] === 0) length--
    }
    counts[length] = (counts[length] ?? 0) - 1
    counts[length + 1] = (counts[length + 1] ?? 0) + 2
  }
  let at = 0
  for (let length = MAX_BITS; length >= 1; length--)
    for (let left = counts[length] ?? 0; left > 0; left--)
      lengths[(leaves[at++] ?? 0) & ((1 << SYMBOL_BITS) - 1)] = length
}

/** Joins the lightest two nodes until one is left; gives the parent of each node that is no leaf, in their order. */
function joined(leaves: Uint32Array): {readonly parents: Uint32Array} {
  const nodes = leaves.length - 1
  const weights = new Float64Array(nodes)
  const parents = new Uint32Array(nodes)
  let leaf = 0
  let node = 0
  for (let made = 0; made < nodes; made++) {
    let weight = 0
    for (let child = 0; child < 2; child++) {
      const lightest = leaf < leaves.length ? (leaves[leaf] ?? 0) >>> SYMBOL_BITS : Infinity
      if (node >= made || lightest <= (weights[node] ?? 0)) {
        weight += lightest
        leaf++
      } else {
        weight += weights[node] ?? 0
        parents[node++] = made
      }
    }
    weights[made] = weight
  }
  return {parents}
}
