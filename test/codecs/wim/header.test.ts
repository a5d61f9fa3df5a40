import assert from 'node:assert/strict'
import {
  decodeHeader,
  HEADER_BYTES,
  HeaderFlag,
  isPipable,
  isWim,
  requireChunkSize,
} from '../../../src/codecs/wim/header.js'

const {compression, xpress, lzx, lzms, xpress2, spanned} = HeaderFlag

/** A header that is whole, with numbers that are all different. Source: wimlib header.h. */
function headerOf(change: (bytes: Buffer) => void = () => undefined): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES)
  bytes.write('MSWIM\0\0\0', 'latin1')
  bytes.writeUInt32LE(HEADER_BYTES, 8)
  bytes.writeUInt32LE(0x10d00, 12)
  bytes.writeUInt32LE(compression | lzx, 16)
  bytes.writeUInt32LE(32768, 20)
  bytes.write('00112233445566778899aabbccddeeff', 24, 'hex')
  bytes.writeUInt16LE(2, 40)
  bytes.writeUInt16LE(3, 42)
  bytes.writeUInt32LE(5, 44)
  for (const [index, at] of [48, 72, 96, 124].entries()) {
    bytes.writeUInt8(10 + index, at)
    bytes.writeUInt8(20 + index, at + 7)
    bytes.writeUInt8(30 + index, at + 8)
    bytes.writeUInt8(40 + index, at + 16)
  }
  bytes.writeUInt32LE(4, 120)
  change(bytes)
  return bytes
}

const resource = (index: number) => ({
  size: 10 + index,
  flags: 20 + index,
  offset: 30 + index,
  originalSize: 40 + index,
})

describe('the header of a Windows image file', () => {
  it('gives every field', () => {
    assert.deepEqual(decodeHeader(headerOf()), {
      version: 0x10d00,
      flags: compression | lzx,
      compression: 'lzx',
      chunkSize: 32768,
      guid: '00112233445566778899aabbccddeeff',
      partNumber: 2,
      totalParts: 3,
      imageCount: 5,
      blobTable: resource(0),
      xml: resource(1),
      bootMetadata: resource(2),
      bootIndex: 4,
      integrity: resource(3),
      isPipable: false,
    })
  })

  for (const [note, flags, version, expected] of [
    ['no flag of compression', spanned | lzx, 0x10d00, 'none'],
    ['LZX', compression | lzx, 0x10d00, 'lzx'],
    ['XPRESS', compression | xpress, 0x10d00, 'xpress'],
    ['XPRESS of the second kind', compression | xpress2, 0x10d00, 'xpress'],
    ['LZMS in a file of its version', compression | lzms, 0xe00, 'lzms'],
  ] as const)
    it(`names its compression: ${note}`, () => {
      const bytes = headerOf((header) => {
        header.writeUInt32LE(flags, 16)
        header.writeUInt32LE(version, 12)
      })
      assert.equal(decodeHeader(bytes).compression, expected)
    })

  it('of a file for pipes', () => {
    const bytes = headerOf((header) => header.write('WLPWM', 'latin1'))
    assert.equal(isPipable(bytes), true)
    assert.equal(decodeHeader(bytes).isPipable, true)
    assert.equal(isPipable(bytes.subarray(0, 7)), false)
  })

  for (const [code, note, change] of [
    ['UNRECOGNISED_FORMAT', 'another magic', (bytes) => bytes.write('N', 0)],
    ['UNRECOGNISED_FORMAT', 'no size behind the magic', (bytes) => bytes.writeUInt32LE(0, 8)],
    ['FORMAT_UNSUPPORTED', 'the version of the first WIM files', (bytes) => bytes.writeUInt32LE(0x10b00, 12)],
    ['ARCHIVE_CORRUPT', 'another size of the header', (bytes) => bytes.writeUInt32LE(207, 8)],
    ['ARCHIVE_CORRUPT', 'compression without a name', (bytes) => bytes.writeUInt32LE(compression, 16)],
    ['ARCHIVE_CORRUPT', 'LZMS in an older version', (bytes) => bytes.writeUInt32LE(compression | lzms, 16)],
    ['ARCHIVE_CORRUPT', 'a chunk size that LZX cannot have', (bytes) => bytes.writeUInt32LE(32767, 20)],
    ['ARCHIVE_CORRUPT', 'part 0', (bytes) => bytes.writeUInt16LE(0, 40)],
    ['ARCHIVE_CORRUPT', 'part 4 of 3', (bytes) => bytes.writeUInt16LE(4, 40)],
    ['ARCHIVE_CORRUPT', '65,536 images', (bytes) => bytes.writeUInt32LE(0x10000, 44)],
    ['ARCHIVE_CORRUPT', 'a table beyond 2^53', (bytes) => bytes.writeUInt8(0x20, 48 + 6)],
    ['ARCHIVE_CORRUPT', 'a table at 2^53', (bytes) => bytes.writeBigUInt64LE(2n ** 53n, 48 + 8)],
    ['ARCHIVE_CORRUPT', 'a table of 2^53 bytes', (bytes) => bytes.writeBigUInt64LE(2n ** 53n, 48 + 16)],
  ] as const satisfies readonly (readonly [string, string, (bytes: Buffer) => unknown])[])
    it(`is refused with ${code}: ${note}`, () => {
      assert.throws(() => decodeHeader(headerOf(change)), {code})
    })

  it('takes the last part, 65,535 images, and the largest table', () => {
    const header = decodeHeader(
      headerOf((bytes) => {
        bytes.writeUInt16LE(3, 40)
        bytes.writeUInt32LE(0xffff, 44)
        bytes.writeUInt8(0x1f, 48 + 6)
        bytes.writeBigUInt64LE(2n ** 53n - 1n, 48 + 8)
      }),
    )
    assert.equal(header.partNumber, 3)
    assert.equal(header.imageCount, 0xffff)
    assert.equal(header.blobTable.size, 0x1f * 2 ** 48 + 10)
    assert.equal(header.blobTable.offset, Number.MAX_SAFE_INTEGER)
  })

  for (const [note, bytes, expected] of [
    ['a whole header', headerOf(), true],
    ['its first 12 bytes', headerOf().subarray(0, 12), true],
    ['its first 11 bytes', headerOf().subarray(0, 11), false],
    ['a tar whose first file is called so', Buffer.concat([Buffer.from('MSWIM'), Buffer.alloc(507)]), false],
    ['nothing', Buffer.alloc(0), false],
  ] as const)
    it(`is ${expected ? '' : 'not '}known by ${note}`, () => {
      assert.equal(isWim(bytes), expected)
    })
})

describe('the size of chunks', () => {
  for (const [name, least, most] of [
    ['xpress', 12, 16],
    ['lzx', 15, 21],
    ['lzms', 15, 30],
  ] as const)
    it(`of ${name}: powers of two, 2^${least} to 2^${most}`, () => {
      for (let exponent = least; exponent <= most; exponent++) requireChunkSize(name, 2 ** exponent)
      for (const size of [0, 2 ** (least - 1), 2 ** (most + 1), 2 ** least + 1])
        assert.throws(
          () => {
            requireChunkSize(name, size)
          },
          {code: 'ARCHIVE_CORRUPT'},
        )
    })

  it('does not matter without compression', () => {
    requireChunkSize('none', 0)
    requireChunkSize('none', 12_345)
  })
})
