import assert from 'node:assert/strict'
import {findPaxRecords, formatPaxRecord, SPARSE_MAP} from '../../../src/codecs/tar/pax.js'

const read = (text: string | Buffer) => findPaxRecords(Buffer.from(text as string, 'latin1'))
const record = (key: string, value: string) => formatPaxRecord(key, value)

describe('PAX records', () => {
  for (const [title, text, expected] of [
    ['the shortest record', '5 a=\n', {a: ''}],
    ['an equals sign in a value', '8 a=b=c\n', {a: 'b=c'}],
    ['a line break in a value', '8 a=b\nc\n', {a: 'b\nc'}],
    ['a length of ten digits', '0000000015 a=b\n', {a: 'b'}],
    ['a later record of the same key', '6 a=b\n6 a=c\n', {a: 'c'}],
    ['a NUL in a value that is no text', record('SCHILY.xattr.x', 'a\0b'), {'SCHILY.xattr.x': 'a\0b'}],
    ['nothing', '', {}],
    [
      'the repeated keys of a sparse file',
      record('GNU.sparse.offset', '0') + record('GNU.sparse.numbytes', '5') + record('GNU.sparse.offset', '9'),
      {[SPARSE_MAP]: '0,5,9'},
    ],
  ] as const)
    it(`are read: ${title}`, () => {
      assert.deepEqual(Object.fromEntries(read(text) ?? []), expected)
    })

  for (const [title, text] of [
    ['no key', '4 =\n'],
    ['a length of eleven digits', '00000000016 a=b\n'],
    ['a length that is no number', '6x a=b\n'],
    ['no length', ' a=b\n'],
    ['no space', '6a=b\n'],
    ['a length beyond the end', '7 a=b\n'],
    ['a length that ends inside a record', '5 a=b\n'],
    ['no equals sign', '5 ab\n'],
    ['an equals sign in the next record', '5 ab\n6 a=b\n'],
    ['a NUL in a key', record('a\0b', 'c')],
    ...['path', 'linkpath', 'uname', 'gname'].map((key) => [`a NUL in ${key}`, record(key, 'a\0b')] as const),
    ['bytes of a sparse file before their offset', record('GNU.sparse.numbytes', '5')],
    ['two offsets of a sparse file', record('GNU.sparse.offset', '1') + record('GNU.sparse.offset', '2')],
    ['two numbers in one offset', record('GNU.sparse.offset', '1,2')],
  ] as const)
    it(`are refused: ${title}`, () => {
      assert.equal(read(text), undefined)
    })

  it('are written with a length that counts its own digits', () => {
    for (let length = 0; length < 1200; length++) {
      const text = record('key', 'x'.repeat(length))
      assert.equal(Number.parseInt(text, 10), text.length)
      assert.deepEqual(read(text)?.get('key')?.length, length)
    }
  })
})
