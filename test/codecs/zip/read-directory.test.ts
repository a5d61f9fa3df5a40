import assert from 'node:assert/strict'
import {crc32} from 'node:zlib'
import {byteSourceOf} from '../../../src/codecs/backup-stream/byte-source.js'
import {readZipDirectory, type PlacedEntry} from '../../../src/codecs/zip/read-directory.js'
import {
  encodeCentralEntry,
  encodeEnd,
  encodeLocalHeader,
  STORED,
  type ZipEntry,
} from '../../../src/codecs/zip/zip-records.js'
import {TransshipError} from '../../../src/model/errors.js'
import {zipOf, type ZipMember} from '../../helpers/zip-writer.js'

const MEMBERS: readonly ZipMember[] = [
  {name: 'Files/a.txt', bytes: Buffer.from('first')},
  {name: 'Files/b.txt', bytes: Buffer.alloc(3000, 'second'), isDeflated: true},
  {name: 'Files/c.txt', bytes: Buffer.from('third, with a descriptor'), descriptor: 'wide'},
]
const PLAIN = zipOf(MEMBERS)

/** The same files as this program writes them: with a zip64 end record. */
function wideZip(): Buffer {
  const locals: Buffer[] = []
  const centrals: Buffer[] = []
  let offset = 0
  for (const {name, bytes} of MEMBERS.slice(0, 1)) {
    const entry: Omit<ZipEntry, 'offset'> = {
      name,
      method: STORED,
      flags: 0,
      crc: crc32(bytes),
      packedBytes: bytes.length,
      sizeBytes: bytes.length,
    }
    const local = Buffer.concat([encodeLocalHeader(entry), bytes])
    centrals.push(encodeCentralEntry({...entry, offset}))
    locals.push(local)
    offset += local.length
  }
  const sizeBytes = Buffer.concat(centrals).length
  return Buffer.concat([...locals, ...centrals, encodeEnd({entries: centrals.length, offset, sizeBytes})])
}

const WIDE = wideZip()

function entriesOf(zip: Uint8Array): readonly PlacedEntry[] {
  return [...readZipDirectory(byteSourceOf(zip), 'it').entries()]
}

/** Where the records of a zip lie. */
function placesOf(zip: Buffer): {end: number; locator: number; end64: number; central: number} {
  const end = zip.length - 22
  const central = zip.indexOf(Buffer.from('504b0102', 'hex'))
  return {end, locator: end - 20, end64: end - 76, central}
}

interface Damage {
  readonly title: string
  readonly zip: Buffer
  /** From one of the records, and its width in bytes. */
  readonly at: readonly [record: 'end' | 'locator' | 'end64' | 'central', offset: number, width: 1 | 2 | 4 | 8]
  readonly value: number
  readonly code?: string
  readonly why: RegExp
}

// Source of the offsets: PKWARE APPNOTE 6.3, sections 4.3.12, 4.3.14, 4.3.15 and 4.3.16.
const DAMAGES: readonly Damage[] = [
  {title: 'no end record', zip: PLAIN, at: ['end', 0, 4], value: 0, code: 'ARCHIVE_TRUNCATED', why: /end with an end/},
  {title: 'a comment', zip: PLAIN, at: ['end', 20, 2], value: 1, why: /comment/},
  {title: 'a second disk', zip: PLAIN, at: ['end', 4, 2], value: 1, why: /several disks/},
  {title: 'a directory on a second disk', zip: PLAIN, at: ['end', 6, 2], value: 1, why: /several disks/},
  {title: 'other entries on this disk', zip: PLAIN, at: ['end', 8, 2], value: 2, why: /two different numbers/},
  {title: 'a directory that is longer', zip: PLAIN, at: ['end', 12, 4], value: 999, why: /does not end where/},
  {title: 'a directory that begins elsewhere', zip: PLAIN, at: ['end', 16, 4], value: 7, why: /does not end where/},
  {title: 'a damaged entry', zip: PLAIN, at: ['central', 0, 4], value: 0, why: /Entry 0 .* is damaged/},
  {title: 'a newer version', zip: PLAIN, at: ['central', 6, 2], value: 46, why: /newer version/},
  {title: 'encryption', zip: PLAIN, at: ['central', 8, 2], value: 1, why: /encrypted/},
  {title: 'an unknown flag', zip: PLAIN, at: ['central', 8, 2], value: 0x2000, why: /unknown flag/},
  {title: 'a method that is neither', zip: PLAIN, at: ['central', 10, 2], value: 12, why: /neither stored/},
  {title: 'an entry behind the file', zip: PLAIN, at: ['central', 42, 4], value: 2 ** 31, code: 'ARCHIVE_TRUNCATED', why: /past its own end/}, // prettier-ignore
  {title: 'packed bytes behind the file', zip: PLAIN, at: ['central', 20, 4], value: 2 ** 31, code: 'ARCHIVE_TRUNCATED', why: /past its own end/}, // prettier-ignore
  {title: 'an entry in the one before', zip: PLAIN, at: ['central', 20, 4], value: 50, why: /overlaps/},
  {title: 'a hole in front', zip: PLAIN, at: ['central', 42, 4], value: 1, why: /overlaps another entry or leaves/},
  {title: 'a name behind the directory', zip: PLAIN, at: ['central', 28, 2], value: 0xffff, why: /cut off/},
  {title: 'a comment of an entry', zip: PLAIN, at: ['central', 32, 2], value: 1, why: /comment/},
  {title: 'an entry on another disk', zip: PLAIN, at: ['central', 34, 2], value: 1, why: /another disk/},
  {title: 'a zip64 end record on a second disk', zip: WIDE, at: ['locator', 4, 4], value: 1, why: /several disks/},
  {title: 'two disks', zip: WIDE, at: ['locator', 16, 4], value: 2, why: /several disks/},
  {title: 'a locator to somewhere else', zip: WIDE, at: ['locator', 8, 8], value: 5, why: /locator points/},
  {title: 'no zip64 end record', zip: WIDE, at: ['end64', 0, 4], value: 0, why: /zip64 end record is damaged/},
  {title: 'a longer zip64 end record', zip: WIDE, at: ['end64', 4, 8], value: 45, why: /zip64 end record is damaged/},
  {title: 'a second disk in 64 bits', zip: WIDE, at: ['end64', 16, 4], value: 1, why: /several disks/},
  {title: 'a directory on a second disk in 64 bits', zip: WIDE, at: ['end64', 20, 4], value: 1, why: /several disks/},
  {title: 'other entries on this disk in 64 bits', zip: WIDE, at: ['end64', 24, 8], value: 2, why: /two different/},
  {title: 'a longer directory in 64 bits', zip: WIDE, at: ['end64', 40, 8], value: 1, why: /does not end where/},
  {title: 'a directory behind the file in 64 bits', zip: WIDE, at: ['end64', 48, 8], value: 2 ** 40, code: 'ARCHIVE_TRUNCATED', why: /past its own end/}, // prettier-ignore
  ...([8, 10] as const).map((at): Damage => ({
    title: `another number of entries in the classic record, at ${at}`,
    zip: WIDE,
    at: ['end', at, 2],
    value: 3,
    code: 'ARCHIVE_CONTRADICTORY',
    why: /contradict/,
  })),
  ...([12, 16] as const).map((at): Damage => ({
    title: `another place in the classic record, at ${at}`,
    zip: WIDE,
    at: ['end', at, 4],
    value: 3,
    code: 'ARCHIVE_CONTRADICTORY',
    why: /contradict/,
  })),
]

