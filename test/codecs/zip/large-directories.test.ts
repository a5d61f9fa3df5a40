import assert from 'node:assert/strict'
import {byteSourceOf, type ByteSource} from '../../../src/codecs/backup-stream/byte-source.js'
import {readZipDirectory} from '../../../src/codecs/zip/read-directory.js'
import {encodeCentralEntry, encodeEnd, encodeLocalHeader, type ZipEntry} from '../../../src/codecs/zip/zip-records.js'
import {LIMITS} from '../../../src/model/limits.js'
import {zip64, zipOf} from '../../helpers/zip-writer.js'
import {assertThrows} from '../../helpers/told.js'

const COUNT = 6000

/** A zip of many empty entries; its directory lists them in this order. */
function manyOf(order: (index: number) => number): Buffer {
  const entries: ZipEntry[] = []
  const locals: Buffer[] = []
  let offset = 0
  for (let index = 0; index < COUNT; index++) {
    const entry = {
      name: `Files/${index}.${'x'.repeat(200)}`,
      method: 0,
      flags: 0,
      crc: index,
      packedBytes: 0,
      sizeBytes: 0,
    } as const
    entries.push({...entry, offset})
    const local = encodeLocalHeader(entry)
    locals.push(local)
    offset += local.length
  }
  const central = Buffer.concat(entries.map((_, index) => encodeCentralEntry(entries[order(index)]!)))
  return Buffer.concat([...locals, central, encodeEnd({entries: COUNT, offset, sizeBytes: central.length})])
}

/** Counts what is read of a zip. */
function counted(zip: Buffer): ByteSource & {reads: number[]} {
  const source = byteSourceOf(zip)
  const reads: number[] = []
  return {
    sizeBytes: source.sizeBytes,
    reads,
    read: (offset: number, length: number) => {
      reads.push(length)
      return source.read(offset, length)
    },
  }
}

describe('a directory of many entries', () => {
  it('is read in windows, and single entries are read again when they are asked for', () => {
    const source = counted(manyOf((index) => index))
    const directory = readZipDirectory(source, 'x')
    assert.ok(Math.max(...source.reads) <= 2 ** 20 && source.reads.length < 12, String(source.reads))
    source.reads.length = 0
    assert.equal(directory.count, COUNT)
    for (const index of [0, 1, COUNT - 1, 3000, 2999, 2990, 3001]) {
      const {name, crc, endOffset} = directory.entry(index)
      assert.deepEqual([name.split('.')[0], crc], [`Files/${index}`, index])
      const next = index + 1 === COUNT ? directory.central.offset : directory.entry(index + 1).offset
      assert.equal(endOffset, next)
    }
    assert.ok(Math.max(...source.reads) <= 64 * 1024 && source.reads.length <= 8, String(source.reads))
    for (const index of [-1, COUNT, 0.5])
      assertThrows(() => directory.entry(index), {code: 'ARCHIVE_CORRUPT', at: {path: 'x'}})
  })

  it('may list them in any order', () => {
    const directory = readZipDirectory(byteSourceOf(manyOf((index) => COUNT - 1 - index)), 'x')
    const [first, second, last] = [directory.entry(0), directory.entry(1), directory.entry(COUNT - 1)]
    assert.deepEqual([first.crc, last.crc, last.offset], [COUNT - 1, 0, 0])
    assert.deepEqual([first.endOffset, second.endOffset], [directory.central.offset, first.offset])
    const swapped = readZipDirectory(byteSourceOf(manyOf((index) => (index < 2 ? 1 - index : index))), 'x')
    assert.deepEqual([swapped.entry(0).crc, swapped.entry(1).endOffset], [1, swapped.entry(0).offset])
  })
})

