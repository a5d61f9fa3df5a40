import assert from 'node:assert/strict'
import {decodeTombstones, encodeTombstones, findTombstoneLine} from '../../../src/codecs/tombstones/tombstones.js'
import {parseLayerPath} from '../../../src/model/layer-path.js'
import {faultOf} from '../../helpers/faults.js'

const HEAD = '\ufeffVersion 1.0\n'
/** 256 bytes: a backslash, and 85 letters of three bytes each. */
const NAME = `\\${'\u65e5'.repeat(85)}`

describe('lines of tombstones.txt', () => {
  for (const [path, line] of [
    ['Files/a', '\\a'],
    ['Files/a/b c/é', '\\a\\b c\\é'],
    ['files/a', '\\a'],
    ['FILES/A', '\\A'],
    ['Files', undefined],
    ['FILES', undefined],
    ['Filesystem/a', undefined],
    ['Hives/System_Delta', undefined],
    ['UtilityVM/Files/a', undefined],
  ] as const)
    it(`name what lies below Files: ${path}`, () => {
      assert.equal(findTombstoneLine(parseLayerPath(path)), line)
    })

  it('are written one behind the other, or none', () => {
    assert.equal(Buffer.from(encodeTombstones([])).toString(), HEAD)
    const paths = ['Files/b', 'Files/a/c'].map(parseLayerPath)
    assert.equal(Buffer.from(encodeTombstones(new Set(paths))).toString(), `${HEAD}\\b\n\\a\\c\n`)
  })

  for (const [note, text, offset] of [
    ['no mark', 'Version 1.0\n', 0],
    ['half a mark', Buffer.from([0xef, 0xbb]), 0],
    ['no UTF-8, wherever', Buffer.concat([Buffer.from(HEAD), Buffer.from([0x5c, 0xff])]), 0],
    ['nothing behind the mark', '\ufeff', 3],
    ['an empty first line', '\ufeff\nVersion 1.0\n', 3],
    ['another version', '\ufeffVersion 1.00\n', 3],
    ['a first line with a space', '\ufeffVersion 1.0 \n', 3],
    ['an empty line', `${HEAD}\\a\n\n\\b\n`, 18],
    ['a line with a carriage return alone', `${HEAD}\r\n`, 15],
    ['a line without a backslash', `${HEAD}\\a\nb\n`, 18],
    ['a line with a slash', `${HEAD}\\a\n\\b/c\n`, 18],
  ] as const)
    it(`are refused, with the place: ${note}`, () => {
      assert.deepEqual(
        faultOf(() => decodeTombstones(Buffer.from(text as string))),
        {code: 'TOMBSTONES_CORRUPT', at: {offset}},
      )
    })

  it('may have 64 KiB and no more', () => {
    const limit = 64 * 1024
    const file = (more: string) => Buffer.from(`${HEAD}\\a\n${NAME.repeat(limit / 256)}${more}\n`)
    assert.deepEqual(
      faultOf(() => decodeTombstones(file('x'))),
      {code: 'TOMBSTONES_CORRUPT', at: {offset: 18}},
    )
    const found = decodeTombstones(file(''))
    assert.deepEqual([found.length, found[1]?.split('/').length], [2, 1 + limit / 256])
  })

  it('end with either kind of line end, or none, each for itself', () => {
    for (const text of [`${HEAD}\\a\r\n\\b`, `${HEAD}\\a\n\\b\r\n`, `\ufeffVersion 1.0\r\n\\a\n\\b\r`])
      assert.deepEqual(decodeTombstones(Buffer.from(text)), ['Files/a', 'Files/b'])
  })

  it('are read where they lie inside other bytes', () => {
    const file = Buffer.from(`${HEAD}\\a\n`)
    const inside = Buffer.concat([Buffer.alloc(4, 0xff), file, Buffer.alloc(4, 0xff)])
    assert.deepEqual(decodeTombstones(inside.subarray(4, 4 + file.byteLength)), ['Files/a'])
  })
})
