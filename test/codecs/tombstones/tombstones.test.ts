import assert from 'node:assert/strict'
import fc from 'fast-check'
import {decodeTombstones, encodeTombstones} from '../../../src/codecs/tombstones/tombstones.js'
import {TransshipError} from '../../../src/model/errors.js'
import {parseLayerPath} from '../../../src/model/layer-path.js'
import {FUZZ_RUNS} from '../../helpers/fuzz.js'

const HEAD = '\ufeffVersion 1.0'

describe('tombstones.txt', () => {
  it('writes the 29 bytes of the worked example', () => {
    assert.equal(
      Buffer.from(encodeTombstones([parseLayerPath('Files/dir/gone.txt')])).toString('hex'),
      'efbbbf56657273696f6e20312e300a5c6469725c676f6e652e7478740a',
    )
  })

  for (const {text, paths, note} of [
    {text: `${HEAD}\n`, paths: [], note: 'a layer that deletes nothing'},
    {text: HEAD, paths: [], note: 'no line end at all'},
    {text: `${HEAD}\n\\a\n\\b\\c`, paths: ['Files/a', 'Files/b/c'], note: 'the last line end is missing'},
    {text: `${HEAD}\r\n\\a\r\n\\日本\r\n`, paths: ['Files/a', 'Files/日本'], note: 'CRLF'},
    {text: `${HEAD}\n\\a\n\\a\n`, paths: ['Files/a', 'Files/a'], note: 'duplicates stay'},
  ])
    it(`reads ${JSON.stringify(text)}: ${note}`, () => {
      assert.deepEqual(decodeTombstones(Buffer.from(text)), paths)
    })

  for (const {bytes, code, note} of [
    {bytes: Buffer.from('Version 1.0\n'), code: 'TOMBSTONES_CORRUPT', note: 'no byte order mark'},
    {bytes: Buffer.alloc(0), code: 'TOMBSTONES_CORRUPT', note: 'empty file'},
    {bytes: Buffer.from('\ufeff'), code: 'TOMBSTONES_CORRUPT', note: 'no version line'},
    {bytes: Buffer.from('\ufeffVersion 2.0\n'), code: 'TOMBSTONES_CORRUPT', note: 'another version'},
    {bytes: Buffer.from(`${HEAD}\n\n`), code: 'TOMBSTONES_CORRUPT', note: 'an empty line makes Go panic'},
    {bytes: Buffer.from(`${HEAD}\na\\b\n`), code: 'TOMBSTONES_CORRUPT', note: 'no leading backslash'},
    {bytes: Buffer.from(`${HEAD}\n\\a/b\n`), code: 'TOMBSTONES_CORRUPT', note: 'a slash separates on Windows too'},
    {bytes: Buffer.from(`${HEAD}\n\\${'x'.repeat(70000)}\n`), code: 'TOMBSTONES_CORRUPT', note: 'a line over 64 KiB'},
    {bytes: Buffer.from(`${HEAD}\n\\\xff\n`, 'latin1'), code: 'TOMBSTONES_CORRUPT', note: 'no UTF-8'},
    {bytes: Buffer.from(`${HEAD}\n\\..\\x\n`), code: 'NAME_UNSAFE', note: 'escapes upwards'},
    {bytes: Buffer.from(`${HEAD}\n\\\\server\\x\n`), code: 'NAME_UNSAFE', note: 'a network path'},
    {bytes: Buffer.from(`${HEAD}\n\\C:\\x\n`), code: 'NAME_UNSAFE', note: 'a drive'},
    {bytes: Buffer.from(`${HEAD}\n\\a\\\n`), code: 'NAME_UNSAFE', note: 'a trailing backslash'},
    {bytes: Buffer.from(`${HEAD}\n\\a\rb\n`), code: 'NAME_UNSAFE', note: 'a carriage return inside'},
    {bytes: Buffer.from(`${HEAD}\n\\NUL\n`), code: 'NAME_RESERVED', note: 'a device'},
  ])
    it(`refuses ${JSON.stringify(bytes.toString('latin1').slice(0, 40))}: ${note}`, () => {
      assert.throws(() => decodeTombstones(bytes), {code})
    })

  it('refuses to write a deletion that the file cannot name', () => {
    assert.throws(() => encodeTombstones([parseLayerPath('Hives/System_Delta')]), {code: 'NAME_UNSAFE'})
  })

  it('reads back what it writes', () => {
    const path = fc
      .array(fc.constantFrom('a', 'Ünï', '日本', '😀', 'x y', '.wh'), {minLength: 1, maxLength: 5})
      .map((parts) => parseLayerPath(`Files/${parts.join('/')}`))
    fc.assert(
      fc.property(fc.array(path), (paths) => {
        assert.deepEqual(decodeTombstones(encodeTombstones(paths)), paths)
      }),
      {numRuns: FUZZ_RUNS},
    )
  })

  it('is refused or read, never worse, when cut or altered', () => {
    const whole = Buffer.from(encodeTombstones([parseLayerPath('Files/é/b'), parseLayerPath('Files/c')]))
    fc.assert(
      fc.property(fc.nat(whole.byteLength), fc.nat(whole.byteLength - 1), fc.nat(255), (length, where, byte) => {
        const bytes = Buffer.from(whole)
        bytes[where] = byte
        try {
          decodeTombstones(bytes.subarray(0, length))
        } catch (error) {
          assert.ok(error instanceof TransshipError)
        }
      }),
      {numRuns: FUZZ_RUNS},
    )
  })
})
