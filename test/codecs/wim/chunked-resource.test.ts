import assert from 'node:assert/strict'
import {ChunkDecoder} from '../../../src/codecs/wim/chunk-decoder.js'
import {
  readBuffer,
  readChunked,
  readSolid,
  readSolidForm,
  type ChunkForm,
} from '../../../src/codecs/wim/chunked-resource.js'
import {isWorthAside} from '../../../src/codecs/wim/decode-aside.js'
import {decodeChunks} from '../../../src/codecs/wim/decode-task.js'
import {LzxDecoder} from '../../../src/codecs/wim/lzx.js'
import type {ResourceHeader} from '../../../src/codecs/wim/resource-header.js'
import {XpressDecoder} from '../../../src/codecs/wim/xpress.js'
import {collect} from '../../helpers/bytes.js'
import {assertRejects, assertThrows} from '../../helpers/told.js'

const CORRUPT = {code: 'ARCHIVE_CORRUPT', advises: true}
const sourceOf = (bytes: Buffer) => ({
  size: bytes.length,
  read: (offset: number, length: number) => Promise.resolve(bytes.subarray(offset, offset + length)),
})

const XPRESS: ChunkForm = {compression: 'xpress', chunkSize: 4096, isPipable: false}
/** An XPRESS chunk that stands for so many letters: one literal, then a match. */
function lettersOf(length: number): Buffer {
  const chunk = Buffer.alloc(256 + 12)
  chunk.writeUInt8(1 << 4, 0x41 >> 1)
  chunk.writeUInt8(1 << 4, (256 + 15) >> 1)
  chunk.writeUInt16LE(0b01 << 14, 256)
  chunk.writeUInt8(255, 260)
  chunk.writeUInt16LE(length - 1 - 3, 261)
  return chunk
}

const RAW = Buffer.from(Array.from({length: 4096}, (_, at) => (at * 7 + (at >> 8)) & 0xff))
const PACKED = lettersOf(4096)
const LAST = Buffer.from('the end')
const PLAIN = Buffer.concat([RAW, Buffer.alloc(4096, 'A'), LAST])

/** A resource of three chunks at 100, in each of the forms. */
function normal(): {file: Buffer; header: ResourceHeader} {
  const table = Buffer.alloc(8)
  table.writeUInt32LE(RAW.length, 0)
  table.writeUInt32LE(RAW.length + PACKED.length, 4)
  return placed(Buffer.concat([table, RAW, PACKED, LAST]))
}
function pipable(): {file: Buffer; header: ResourceHeader} {
  const sized = [RAW, PACKED, LAST].flatMap((chunk) => {
    const size = Buffer.alloc(4)
    size.writeUInt32LE(chunk.length)
    return [size, chunk]
  })
  const table = Buffer.alloc(8)
  table.writeUInt32LE(RAW.length, 0)
  table.writeUInt32LE(RAW.length + PACKED.length, 4)
  return placed(Buffer.concat([...sized, table]))
}
function placed(bytes: Buffer, originalSize = PLAIN.length): {file: Buffer; header: ResourceHeader} {
  return {
    file: Buffer.concat([Buffer.alloc(100, 0xcc), bytes, Buffer.alloc(50, 0xcc)]),
    header: {size: bytes.length, flags: 4, offset: 100, originalSize},
  }
}
interface Solid {
  readonly number?: number
  readonly chunkSize?: number
  readonly size?: number
  readonly chunks?: readonly Buffer[]
  readonly lengths?: readonly number[]
}
function solid({number = 1, chunkSize = 4096, size = PLAIN.length, chunks = [RAW, PACKED, LAST], ...more}: Solid = {}) {
  const {lengths = chunks.map(({length}) => length)} = more
  const head = Buffer.alloc(16)
  head.writeBigUInt64LE(BigInt(size), 0)
  head.writeUInt32LE(chunkSize, 8)
  head.writeUInt32LE(number, 12)
  const table = Buffer.alloc(4 * lengths.length)
  for (const [index, length] of lengths.entries()) table.writeUInt32LE(length, 4 * index)
  return placed(Buffer.concat([head, table, ...chunks]))
}

const read = ({file, header}: {file: Buffer; header: ResourceHeader}, form = XPRESS) =>
  collect(readChunked(sourceOf(file), header, form))
