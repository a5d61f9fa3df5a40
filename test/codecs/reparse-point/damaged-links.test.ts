import assert from 'node:assert/strict'
import {decodeReparsePoint, MAX_REPARSE_DATA_BYTES} from '../../../src/codecs/reparse-point/decode-reparse-point.js'
import {
  encodeReparsePoint,
  findExactLink,
  findLink,
  linkNameToTarget,
} from '../../../src/codecs/reparse-point/encode-reparse-point.js'
import {faultOf} from '../../helpers/faults.js'

const bytesOf = (kind: 'symlink' | 'junction', target = 'C:\\dir'): Buffer =>
  Buffer.from(encodeReparsePoint({kind, target}))
const SYMLINK = bytesOf('symlink')
const JUNCTION = bytesOf('junction')
const with16 = (bytes: Buffer, at: number, value: number) => {
  const copy = Buffer.from(bytes)
  copy.writeUInt16LE(value, at)
  return copy
}
const dataBytes = (bytes: Buffer) => bytes.readUInt16LE(4)

describe('a reparse point that is a link', () => {
  it('gives each of its fields', () => {
    const absolute = {substituteName: '\\??\\C:\\dir', printName: 'C:\\dir', flags: 0}
    assert.deepEqual(decodeReparsePoint(SYMLINK), {kind: 'symlink', tag: 0xa000000c, ...absolute})
    assert.deepEqual(decodeReparsePoint(JUNCTION), {kind: 'junction', tag: 0xa0000003, ...absolute})
    const relative = Buffer.from(SYMLINK)
    relative.writeUInt32LE(0x80000001, 16)
    const point = decodeReparsePoint(relative)
    assert.equal(point.kind === 'symlink' && point.flags, 0x80000001)
  })

  for (const [kind, paths] of [
    ['symlink', 20],
    ['junction', 16],
  ] as const)
    it(`may have its names in any order and place: ${kind}`, () => {
      const bytes = Buffer.alloc(paths + 12, 0x7a)
      SYMLINK.copy(bytes, 0, 0, paths)
      bytes.writeUInt32LE(kind === 'symlink' ? 0xa000000c : 0xa0000003, 0)
      for (const [at, value] of [[4, paths - 8 + 12], [8, 6], [10, 6], [12, 2], [14, 4]] as const) bytes.writeUInt16LE(value, at) // prettier-ignore
      bytes.write('ABabc', paths + 2, 'utf16le')
      const point = decodeReparsePoint(bytes)
      assert.ok(point.kind === kind)
      assert.deepEqual([point.substituteName, point.printName], ['abc', 'AB'])
    })

  it('may have no names, and bytes behind its end', () => {
    for (const [kind, paths] of [
      ['symlink', 20],
      ['junction', 16],
    ] as const) {
      const bytes = with16(with16(with16(bytesOf(kind), 4, paths - 8), 10, 0), 14, 0)
      bytes.writeUInt16LE(0, 12)
      const point = decodeReparsePoint(bytes)
      assert.ok(point.kind === kind)
      assert.deepEqual([point.substituteName, point.printName], ['', ''])
    }
  })

  it('is read where it lies inside other bytes', () => {
    const inside = Buffer.concat([Buffer.alloc(5, 1), JUNCTION, Buffer.alloc(5, 1)]).subarray(
      5,
      5 + JUNCTION.byteLength,
    )
    assert.deepEqual(decodeReparsePoint(inside), decodeReparsePoint(JUNCTION))
  })

  for (const [note, bytes, offset] of [
    ['no head', SYMLINK.subarray(0, 7), 0],
    ['nothing', Buffer.alloc(0), 0],
    ['more data than there is', with16(SYMLINK, 4, dataBytes(SYMLINK) + 1), 4],
    ['too little data for a symlink', with16(SYMLINK, 4, 11), 4],
    ['too little data for a junction', with16(JUNCTION, 4, 7), 4],
    ['a substitute name of an odd length', with16(SYMLINK, 10, 3), 10],
    ['a print name of an odd length', with16(SYMLINK, 14, 3), 14],
    ['a substitute name beyond the end', with16(SYMLINK, 8, 22), 8],
    ['a print name beyond the end', with16(SYMLINK, 14, 16), 12],
    ['a name that begins beyond the end', with16(SYMLINK, 12, 0xfffe), 12],
  ] as const)
    it(`is refused, with the place: ${note}`, () => {
      assert.deepEqual(
        faultOf(() => decodeReparsePoint(bytes)),
        {code: 'REPARSE_CORRUPT', at: {offset}},
      )
      assert.equal(findLink(bytes), undefined)
      assert.equal(findExactLink(bytes), undefined)
    })
})

