import assert from 'node:assert/strict'
import {untranslateAddresses} from '../../../src/codecs/wim/lzms-filter.js'
import {AdaptiveCode, codeLengths, LENGTHS, OFFSETS} from '../../../src/codecs/wim/lzms-codes.js'
import {LzmsDecoder} from '../../../src/codecs/wim/lzms.js'
import {LzxDecoder} from '../../../src/codecs/wim/lzx.js'
import {assertThrows} from '../../helpers/told.js'

const CORRUPT = {code: 'ARCHIVE_CORRUPT', advises: true}

/** Bits, the first one highest, in units of 16 with the lower byte first, as LZX has them. */
class Bits {
  #text = ''
  put(value: number, count: number): this {
    this.#text += value.toString(2).padStart(count, '0').slice(-count)
    return this
  }
  bytes(): Buffer {
    const padded = this.#text.padEnd(Math.ceil(this.#text.length / 16) * 16, '0')
    const units = padded.match(/.{16}/g) ?? []
    return Buffer.concat(
      units.map((unit) => Buffer.of(Number.parseInt(unit.slice(8), 2), Number.parseInt(unit.slice(0, 8), 2))),
    )
  }
}

function unpackLzx(input: Uint8Array, size: number, chunkSize = 32_768): Buffer {
  const output = Buffer.alloc(size)
  new LzxDecoder(chunkSize).decode(input, output)
  return output
}

/** An LZX chunk of one block that is not compressed. Source: wimlib src/lzx_decompress.c. */
function plainBlock(
  content: Buffer,
  offsets: readonly [number, number, number] = [1, 1, 1],
  size = content.length,
): Buffer {
  const head = new Bits().put(3, 3)
  if (size === 32_768) head.put(1, 1)
  else head.put(0, 1).put(size, 16)
  const queue = Buffer.alloc(12)
  for (const [index, offset] of offsets.entries()) queue.writeUInt32LE(offset, 4 * index)
  return Buffer.concat([head.bytes(), queue, content, Buffer.alloc(content.length % 2)])
}

describe('blocks of LZX that are not compressed', () => {
  it('are copied, of an odd size as well', () => {
    for (const text of ['even', 'odd', 'x'])
      assert.equal(unpackLzx(plainBlock(Buffer.from(text)), text.length).toString(), text)
    const whole = Buffer.alloc(32_768, 'whole')
    assert.ok(unpackLzx(plainBlock(whole), whole.length).equals(whole))
  })

  it('follow each other', () => {
    const chunk = Buffer.concat([plainBlock(Buffer.from('odd')), plainBlock(Buffer.from('next'))])
    assert.equal(unpackLzx(chunk, 7).toString(), 'oddnext')
  })

  it('have sizes of 24 bits in larger windows', () => {
    const head = new Bits().put(3, 3).put(0, 1).put(1, 16).put(4, 8).bytes()
    const queue = Buffer.alloc(12)
    for (const at of [0, 4, 8]) queue.writeUInt32LE(1, at)
    const content = Buffer.alloc(0x104, 'x')
    assert.ok(unpackLzx(Buffer.concat([head, queue, content]), content.length, 65_536).equals(content))
  })

  it('lose a whole unit where their bits end with one', () => {
    // A verbatim block cannot end so here, but a header can: 3 + 1 + 16 + 8 bits leave 4 bits, 3 + 1 leave 12.
    const whole = Buffer.alloc(32_768, 'y')
    assert.ok(unpackLzx(plainBlock(whole), whole.length).equals(whole))
  })

  for (const [note, chunk, size] of [
    ['no bytes', plainBlock(Buffer.alloc(0)), 4],
    ['more than there is room for', plainBlock(Buffer.from('abcde')), 4],
    ['content that is cut', plainBlock(Buffer.from('abcd')).subarray(0, -1), 4],
    ['a first offset of 0', plainBlock(Buffer.from('abcd'), [0, 1, 1]), 4],
    ['a second offset of 0', plainBlock(Buffer.from('abcd'), [1, 0, 1]), 4],
    ['a third offset of 0', plainBlock(Buffer.from('abcd'), [1, 1, 0]), 4],
    ['another kind', new Bits().put(4, 3).put(0, 1).put(4, 16).bytes(), 4],
    ['kind 0', new Bits().put(0, 3).put(0, 1).put(4, 16).bytes(), 4],
    ['nothing', Buffer.alloc(0), 4],
  ] as const)
    it(`are refused: ${note}`, () => {
      assertThrows(() => unpackLzx(chunk, size), CORRUPT)
    })
})

