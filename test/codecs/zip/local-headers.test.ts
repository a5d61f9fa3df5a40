import assert from 'node:assert/strict'
import {byteSourceOf} from '../../../src/codecs/backup-stream/byte-source.js'
import {widenSizes} from '../../../src/codecs/zip/extra-fields.js'
import {readZipDirectory} from '../../../src/codecs/zip/read-directory.js'
import {requireLocal} from '../../../src/codecs/zip/require-local.js'
import {zipFault} from '../../../src/codecs/zip/zip-fault.js'
import {zip64, zipOf, type ZipForm} from '../../helpers/zip-writer.js'
import {assertThrows, assertTold} from '../../helpers/told.js'

const ALL_ONES = 0xffff_ffff

describe('extra fields of a zip', () => {
  const field = (number: number, length: number) => {
    const bytes = Buffer.alloc(4 + length, 7)
    bytes.writeUInt16LE(number, 0)
    bytes.writeUInt16LE(length, 2)
    return bytes
  }
  const widen = (narrow: readonly number[], ...fields: readonly Buffer[]) => {
    const all = Buffer.concat([Buffer.alloc(3, 9), ...fields])
    const extra = new DataView(all.buffer, all.byteOffset + 3, all.byteLength - 3)
    return widenSizes(narrow, extra, (why) => new Error(why))
  }

  for (const [note, narrow, fields, wide] of [
    ['no field', [1, 2], [], [1n, 2n]],
    ['nothing that is wide', [1, ALL_ONES - 1], [zip64([7, 8])], [1n, 4294967294n]],
    ['all of them', [ALL_ONES, ALL_ONES, ALL_ONES], [zip64([7, 2 ** 40, 9])], [7n, 2n ** 40n, 9n]],
    ['the second alone', [5, ALL_ONES], [zip64([7])], [5n, 7n]],
    ['more than is needed', [ALL_ONES], [zip64([7, 8])], [7n]],
    ['other fields around', [ALL_ONES], [field(9, 5), zip64([7]), field(10, 0)], [7n]],
    ['zeros that fill up', [ALL_ONES], [zip64([7]), Buffer.alloc(3)], [7n]],
    ['zeros alone', [1], [Buffer.alloc(9)], [1n]],
  ] as const)
    it(`give numbers of 64 bits: ${note}`, () => {
      assert.deepEqual(widen(narrow, ...fields), wide)
    })

  for (const [note, narrow, fields, why] of [
    ['no zip64 field', [ALL_ONES], [], /invalid zip64/],
    ['none among others', [ALL_ONES], [field(9, 8)], /invalid zip64/],
    ['too short a one', [ALL_ONES, ALL_ONES], [zip64([7])], /invalid zip64/],
    ['one of seven bytes', [ALL_ONES], [field(1, 7)], /invalid zip64/],
    ['two of them', [1], [zip64([7]), zip64([7])], /twice/],
    ['a field that is cut', [1], [field(9, 5).subarray(0, -1)], /cut off/],
    ['a head that is cut', [1], [field(9, 0).subarray(0, 3)], /cut off/],
  ] as const)
    it(`are refused: ${note}`, () => {
      assert.throws(() => widen(narrow, ...fields), why)
    })
})

describe('faults of a zip', () => {
  it('have the file and the place, where one is known', () => {
    assertTold(zipFault('x.zip', 'Why.'), {code: 'ARCHIVE_CORRUPT', at: {path: 'x.zip'}, says: ['Why.'], advises: true})
    const cut = zipFault('x.zip', 'Why.', 0, 'ARCHIVE_TRUNCATED')
    assertTold(cut, {code: 'ARCHIVE_TRUNCATED', at: {path: 'x.zip', offset: 0}})
    assert.notEqual(cut.what, zipFault('x.zip', 'Why.').what)
  })
})

