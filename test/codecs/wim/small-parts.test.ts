import assert from 'node:assert/strict'
import {createHash} from 'node:crypto'
import {HuffmanCode} from '../../../src/codecs/wim/huffman.js'
import {findDamage} from '../../../src/codecs/wim/integrity-table.js'
import type {WimHeader} from '../../../src/codecs/wim/header.js'
import {decodeResourceHeader, requireInside, ResourceFlag} from '../../../src/codecs/wim/resource-header.js'
import {decodeSecurityBlock} from '../../../src/codecs/wim/security-block.js'
import {decodeItemAttributes, decodeTaggedItems, ItemTag} from '../../../src/codecs/wim/tagged-items.js'
import {wimFault, wimLimit, wimUnsupported} from '../../../src/codecs/wim/wim-fault.js'
import {assertRejects, assertThrows, assertTold} from '../../helpers/told.js'

const CORRUPT = {code: 'ARCHIVE_CORRUPT', advises: true}

function u64(...values: readonly (number | bigint)[]): Buffer {
  const bytes = Buffer.alloc(8 * values.length)
  for (const [index, value] of values.entries()) bytes.writeBigUInt64LE(BigInt(value), 8 * index)
  return bytes
}

describe('the header of a resource', () => {
  const bytesOf = (size: bigint, flags: number, offset: bigint, originalSize: bigint) =>
    u64(size | (BigInt(flags) << 56n), offset, originalSize)

  it('gives its fields, from anywhere', () => {
    const bytes = Buffer.concat([Buffer.alloc(5), bytesOf(0x1234567890an, 0x16, 77n, 2n ** 40n)])
    assert.deepEqual(decodeResourceHeader(bytes, 5), {
      size: 0x1234567890a,
      flags: 0x16,
      offset: 77,
      originalSize: 2 ** 40,
    })
    assert.deepEqual(ResourceFlag, {free: 1, metadata: 2, compressed: 4, solid: 16})
  })

  it('has no number above 2^53 - 1, and tells where', () => {
    const most = 2n ** 53n - 1n
    const {size, offset, originalSize} = decodeResourceHeader(bytesOf(most, 0, most, most), 0)
    assert.deepEqual([size, offset, originalSize], [Number(most), Number(most), Number(most)])
    for (const bytes of [bytesOf(most + 1n, 0, 0n, 0n), bytesOf(0n, 0, most + 1n, 0n), bytesOf(0n, 0, 0n, most + 1n)])
      assertThrows(() => decodeResourceHeader(Buffer.concat([Buffer.alloc(3), bytes]), 3), {
        ...CORRUPT,
        at: {offset: 3},
      })
  })

  for (const [offset, size, fileSize, code] of [
    [10, 5, 15, undefined],
    [15, 0, 15, undefined],
    [10, 6, 15, 'ARCHIVE_TRUNCATED'],
    [14, 2, 15, 'ARCHIVE_TRUNCATED'],
    [15, 1, 15, 'ARCHIVE_CORRUPT'],
    [99, 1, 15, 'ARCHIVE_CORRUPT'],
  ] as const)
    it(`of ${size} bytes at ${offset} of ${fileSize}: ${String(code)}`, () => {
      const check = () => {
        requireInside({size, offset, flags: 0, originalSize: 0}, 'A part', fileSize)
      }
      if (code === undefined) check()
      else assertThrows(check, {code, at: {offset}, says: ['A part', offset + size, fileSize]})
    })
})

describe('faults of Windows image files', () => {
  it('have a place, where one is known', () => {
    assertTold(wimFault('Why.'), {...CORRUPT, at: {}})
    assertTold(wimFault('Why.', 0, 'ARCHIVE_TRUNCATED'), {
      code: 'ARCHIVE_TRUNCATED',
      at: {offset: 0},
      says: ['Why.'],
      advises: true,
    })
    assertTold(wimUnsupported('What.', 'Do it.'), {code: 'FORMAT_UNSUPPORTED', says: ['What.'], advises: true})
    assertTold(wimLimit('What.', 'Why.'), {code: 'LIMIT_EXCEEDED', says: ['What.', 'Why.']})
  })
})

