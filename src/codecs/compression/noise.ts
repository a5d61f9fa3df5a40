/** Looked at together: as far as deflate looks back, so that repetitions that it could use are seen. */
export const NOISE_BYTES = 32 * 1024

/**
 * Twice one value of so many is counted, and the sum of the squared counts compared with what is expected of random ones: of
 * programs and text it is 1.5 times as much and more. First roughly, with a bound that random bytes do not pass by chance.
 */
const LOOKS = [
  {stride: 64, most: 1.2},
  {stride: 8, most: 1.03},
] as const
/** Words of four bytes that were there before, among all, at most; random bytes have practically none. */
const MOST_REPEATED = 1 / 128
/** Words that are remembered, each at the place that its hash says: a power of two. */
const SLOTS_LOG = 12
/** Spreads the bits of a word over the upper ones: 2^32 over the golden ratio. */
const SPREAD = 0x9e3779b1

/**
 * True for bytes that deflate cannot shrink by more than 2 %: compressed or encrypted ones, whose values are even and whose
 * words do not repeat. Deflate would look for matches at every byte, and then store them. A function of the bytes alone;
 * false for less than `NOISE_BYTES` of them.
 */
export function isNoise(bytes: Uint8Array): boolean {
  return bytes.byteLength >= NOISE_BYTES && LOOKS.every((look) => isEven(bytes, look)) && !repeats(bytes)
}

function isEven(bytes: Uint8Array, {stride, most}: (typeof LOOKS)[number]): boolean {
  const {length} = bytes
  const counts = new Uint32Array(256)
  for (let at = 0; at < length; at += stride) {
    const value = bytes[at] ?? 0
    counts[value] = (counts[value] ?? 0) + 1
  }
  let sum = 0
  for (const count of counts) sum += count * count
  const samples = Math.ceil(length / stride)
  return sum <= (samples + (samples * (samples - 1)) / counts.length) * most
}

function repeats(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const words = Math.floor(bytes.byteLength / 4)
  const lastWords = new Uint32Array(2 ** SLOTS_LOG)
  let repeated = 0
  for (let index = 0; index < words; index++) {
    const word = view.getUint32(index * 4, true)
    const slot = Math.imul(word, SPREAD) >>> (32 - SLOTS_LOG)
    if (lastWords[slot] === word) repeated++
    lastWords[slot] = word
  }
  return repeated > words * MOST_REPEATED
}