describe('calls in chunks of LZX', () => {
  /** Two calls: one within the reach of the translation, and one too near to the end. */
  const translated = (at: number, operand: number, size = 100) => {
    const content = Buffer.alloc(size)
    content.writeUInt8(0xe8, at)
    content.writeInt32LE(operand, at + 1)
    return unpackLzx(plainBlock(content), size).readInt32LE(at + 1)
  }
  const FILE = 12_000_000

  for (const [at, operand, expected] of [
    [20, 50, 30],
    [20, 0, -20],
    [20, -1, FILE - 1],
    [20, -20, FILE - 20],
    [20, -21, -21],
    [20, FILE - 1, FILE - 21],
    [20, FILE, FILE],
    [0, 7, 7],
    [0, -1, -1],
    [89, 100, 11],
    [90, 100, 100],
  ] as const)
    it(`at ${at} with ${operand} lead to ${expected}`, () => {
      assert.equal(translated(at, operand), expected)
    })

  it('are looked for behind the operand of the one before', () => {
    const content = Buffer.alloc(100)
    content.fill(0xe8, 10, 16)
    const found = unpackLzx(plainBlock(content), 100)
    // The operand of the first is beyond the file, and its bytes are no calls.
    assert.ok(found.subarray(0, 15).equals(content.subarray(0, 15)))
    assert.equal(found.readInt32LE(16), -15)
  })
})

describe('addresses in chunks of LZMS', () => {
  /** Code of so many bytes with these instructions, each with an address behind it. */
  const codeOf = (...uses: readonly (readonly [at: number, opcode: string, address: number])[]) => {
    const bytes = Buffer.alloc(5000)
    for (const [at, opcode, address] of uses) {
      const code = Buffer.from(opcode, 'hex')
      bytes.set(code, at)
      bytes.writeUInt32LE(address >>> 0, at + code.length)
    }
    return bytes
  }
  const addressAt = (bytes: Buffer, at: number) => bytes.readUInt32LE(at)
  const TARGET = 0x1234

  for (const opcode of ['488d05', '4c8d0d', '488b05', '488b0d', 'f08305', 'ff15'])
    it(`are untranslated where two lead to one target: ${opcode}`, () => {
      const size = opcode.length / 2
      // Of each, the place in the file is taken from the address once code is known.
      const bytes = codeOf([100, opcode, TARGET - 100], [200, opcode, TARGET - 200], [300, opcode, TARGET - 300 + 300])
      untranslateAddresses(bytes)
      assert.equal(addressAt(bytes, 100 + size), TARGET - 100)
      assert.equal(addressAt(bytes, 200 + size), TARGET - 200)
      assert.equal(addressAt(bytes, 300 + size), TARGET - 300)
    })

  for (const opcode of ['4c8b05', '488b15', '488d04', '488bc5', '488905', 'f08304', 'f08105', 'ff14', 'e9', '90'])
    it(`are left as they are: ${opcode}`, () => {
      const bytes = codeOf([100, '488d05', TARGET - 100], [200, '488d05', TARGET - 200], [300, opcode, TARGET])
      const before = Buffer.from(bytes)
      untranslateAddresses(bytes)
      assert.ok(bytes.equals(before))
    })

  for (const [opcode, reach] of [
    ['e8', 511],
    ['ff15', 1023],
  ] as const)
    it(`of ${opcode} are untranslated up to ${reach} bytes behind code`, () => {
      for (const [distance, isTranslated] of [
        [reach, true],
        [reach + 1, false],
      ] as const) {
        // Code is known by the last byte of the second address.
        const bytes = codeOf([100, '488d05', TARGET - 100], [200, '488d05', TARGET - 200])
        const at = 200 + 3 + 3 + distance
        bytes.set(Buffer.from(opcode, 'hex'), at)
        bytes.writeUInt32LE(50_000, at + opcode.length / 2)
        untranslateAddresses(bytes)
        assert.equal(addressAt(bytes, at + opcode.length / 2), isTranslated ? 50_000 - at : 50_000, String(distance))
      }
    })

  it('are not looked for in the first byte, nor in the last 16', () => {
    for (const [at, isTranslated] of [
      [5000 - 17, true],
      [5000 - 16, false],
    ] as const) {
      const bytes = codeOf([4700, 'ff15', TARGET - 4700], [4800, 'ff15', TARGET - 4800], [at, 'ff15', 60_000])
      untranslateAddresses(bytes)
      assert.equal(addressAt(bytes, at + 2), isTranslated ? 60_000 - at : 60_000, String(at))
    }
    const bytes = codeOf([0, 'ff15', TARGET], [50, 'ff15', TARGET - 50], [100, 'ff15', 70_000])
    untranslateAddresses(bytes)
    assert.equal(addressAt(bytes, 102), 70_000)
  })

  it('behind a jump are passed over', () => {
    const bytes = codeOf([100, '488d05', TARGET - 100], [200, '488d05', TARGET - 200], [300, 'e9', 0x15ff])
    bytes.writeUInt32LE(90_000, 305)
    const before = Buffer.from(bytes)
    untranslateAddresses(bytes)
    assert.ok(bytes.equals(before))
  })

  it('of two targets too far apart are no code', () => {
    for (const [distance, isCode] of [
      [65_535, true],
      [65_536, false],
    ] as const) {
      const bytes = Buffer.alloc(70_000)
      const use = (at: number, address: number) => {
        bytes.set(Buffer.from('ff15', 'hex'), at)
        bytes.writeUInt32LE(address >>> 0, at + 2)
      }
      use(100, TARGET - 100)
      use(100 + distance, (TARGET - 100 - distance) & 0xffff)
      use(100 + distance + 50, 80_000)
      untranslateAddresses(bytes)
      const at = 100 + distance + 50
      assert.equal(addressAt(bytes, at + 2), isCode ? 80_000 - at : 80_000)
    }
  })

  it('are none in very few bytes', () => {
    for (const size of [0, 1, 16, 17, 18]) {
      const bytes = Buffer.alloc(size, 0xff)
      untranslateAddresses(bytes)
      assert.ok(bytes.equals(Buffer.alloc(size, 0xff)))
    }
  })
})

