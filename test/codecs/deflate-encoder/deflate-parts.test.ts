import assert from 'node:assert/strict'
import {inflateRawSync} from 'node:zlib'
import {BitOutput} from '../../../src/codecs/deflate-encoder/bit-output.js'
import {TokenCounts, writeTokens} from '../../../src/codecs/deflate-encoder/block-tokens.js'
import {
  goDeflate,
  gzipDeflate,
  pgzipDeflate,
  pigzDeflate,
  zlibDeflate,
} from '../../../src/codecs/deflate-encoder/deflate-encoder.js'
import {HuffmanCode, packageMerge} from '../../../src/codecs/deflate-encoder/huffman-code.js'
import {
  CODE_LENGTH_ORDER,
  DISTANCE_BASE,
  DISTANCE_EXTRA,
  distanceCode,
  FIXED_DISTANCES,
  FIXED_LITERALS,
  LENGTH_BASE,
  LENGTH_CODE,
  LENGTH_EXTRA_BITS,
  matchToken,
  REPEAT_BITS,
} from '../../../src/codecs/deflate-encoder/token-codes.js'
import {buildTree} from '../../../src/codecs/deflate-encoder/zlib-trees.js'

/** Bytes that an output hands on, and how often it did. */
function outputOf() {
  const pieces: Uint8Array[] = []
  return {output: new BitOutput((bytes) => pieces.push(bytes)), pieces, all: () => Buffer.concat(pieces)}
}

describe('bits of a deflate stream', () => {
  it('fill bytes from the lowest bit on', () => {
    const {output, all} = outputOf()
    output.put(1, 1)
    output.put(0b10, 2)
    output.put(0b11111, 5)
    output.put(0xabcd, 16)
    output.put(0, 0)
    output.put(1, 3)
    assert.equal(output.looseBits, 3)
    output.finish()
    assert.equal(all().toString('hex'), 'fdcdab01')
    assert.equal(output.looseBits, 0)
  })

  it('are filled up with zeros to a byte, of any number', () => {
    for (let bits = 0; bits <= 40; bits++) {
      const {output, all} = outputOf()
      for (let bit = 0; bit < bits; bit++) output.put(1, 1)
      assert.equal(output.looseBits, bits % 8)
      output.align()
      assert.equal(output.looseBits, 0)
      output.append(Buffer.from('x'))
      output.finish()
      const text = Array.from(all().subarray(0, -1), (byte) =>
        byte.toString(2).padStart(8, '0').split('').reverse().join(''),
      ).join('')
      assert.equal(text, '1'.repeat(bits).padEnd(Math.ceil(bits / 8) * 8, '0'))
      assert.equal(all().at(-1), 0x78)
    }
  })

  it('are handed on in pieces that stay, and none of them empty', () => {
    const {output, pieces, all} = outputOf()
    output.finish()
    assert.deepEqual(pieces, [])
    for (let index = 0; index < 100_000; index++) output.put(index & 0xffff, 16)
    const sizes = pieces.map(({length}) => length)
    assert.ok(sizes.length > 2 && sizes.every((size) => size > 60_000 && size <= 65_536))
    output.finish()
    const bytes = all()
    assert.equal(bytes.length, 200_000)
    for (let index = 0; index < 100_000; index += 9) assert.equal(bytes.readUInt16LE(2 * index), index & 0xffff)
  })

  it('are followed by bytes of any number', () => {
    const text = Buffer.from(Array.from({length: 200_000}, (_, at) => at * 7))
    for (const before of [0, 1, 65_527, 65_528, 65_529, 65_535]) {
      const {output, all} = outputOf()
      output.append(text.subarray(0, before))
      output.append(text)
      output.put(0xff, 8)
      output.finish()
      assert.ok(all().equals(Buffer.concat([text.subarray(0, before), text, Buffer.of(0xff)])), String(before))
    }
  })
})