function write(bytes: Buffer, at: number, width: 1 | 2 | 4 | 8, value: number): void {
  if (width === 8) bytes.writeBigUInt64LE(BigInt(value), at)
  else bytes.writeUIntLE(value, at, width)
}

describe('the directory of a zip', () => {
  it('lists entries with what the headers say and where they end', () => {
    const entries = entriesOf(PLAIN)
    const {central} = placesOf(PLAIN)
    assert.deepEqual(
      entries.map(({name, crc, sizeBytes, method, modified}) => ({name, crc, sizeBytes, method, modified})),
      MEMBERS.map(({name, bytes, isDeflated = false}) => ({
        name,
        crc: crc32(bytes),
        sizeBytes: bytes.length,
        method: isDeflated ? 8 : 0,
        modified: 0x21_0000,
      })),
    )
    assert.deepEqual(
      entries.map(({endOffset}) => endOffset),
      [...entries.slice(1).map(({offset}) => offset), central],
    )
  })

  it('is read from a zip64 end record, also where the classic one states the same', () => {
    assert.deepEqual(entriesOf(WIDE).map(({name}) => name), ['Files/a.txt']) // prettier-ignore
    const both = Buffer.from(WIDE)
    const {end, end64} = placesOf(both)
    both.writeUInt16LE(1, end + 8)
    both.writeUInt16LE(1, end + 10)
    both.writeUInt32LE(Number(both.readBigUInt64LE(end64 + 40)), end + 12)
    both.writeUInt32LE(Number(both.readBigUInt64LE(end64 + 48)), end + 16)
    assert.equal(entriesOf(both).length, 1)
  })

  it('has disks of all ones where zip64 has their number', () => {
    const bytes = Buffer.from(WIDE)
    const {end} = placesOf(bytes)
    bytes.writeUInt32LE(0xffff_ffff, end + 4)
    assert.equal(entriesOf(bytes).length, 1)
  })

  it('may be that of a zip64 record at the very beginning of a file', () => {
    const none = encodeEnd({entries: 0, offset: 0, sizeBytes: 0})
    assert.deepEqual(entriesOf(none), [])
  })

  for (const {title, zip, at, value, code = 'ARCHIVE_CORRUPT', why} of DAMAGES)
    it(`is refused with ${code}: ${title}`, () => {
      const bytes = Buffer.from(zip)
      const [record, offset, width] = at
      write(bytes, placesOf(bytes)[record] + offset, width, value)
      assert.throws(
        () => entriesOf(bytes),
        (error) => error instanceof TransshipError && error.code === code && why.test(error.why ?? ''),
      )
    })

  it('is refused where it states fewer entries than it lists, or more', () => {
    for (const [count, why] of [
      [2, /Extra data follows/],
      [0, /no entries but lists/],
      [4, /cut off|damaged/],
      [200, /cut off/],
    ] as const) {
      const bytes = Buffer.from(PLAIN)
      const {end} = placesOf(bytes)
      bytes.writeUInt16LE(count, end + 8)
      bytes.writeUInt16LE(count, end + 10)
      assert.throws(() => entriesOf(bytes), (error) => error instanceof TransshipError && why.test(error.why ?? '')) // prettier-ignore
    }
  })

  it('is refused at every cut', () => {
    for (let length = 0; length < PLAIN.length; length++)
      assert.throws(() => entriesOf(PLAIN.subarray(0, length)), TransshipError, String(length))
  })
})
