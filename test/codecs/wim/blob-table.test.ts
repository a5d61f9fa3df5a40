import assert from 'node:assert/strict'
import {BlobTableReader, TABLE_ENTRY_BYTES} from '../../../src/codecs/wim/blob-table.js'
import {assertThrows} from '../../helpers/told.js'

const [FREE, METADATA, COMPRESSED, SOLID] = [1, 2, 4, 16] as const
const [PLAIN_VERSION, SOLID_VERSION] = [0x10d00, 0xe00] as const
/** The original size that marks a resource of a solid run. */
const RESOURCE = 2 ** 32
const hash = (digit: string) => digit.repeat(40)

interface Row {
  readonly size?: number
  readonly flags?: number
  readonly offset?: number
  readonly originalSize?: number
  readonly part?: number
  readonly references?: number
  readonly hash?: string
}

function entryOf({
  size = 10,
  flags = 0,
  offset = 300,
  originalSize = size,
  part = 1,
  references = 1,
  hash: sum = hash('a'),
}: Row): Buffer {
  const bytes = Buffer.alloc(TABLE_ENTRY_BYTES)
  bytes.writeUIntLE(size, 0, 6)
  bytes.writeUInt8(flags, 7)
  bytes.writeBigUInt64LE(BigInt(offset), 8)
  bytes.writeBigUInt64LE(BigInt(originalSize), 16)
  bytes.writeUInt16LE(part, 24)
  bytes.writeUInt32LE(references, 26)
  bytes.write(sum, 30, 'hex')
  return bytes
}

function read(rows: readonly Row[], {version = PLAIN_VERSION}: {readonly version?: number} = {}) {
  const [part, fileSize] = [1, 1000]
  const reader = new BlobTableReader()
  reader.add(Buffer.concat(rows.map(entryOf)), {part, version, fileSize})
  return reader.table
}

const header = (size: number, flags = 0, offset = 300, originalSize = size) => ({size, flags, offset, originalSize})