const readSolidOf = ({file, header}: {file: Buffer; header: ResourceHeader}) =>
  collect(readSolid(sourceOf(file), header))

describe('a resource in chunks', () => {
  it('is unpacked, stored chunks and packed ones', async () => {
    assert.ok((await read(normal())).equals(PLAIN))
    assert.ok((await read(pipable(), {...XPRESS, isPipable: true})).equals(PLAIN))
    assert.ok((await readSolidOf(solid())).equals(PLAIN))
  })

  it('comes chunk by chunk, each of which stays', async () => {
    const {file, header} = normal()
    const pieces: Uint8Array[] = []
    for await (const piece of readChunked(sourceOf(file), header, XPRESS)) pieces.push(piece)
    assert.deepEqual(
      pieces.map(({byteLength}) => byteLength),
      [4096, 4096, LAST.length],
    )
    assert.ok(Buffer.concat(pieces).equals(PLAIN))
  })

  it('is read in windows, also where one chunk is larger', async () => {
    const chunks = Array.from({length: 300}, (_, index) => Buffer.alloc(4096, index))
    const table = Buffer.alloc(4 * 299)
    for (let index = 1; index < 300; index++) table.writeUInt32LE(4096 * index, 4 * (index - 1))
    const plain = Buffer.concat(chunks).subarray(0, 2 ** 20 - 1)
    const used = chunks.slice(0, 256)
    const resource = placed(Buffer.concat([table.subarray(0, 4 * 255), ...used]).subarray(0, -1), plain.length)
    const seen: number[] = []
    const source = sourceOf(resource.file)
    const counting = {
      ...source,
      read: (offset: number, length: number) => (seen.push(length), source.read(offset, length)),
    }
    assert.ok((await collect(readChunked(counting, resource.header, XPRESS))).equals(plain))
    assert.ok(seen.length <= 4 && Math.max(...seen) <= 512 * 1024, String(seen))
    const big = solid({number: 0, chunkSize: 2 ** 20, size: 2 ** 20, chunks: [Buffer.alloc(2 ** 20, 'b')]})
    assert.equal((await readSolidOf(big)).length, 2 ** 20)
  })

  it('of nothing has nothing', async () => {
    assert.equal((await read(placed(Buffer.alloc(0), 0))).length, 0)
  })

  it('of one chunk has no table', async () => {
    assert.ok((await read(placed(PACKED, 4096))).equals(Buffer.alloc(4096, 'A')))
    const size = Buffer.alloc(4)
    size.writeUInt32LE(PACKED.length)
    assert.ok(
      (await read(placed(Buffer.concat([size, PACKED]), 4096), {...XPRESS, isPipable: true})).equals(
        Buffer.alloc(4096, 'A'),
      ),
    )
  })

  it('is refused where a chunk has no bytes, or more than it unpacks to', async () => {
    for (const at of [0, 4]) {
      for (const value of [0, RAW.length + 1, 2 ** 31]) {
        const {file, header} = normal()
        file.writeUInt32LE(value, 100 + at)
        await assertRejects(read({file, header}), {code: 'ARCHIVE_CORRUPT'})
      }
    }
  })

  it('is refused where its chunks do not fit into it', async () => {
    const {file, header} = normal()
    for (const originalSize of [2 ** 40, Number.MAX_SAFE_INTEGER, 4096 * 1200])
      await assertRejects(read({file, header: {...header, originalSize}}), {...CORRUPT, says: [originalSize, 4096]})
    await assertRejects(read({file, header}, {...XPRESS, chunkSize: 0}), CORRUPT)
  })

  it('has at least a byte and an entry of the table for each chunk', async () => {
    // Two chunks of one byte: 4 bytes of table and 2 of chunks.
    const two = Buffer.concat([Buffer.of(1, 0, 0, 0), Buffer.from('ab')])
    const form = {compression: 'none', chunkSize: 1, isPipable: false} as const
    assert.equal((await read(placed(two, 2), form)).toString(), 'ab')
    await assertRejects(read(placed(two.subarray(0, 5), 2), form), CORRUPT)
    const piped = Buffer.concat([Buffer.of(1, 0, 0, 0, 0x61, 1, 0, 0, 0, 0x62), Buffer.of(1, 0, 0, 0)])
    assert.equal((await read(placed(piped, 2), {...form, isPipable: true})).toString(), 'ab')
  })

  it('is cut where the file ends', async () => {
    const {file, header} = normal()
    for (const length of [101, 104, 120, file.length - 60])
      await assertRejects(read({file: file.subarray(0, length), header}), {code: 'ARCHIVE_TRUNCATED', advises: true})
    assert.deepEqual([...(await readBuffer(sourceOf(Buffer.from('abc')), 1, 2))], [0x62, 0x63])
    await assertRejects(readBuffer(sourceOf(Buffer.from('abc')), 1, 3), {
      code: 'ARCHIVE_TRUNCATED',
      at: {offset: 1},
      says: [3, 2],
    })
  })
})