describe('the local header of an entry', () => {
  const BYTES = Buffer.from('content of the first')
  const make = (form: ZipForm = {}) =>
    zipOf([
      {name: 'Files/a', bytes: BYTES, ...form},
      {name: 'Files/b', bytes: Buffer.from('b')},
    ])
  const check = (zip: Buffer, index = 0) =>
    requireLocal(byteSourceOf(zip), readZipDirectory(byteSourceOf(zip), 'x').entry(index), 'x')

  for (const [note, form, start] of [
    ['with sizes', {}, 37],
    ['with a descriptor', {descriptor: 'signed'}, 37],
    ['with a descriptor without a signature', {descriptor: 'bare'}, 37],
    ['with a descriptor of 64 bits', {descriptor: 'wide'}, 37],
    ['with sizes and a descriptor', {descriptor: 'signed', sizesTwice: true}, 37],
    ['with zip64', {isZip64: true}, 57],
    ['with other fields', {localExtra: Buffer.of(9, 0, 1, 0, 5)}, 42],
    ['with hints in one header only', {flags: 0x0806, localFlags: 0}, 37],
    ['with other hints', {flags: 0, localFlags: 0x0806}, 37],
  ] as const)
    it(`leads to its data: ${note}`, () => {
      const zip = make(form)
      assert.equal(check(zip), start)
      assert.equal(zip.toString('latin1', start, start + BYTES.length), BYTES.toString('latin1'))
      assert.ok(check(zip, 1) > start)
    })

  it('may need version 4.5, and no newer', () => {
    for (const [version, isRight] of [
      [45, true],
      [46, false],
    ] as const) {
      const zip = make()
      zip.writeUInt16LE(version, 4)
      if (isRight) assert.equal(check(zip), 37)
      else
        assertThrows(() => check(zip), {code: 'ARCHIVE_CONTRADICTORY', at: {path: 'x', offset: 4}, says: ['Files/a']})
    }
  })

  // Source of the offsets: PKWARE APPNOTE 6.3, section 4.3.7.
  for (const [note, at, value, offset] of [
    ['no signature', 0, 0, 0],
    ['encryption', 6, 1, 6],
    ['a descriptor', 6, 8, 6],
    ['another method', 8, 8, 8],
    ['another CRC', 14, 1, 14],
    ['another packed size', 18, 5, 14],
    ['another size', 22, 5, 14],
    ['no size', 22, 0, 14],
    ['a longer name', 26, 8, 30],
    ['a shorter name', 26, 6, 30],
    ['another name', 33, 0x5858, 30],
    ['data that reach into the next entry', 28, 1, 28],
  ] as const)
    it(`is refused with its place: ${note}`, () => {
      const zip = make()
      zip.writeUInt16LE(value, at)
      assertThrows(() => check(zip), {
        code: 'ARCHIVE_CONTRADICTORY',
        at: {path: 'x', offset},
        says: ['Files/a'],
        advises: true,
      })
    })

  for (const [note, form, at] of [
    ['no signature', 'signed', 0],
    ['another CRC', 'signed', 4],
    ['another packed size', 'signed', 8],
    ['another size', 'signed', 12],
    ['another CRC without a signature', 'bare', 0],
    ['another packed size without a signature', 'bare', 4],
    ['another size without a signature', 'bare', 8],
    ['another packed size in 64 bits', 'wide', 8],
    ['a packed size of more than 32 bits', 'wide', 12],
    ['another size in 64 bits', 'wide', 16],
    ['a size of more than 32 bits', 'wide', 20],
  ] as const)
    it(`is refused for its descriptor: ${note}`, () => {
      const zip = make({descriptor: form})
      const end = 37 + BYTES.length
      zip[end + at]! ^= 0x55
      assertThrows(() => check(zip), {code: 'ARCHIVE_CONTRADICTORY', at: {path: 'x', offset: end}, says: ['Files/a']})
    })

  it('may have a wide descriptor without a signature', () => {
    const wide = make({descriptor: 'wide'})
    const end = 37 + BYTES.length
    const bare = without(wide, end, 4)
    assert.equal(check(bare), 37)
    bare[end + 4]! ^= 1
    assertThrows(() => check(bare), {code: 'ARCHIVE_CONTRADICTORY'})
  })

  it('is refused with a descriptor of another length, or with bytes where none belongs', () => {
    const signed = make({descriptor: 'signed'})
    const end = 37 + BYTES.length
    assertThrows(() => check(without(signed, end, 1)), {code: 'ARCHIVE_CONTRADICTORY', at: {path: 'x', offset: end}})
    const plain = make()
    assertThrows(() => check(withMore(plain, end, 12)), {code: 'ARCHIVE_CONTRADICTORY', at: {path: 'x', offset: end}})
  })

  /** The zip with bytes less or more behind the first entry, and its numbers put right. */
  function without(zip: Buffer, at: number, count: number): Buffer {
    return moved(Buffer.concat([zip.subarray(0, at), zip.subarray(at + count)]), -count)
  }
  function withMore(zip: Buffer, at: number, count: number): Buffer {
    return moved(Buffer.concat([zip.subarray(0, at), Buffer.alloc(count), zip.subarray(at)]), count)
  }
  function moved(zip: Buffer, by: number): Buffer {
    const central = zip.indexOf(Buffer.from('504b0102', 'hex'))
    const second = zip.indexOf(Buffer.from('504b0102', 'hex'), central + 1)
    zip.writeUInt32LE(zip.readUInt32LE(second + 42) + by, second + 42)
    zip.writeUInt32LE(zip.readUInt32LE(zip.length - 6) + by, zip.length - 6)
    return zip
  }
})