describe('the table of contents of a Windows image file', () => {
  it('has contents by their hash, and images in order', () => {
    const {images, blobs} = read([
      {hash: hash('b'), flags: METADATA},
      {hash: hash('a'), size: 5, flags: COMPRESSED, originalSize: 50},
      {hash: hash('c'), flags: METADATA | COMPRESSED, originalSize: 99},
    ])
    assert.deepEqual(images, [
      {hash: hash('b'), sizeBytes: 10, part: 1, header: header(10, METADATA)},
      {hash: hash('c'), sizeBytes: 99, part: 1, header: header(10, METADATA | COMPRESSED, 300, 99)},
    ])
    assert.deepEqual(
      [...blobs],
      [[hash('a'), {hash: hash('a'), sizeBytes: 50, part: 1, header: header(5, COMPRESSED, 300, 50)}]],
    )
  })

  it('has nothing in it to begin with', () => {
    assert.deepEqual(read([]), {images: [], blobs: new Map()})
  })

  it('leaves out what is free, empty, without a hash, or there already', () => {
    const {images, blobs} = read([
      {hash: hash('1'), flags: FREE, part: 9},
      {hash: hash('2'), size: 0},
      {hash: hash('0')},
      {hash: hash('3'), size: 4},
      {hash: hash('3'), size: 7},
      {hash: hash('4'), flags: METADATA, references: 0},
    ])
    assert.deepEqual([images, [...blobs.keys()], blobs.get(hash('3'))?.sizeBytes], [[], [hash('3')], 4])
  })

  it('has images without a hash, and those of references of any number', () => {
    const {images} = read([
      {hash: hash('0'), flags: METADATA},
      {hash: hash('5'), flags: METADATA, references: 2},
    ])
    assert.deepEqual(
      images.map((image) => image.hash),
      ['', hash('5')],
    )
  })

  it('is gathered over all parts, the first of equal ones first', () => {
    const reader = new BlobTableReader()
    reader.add(entryOf({part: 1}), {part: 1, version: PLAIN_VERSION, fileSize: 1000})
    reader.add(Buffer.concat([entryOf({part: 2}), entryOf({part: 2, hash: hash('b')})]), {
      part: 2,
      version: PLAIN_VERSION,
      fileSize: 1000,
    })
    assert.deepEqual([...reader.table.blobs.values()].map(({hash: sum, part}) => [sum[0], part]), [['a', 1], ['b', 2]]) // prettier-ignore
  })

  it('has solid runs, each with its resources', () => {
    const solid = {flags: SOLID | COMPRESSED}
    const {blobs} = read(
      [
        {...solid, originalSize: RESOURCE, size: 100, offset: 208},
        {...solid, originalSize: RESOURCE, size: 50, offset: 308},
        {...solid, originalSize: 0, size: 7, offset: 0, hash: hash('1')},
        {...solid, originalSize: 0, size: 9, offset: 7, hash: hash('2')},
        {hash: hash('3')},
        {...solid, originalSize: RESOURCE, size: 60, offset: 400},
        {...solid, originalSize: 0, size: 8, offset: 0, hash: hash('4')},
      ],
      {version: SOLID_VERSION},
    )
    const told = [...blobs.values()].map(({hash: sum, sizeBytes, header: {offset}, run}) => [
      sum[0],
      sizeBytes,
      offset,
      run?.resources.map((resource) => [resource.part, resource.header.offset]),
    ])
    const first = [[1, 208], [1, 308]] // prettier-ignore
    assert.deepEqual(told, [
      ['1', 7, 0, first],
      ['2', 9, 7, first],
      ['3', 10, 300, undefined],
      ['4', 8, 0, [[1, 400]]],
    ])
    assert.equal(blobs.get(hash('1'))?.run, blobs.get(hash('2'))?.run)
  })

  it('has no solid runs in a file of the older version', () => {
    const {blobs} = read([{flags: SOLID | COMPRESSED, originalSize: 20}])
    assert.equal(blobs.get(hash('a'))?.run, undefined)
  })

  for (const [note, rows, code, version] of [
    ['an entry of another part', [{part: 2}], 'ARCHIVE_CORRUPT', PLAIN_VERSION],
    ['an entry past the end', [{offset: 995, size: 6}], 'ARCHIVE_TRUNCATED', PLAIN_VERSION],
    ['an entry in the header', [{offset: 207}], 'ARCHIVE_CORRUPT', PLAIN_VERSION],
    ['two sizes of what is not compressed', [{originalSize: 11}], 'ARCHIVE_CORRUPT', PLAIN_VERSION],
    ['metadata in a solid run', [{flags: SOLID | METADATA, originalSize: 0}], 'ARCHIVE_CORRUPT', SOLID_VERSION],
    [
      'a solid resource past the end',
      [{flags: SOLID, originalSize: RESOURCE, offset: 995, size: 6}],
      'ARCHIVE_TRUNCATED',
      SOLID_VERSION,
    ],
  ] as const)
    it(`is refused with ${code}: ${note}`, () => {
      assertThrows(() => read(rows, {version}), {code, advises: true})
    })

  it('may have an entry right behind the header, and one up to the end, and one of no bytes anywhere', () => {
    assert.equal(
      read([{offset: 208}, {offset: 990, hash: hash('b')}, {offset: 0, size: 0, hash: hash('c')}]).blobs.size,
      2,
    )
  })

  it('is refused unless it has whole entries', () => {
    const reader = new BlobTableReader()
    const facts = {part: 1, version: PLAIN_VERSION, fileSize: 1000}
    for (const length of [1, 49, 51])
      assertThrows(
        () => {
          reader.add(Buffer.alloc(length), facts)
        },
        {code: 'ARCHIVE_CORRUPT', says: [length]},
      )
    assertThrows(() => read([{}, {part: 3}]), {code: 'ARCHIVE_CORRUPT', says: ['Entry 1', 'part 3']})
  })
})