describe('the security descriptors of an image', () => {
  const blockOf = (stated: number, count: number, ...rest: readonly Buffer[]) => {
    const head = Buffer.alloc(8)
    head.writeUInt32LE(stated, 0)
    head.writeUInt32LE(count, 4)
    return Buffer.concat([head, ...rest])
  }

  it('are none in an empty block, whose length may be 0', () => {
    for (const stated of [0, 1, 8]) assert.deepEqual(decodeSecurityBlock(blockOf(stated, 0)), {descriptors: [], end: 8})
    assert.equal(decodeSecurityBlock(blockOf(9, 0, Buffer.alloc(8))).end, 16)
  })

  it('lie one behind the other, and the root behind them', () => {
    const block = blockOf(29, 2, u64(3, 2), Buffer.from('abcde'), Buffer.alloc(3))
    const {descriptors, end} = decodeSecurityBlock(block)
    assert.deepEqual([descriptors.map((each) => Buffer.from(each).toString()), end], [['abc', 'de'], 32])
    const padded = decodeSecurityBlock(blockOf(24, 1, u64(8), Buffer.alloc(8, 'x')))
    assert.equal(padded.descriptors[0]?.byteLength, 8)
  })

  for (const [note, block] of [
    ['less than a head', Buffer.alloc(7)],
    ['a block beyond the metadata', blockOf(9, 0)],
    ['more lengths than there is room for', blockOf(15, 2, u64(0))],
    ['a descriptor longer than what is left', blockOf(24, 1, u64(9), Buffer.alloc(8))],
    ['a second one longer than what is left', blockOf(32, 2, u64(5, 4), Buffer.alloc(8))],
    ['a length beyond all numbers', blockOf(24, 1, u64(2n ** 64n - 1n), Buffer.alloc(8))],
  ] as const)
    it(`are refused: ${note}`, () => {
      assertThrows(() => decodeSecurityBlock(block), CORRUPT)
    })
})

describe('items behind an entry', () => {
  const item = (tag: number, text: string, length = text.length) => {
    const head = Buffer.alloc(8)
    head.writeUInt32LE(tag, 0)
    head.writeUInt32LE(length, 4)
    return Buffer.concat([head, Buffer.from(text)])
  }
  const plain = (bytes: Buffer) => decodeTaggedItems(bytes).map(({tag, data}) => [tag, Buffer.from(data).toString()])

  it('are told with their tags, those of tag 0 aside', () => {
    assert.deepEqual(
      plain(Buffer.concat([item(1, 'abc'), Buffer.alloc(5), item(0, 'x'.repeat(8)), item(0x337dd873, 'z')])),
      [
        [1, 'abc'],
        [0x337dd873, 'z'],
      ],
    )
    for (const length of [0, 7, 8]) assert.deepEqual(plain(Buffer.alloc(length)), [])
    assert.deepEqual(plain(Buffer.concat([item(2, ''), Buffer.alloc(7, 1)])), [[2, '']])
    assert.deepEqual(ItemTag, {objectId: 1, extendedAttributes: 2, unixData: 0x337dd873, linuxAttributes: 0x337dd874})
  })

  it('are refused where one is cut', () => {
    assertThrows(() => decodeTaggedItems(item(1, 'abc', 4)), CORRUPT)
    assertThrows(() => decodeTaggedItems(Buffer.concat([item(1, 'x'.repeat(8)), item(0, 'abc', 4)])), CORRUPT)
  })

  const attribute = (name: string, value: string, flags = 0) => {
    const head = Buffer.alloc(4)
    head.writeUInt16LE(value.length, 0)
    head.writeUInt8(name.length, 2)
    head.writeUInt8(flags, 3)
    return Buffer.concat([head, Buffer.from(`${name}\0${value}`, 'latin1')])
  }

  it('have extended attributes without padding', () => {
    const bytes = Buffer.concat([Buffer.of(9), attribute('LXUID', 'abcd', 0x80), attribute('é', '')])
    assert.deepEqual(
      decodeItemAttributes(bytes.subarray(1)).map(({name, flags, value}) => [
        name,
        flags,
        Buffer.from(value).toString(),
      ]),
      [
        ['LXUID', 0x80, 'abcd'],
        ['é', 0, ''],
      ],
    )
    assert.deepEqual(decodeItemAttributes(Buffer.alloc(0)), [])
  })

  it('have extended attributes that are refused where one is cut or has no name', () => {
    const whole = attribute('AB', 'xy')
    for (let length = 1; length < whole.length; length++)
      assertThrows(() => decodeItemAttributes(whole.subarray(0, length)), CORRUPT)
    assertThrows(() => decodeItemAttributes(Buffer.concat([whole, Buffer.alloc(3)])), CORRUPT)
    assertThrows(() => decodeItemAttributes(attribute('', 'x')), CORRUPT)
  })
})

