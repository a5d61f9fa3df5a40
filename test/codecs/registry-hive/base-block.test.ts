import assert from 'node:assert/strict'
import {
  baseBlockChecksum,
  decodeBaseBlock,
  encodeBaseBlock,
  findBaseBlock,
  findSealedBlock,
  sealBaseBlock,
} from '../../../src/codecs/registry-hive/base-block.js'
import {faultOf} from '../../helpers/faults.js'
import {sealed} from '../../helpers/hives.js'

const DRAFT = {
  minorVersion: 5,
  rootOffset: 0x20,
  dataBytes: 0x3000,
  lastWritten: 132_000_000_000_000_001n,
  fileName: 'emRoot\\System32\\Config\\SOFTWARE',
  flags: 2,
}

/** A head whose fields all differ. */
const odd = (): Buffer =>
  sealed(encodeBaseBlock({...DRAFT, minorVersion: 4}), {4: 0x81, 8: 0x82, 28: 6, 44: 8, 144: 0x84})

describe('the head of a hive', () => {
  it('gives each field from its place', () => {
    assert.deepEqual(decodeBaseBlock(odd()), {
      primarySequence: 0x81,
      secondarySequence: 0x82,
      lastWritten: DRAFT.lastWritten,
      minorVersion: 4,
      fileType: 6,
      rootOffset: 0x20,
      dataBytes: 0x3000,
      clusteringFactor: 8,
      fileName: DRAFT.fileName,
      flags: 0x84,
      isChecksumValid: true,
    })
  })

  it('is written clean, of version 1 in format 1, and zero elsewhere', () => {
    const block = encodeBaseBlock(DRAFT)
    assert.equal(block.byteLength, 4096)
    const expected = Buffer.alloc(4096)
    expected.write('regf', 0)
    expected.writeUInt32LE(1, 4)
    expected.writeUInt32LE(1, 8)
    expected.writeBigInt64LE(DRAFT.lastWritten, 12)
    expected.writeUInt32LE(1, 20)
    expected.writeUInt32LE(5, 24)
    expected.writeUInt32LE(1, 32)
    expected.writeUInt32LE(0x20, 36)
    expected.writeUInt32LE(0x3000, 40)
    expected.writeUInt32LE(1, 44)
    expected.write(DRAFT.fileName, 48, 'utf16le')
    expected.writeUInt32LE(2, 144)
    expected.writeUInt32LE(baseBlockChecksum(expected), 508)
    assert.ok(block.equals(expected))
  })

  for (const [given, read, note] of [
    ['', '', 'none'],
    ['SYSTEM', 'SYSTEM', 'a short one'],
    ['x'.repeat(31), 'x'.repeat(31), 'as long as there is room'],
    [`${'a'.repeat(10)}${'b'.repeat(31)}`, 'b'.repeat(31), 'only its end of a longer one'],
  ] as const)
    it(`has a name: ${note}`, () => {
      assert.equal(decodeBaseBlock(encodeBaseBlock({...DRAFT, fileName: given})).fileName, read)
    })

  it('may have a name of 32 units, without a NUL', () => {
    const block = encodeBaseBlock(DRAFT)
    block.write('y'.repeat(32), 48, 'utf16le')
    block.write('beyond', 112, 'utf16le')
    assert.equal(decodeBaseBlock(block).fileName, 'y'.repeat(32))
  })

  for (const [words, sum, note] of [
    [[[0, 0x12345678]], 0x12345678, 'the words joined by exclusive or'],
    [
      [
        [0, 0x12345678],
        [504, 0x12345600],
      ],
      0x78,
      'up to the last word before it',
    ],
    [[[508, 5]], 1, 'not itself; none is 1'],
    [[[0, 0xffffffff]], 0xfffffffe, 'all bits is one less'],
    [[[0, 0x80000001]], 0x80000001, 'with its top bit no negative number'],
  ] as const)
    it(`has a checksum: ${note}`, () => {
      const block = Buffer.alloc(512)
      for (const [at, word] of words) block.writeUInt32LE(word, at)
      assert.equal(baseBlockChecksum(block), sum)
    })

  for (const [word, spare, sum, note] of [
    [0x12345678, 0, 0x12345678, 'as it is'],
    [0, 2, 2, 'of no bit, of which hivex expects 0 and Windows 1'],
    [0xffffffff, 2, 0xfffffffd, 'of all bits'],
  ] as const)
    it(`is sealed so that all readers agree on the sum: ${note}`, () => {
      const block = Buffer.alloc(4096)
      block.writeUInt32LE(word, 0)
      sealBaseBlock(block)
      assert.deepEqual([block.readUInt32LE(504), block.readUInt32LE(508)], [spare, sum])
    })

  for (const [note, bytes, code, offset] of [
    ['fewer than 512 bytes', odd().subarray(0, 511), 'HIVE_CORRUPT', 0],
    ['none', Buffer.alloc(0), 'HIVE_CORRUPT', 0],
    ['another signature', Buffer.concat([Buffer.from('Regf'), odd().subarray(4)]), 'HIVE_CORRUPT', 0],
    ['another major version', sealed(odd(), {20: 2}), 'FORMAT_UNSUPPORTED', 20],
    ['another format', sealed(odd(), {32: 0}), 'FORMAT_UNSUPPORTED', 20],
    ['version 1.2', sealed(odd(), {24: 2}), 'FORMAT_UNSUPPORTED', 20],
    ['version 1.7', sealed(odd(), {24: 7}), 'FORMAT_UNSUPPORTED', 20],
  ] as const) {
    it(`is refused: ${note}`, () => {
      assert.deepEqual(
        faultOf(() => decodeBaseBlock(bytes)),
        {code, at: {offset}},
      )
    })

    it(`is not found where it would be refused: ${note}`, () => {
      assert.equal(findBaseBlock(bytes), undefined)
      assert.equal(findSealedBlock(bytes) === undefined, code === 'HIVE_CORRUPT')
    })
  }

  for (const minor of [3, 4, 5, 6])
    it(`is read in version 1.${minor}, by 512 bytes that lie anywhere`, () => {
      const block = sealed(odd(), {24: minor}).subarray(0, 512)
      const inside = Buffer.concat([Buffer.alloc(7, 0xcc), block, Buffer.alloc(9, 0xdd)]).subarray(7, 519)
      for (const bytes of [block, inside, Uint8Array.from(block)])
        for (const found of [decodeBaseBlock(bytes), findSealedBlock(bytes), findBaseBlock(bytes)])
          assert.deepEqual([found?.minorVersion, found?.isChecksumValid], [minor, true])
    })

  it('with a wrong checksum is read, and tells; it is not found', () => {
    const block = odd()
    block.writeUInt32LE(block.readUInt32LE(508) + 1, 508)
    assert.equal(decodeBaseBlock(block).isChecksumValid, false)
    assert.equal(findSealedBlock(block), undefined)
    assert.equal(findBaseBlock(block), undefined)
  })
})