describe('a solid resource', () => {
  it('states its own form', async () => {
    const {file, header} = solid()
    const start = 100 + 16 + 12
    assert.deepEqual(await readSolidForm(sourceOf(file), header), {
      originalSize: PLAIN.length,
      chunkSize: 4096,
      compression: 'xpress',
      isPipable: false,
      starts: Float64Array.of(start, start + RAW.length, start + RAW.length + PACKED.length, 100 + header.size),
    })
    for (const [number, compression, chunkSize] of [
      [0, 'none', 1],
      [2, 'lzx', 32_768],
      [3, 'lzms', 32_768],
    ] as const) {
      const found = await readSolidForm(...of(solid({number, chunkSize, size: 1, chunks: [Buffer.from('x')]})))
      assert.equal(found.compression, compression)
    }
  })

  const of = ({file, header}: {file: Buffer; header: ResourceHeader}) => [sourceOf(file), header] as const

  for (const [note, change, says] of [
    ['an unknown compression', {number: 4}, [4]],
    ['chunks of no bytes', {number: 0, chunkSize: 0}, [0]],
    ['a chunk size that its compression cannot have', {chunkSize: 4097}, [4097]],
    ['chunks that end before it does', {lengths: [RAW.length, PACKED.length, LAST.length - 1]}, []],
    ['no bytes', {size: 0, chunks: []}, []],
    ['fewer bytes than chunks', {size: 4096 * 4000}, []],
  ] as const)
    it(`is refused: ${note}`, async () => {
      await assertRejects(readSolidOf(solid(change)), {...CORRUPT, says})
    })

  it('may have chunks of 64 MiB, and no larger', async () => {
    const of = (chunkSize: number) => solid({number: 3, chunkSize, size: 1, chunks: [Buffer.from('x')]})
    assert.equal((await readSolidOf(of(2 ** 26))).toString(), 'x')
    await assertRejects(readSolidOf(of(2 ** 27)), {code: 'LIMIT_EXCEEDED', says: [2 ** 27, 2 ** 26]})
  })

  it('may have so many chunks, and no more', async () => {
    // The table alone would take more than 64 MiB; nothing of it is read.
    const count = 2 ** 24 + 1
    const resource = solid({number: 0, chunkSize: 1, size: count, chunks: []})
    await assertRejects(readSolidOf({...resource, header: {...resource.header, size: 5 * count + 16}}), {
      code: 'LIMIT_EXCEEDED',
      says: [count],
    })
  })
})

