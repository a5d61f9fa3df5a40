import assert from 'node:assert/strict'
import {decodeReparsePoint} from '../../../src/codecs/reparse-point/decode-reparse-point.js'
import {ReparseTag} from '../../../src/codecs/reparse-point/reparse-tag.js'
import {encodeReparseBuffer, rootedOnC} from '../../../src/transports/wim/reparse-buffer.js'

const REPARSE = {reserved: 0, isNotFixed: false, hash: ''}

/** The data of a link as a WIM keeps them: print name first, so that no offset is 0 by chance. */
function linkData(
  tag: number,
  names: {readonly substitute: string; readonly print: string; readonly flags?: number},
): Buffer {
  const [print, substitute] = [Buffer.from(names.print, 'utf16le'), Buffer.from(names.substitute, 'utf16le')]
  const head = Buffer.alloc(tag === ReparseTag.symlink ? 12 : 8)
  head.writeUInt16LE(print.byteLength, 0)
  head.writeUInt16LE(substitute.byteLength, 2)
  head.writeUInt16LE(0, 4)
  head.writeUInt16LE(print.byteLength, 6)
  if (tag === ReparseTag.symlink) head.writeUInt32LE(names.flags ?? 0, 8)
  return Buffer.concat([head, print, substitute])
}

describe('links of Windows image files that were fixed when captured', () => {
  for (const {substitute, print, tag = ReparseTag.symlink, flags = 0, becomes, note} of [
    {
      substitute: '\\??\\X:\\dir',
      print: 'X:\\dir',
      becomes: ['\\??\\C:\\dir', 'C:\\dir'],
      note: 'the drive stands for the root of the tree',
    },
    {
      substitute: '\\??\\X:\\dir',
      print: 'X:\\dir',
      tag: ReparseTag.mountPoint,
      becomes: ['\\??\\C:\\dir', 'C:\\dir'],
      note: 'a junction has no flags',
    },
    {
      substitute: '\\??\\d:',
      print: '\\??\\d:',
      becomes: ['\\??\\C:', '\\??\\C:'],
      note: 'the root itself, and a print name in the form of NT',
    },
    {
      substitute: '\\??\\X:\\dir',
      print: 'shown',
      becomes: ['\\??\\C:\\dir', 'shown'],
      note: 'a print name may say anything',
    },
    {
      substitute: '..\\X:\\dir',
      print: 'X:\\dir',
      flags: 1,
      becomes: undefined,
      note: 'a relative link is never touched',
    },
    {
      substitute: '\\??\\Volume{11111111-2222-3333-4444-555555555555}\\',
      print: '',
      tag: ReparseTag.mountPoint,
      becomes: undefined,
      note: 'a volume is none of the tree',
    },
    {substitute: '\\??\\UNC\\server\\share', print: '\\\\server\\share', becomes: undefined, note: 'nor is a share'},
    {substitute: '\\??\\XY:\\dir', print: 'XY:\\dir', becomes: undefined, note: 'a drive has one letter'},
  ])
    it(`${substitute}: ${note}`, () => {
      const buffer = encodeReparseBuffer({...REPARSE, tag}, linkData(tag, {substitute, print, flags}))
      const fixed = rootedOnC(buffer)
      const point = decodeReparsePoint(fixed)
      assert.ok(point.kind !== 'other')
      assert.deepEqual([point.substituteName, point.printName], becomes ?? [substitute, print])
      assert.equal(fixed.byteLength, buffer.byteLength)
      if (becomes === undefined) assert.deepEqual(fixed, buffer)
    })

  it('a tag of another vendor has its GUID outside the length, and must have one', () => {
    const data = Buffer.alloc(20, 7)
    const buffer = encodeReparseBuffer({...REPARSE, tag: 0x1234}, data)
    assert.equal(buffer.readUInt16LE(4), 4)
    assert.deepEqual(buffer.subarray(8), data)
    assert.throws(() => encodeReparseBuffer({...REPARSE, tag: 0x1234}, data.subarray(0, 15)), {code: 'REPARSE_CORRUPT'})
  })
})
