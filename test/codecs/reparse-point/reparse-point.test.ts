import assert from 'node:assert/strict'
import fc from 'fast-check'
import {decodeReparsePoint} from '../../../src/codecs/reparse-point/decode-reparse-point.js'
import {encodeReparsePoint, findExactLink, findLink} from '../../../src/codecs/reparse-point/encode-reparse-point.js'
import {reparseTagName} from '../../../src/codecs/reparse-point/reparse-tag.js'
import {TransshipError} from '../../../src/model/errors.js'
import {FUZZ_RUNS} from '../../helpers/fuzz.js'

/** Section 7.3 of the transport layout page: what Microsoft's code makes of a junction and of a relative symlink. */
const JUNCTION =
  '030000a02c000000000014001600' + '0c005c003f003f005c0043003a005c0064006900720000' + '0043003a005c006400690072000000'
const SYMLINK =
  '0c0000a034000000000012001400120001000000680065006c006c006f002e007400780074000000680065006c006c006f002e007400780074000000'

describe('reparse points', () => {
  it('encodes the junction of the worked example byte for byte', () => {
    const bytes = encodeReparsePoint({kind: 'junction', target: 'C:\\dir'})
    assert.equal(Buffer.from(bytes).toString('hex'), JUNCTION)
    assert.equal(bytes.byteLength, 52)
  })

  it('encodes the relative symlink of the worked example byte for byte', () => {
    assert.equal(Buffer.from(encodeReparsePoint({kind: 'symlink', target: 'hello.txt'})).toString('hex'), SYMLINK)
  })

  for (const {target, substitute, flags, note} of [
    {target: 'C:\\dir', substitute: '\\??\\C:\\dir', flags: 0, note: 'a drive path gets an NT prefix'},
    {target: 'z:', substitute: '\\??\\z:', flags: 0, note: 'a bare drive is absolute'},
    {target: '\\\\server\\share', substitute: '\\??\\UNC\\server\\share', flags: 0, note: 'UNC goes through UNC'},
    {
      target: '\\\\?\\Volume{1}\\',
      substitute: '\\??\\Volume{1}\\',
      flags: 0,
      note: 'the Win32 prefix becomes the NT one',
    },
    {target: '\\rooted', substitute: '\\rooted', flags: 1, note: 'a rooted path counts as relative'},
    {target: '\\??\\Volume{1}\\', substitute: '\\??\\Volume{1}\\', flags: 1, note: 'an NT path counts as relative'},
    {target: '', substitute: '', flags: 1, note: 'an empty target is encoded as it is'},
  ]) {
    it(`derives ${JSON.stringify(substitute)} from ${JSON.stringify(target)}: ${note}`, () => {
      const point = decodeReparsePoint(encodeReparsePoint({kind: 'symlink', target}))
      assert.ok(point.kind === 'symlink')
      assert.equal(point.substituteName, substitute)
      assert.equal(point.printName, target)
      assert.equal(point.flags, flags)
    })
  }

  for (const {hex, name, guid, note} of [
    {hex: '180000800400000001020304', name: 'WCI', guid: undefined, note: 'a Microsoft tag has its data right away'},
    {hex: '1a300090000000 00'.replace(' ', ''), name: 'CLOUD_3', guid: undefined, note: 'cloud tags are numbered'},
    {
      hex: '07000020' + '0100' + '0000' + '00112233445566778899aabbccddeeff' + '2a',
      name: '0x20000007',
      guid: '{33221100-5544-7766-8899-aabbccddeeff}',
      note: 'a foreign tag has a GUID',
    },
  ]) {
    it(`names ${name}: ${note}`, () => {
      const point = decodeReparsePoint(Buffer.from(hex, 'hex'))
      assert.ok(point.kind === 'other')
      assert.equal(point.name, name)
      assert.equal(point.guid, guid)
    })
  }

  it('names every tag it knows and falls back to hexadecimal', () => {
    assert.equal(reparseTagName(0xa000000c), 'SYMLINK')
    assert.equal(reparseTagName(0x9000001a), 'CLOUD')
    assert.equal(reparseTagName(0x12345678), '0x12345678')
  })

  it('gives back any target that a tar can hold', () => {
    const target = fc
      .string({unit: 'grapheme', minLength: 1})
      .map((text) => text.replaceAll(/[\0/]|\p{Surrogate}/gu, '_'))
    fc.assert(
      fc.property(fc.constantFrom('symlink' as const, 'junction' as const), target, (kind, text) => {
        assert.deepEqual(findExactLink(encodeReparsePoint({kind, target: text})), {kind, target: text})
      }),
      {numRuns: FUZZ_RUNS},
    )
  })

  for (const {change, note} of [
    {change: (b: Buffer) => b.writeUInt16LE(1, 6), note: 'the reserved field is set'},
    {change: (b: Buffer) => b.writeUInt32LE(0, 16), note: 'the relative flag is missing'},
    {change: (b: Buffer) => b.writeUInt16LE(0, 14), note: 'the print name is empty'},
    {change: (b: Buffer) => b.write('/', 40, 'utf16le'), note: 'the print name has a slash'},
    {change: (b: Buffer) => b.writeUInt32LE(0x80000018, 0), note: 'it is no link'},
  ]) {
    it(`tells that a tar cannot carry a buffer in which ${note}`, () => {
      const buffer = Buffer.from(SYMLINK, 'hex')
      change(buffer)
      assert.equal(findExactLink(buffer), undefined)
    })
  }

  it('refuses a buffer that is cut at any length, and gives no link for it', () => {
    for (const hex of [JUNCTION, SYMLINK]) {
      const whole = Buffer.from(hex, 'hex')
      for (let length = 0; length < whole.byteLength; length++) {
        assert.throws(() => decodeReparsePoint(whole.subarray(0, length)), TransshipError, `length ${length}`)
        assert.equal(findLink(whole.subarray(0, length)), undefined)
      }
    }
  })

  it('never fails otherwise on arbitrary bytes behind a known tag', () => {
    fc.assert(
      fc.property(fc.constantFrom('030000a0', '0c0000a0', '18000080', '18000000'), fc.uint8Array(), (tag, rest) => {
        try {
          decodeReparsePoint(Buffer.concat([Buffer.from(tag, 'hex'), rest]))
        } catch (error) {
          assert.ok(error instanceof TransshipError)
        }
      }),
      {numRuns: FUZZ_RUNS},
    )
  })

  it('refuses a target that Windows could not store', () => {
    assert.throws(() => encodeReparsePoint({kind: 'symlink', target: 'x'.repeat(4100)}), {code: 'LIMIT_EXCEEDED'})
  })
})
