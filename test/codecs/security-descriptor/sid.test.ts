import assert from 'node:assert/strict'
import {decodeSid} from '../../../src/codecs/security-descriptor/sid.js'

/** The names of Microsoft's page "SID Strings", for SIDs that are the same on every machine. */
const NAMES =
  'WD 1-0,CO 3-0,CG 3-1,OW 3-4,NU 5-2,IU 5-4,SU 5-6,AN 5-7,ED 5-9,PS 5-10,AU 5-11,RC 5-12,SY 5-18,LS 5-19,NS 5-20,' +
  'BA 5-32-544,BU 5-32-545,BG 5-32-546,PU 5-32-547,AO 5-32-548,SO 5-32-549,PO 5-32-550,BO 5-32-551,RE 5-32-552,' +
  'RU 5-32-554,RD 5-32-555,NO 5-32-556,AC 15-2-1,LW 16-4096,ME 16-8192,MP 16-8448,HI 16-12288,SI 16-16384'

function bytesOf(authority: number, parts: readonly number[]): Buffer {
  const bytes = Buffer.alloc(8 + parts.length * 4)
  bytes.writeUInt8(1, 0)
  bytes.writeUInt8(parts.length, 1)
  bytes.writeUIntBE(authority, 2, 6)
  for (const [index, part] of parts.entries()) bytes.writeUInt32LE(part, 8 + index * 4)
  return bytes
}

function textOf(bytes: Buffer): string {
  const {text, sizeBytes} = decodeSid(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), 0)
  assert.equal(sizeBytes, bytes.byteLength)
  return text
}

describe('SIDs as SDDL writes them', () => {
  for (const row of NAMES.split(',')) {
    const [name = '', sid = ''] = row.split(' ')
    const [authority = 0, ...parts] = sid.split('-').map(Number)
    it(`${name} is S-1-${sid}`, () => {
      assert.equal(textOf(bytesOf(authority, parts)), name)
      // One more part makes another SID, which has no name.
      assert.equal(textOf(bytesOf(authority, [...parts, 7])), `S-1-${sid}-7`)
    })
  }

  for (const [authority, expected] of [
    [2 ** 32 - 1, 'S-1-4294967295-1'],
    [2 ** 32, 'S-1-0x000100000000-1'],
    [2 ** 48 - 1, 'S-1-0xFFFFFFFFFFFF-1'],
  ] as const)
    it(`an authority of ${authority}`, () => {
      assert.equal(textOf(bytesOf(authority, [1])), expected)
    })

  it('have up to 15 parts', () => {
    const parts = Array.from({length: 15}, (_, index) => index)
    assert.equal(textOf(bytesOf(9, parts)), `S-1-9-${parts.join('-')}`)
    assert.throws(() => textOf(bytesOf(9, [...parts, 15])), {code: 'DESCRIPTOR_CORRUPT'})
  })
})