// Source: RFC 1951, sections 3.2.5 to 3.2.7.
describe('codes of lengths and distances', () => {
  it('begin where the format says', () => {
    assert.deepEqual(
      [...LENGTH_BASE].map((base) => base + 3),
      [
        3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227,
        258,
      ],
    )
    assert.deepEqual(
      [...LENGTH_EXTRA_BITS],
      [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0],
    )
    assert.deepEqual(
      [...DISTANCE_BASE].map((base) => base + 1),
      [
        1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097,
        6145, 8193, 12289, 16385, 24577,
      ],
    )
    assert.deepEqual([...DISTANCE_EXTRA], [0, 0, 0, 0, ...Array.from({length: 26}, (_, index) => 1 + (index >> 1))])
    assert.deepEqual(CODE_LENGTH_ORDER, [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15])
    assert.deepEqual(REPEAT_BITS, [2, 3, 7])
  })

  it('are found for every length and distance', () => {
    for (let length = 0; length < 256; length++) {
      const code = LENGTH_CODE[length]!
      assert.ok(
        LENGTH_BASE[code]! <= length && (length === 255 ? code === 28 : length < (LENGTH_BASE[code + 1] ?? 256)),
      )
    }
    for (let distance = 0; distance < 32_768; distance++) {
      const code = distanceCode(distance)
      assert.ok(DISTANCE_BASE[code]! <= distance && distance < (DISTANCE_BASE[code + 1] ?? 32_768))
    }
  })

  it('have a fixed code', () => {
    const [first, last] = [FIXED_LITERALS.lengths, FIXED_DISTANCES.lengths]
    assert.deepEqual([first.length, last.length, [...new Set(last)]], [288, 30, [5]])
    assert.deepEqual([0, 143, 144, 255, 256, 279, 280, 287].map((symbol) => first[symbol]), [8, 8, 9, 9, 7, 7, 8, 8]) // prettier-ignore
    // 0 = 00110000, 144 = 110010000, 256 = 0000000, 280 = 11000000; the first bit is the lowest.
    assert.deepEqual([0, 144, 256, 280, 1].map((symbol) => FIXED_LITERALS.bits[symbol]), [0b1100, 0b10011, 0, 0b11, 0b10001100]) // prettier-ignore
  })

  it('are counted and written with their extra bits', () => {
    const tokens = Uint32Array.of(
      0x61,
      matchToken(3, 1),
      matchToken(258, 1),
      matchToken(12, 2),
      matchToken(257, 270),
      0x62,
    )
    const counts = new TokenCounts()
    counts.count(tokens, 5)
    assert.deepEqual([counts.literals[0x61], counts.literals[0x62], counts.literals[256]], [1, 0, 1])
    assert.deepEqual([257, 265, 284, 285].map((symbol) => counts.literals[symbol]), [1, 1, 1, 1]) // prettier-ignore
    assert.deepEqual([0, 1, 16].map((symbol) => counts.distances[symbol]), [2, 1, 1]) // prettier-ignore
    assert.equal(counts.extraBits(), 1 + 5 + 7)
    counts.count(tokens, 1)
    assert.deepEqual([counts.extraBits(), counts.literals[257], counts.distances[0]], [0, 0, 0])
    const {output, all} = outputOf()
    output.put(0b011, 3)
    writeTokens(output, tokens, 6, {literals: FIXED_LITERALS, distances: FIXED_DISTANCES})
    output.finish()
    const plain = Buffer.from('a'.repeat(1 + 3 + 258 + 12) + 'a'.repeat(257) + 'b')
    assert.ok(inflateRawSync(all()).equals(plain))
  })
})