describe('chunks', () => {
  it('that did not shrink are given as they are', () => {
    const chunk = Buffer.from('stored')
    for (const packing of [{compression: 'none', chunkSize: 0}, XPRESS] as const)
      assert.equal(new ChunkDecoder(packing).decode(chunk, 6), chunk)
    assertThrows(() => new ChunkDecoder({compression: 'none', chunkSize: 0}).decode(chunk, 7), CORRUPT)
  })

  it('are unpacked together, and give memory of their own', () => {
    const packed = Uint8Array.from(Buffer.concat([PACKED, LAST, PACKED]))
    const chunks = [
      {length: PACKED.length, size: 4096},
      {length: LAST.length, size: LAST.length},
      {length: PACKED.length, size: 4096},
    ]
    for (const compression of ['xpress', 'xpress'] as const) {
      const {output, transfer} = decodeChunks({packed, chunks, compression, chunkSize: 4096})
      assert.ok(Buffer.concat(output).equals(Buffer.concat([Buffer.alloc(4096, 'A'), LAST, Buffer.alloc(4096, 'A')])))
      assert.deepEqual(transfer, output.map(({buffer}) => buffer)) // prettier-ignore
      assert.ok(output.every(({buffer}) => buffer !== packed.buffer))
    }
    assertThrows(() => decodeChunks({packed, chunks, compression: 'none', chunkSize: 0}), CORRUPT)
  })

  for (const [compression, chunkSize, originalSize, expected] of [
    ['none', 4096, 2 ** 30, false],
    ['lzx', 32_768, 2 ** 20 - 1, false],
    ['lzx', 32_768, 2 ** 20, true],
    ['lzms', 2 ** 21, 2 ** 30, true],
    ['lzms', 2 ** 22, 2 ** 30, false],
  ] as const)
    it(`of ${compression}, ${chunkSize} bytes each of ${originalSize}: on all cores ${expected}`, () => {
      assert.equal(isWorthAside({compression, chunkSize}, originalSize), expected)
    })

  it('of LZX have windows of 32 KiB to 2 MiB', () => {
    for (const order of [14, 22]) assertThrows(() => new LzxDecoder(2 ** order), {...CORRUPT, says: [2 ** order]})
    for (const order of [15, 21]) assert.doesNotThrow(() => new LzxDecoder(2 ** order))
  })

  it('of XPRESS have their code in front', () => {
    const decoder = new XpressDecoder()
    for (const length of [0, 255])
      assertThrows(
        () => {
          decoder.decode(new Uint8Array(length), new Uint8Array(9))
        },
        {...CORRUPT, says: [length]},
      )
  })
})

describe('an XPRESS chunk', () => {
  /** Codes by symbol: 'A' = 0, a match of this symbol = 1; then these bits and raw bytes. */
  const chunkOf = (symbol: number, bits: number, ...raw: readonly number[]) => {
    const chunk = Buffer.alloc(260 + raw.length)
    chunk.writeUInt8(1 << 4, 0x41 >> 1)
    const at = symbol >> 1
    chunk.writeUInt8(chunk.readUInt8(at) | (1 << (4 * (symbol & 1))), at)
    chunk.writeUInt16LE(bits, 256)
    chunk.set(raw, 260)
    return chunk
  }
  const unpacked = (chunk: Uint8Array, size: number) => {
    const output = new Uint8Array(size)
    new XpressDecoder().decode(chunk, output)
    return Buffer.from(output).toString()
  }

  for (const [note, length, chunk] of [
    ['of the shortest length', 3, chunkOf(256, 0x4000)],
    ['of the longest in its symbol', 17, chunkOf(256 + 14, 0x4000)],
    ['with a byte', 18 + 7, chunkOf(256 + 15, 0x4000, 7)],
    ['with the longest byte', 18 + 254, chunkOf(256 + 15, 0x4000, 254)],
    ['with two bytes', 300, chunkOf(256 + 15, 0x4000, 255, 297 & 0xff, 297 >> 8)],
  ] as const)
    it(`may have a match ${note}`, () => {
      assert.equal(unpacked(chunk, 1 + length), 'A'.repeat(1 + length))
      assertThrows(() => unpacked(chunk, length), CORRUPT)
    })

  it('may have a match from farther back', () => {
    // Three letters, then a match from two and from three back: offset slot 1 with one bit.
    for (const [bit, offset] of [
      [0, 2],
      [1, 3],
    ] as const) {
      const chunk = chunkOf(256 + 16, (0b0001 << 12) | (bit << 11))
      assert.equal(unpacked(chunk, 6), 'AAAAAA', String(offset))
      const early = chunkOf(256 + 16, (0b01 << 14) | (bit << 13))
      assertThrows(() => unpacked(early, 4), CORRUPT)
    }
  })

  it('is refused where a match begins before it, or is cut', () => {
    assertThrows(() => unpacked(chunkOf(256, 0x8000), 4), CORRUPT)
    assertThrows(() => unpacked(chunkOf(256 + 15, 0x4000), 30), CORRUPT)
    assertThrows(() => unpacked(chunkOf(256 + 15, 0x4000, 255), 30), CORRUPT)
    assertThrows(() => unpacked(chunkOf(256 + 15, 0x4000, 255, 9), 30), CORRUPT)
  })
})