describe('numbers of a directory', () => {
  const ENTRY: ZipEntry = {name: 'a', method: 0, flags: 0, crc: 0, packedBytes: 0, sizeBytes: 0, offset: 0}
  const local = encodeLocalHeader(ENTRY)

  it('may be more than 32 bits where the content unpacks to that', () => {
    for (const sizeBytes of [2 ** 32, Number.MAX_SAFE_INTEGER]) {
      const central = encodeCentralEntry({...ENTRY, sizeBytes})
      const zip = Buffer.concat([
        local,
        central,
        encodeEnd({entries: 1, offset: local.length, sizeBytes: central.length}),
      ])
      assert.equal(readZipDirectory(byteSourceOf(zip), 'x').entry(0).sizeBytes, sizeBytes)
    }
  })

  it('are refused beyond what is exact, with the place of the field', () => {
    const central = encodeCentralEntry({...ENTRY, sizeBytes: 2 ** 40})
    central.writeBigUInt64LE(2n ** 53n, central.length - 8)
    const zip = Buffer.concat([
      local,
      central,
      encodeEnd({entries: 1, offset: local.length, sizeBytes: central.length}),
    ])
    assertThrows(() => readZipDirectory(byteSourceOf(zip), 'x'), {
      code: 'ARCHIVE_CORRUPT',
      at: {path: 'x', offset: local.length + 47},
      says: ["'a'"],
    })
  })

  it('may be stated in 64 bits without need', () => {
    const zip = zipOf([{name: 'a', bytes: Buffer.from('x'), isZip64: true, centralExtra: Buffer.of(9, 0, 0, 0)}])
    assert.equal(readZipDirectory(byteSourceOf(zip), 'x').entry(0).packedBytes, 1)
    const needless = zipOf([{name: 'a', bytes: Buffer.from('x'), centralExtra: zip64([5, 6, 7])}])
    assert.equal(readZipDirectory(byteSourceOf(needless), 'x').entry(0).sizeBytes, 1)
  })

  it('of entries are bounded', () => {
    const most = LIMITS.parts.value
    const end = encodeEnd({entries: most + 1, offset: 0, sizeBytes: 0})
    assertThrows(() => readZipDirectory(byteSourceOf(end), 'x'), {
      code: 'LIMIT_EXCEEDED',
      at: {path: 'x'},
      says: [most],
    })
    const fewer = encodeEnd({entries: most, offset: 0, sizeBytes: 0})
    assertThrows(() => readZipDirectory(byteSourceOf(fewer), 'x'), {code: 'ARCHIVE_CORRUPT'})
  })

  it('are refused with a gap in front of the first entry', () => {
    const central = encodeCentralEntry({...ENTRY, offset: 5})
    const end = encodeEnd({entries: 1, offset: 5 + local.length, sizeBytes: central.length})
    const zip = Buffer.concat([Buffer.alloc(5), local, central, end])
    assertThrows(() => readZipDirectory(byteSourceOf(zip), 'x'), {code: 'ARCHIVE_CORRUPT', at: {path: 'x', offset: 5}})
  })

  it('are refused where no entry is in front of the directory, but bytes are', () => {
    const zip = Buffer.concat([Buffer.alloc(5), encodeEnd({entries: 0, offset: 5, sizeBytes: 0})])
    assertThrows(() => readZipDirectory(byteSourceOf(zip), 'x'), {code: 'ARCHIVE_CORRUPT', at: {path: 'x', offset: 0}})
  })

  it('of versions are up to 4.5', () => {
    for (const [version, isRight] of [
      [45, true],
      [46, false],
    ] as const) {
      const zip = zipOf([{name: 'a', bytes: Buffer.from('x')}])
      zip.writeUInt16LE(version, zip.indexOf(Buffer.from('504b0102', 'hex')) + 6)
      if (isRight) assert.equal(readZipDirectory(byteSourceOf(zip), 'x').count, 1)
      else assertThrows(() => readZipDirectory(byteSourceOf(zip), 'x'), {code: 'ARCHIVE_CORRUPT', says: ["'a'"]})
    }
  })

  for (const flags of [0x0002, 0x0004, 0x0008, 0x0800, 0x080e])
    it(`of flags may be 0x${flags.toString(16)}`, () => {
      assert.equal(
        readZipDirectory(byteSourceOf(zipOf([{name: 'a', bytes: Buffer.from('x'), flags}])), 'x').entry(0).flags,
        flags,
      )
    })

  it('are told with the first 300 letters of a name', () => {
    const zip = zipOf([{name: 'n'.repeat(400), bytes: Buffer.from('x'), flags: 1}])
    assert.throws(
      () => readZipDirectory(byteSourceOf(zip), 'x'),
      ({message}: Error) => message.includes('n'.repeat(300)) && !message.includes('n'.repeat(301)),
    )
  })
})
