import type {Random} from './random.js'

/** Numbers at which code goes wrong. */
const EDGES = [
  0,
  1,
  2,
  3,
  4,
  7,
  8,
  15,
  16,
  20,
  31,
  32,
  63,
  64,
  100,
  127,
  128,
  255,
  256,
  511,
  512,
  513,
  1023,
  1024,
  4095,
  4096,
  4097,
  32767,
  32768,
  65535,
  65536,
  2 ** 20,
  2 ** 24,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32 - 1,
]
const WIDE_EDGES = [
  0n,
  1n,
  2n ** 31n,
  2n ** 32n - 1n,
  2n ** 32n,
  2n ** 40n,
  2n ** 53n,
  2n ** 62n,
  2n ** 63n,
  2n ** 64n - 1n,
]

type Change = (random: Random, bytes: Buffer, other: Buffer) => Buffer

function within(random: Random, bytes: Buffer, length: number): number {
  return random.int(Math.max(1, bytes.byteLength - length + 1))
}

function splice(bytes: Buffer, at: number, removed: number, added: Uint8Array): Buffer {
  return Buffer.concat([bytes.subarray(0, at), added, bytes.subarray(Math.min(bytes.byteLength, at + removed))])
}

/** The same length as before: what has a size in front of it stays parsable. */
const IN_PLACE: readonly Change[] = [
  (random, bytes) => {
    const at = random.int(bytes.byteLength)
    bytes[at] = (bytes[at] ?? 0) ^ (1 << random.int(8))
    return bytes
  },
  (random, bytes) => {
    bytes[random.int(bytes.byteLength)] = random.pick([0, 1, 0x20, 0x2e, 0x2f, 0x30, 0x5c, 0x7f, 0x80, 0xc0, 0xff])
    return bytes
  },
  (random, bytes) => {
    const value = random.pick(EDGES)
    const length = random.pick([2, 4])
    if (bytes.byteLength < length) return bytes
    // Fields are aligned more often than not.
    const at = within(random, bytes, length) & (random.chance(0.7) ? ~1 : ~0)
    const masked = length === 2 ? value & 0xffff : value
    if (random.chance(0.8)) bytes.writeUIntLE(masked, at, length)
    else bytes.writeUIntBE(masked, at, length)
    return bytes
  },
  (random, bytes) => {
    if (bytes.byteLength < 8) return bytes
    bytes.writeBigUInt64LE(random.pick(WIDE_EDGES), within(random, bytes, 8))
    return bytes
  },
  (random, bytes) => {
    // A number that is there, a little more or less.
    if (bytes.byteLength < 4) return bytes
    const at = within(random, bytes, 4) & ~3
    if (at + 4 > bytes.byteLength) return bytes
    bytes.writeUInt32LE((bytes.readUInt32LE(at) + random.pick([1, -1, 4, -4, 8, -8, 512, -512, 4096])) >>> 0, at)
    return bytes
  },
  (random, bytes) => {
    const length = 1 + random.int(Math.min(64, bytes.byteLength))
    const [from, to] = [within(random, bytes, length), within(random, bytes, length)]
    bytes.copyWithin(to, from, from + length)
    return bytes
  },
  (random, bytes, other) => {
    const length = 1 + random.int(Math.min(64, bytes.byteLength, other.byteLength))
    other.copy(bytes, within(random, bytes, length), within(random, other, length))
    return bytes
  },
  (random, bytes) => {
    const at = random.int(bytes.byteLength)
    bytes.fill(random.pick([0, 0xff, 0x20]), at, Math.min(bytes.byteLength, at + 1 + random.int(32)))
    return bytes
  },
]

const RESIZING: readonly Change[] = [
  (random, bytes) => bytes.subarray(0, random.int(bytes.byteLength + 1)),
  (random, bytes) => {
    const length = 1 + random.int(Math.max(1, bytes.byteLength >> random.int(8)))
    return splice(bytes, within(random, bytes, length), length, Buffer.alloc(0))
  },
  (random, bytes) => splice(bytes, random.int(bytes.byteLength + 1), 0, random.bytes(1 + random.int(20))),
  (random, bytes) => {
    const length = 1 + random.int(Math.min(600, bytes.byteLength))
    const from = within(random, bytes, length)
    return splice(bytes, random.int(bytes.byteLength + 1), 0, bytes.subarray(from, from + length))
  },
  (random, bytes, other) => {
    const [cut, from] = [random.int(bytes.byteLength + 1), random.int(other.byteLength)]
    return Buffer.concat([bytes.subarray(0, cut), other.subarray(from)])
  },
  (_random, bytes) => Buffer.concat([bytes, bytes]),
]

export interface MutateOptions {
  /** Others of the kind, to take pieces from. */
  readonly corpus?: readonly Buffer[]
  /** Words of the format, put in at any place. */
  readonly words?: readonly string[]
  /** Never change the length. */
  readonly inPlace?: boolean
  /** Leave the first bytes alone: a magic number that guards the rest. */
  readonly from?: number
}

/** A copy with one or few changes. */
export function mutateBytes(random: Random, original: Uint8Array, options: MutateOptions = {}): Buffer {
  if (random.isPlain) return Buffer.from(original)
  const {corpus = [], words = [], inPlace = false, from = 0} = options
  const head = Buffer.from(original.subarray(0, from))
  let bytes: Buffer = Buffer.from(original.subarray(from))
  const other = corpus.length === 0 ? bytes : random.pick(corpus)
  for (let count = random.few(); count > 0; count--) {
    if (bytes.byteLength === 0) bytes = random.bytes(1 + random.int(40))
    if (words.length > 0 && random.chance(0.4)) {
      const word = Buffer.from(random.pick(words))
      const at = random.int(bytes.byteLength + 1)
      if (inPlace || random.chance(0.5)) word.copy(bytes, at)
      else bytes = splice(bytes, at, random.chance(0.3) ? word.byteLength : 0, word)
    } else {
      const changes = inPlace || random.chance(0.7) ? IN_PLACE : RESIZING
      bytes = Buffer.from(random.pick(changes)(random, bytes, other.byteLength === 0 ? bytes : other))
    }
  }
  return Buffer.concat([head, bytes])
}
