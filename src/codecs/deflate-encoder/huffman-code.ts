/** The longest code of literals, lengths and distances, and that of code lengths. Source: RFC 1951, sections 3.2.2 and 3.2.7. */
export const MAX_CODE_BITS = 15
/** Most symbols of an alphabet. */
const MAX_SYMBOLS = 288

/** A prefix code: for each symbol its length and its bits, first bit lowest. */
export class HuffmanCode {
  readonly lengths: Uint8Array
  readonly bits: Uint16Array

  constructor(symbols: number) {
    this.lengths = new Uint8Array(symbols)
    this.bits = new Uint16Array(symbols)
  }

  /** Bits of all symbols at these frequencies, without extra bits. */
  measure(frequencies: Int32Array): number {
    let total = 0
    for (let symbol = 0; symbol < this.lengths.length; symbol++)
      total += (frequencies[symbol] ?? 0) * (this.lengths[symbol] ?? 0)
    return total
  }

  /** Codes in the order of symbols inside each length. Source: RFC 1951, section 3.2.2. */
  assign(): void {
    const counts = new Uint16Array(MAX_CODE_BITS + 2)
    for (const length of this.lengths) counts[length] = (counts[length] ?? 0) + 1
    const next = new Uint16Array(MAX_CODE_BITS + 2)
    counts[0] = 0
    for (let length = 1, code = 0; length <= MAX_CODE_BITS; length++) {
      code = (code + (counts[length - 1] ?? 0)) << 1
      next[length] = code
    }
    for (let symbol = 0; symbol < this.lengths.length; symbol++) {
      const length = this.lengths[symbol] ?? 0
      if (length === 0) continue
      const code = next[length] ?? 0
      next[length] = code + 1
      this.bits[symbol] = reversed(code, length)
    }
  }
}

function reversed(code: number, length: number): number {
  let result = 0
  for (let bit = 0; bit < length; bit++) result |= ((code >>> bit) & 1) << (length - 1 - bit)
  return result
}

const keys = new Float64Array(MAX_SYMBOLS)
const weights = new Float64Array(MAX_SYMBOLS)
const lists = Array.from({length: MAX_CODE_BITS}, () => ({
  weights: new Float64Array(2 * MAX_SYMBOLS),
  isLeaf: new Uint8Array(2 * MAX_SYMBOLS),
}))

/**
 * The code that Go's compress/flate makes of frequencies: length-limited by package-merge, where a leaf comes before a
 * package only if it is strictly lighter. Up to two symbols get one bit each. Source: layer encodings page, section 2.6;
 * the bit counts of Go's huffman_code.go.
 */
export function packageMerge(code: HuffmanCode, frequencies: Int32Array, maxBits: number): void {
  code.lengths.fill(0)
  let used = 0
  for (let symbol = 0; symbol < frequencies.length; symbol++) {
    const frequency = frequencies[symbol] ?? 0
    if (frequency > 0) keys[used++] = frequency * 512 + symbol
  }
  if (used <= 2) {
    for (let index = 0; index < used; index++) code.lengths[(keys[index] ?? 0) % 512] = 1
    code.assign()
    return
  }
  keys.subarray(0, used).sort()
  for (let index = 0; index < used; index++) weights[index] = Math.floor((keys[index] ?? 0) / 512)
  const levels = Math.min(maxBits, used - 1)
  // A list of items a level, lightest first: the leaves, and pairs of the list of the level below.
  let pairs = 0
  for (let level = 0; level < levels; level++) {
    const list = lists[level]
    const below = level === 0 ? undefined : lists[level - 1]
    if (list === undefined) break
    let leaf = 0
    let pair = 0
    let size = 0
    while (leaf < used || pair < pairs) {
      const pairWeight =
        pair < pairs && below !== undefined
          ? (below.weights[2 * pair] ?? 0) + (below.weights[2 * pair + 1] ?? 0)
          : Number.POSITIVE_INFINITY
      const leafWeight = leaf < used ? (weights[leaf] ?? 0) : Number.POSITIVE_INFINITY
      const takesLeaf = leafWeight < pairWeight
      list.weights[size] = takesLeaf ? leafWeight : pairWeight
      list.isLeaf[size] = takesLeaf ? 1 : 0
      size += 1
      if (takesLeaf) leaf += 1
      else pair += 1
    }
    pairs = size >> 1
  }
  // From the top, what is taken of a list adds a bit to each of its leaves and takes two items below for each pair.
  let taken = 2 * used - 2
  for (let level = levels - 1; level >= 0 && taken > 0; level--) {
    const isLeaf = lists[level]?.isLeaf
    let leaves = 0
    for (let index = 0; index < taken; index++) leaves += isLeaf?.[index] ?? 0
    for (let index = 0; index < leaves; index++) {
      const symbol = (keys[index] ?? 0) % 512
      code.lengths[symbol] = (code.lengths[symbol] ?? 0) + 1
    }
    taken = 2 * (taken - leaves)
  }
  code.assign()
}
