import assert from 'node:assert/strict'
import {comparePaths, foldPath, parseLayerPath} from '../../src/model/layer-path.js'
import {TransshipError} from '../../src/model/errors.js'

describe('layer paths', () => {
  for (const {path, note} of [
    {path: 'Files', note: 'a root'},
    {path: 'Files/Ünïcödé 日本語 😀/.dotfile', note: 'Unicode, spaces and leading dots are ordinary'},
    {path: 'Files/console.txt', note: 'a device name is reserved only as a whole stem'},
    {path: 'Files/com10', note: 'only one digit makes a device'},
    {path: 'Files/CLOCK$', note: 'a device of DOS and Windows 95 alone'},
    {path: 'Files/CONIN', note: 'it is the dollar sign that makes a console'},
    {path: 'Files/COM', note: 'a device needs its digit'},
    {path: 'Files/COM\u2074', note: 'only three superscript digits are digits'},
    {path: 'Files/COM\uff11', note: 'a full-width digit is none'},
    {path: 'Files/ NUL.txt', note: 'spaces in front belong to the name'},
    {path: 'Files/NUL\u00a0.txt', note: 'only the ASCII space is passed over'},
    {path: 'Files/NUL x.txt', note: 'spaces before the dot alone are passed over'},
    {path: 'Files/x.NUL', note: 'an extension is no device'},
    {path: 'Files/nul-.txt', note: 'the whole stem counts'},
  ])
    it(`accepts ${path}: ${note}`, () => {
      assert.equal(parseLayerPath(path), path)
    })

  for (const {path, code, note} of [
    {path: '', code: 'NAME_UNSAFE', note: 'empty'},
    {path: '/Files/a', code: 'NAME_UNSAFE', note: 'absolute'},
    {path: 'Files/../../etc', code: 'NAME_UNSAFE', note: 'traversal'},
    {path: 'Files/./a', code: 'NAME_UNSAFE', note: 'dot component'},
    {path: 'Files//a', code: 'NAME_UNSAFE', note: 'empty component'},
    {path: 'Files/a/', code: 'NAME_UNSAFE', note: 'trailing slash'},
    {path: 'C:/Windows', code: 'NAME_UNSAFE', note: 'drive'},
    {path: 'Files/..\\..\\x', code: 'NAME_UNSAFE', note: 'backslash is a separator on Windows'},
    {path: 'Files/a:b', code: 'NAME_UNSAFE', note: 'alternate stream'},
    {path: 'Files/a\u0000b', code: 'NAME_UNSAFE', note: 'NUL'},
    {path: 'Files/a\ud800', code: 'NAME_UNSAFE', note: 'the first half of a surrogate pair'},
    {path: 'Files/\udc00/x', code: 'NAME_UNSAFE', note: 'the second half of a surrogate pair'},
    {path: 'Files/\udc00\ud800', code: 'NAME_UNSAFE', note: 'halves in the wrong order'},
    {path: 'Files/\ud83d\ud83d\ude00', code: 'NAME_UNSAFE', note: 'half a pair before a whole one'},
    {path: `Files/${'x'.repeat(256)}`, code: 'NAME_UNSAFE', note: 'component too long'},
    {path: 'Files/NUL.txt', code: 'NAME_RESERVED', note: 'device with an extension'},
    {path: 'Files/com1', code: 'NAME_RESERVED', note: 'device in lower case'},
    {path: 'Files/NUL .txt', code: 'NAME_RESERVED', note: 'spaces before the dot are passed over'},
    {path: 'Files/CONIN$ .x', code: 'NAME_RESERVED', note: 'those of a console too'},
    {path: 'Files/nul   .tar.gz', code: 'NAME_RESERVED', note: 'several spaces, two extensions'},
    {path: 'Files/Con.d/x', code: 'NAME_RESERVED', note: 'a folder above'},
    {path: 'Files/com1 .x', code: 'NAME_RESERVED', note: 'a port with spaces'},
    {path: 'Files/CONOUT$', code: 'NAME_RESERVED', note: 'the other end of the console'},
    {path: 'Files/COM\u00b9', code: 'NAME_RESERVED', note: 'superscript one is a digit'},
    {path: 'Files/lpt\u00b2.log', code: 'NAME_RESERVED', note: 'superscript two is a digit'},
    {path: 'Files/LPT\u00b3 .x', code: 'NAME_RESERVED', note: 'superscript three is a digit'},
    {path: 'Files/aux:', code: 'NAME_UNSAFE', note: 'a colon is never in a name'},
    {path: 'Files/PRN.', code: 'NAME_RESERVED', note: 'a device and a trailing dot'},
    {path: 'Files/a .', code: 'NAME_RESERVED', note: 'a trailing dot behind a space'},
    {path: 'Files/dot./x', code: 'NAME_RESERVED', note: 'a folder with a trailing dot'},
    {path: 'Files/dot.', code: 'NAME_RESERVED', note: 'trailing dot'},
    {path: 'Files/space ', code: 'NAME_RESERVED', note: 'trailing space'},
  ])
    it(`refuses ${JSON.stringify(path.slice(0, 40))}: ${note}`, () => {
      assert.throws(
        () => parseLayerPath(path),
        (error) => error instanceof TransshipError && error.code === code && error.exitCode === 3,
      )
    })

  it('orders paths as their UTF-8 bytes, also beyond the surrogates', () => {
    const paths = ['a\uffee', 'a\u{1f600}', 'a', 'b', 'aé', 'A', 'a\ud7ff', 'a\ue000']
    const expected = [...paths].sort((x, y) => Buffer.compare(Buffer.from(x), Buffer.from(y)))
    assert.deepEqual([...paths].sort(comparePaths), expected)
  })

  it('folds names as Windows does, not as JavaScript does', () => {
    assert.equal(foldPath('Files/straße'), 'FILES/STRAßE')
    assert.equal(foldPath('ÿ'), '\u0178')
    assert.equal(foldPath('\u00b5\u1fb3'), '\u00b5\u1fbc')
  })
})
