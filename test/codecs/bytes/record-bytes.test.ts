import assert from 'node:assert/strict'
import {RecordReader} from '../../../src/codecs/bytes/record-reader.js'
import {RecordWriter} from '../../../src/codecs/bytes/record-writer.js'

const CORRUPT = {code: 'RECIPE_CORRUPT'}

describe('numbers of a record', () => {
  for (const [value, bytes] of [
    [0, [0]],
    [0x7f, [0x7f]],
    [0x80, [0x80, 1]],
    [0x3fff, [0xff, 0x7f]],
    [0x4000, [0x80, 0x80, 1]],
    [2 ** 32, [0x80, 0x80, 0x80, 0x80, 0x10]],
    [Number.MAX_SAFE_INTEGER, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f]],
  ] as const)
    it(`${value}`, () => {
      assert.deepEqual([...new RecordWriter().number(value).finish()], bytes)
      const reader = new RecordReader(Buffer.from(bytes))
      assert.equal(reader.isAtEnd, false)
      assert.equal(reader.number(), value)
      assert.equal(reader.isAtEnd, true)
    })

  for (const [note, bytes] of [
    ['2^53', [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10]],
    ['a number of far too many bytes', [...Array.from({length: 200}, () => 0x80), 0]],
    ['a number that is cut', [0x80]],
    ['none', []],
  ] as const)
    it(`are refused: ${note}`, () => {
      assert.throws(() => new RecordReader(Buffer.from(bytes)).number(), CORRUPT)
    })
})

describe('records', () => {
  it('give back what was put into them, in order', () => {
    const long = Buffer.alloc(1000, 'long')
    const bytes = new RecordWriter()
      .byte(0xab)
      .u32(0xfedcba98)
      .i64(-2n)
      .i64(2n ** 64n - 3n)
      .block('päth')
      .block(long)
      .bytes(Buffer.from('rest'))
      .finish()
    assert.equal(bytes.byteLength, 1 + 4 + 8 + 8 + 6 + 1002 + 4)
    const reader = new RecordReader(bytes)
    assert.equal(reader.byte(), 0xab)
    assert.equal(reader.u32(), 0xfedcba98)
    assert.equal(reader.i64(), -2n)
    assert.equal(reader.i64(), -3n)
    assert.equal(reader.text(), 'päth')
    assert.deepEqual(Buffer.from(reader.block()), long)
    assert.equal(Buffer.from(reader.rest()).toString(), 'rest')
    assert.equal(reader.isAtEnd, true)
    assert.equal(reader.rest().byteLength, 0)
  })

  it('are copies: what is put in later does not show in them', () => {
    const writer = new RecordWriter().byte(1)
    const before = writer.finish()
    writer.byte(2)
    assert.deepEqual([...before], [1])
    assert.deepEqual([...writer.finish()], [1, 2])
  })

  for (const [note, read, bytes] of [
    ['a byte', (reader) => reader.byte(), []],
    ['four bytes', (reader) => reader.u32(), [1, 2, 3]],
    ['eight bytes', (reader) => reader.i64(), [1, 2, 3, 4, 5, 6, 7]],
    ['bytes', (reader) => reader.bytes(2), [1]],
    ['a block', (reader) => reader.block(), [2, 1]],
  ] as const satisfies readonly (readonly [string, (reader: RecordReader) => unknown, readonly number[]])[])
    it(`are refused where they end early: ${note}`, () => {
      assert.throws(() => read(new RecordReader(Buffer.from(bytes))), CORRUPT)
    })
})
