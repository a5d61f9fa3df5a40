import assert from 'node:assert/strict'
import {
  canonicalExtendedAttributes,
  decodeExtendedAttributes,
  encodeExtendedAttributes,
  requireExtendedAttribute,
} from '../../../src/codecs/extended-attributes/extended-attributes.js'
import {faultOf} from '../../helpers/faults.js'

/** {A.B = 01 02, C = 03}, flags 80 and 00. Source: MS-FSCC 2.4.15. */
const LIST = Buffer.from('10000000' + '80030200' + '412e4200' + '01020000' + '00000000' + '00010100' + '430003', 'hex')
const value = Buffer.from([1])

function spoilt(at: number, byte: number, list: Buffer = LIST): Buffer {
  const copy = Buffer.from(list)
  copy[at] = byte
  return copy
}

describe('a list of extended attributes', () => {
  it('gives names, flags and values', () => {
    assert.deepEqual(decodeExtendedAttributes(LIST), [
      {name: 'A.B', flags: 0x80, value: Buffer.from([1, 2])},
      {name: 'C', flags: 0, value: Buffer.from([3])},
    ])
    assert.deepEqual(decodeExtendedAttributes(new Uint8Array()), [])
  })

  it('is read where it lies inside other bytes, and names by their bytes', () => {
    const inside = Buffer.concat([Buffer.alloc(3, 9), spoilt(8, 0xe9), Buffer.alloc(3, 9)]).subarray(
      3,
      3 + LIST.byteLength,
    )
    assert.deepEqual(
      decodeExtendedAttributes(inside).map(({name}) => name),
      ['\xe9.B', 'C'],
    )
  })

  for (const [note, list, offset] of [
    ['less than a head', LIST.subarray(0, 7), 0],
    ['a second record of less than a head', LIST.subarray(0, 23), 16],
    ['a value beyond the end', spoilt(6, 20), 0],
    ['a value that is one byte short', LIST.subarray(0, 26), 16],
    ['a record beyond the end', spoilt(0, 28), 28],
    ['no name', spoilt(16 + 5, 0), 16 + 5],
    ['no NUL behind a name', spoilt(11, 1), 11],
    ['a NUL inside a name', spoilt(9, 0), 8],
    ['a NUL in front of a name', spoilt(8, 0), 8],
    ['a record inside the one before', spoilt(0, 13), 0],
  ] as const)
    it(`is refused, with the place: ${note}`, () => {
      assert.deepEqual(
        faultOf(() => decodeExtendedAttributes(list)),
        {code: 'ATTRIBUTES_CORRUPT', at: {offset}},
      )
    })

  it('may have records right behind each other, without padding', () => {
    const close = Buffer.concat([LIST.subarray(0, 14), LIST.subarray(16)])
    close.writeUInt32LE(14, 0)
    assert.equal(decodeExtendedAttributes(close).length, 2)
  })

  for (const [name, size, bytes] of [
    ['A', 0, 12],
    ['A', 2, 12],
    ['A', 3, 16],
    ['AB', 1, 12],
    ['x'.repeat(255), 0xffff, 65800],
  ] as const)
    it(`takes ${bytes} bytes for a name of ${name.length} and a value of ${size}`, () => {
      const list = encodeExtendedAttributes([{name, flags: 0xff, value: Buffer.alloc(size, 1)}])
      assert.equal(list.byteLength, bytes)
      assert.deepEqual(decodeExtendedAttributes(list), [{name, flags: 0xff, value: Buffer.alloc(size, 1)}])
    })

  it('is written as it is read, padded', () => {
    assert.ok(Buffer.concat([LIST, Buffer.alloc(1)]).equals(encodeExtendedAttributes(decodeExtendedAttributes(LIST))))
    assert.equal(encodeExtendedAttributes([]).byteLength, 0)
  })
})

describe('an extended attribute', () => {
  for (const [note, attribute] of [
    ['of one byte', {name: 'a', flags: 0, value: Buffer.alloc(0)}],
    ['of 255 bytes', {name: 'x'.repeat(255), flags: 0, value}],
    ['of any byte but NUL', {name: '\x01\xff', flags: 0, value}],
    ['with all flags', {name: 'a', flags: 0xff, value}],
    ['with the largest value', {name: 'a', flags: 0, value: Buffer.alloc(0xffff)}],
  ] as const)
    it(`is taken: ${note}`, () => {
      requireExtendedAttribute(attribute)
    })

  for (const [note, attribute] of [
    ['no name', {name: '', flags: 0, value}],
    ['a name of 256 bytes', {name: 'x'.repeat(256), flags: 0, value}],
    ['a name that ends in a NUL', {name: 'a\0', flags: 0, value}],
    ['a name that begins with one', {name: '\0a', flags: 0, value}],
    ['a character that is no byte', {name: 'a\u0100', flags: 0, value}],
    ['flags of nine bits', {name: 'a', flags: 0x100, value}],
    ['flags below zero', {name: 'a', flags: -1, value}],
    ['flags that are no whole number', {name: 'a', flags: 0.5, value}],
    ['a value of 64 KiB', {name: 'a', flags: 0, value: Buffer.alloc(0x10000)}],
  ] as const)
    it(`is refused: ${note}`, () => {
      assert.equal(
        faultOf(() => {
          requireExtendedAttribute(attribute)
        }).code,
        'ATTRIBUTES_CORRUPT',
      )
    })

  it('comes back from a tar in the order of names, those of one name as they were', () => {
    const names = ['b', 'a', 'C', 'a']
    const given = names.map((name, index) => ({name, flags: 0x80, value: Buffer.of(index)}))
    assert.deepEqual(canonicalExtendedAttributes(given), [
      {name: 'C', flags: 0, value: Buffer.of(2)},
      {name: 'a', flags: 0, value: Buffer.of(1)},
      {name: 'a', flags: 0, value: Buffer.of(3)},
      {name: 'b', flags: 0, value: Buffer.of(0)},
    ])
    assert.equal(given[0]?.name, 'b')
  })
})