describe('prefix codes', () => {
  const lengthsOf = (
    build: (code: HuffmanCode, counts: Int32Array, most: number) => unknown,
    counts: readonly number[],
    most = 15,
  ) => {
    const code = new HuffmanCode(counts.length)
    code.lengths.fill(9)
    build(code, Int32Array.from(counts), most)
    return [...code.lengths]
  }

  it('have their bits in the order of symbols', () => {
    const code = new HuffmanCode(5)
    code.lengths.set([2, 1, 3, 0, 3])
    code.assign()
    assert.deepEqual([...code.bits], [0b01, 0b0, 0b011, 0, 0b111])
    assert.equal(code.measure(Int32Array.of(1, 2, 3, 4, 5)), 2 + 2 + 9 + 15)
    assert.equal(code.measure(Int32Array.of(1)), 2)
  })

  for (const [counts, go, zlib] of [
    [
      [0, 0, 0],
      [0, 0, 0],
      [1, 1, 0],
    ],
    [
      [0, 7, 0],
      [0, 1, 0],
      [0, 1, 1],
    ],
    [
      [0, 0, 7],
      [0, 0, 1],
      [1, 0, 1],
    ],
    [
      [7, 0, 0],
      [1, 0, 0],
      [1, 1, 0],
    ],
    [
      [7, 0, 1],
      [1, 0, 1],
      [1, 0, 1],
    ],
    [
      [1, 1, 1],
      [1, 2, 2],
      [2, 1, 2],
    ],
    [
      [1, 1, 1, 1],
      [2, 2, 2, 2],
      [2, 2, 2, 2],
    ],
    [
      [1, 1, 2, 3, 5],
      [4, 4, 3, 2, 1],
      [4, 4, 3, 2, 1],
    ],
  ] as const)
    it(`are made of counts, in two ways: ${counts.join(' ')}`, () => {
      const sum = (lengths: readonly number[]) =>
        lengths.reduce((total, length) => total + (length === 0 ? 0 : 2 ** -length), 0)
      const [found, other] = [lengthsOf(packageMerge, counts), lengthsOf(buildTree, counts)]
      if (counts.filter((count) => count > 0).length <= 2) assert.deepEqual([found, other], [go, zlib])
      else assert.deepEqual([sum(found), sum(other)], [1, 1])
      const cost = (lengths: readonly number[]) =>
        lengths.reduce((total, length, symbol) => total + length * counts[symbol]!, 0)
      assert.deepEqual([cost(found), cost(other)], [cost(go), cost(zlib)])
    })

  it('give the highest symbol in use', () => {
    const highest = (counts: readonly number[]) =>
      buildTree(new HuffmanCode(counts.length), Int32Array.from(counts), 15)
    assert.deepEqual(
      [highest([1, 0, 2, 0]), highest([0, 0, 0, 9]), highest([0, 0, 0]), highest([5, 0, 0])],
      [2, 3, 1, 1],
    )
  })

  for (const most of [7, 15])
    it(`have no code of more than ${most} bits, and are complete`, () => {
      const counts = [1, 1]
      while (counts.length < 19) counts.push(counts.at(-1)! + counts.at(-2)!)
      for (const build of [packageMerge, buildTree]) {
        const lengths = lengthsOf(build, counts, most)
        assert.equal(Math.max(...lengths), most)
        assert.equal(lengths.reduce((sum, length) => sum + 2 ** -length, 0), 1) // prettier-ignore
        for (let symbol = 1; symbol < counts.length; symbol++) assert.ok(lengths[symbol]! <= lengths[symbol - 1]!)
      }
    })
})

describe('encoders of deflate', () => {
  it('have levels, and no others', () => {
    const nothing = () => undefined
    for (const level of [-3, 10, 1.5]) assert.throws(() => goDeflate(level, nothing), RangeError)
    for (const make of [zlibDeflate, gzipDeflate])
      for (const level of [-1, 0, 10]) assert.throws(() => make(level, nothing), RangeError)
  })

  it('hand on bytes that stay', () => {
    const text = Buffer.from(Array.from({length: 300_000}, (_, at) => Math.imul(at, 0x9e3779b1) >>> 24))
    for (const make of [goDeflate, zlibDeflate, gzipDeflate, pigzDeflate]
      .map((each) => (on: (bytes: Uint8Array) => void) => each(6, on))
      .concat((on) => pgzipDeflate(on))) {
      const pieces: Uint8Array[] = []
      const encoder = make((bytes) => pieces.push(bytes))
      encoder.write(text.subarray(0, 200_001))
      encoder.write(text.subarray(200_001))
      encoder.finish()
      assert.ok(inflateRawSync(Buffer.concat(pieces)).equals(text))
    }
  })
})
