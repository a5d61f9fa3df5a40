import {xorshift} from './encoding-vectors.js'

/* Inputs at the edges of what encoders decide: short ones, ends of blocks, all lengths and distances, skewed counts. */

const LETTERS = 'etaoinshrdlucmfwypvbgkjqxz'

/** Letters of an alphabet of so many, the first ones the most frequent. */
function skewed(size: number, seed: number, letters: number, base = 97): Buffer {
  const next = xorshift(seed)
  const draw = () => (next() >>> 8) % letters
  return Buffer.from(Array.from({length: size}, () => base + Math.min(draw(), draw(), draw())))
}

function random(size: number, seed: number): Buffer {
  const next = xorshift(seed)
  return Buffer.from(Array.from({length: size}, () => next() >>> 24))
}

function words(size: number, seed: number, count = 300): Buffer {
  const next = xorshift(seed)
  const known = Array.from({length: count}, () =>
    Array.from({length: 2 + ((next() >>> 8) % 9)}, () => LETTERS[(next() >>> 8) % 26]!).join(''),
  )
  let text = ''
  while (text.length < size) text += `${known[Math.min((next() >>> 8) % count, (next() >>> 8) % count)]!} `
  return Buffer.from(text.slice(0, size), 'latin1')
}

/** Runs of new bytes, and copies of any length from any distance up to the most. */
function copies(size: number, seed: number, most: number, alphabet = 256): Buffer {
  const next = xorshift(seed)
  const bytes = Buffer.alloc(size)
  for (let at = 0; at < size;) {
    const pick = (next() >>> 8) % 8
    const far = Math.min(at, most)
    if (pick < 3 || far === 0) {
      for (let left = 1 + ((next() >>> 8) % 9); left > 0 && at < size; left--) bytes[at++] = (next() >>> 24) % alphabet
      continue
    }
    const distance = 1 + ((next() >>> 8) % (pick === 3 ? Math.min(far, 300) : far))
    const length = 3 + ((next() >>> 8) % (pick < 6 ? 8 : 300))
    for (let left = length; left > 0 && at < size; left--, at++) bytes[at] = bytes[at - distance]!
  }
  return bytes
}

/** Counts that grow like Fibonacci's: a code of them would be longer than the longest. */
function fibonacci(symbols: number, seed: number): Buffer {
  const counts = [1, 1]
  while (counts.length < symbols) counts.push(counts.at(-1)! + counts.at(-2)!)
  const bytes = Buffer.concat(counts.map((count, symbol) => Buffer.alloc(count, 40 + 7 * symbol)))
  const next = xorshift(seed)
  for (let at = bytes.length - 1; at > 0; at--) {
    const other = (next() >>> 4) % (at + 1)
    const held = bytes[at]!
    bytes[at] = bytes[other]!
    bytes[other] = held
  }
  return bytes
}

function all(...parts: readonly Buffer[]): Buffer {
  return Buffer.concat(parts)
}

/** Text of klauspost/compress is worked on in pieces of 65535 bytes; so are blocks of Go's levels without chains. */
const PIECE = 65_535

/** By group; what encoders make of a group is held together. */
export const ENCODING_EDGES: Readonly<Record<string, () => readonly Buffer[]>> = {
  short: () =>
    Array.from({length: 64}, (_, size) => [
      words(size, 100 + size),
      Buffer.alloc(size, 'ab'),
      random(size, 200 + size),
      skewed(size, 300 + size, 5),
    ]).flat(),
  small: () =>
    [65, 90, 127, 128, 129, 180, 255, 256, 257, 258, 259, 300, 500, 800, 1024, 1025, 1400].flatMap((size) => [
      words(size, 400 + size),
      Buffer.alloc(size, 7),
      random(size, 500 + size),
      skewed(size, 600 + size, 16),
      copies(size, 700 + size, 400, 30),
    ]),
  copies: () => [
    copies(30_000, 1, 4000),
    copies(90_000, 2, 32_768),
    copies(150_000, 3, 33_000, 8),
    copies(60_000, 4, 5000, 200),
  ],
  counts: () => [
    fibonacci(18, 5),
    fibonacci(21, 6),
    fibonacci(23, 7),
    all(fibonacci(19, 8), random(300, 9)),
    skewed(120_000, 10, 200, 0),
    skewed(70_000, 11, 256, 0),
  ],
  ends: () =>
    [0, 1, 16, 17, 32, 33, 100, 127, 128, 300].flatMap((more) => [
      words(PIECE + more, 800 + more),
      all(random(PIECE, 900 + more), words(more, 1000 + more)),
    ]),
  tables: () => [
    // One table may serve several pieces: alike, other, too random, and too simple ones in turn.
    all(words(PIECE, 20), words(PIECE, 20), words(PIECE, 21), words(4000, 20)),
    all(words(PIECE, 22), random(PIECE, 23), words(PIECE, 22), Buffer.alloc(PIECE, 1), words(PIECE + 700, 24)),
    all(
      skewed(PIECE, 25, 60),
      skewed(PIECE, 26, 60),
      skewed(PIECE, 27, 90),
      words(PIECE, 28),
      skewed(PIECE + 700, 29, 60),
    ),
    all(skewed(PIECE, 30, 250, 0), random(PIECE, 31), skewed(PIECE, 32, 40), skewed(100, 33, 40)),
    all(
      words(PIECE, 34),
      Buffer.alloc(PIECE, 'abcd'),
      words(PIECE, 34, 20),
      all(words(3000, 35), skewed(PIECE, 36, 26)),
    ),
    all(
      copies(PIECE, 37, 32_000, 40),
      copies(PIECE, 38, 32_000, 40),
      all(skewed(58_000, 39, 40, 0), words(7535, 40), Buffer.of(255), words(700, 43)),
    ),
    all(words(PIECE, 41, 5), words(PIECE, 42, 4000), words(200, 41, 5)),
  ],
}

/** So long that positions in tables are brought down again. */
export function longRun(): Buffer {
  return Buffer.concat(Array.from({length: 440}, (_, index) => words(40_000, 50 + (index % 3))))
}