describe('a Huffman code of a Windows image file', () => {
  /** Every symbol and length by the first 16 bits of its code. */
  const take = (code: HuffmanCode, bits: number) => {
    const item = code.table[bits >>> (16 - code.tableBits)] ?? 0
    return item === 0 ? code.find(bits) : item
  }

  it('has short codes in its table, and finds the longer ones', () => {
    // Lengths 1, 3, 3, 2: codes 0, 110, 111, 10.
    for (const tableBits of [1, 2, 3, 4]) {
      const code = new HuffmanCode(5, tableBits)
      code.assign(Uint8Array.of(1, 3, 3, 2, 0))
      for (const [bits, symbol, length] of [
        [0x0000, 0, 1],
        [0x7fff, 0, 1],
        [0x8000, 3, 2],
        [0xbfff, 3, 2],
        [0xc000, 1, 3],
        [0xdfff, 1, 3],
        [0xe000, 2, 3],
        [0xffff, 2, 3],
      ] as const)
        assert.equal(take(code, bits), (symbol << 5) | length, `${bits} by ${tableBits}`)
    }
  })

  it('may be as long as 16 bits', () => {
    const code = new HuffmanCode(17, 4)
    code.assign(Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 16]))
    assert.deepEqual(
      [take(code, 0xffff), take(code, 0xfffe), take(code, 0xfffd)],
      [(16 << 5) | 16, (15 << 5) | 16, (14 << 5) | 15],
    )
  })

  it('may be none, as long as nothing is read by it, and is used again', () => {
    const code = new HuffmanCode(4, 2)
    code.assign(Uint8Array.of(1, 1, 0, 0))
    code.assign(new Uint8Array(4))
    assert.deepEqual([...code.table], [0, 0, 0, 0])
    for (const bits of [0, 0x8000, 0xffff]) assertThrows(() => code.find(bits), CORRUPT)
    code.assign(Uint8Array.of(0, 0, 1, 1))
    assert.deepEqual([take(code, 0), take(code, 0x8000)], [(2 << 5) | 1, (3 << 5) | 1])
  })

  for (const [note, lengths] of [
    ['too many codes', [1, 1, 1]],
    ['too many short codes', [1, 2, 2, 2]],
    ['one code alone', [1, 0, 0]],
    ['a gap', [1, 2]],
    ['a gap at the longest', [1, 16]],
  ] as const)
    it(`is refused: ${note}`, () => {
      assertThrows(() => {
        new HuffmanCode(lengths.length, 4).assign(Uint8Array.from(lengths))
      }, CORRUPT)
    })
})

describe('the integrity table of a file', () => {
  const HEAD = 208
  const PIECE = 600_000
  /** A file with a table of contents at the end, and the hashes of all behind the header. */
  const fileOf = (covered: number, pieceBytes = PIECE) => {
    const file = Buffer.alloc(HEAD + covered, 'contents ')
    const hashes: Buffer[] = []
    for (let at = HEAD; at < file.length; at += pieceBytes)
      hashes.push(
        createHash('sha1')
          .update(file.subarray(at, at + pieceBytes))
          .digest(),
      )
    const head = Buffer.alloc(12)
    head.writeUInt32LE(12 + 20 * hashes.length, 0)
    head.writeUInt32LE(hashes.length, 4)
    head.writeUInt32LE(pieceBytes, 8)
    return {file, table: Buffer.concat([head, ...hashes])}
  }
  const resource = (offset: number, size: number) => ({offset, size, flags: 0, originalSize: size})
  const damageOf = async (bytes: Buffer, table: number, tableBytes = bytes.length - table, signal?: AbortSignal) => {
    const source = {
      size: bytes.length,
      read: (offset: number, length: number) => Promise.resolve(bytes.subarray(offset, offset + length)),
    }
    const header = {integrity: resource(table, tableBytes), blobTable: resource(table - 50, 50)} as WimHeader
    const found: unknown[] = []
    for await (const damage of findDamage(source, header, signal)) found.push(damage)
    return found
  }

  it('finds each piece that differs, the last one shorter', async () => {
    const {file, table} = fileOf(2 * PIECE + 7)
    const whole = Buffer.concat([file, table])
    assert.deepEqual(await damageOf(whole, file.length), [])
    whole[0]! ^= 1
    assert.deepEqual(await damageOf(whole, file.length), [], 'the header is not covered')
    whole[HEAD]! ^= 1
    whole[HEAD + PIECE - 1]! ^= 1
    whole[file.length - 1]! ^= 1
    assert.deepEqual(await damageOf(whole, file.length), [
      {offset: HEAD, sizeBytes: PIECE},
      {offset: HEAD + 2 * PIECE, sizeBytes: 7},
    ])
  })

  it('may be missing', async () => {
    const {file} = fileOf(100)
    assert.deepEqual(await damageOf(file, file.length, 0), [])
  })

  for (const [note, change] of [
    ['another size', (table: Buffer) => table.writeUInt32LE(table.length + 1, 0)],
    ['another count', (table: Buffer) => table.writeUInt32LE(2, 4)],
    ['other pieces', (table: Buffer) => table.writeUInt32LE(10, 8)],
    ['pieces of nothing', (table: Buffer) => table.writeUInt32LE(0, 8)],
  ] as const)
    it(`is refused with its place: ${note}`, async () => {
      const {file, table} = fileOf(100)
      change(table)
      await assertRejects(damageOf(Buffer.concat([file, table]), file.length), {...CORRUPT, at: {offset: file.length}})
    })

  it('is refused when it is too short, and when it lies past the end', async () => {
    const {file, table} = fileOf(100)
    const whole = Buffer.concat([file, table])
    await assertRejects(damageOf(whole, file.length, 11), {...CORRUPT, at: {offset: file.length}})
    await assertRejects(damageOf(whole.subarray(0, -1), file.length, table.length), {code: 'ARCHIVE_TRUNCATED'})
    await assertRejects(damageOf(whole, file.length, 12), CORRUPT)
  })

  it('is no longer followed when that is told', async () => {
    const {file, table} = fileOf(100)
    await assert.rejects(
      damageOf(Buffer.concat([file, table]), file.length, table.length, AbortSignal.abort(new Error('told to'))),
      /told to/,
    )
  })
})
