import assert from 'node:assert/strict'
import {findReadable, findText, findTexts, formatValueType} from '../../../src/codecs/registry-hive/value-text.js'

/** Source: winnt.h. */
const NAMES = [
  'REG_NONE',
  'REG_SZ',
  'REG_EXPAND_SZ',
  'REG_BINARY',
  'REG_DWORD',
  'REG_DWORD_BIG_ENDIAN',
  'REG_LINK',
  'REG_MULTI_SZ',
  'REG_RESOURCE_LIST',
  'REG_FULL_RESOURCE_DESCRIPTOR',
  'REG_RESOURCE_REQUIREMENTS_LIST',
  'REG_QWORD',
  'REG_0xc',
]

const wide = (text: string) => Buffer.from(text, 'utf16le')
const value = (type: number, data: Buffer) => findReadable({name: 'v', type, data, isTombstone: false})

describe('values of a hive in words', () => {
  it('have a type with a name or a number', () => {
    assert.deepEqual(
      NAMES.map((_, type) => formatValueType(type)),
      NAMES,
    )
    assert.equal(formatValueType(0xffff_0011), 'REG_0xffff0011')
  })

  for (const [data, text, note] of [
    [wide('text\0'), 'text', 'with its one NUL'],
    [wide('\0'), '', 'nothing'],
    [wide('text'), undefined, 'without a NUL'],
    [wide('te\0xt\0'), undefined, 'with a NUL inside'],
    [wide('text\0\0'), undefined, 'with two'],
    [Buffer.alloc(0), undefined, 'no bytes'],
    [Buffer.alloc(1), undefined, 'half a character'],
    [Buffer.concat([wide('text\0'), Buffer.alloc(1)]), undefined, 'half a character more'],
    [wide('\u{10410}\0'), '\u{10410}', 'a character of two units'],
    [wide('\ud801\0'), undefined, 'half of it'],
  ] as const)
    it(`are text only as it would be written: ${note}`, () => {
      assert.equal(findText(data), text)
    })

  for (const [data, texts, note] of [
    [wide('a\0b\0\0'), ['a', 'b'], 'two'],
    [wide('a\0\0'), ['a'], 'one'],
    [wide('\0'), [], 'none'],
    [wide('\0\0'), undefined, 'an empty one'],
    [wide('a\0\0b\0\0'), undefined, 'an empty one between'],
    [wide('a\0'), undefined, 'no end'],
    [wide('\ud801\0\0'), undefined, 'half a character'],
    [Buffer.alloc(0), undefined, 'no bytes'],
    [Buffer.alloc(3), undefined, 'an odd number'],
  ] as const)
    it(`are strings only as they would be written: ${note}`, () => {
      assert.deepEqual(findTexts(data), texts)
    })

  it('are read by their type, where their data fit it', () => {
    const number = Buffer.from([1, 2, 3, 4])
    assert.equal(value(1, wide('a\0')), 'a')
    assert.equal(value(2, wide('%a%\0')), '%a%')
    assert.equal(value(7, wide('a\0b\0\0')), 'a, b')
    assert.equal(value(4, number), String(0x04030201))
    assert.equal(value(5, number), String(0x01020304))
    assert.equal(value(11, Buffer.alloc(8, 0xff)), '18446744073709551615')
    for (const type of [4, 5, 11]) assert.equal(value(type, Buffer.alloc(3)), undefined)
    assert.equal(value(11, number), undefined)
    for (const type of [0, 3, 6, 8]) assert.equal(value(type, wide('a\0')), undefined)
  })
})
