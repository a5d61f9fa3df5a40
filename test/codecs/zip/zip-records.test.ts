import assert from 'node:assert/strict'
import {
  DEFLATED,
  encodeCentralEntry,
  encodeDescriptor,
  encodeEnd,
  encodeLocalHeader,
  FLAG_DESCRIPTOR,
  STORED,
  type ZipEntry,
} from '../../../src/codecs/zip/zip-records.js'

const ENTRY: ZipEntry = {
  name: 'Files/a.txt',
  method: DEFLATED,
  flags: 0,
  crc: 0x12345678,
  packedBytes: 1000,
  sizeBytes: 3000,
  offset: 70_000,
}
const STREAMED: ZipEntry = {...ENTRY, flags: FLAG_DESCRIPTOR}

/** Fields in their order, each with its bytes: hexadecimal, as they lie. */
function hex(bytes: Buffer, lengths: readonly number[]): string[] {
  let at = 0
  const fields = lengths.map((length) => bytes.subarray(at, (at += length)).toString('hex'))
  return [...fields, bytes.subarray(at).toString('latin1')]
}

// Source of all: PKWARE APPNOTE 6.3, sections 4.3 and 4.5.3.
describe('records of a zip', () => {
  const LOCAL = [4, 2, 2, 2, 2, 2, 4, 4, 4, 2, 2]
  it('begin a stored file with its sizes', () => {
    assert.deepEqual(hex(encodeLocalHeader({...ENTRY, method: STORED}), LOCAL), [
      '504b0304',
      '1400',
      '0000',
      '0000',
      '0000',
      '2100',
      '78563412',
      'e8030000',
      'b80b0000',
      '0b00',
      '0000',
      'Files/a.txt',
    ])
  })

  it('begin a file with a descriptor without them', () => {
    assert.deepEqual(hex(encodeLocalHeader(STREAMED), LOCAL), [
      '504b0304',
      '2d00',
      '0800',
      '0800',
      '0000',
      '2100',
      '00000000',
      '00000000',
      '00000000',
      '0b00',
      '0000',
      'Files/a.txt',
    ])
  })

  it('describe a file behind its data, in 64 bits', () => {
    assert.deepEqual(hex(encodeDescriptor({...ENTRY, sizeBytes: 2 ** 33}), [4, 4, 8, 8]), [
      '504b0708',
      '78563412',
      'e803000000000000',
      '0000000002000000',
      '',
    ])
  })

  const CENTRAL = [4, 2, 2, 2, 2, 2, 2, 4, 4, 4, 2, 2, 2, 2, 2, 4, 4, 11]
  it('list a file', () => {
    assert.deepEqual(hex(encodeCentralEntry(STREAMED), CENTRAL), [
      '504b0102',
      '2d00',
      '2d00',
      '0800',
      '0800',
      '0000',
      '2100',
      '78563412',
      'e8030000',
      'b80b0000',
      '0b00',
      '0000',
      '0000',
      '0000',
      '0000',
      '00000000',
      '70110100',
      Buffer.from('Files/a.txt').toString('hex'),
      '',
    ])
    assert.equal(encodeCentralEntry(ENTRY).readUInt16LE(6), 20, 'a file with its sizes in front needs version 2.0')
  })

  const LAST = 0xffff_fffe
  for (const [title, change, wide] of [
    ['nothing', {sizeBytes: LAST, packedBytes: LAST, offset: LAST}, []],
    ['the size', {sizeBytes: LAST + 1}, ['sizeBytes']],
    ['the packed size', {packedBytes: LAST + 1}, ['packedBytes']],
    ['the place', {offset: 2 ** 40}, ['offset']],
    [
      'all of them, in their order',
      {sizeBytes: 2 ** 34, packedBytes: 2 ** 33, offset: 2 ** 35},
      ['sizeBytes', 'packedBytes', 'offset'],
    ],
  ] as const)
    it(`have 64 bits for what 32 cannot tell: ${title}`, () => {
      const entry: ZipEntry = {...ENTRY, ...change}
      const bytes = encodeCentralEntry(entry)
      const extra = bytes.subarray(46 + 11)
      assert.equal(bytes.readUInt16LE(30), extra.byteLength)
      const is32 = (key: 'sizeBytes' | 'packedBytes' | 'offset') => !(wide as readonly string[]).includes(key)
      for (const [key, at] of [
        ['packedBytes', 20],
        ['sizeBytes', 24],
        ['offset', 42],
      ] as const)
        assert.equal(bytes.readUInt32LE(at), is32(key) ? entry[key] : 0xffff_ffff, key)
      if (wide.length === 0) {
        assert.equal(extra.byteLength, 0)
        return
      }
      assert.deepEqual([extra.readUInt16LE(0), extra.readUInt16LE(2)], [1, 8 * wide.length])
      assert.deepEqual(
        wide.map((_, index) => Number(extra.readBigUInt64LE(4 + 8 * index))),
        wide.map((key) => entry[key]),
      )
    })

  it('end with a zip64 record, its locator, and a classic end', () => {
    const fields = hex(
      encodeEnd({entries: 3, offset: 0x1000, sizeBytes: 0x200}),
      [4, 8, 2, 2, 4, 4, 8, 8, 8, 8, 4, 4, 8, 4, 4, 2, 2],
    )
    assert.deepEqual(fields.slice(0, -1), [
      '504b0606',
      '2c00000000000000',
      '2d00',
      '2d00',
      '00000000',
      '00000000',
      '0300000000000000',
      '0300000000000000',
      '0002000000000000',
      '0010000000000000',
      '504b0607',
      '00000000',
      '0012000000000000',
      '01000000',
      '504b0506',
      '0000',
      '0000',
    ])
  })
})