describe('a reparse point of another kind', () => {
  const microsoft = Buffer.from('18000080040000000102030405', 'hex')
  const foreign = Buffer.from('07000020' + '02000000' + '00112233445566778899aabbccddeeff' + '2a2b2c', 'hex')

  it('gives the data that its head states', () => {
    const point = decodeReparsePoint(microsoft)
    assert.ok(point.kind === 'other')
    assert.deepEqual([point.tag, [...point.data], 'guid' in point], [0x80000018, [1, 2, 3, 4], false])
    const other = decodeReparsePoint(foreign)
    assert.ok(other.kind === 'other')
    assert.deepEqual([other.tag, [...other.data]], [0x20000007, [0x2a, 0x2b]])
  })

  it('has a GUID with all its zeros', () => {
    const bytes = Buffer.concat([
      foreign.subarray(0, 8),
      Buffer.from('01000000020003000405060708090a0b', 'hex'),
      Buffer.alloc(2),
    ])
    const point = decodeReparsePoint(bytes)
    assert.equal(point.kind === 'other' && point.guid, '{00000001-0002-0003-0405-060708090a0b}')
  })

  for (const [note, bytes] of [
    ['of Microsoft', microsoft.subarray(0, 11)],
    ['of another maker', foreign.subarray(0, 25)],
    ['of another maker, in its GUID', foreign.subarray(0, 20)],
  ] as const)
    it(`is refused where it is cut: ${note}`, () => {
      assert.deepEqual(
        faultOf(() => decodeReparsePoint(bytes)),
        {code: 'REPARSE_CORRUPT', at: {offset: 4}},
      )
    })

  it('is no link', () => {
    for (const bytes of [microsoft, foreign])
      assert.deepEqual([findLink(bytes), findExactLink(bytes)], [undefined, undefined])
  })
})

describe('a link that is encoded', () => {
  it('may have just as many bytes as Windows takes', () => {
    for (const [kind, paths] of [
      ['symlink', 20],
      ['junction', 16],
    ] as const) {
      // Both names have a NUL, and a relative target is spelt twice.
      const length = (MAX_REPARSE_DATA_BYTES + 8 - paths - 4) / 4
      assert.ok(Number.isInteger(length))
      const bytes = bytesOf(kind, 'x'.repeat(length))
      assert.equal(bytes.byteLength, MAX_REPARSE_DATA_BYTES + 8)
      assert.equal(dataBytes(bytes), MAX_REPARSE_DATA_BYTES)
      assert.equal(faultOf(() => bytesOf(kind, 'x'.repeat(length + 1))).code, 'LIMIT_EXCEEDED')
    }
  })

  it('is 16 KiB with its head at most', () => {
    assert.equal(MAX_REPARSE_DATA_BYTES, 16 * 1024 - 8)
  })

  it('is found with the name that is shown', () => {
    assert.deepEqual(findLink(SYMLINK), {kind: 'symlink', target: 'C:\\dir'})
    assert.deepEqual(findLink(JUNCTION), {kind: 'junction', target: 'C:\\dir'})
  })

  for (const [target, isExact, note] of [
    ['C:\\dir', true, 'an absolute one'],
    ['..\\x', true, 'a relative one'],
    ['\u{1f600}', true, 'a character of two units'],
    ['\ud83d', false, 'half of one'],
    ['', false, 'none'],
    ['a/b', false, 'with a slash, which becomes a backslash'],
    ['a\0b', false, 'with a NUL'],
    ['x'.repeat(4090), true, 'the longest that Windows takes'],
  ] as const)
    it(`goes through a tar ${isExact ? 'as it is' : 'changed'}: ${note}`, () => {
      assert.deepEqual(findExactLink(bytesOf('symlink', target)), isExact ? {kind: 'symlink', target} : undefined)
    })

  for (const [kind, paths, target] of [
    ['symlink', 20, 'x'.repeat(4091)],
    ['junction', 16, 'x'.repeat(4092)],
    ['symlink', 20, `C:${'x'.repeat(4087)}`],
    ['junction', 16, `C:${'x'.repeat(4088)}`],
    ['symlink', 20, `\\\\${'x'.repeat(4086)}`],
    ['symlink', 20, 'x'.repeat(8000)],
  ] as const)
    it(`is not exact where its name alone is so long that Windows would not take both: ${kind}, ${target.length}`, () => {
      const bytes = Buffer.alloc(paths + target.length * 2)
      bytes.writeUInt32LE(kind === 'symlink' ? 0xa000000c : 0xa0000003, 0)
      bytes.writeUInt16LE(bytes.byteLength - 8, 4)
      bytes.writeUInt16LE(target.length * 2, 14)
      bytes.write(target, paths, 'utf16le')
      assert.deepEqual(findLink(bytes), {kind, target})
      assert.equal(findExactLink(bytes), undefined)
    })

  it('is not exact where more follows its end', () => {
    assert.equal(findExactLink(Buffer.concat([SYMLINK, Buffer.alloc(1)])), undefined)
    assert.deepEqual(findLink(Buffer.concat([SYMLINK, Buffer.alloc(1)])), {kind: 'symlink', target: 'C:\\dir'})
  })

  for (const [name, target] of [
    ['a/b/c', 'a\\b\\c'],
    ['/a', '\\a'],
    ['a\\b', 'a\\b'],
    ['', ''],
  ] as const)
    it(`has backslashes for the slashes of a tar: '${name}'`, () => {
      assert.equal(linkNameToTarget(name), target)
    })
})