describe('codes of LZMS that follow their symbols', () => {
  it('give every symbol one length at first', () => {
    const lengths = new Uint8Array(8)
    codeLengths(new Uint32Array(8).fill(1), lengths)
    assert.deepEqual([...lengths], [3, 3, 3, 3, 3, 3, 3, 3])
  })

  for (const [frequencies, lengths] of [
    [
      [1, 1],
      [1, 1],
    ],
    [
      [5, 1, 1],
      [1, 2, 2],
    ],
    [
      [1, 2, 4, 8],
      [3, 3, 2, 1],
    ],
    [
      [3, 3, 2, 2],
      [2, 2, 2, 2],
    ],
    [
      [1, 1, 2, 3, 5, 8],
      [5, 5, 4, 3, 2, 1],
    ],
    [[7], [1, 1]],
    [[], [0, 0]],
  ] as const)
    it(`have lengths by frequency: ${frequencies.join(' ')}`, () => {
      const found = new Uint8Array(Math.max(frequencies.length, 2))
      codeLengths(Uint32Array.from(frequencies), found)
      assert.deepEqual([...found], lengths)
    })

  it('are never longer than 15 bits, at the cost of others', () => {
    const fibonacci = [1, 1]
    while (fibonacci.length < 20) fibonacci.push(fibonacci.at(-1)! + fibonacci.at(-2)!)
    const found = new Uint8Array(20)
    codeLengths(Uint32Array.from(fibonacci), found)
    assert.equal(Math.max(...found), 15)
    assert.equal(
      found.reduce((sum, length) => sum + 2 ** -length, 0),
      1,
    )
  })

  it('are made anew after so many symbols, with half the counts', () => {
    const code = new AdaptiveCode(4, 3)
    const symbolOf = (bits: number) => {
      const item = code.take(bits)
      return [item >>> 5, item & 31]
    }
    // Two bits each, until 3 was read three times: then it has one.
    for (let time = 0; time < 3; time++) assert.deepEqual(symbolOf(0xc000), [3, 2])
    assert.deepEqual(symbolOf(0x0000), [3, 1])
    assert.deepEqual(symbolOf(0xe000), [1, 3])
    assert.deepEqual(symbolOf(0x8000), [2, 2])
  })

  it('have one bit for a symbol that is alone', () => {
    const code = new AdaptiveCode(1, 2)
    for (let time = 0; time < 5; time++) assert.deepEqual(code.take(0) & 31, 1)
  })

  it('have so many slots of each number of extra bits', () => {
    const runs = ({extraBits}: {extraBits: Uint8Array}) => {
      const found: [number, number][] = []
      for (const bits of extraBits) {
        const last = found.at(-1)
        if (last?.[0] === bits) last[1]++
        else found.push([bits, 1])
      }
      return found.map(([bits, count]) => `${bits}x${count}`).join(' ')
    }
    // Source: wimlib src/lzms_common.c.
    assert.equal(runs(LENGTHS), '0x26 1x4 2x6 3x4 4x5 5x2 6x1 7x1 8x1 9x1 10x1 16x1 30x1')
    assert.equal(
      runs(OFFSETS),
      '0x8 2x9 3x7 4x10 5x15 6x15 7x20 8x20 9x30 10x33 11x40 12x42 13x45 14x60 15x73 16x80 17x85 18x95 19x105 20x6 30x1',
    )
  })
})

describe('a chunk of LZMS', () => {
  it('has an even number of bytes, and four at least', () => {
    for (const length of [0, 2, 3, 5])
      assertThrows(
        () => {
          new LzmsDecoder().decode(new Uint8Array(length), new Uint8Array(4))
        },
        {...CORRUPT, says: [length]},
      )
  })

  it('of zeros is a row of the first literal', () => {
    const output = new Uint8Array(20).fill(9)
    new LzmsDecoder().decode(new Uint8Array(4), output)
    assert.deepEqual([...output], new Array<number>(20).fill(0))
  })

  it('is refused where a match begins before it', () => {
    assertThrows(() => {
      new LzmsDecoder().decode(new Uint8Array(8).fill(0xff), new Uint8Array(100))
    }, CORRUPT)
  })
})
