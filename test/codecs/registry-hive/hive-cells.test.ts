import assert from 'node:assert/strict'
import {HiveCells, type CellsOptions} from '../../../src/codecs/registry-hive/hive-cells.js'
import {sourceOfBytes} from '../../../src/codecs/registry-hive/hive-source.js'
import {faultOf} from '../../helpers/faults.js'
import {CELLS_AT} from '../../helpers/hive-bytes.js'

/** A bin at an offset of the data, whose cells have these sizes; the rest of it is one free cell. */
function binOf(offset: number, sizes: readonly number[], pages = 1): Buffer {
  const bin = Buffer.alloc(pages * 4096)
  bin.write('hbin')
  bin.writeUInt32LE(offset, 4)
  bin.writeUInt32LE(bin.byteLength, 8)
  let at = 32
  for (const size of sizes) {
    bin.writeInt32LE(size, at)
    at += Math.abs(size)
  }
  if (at < bin.byteLength) bin.writeInt32LE(bin.byteLength - at, at)
  return bin
}

const HEAD = Buffer.alloc(4096)
const BINS = [binOf(0, [-16, 24, -64]), binOf(4096, [-4064], 1), binOf(8192, [-8], 2)]
const cellsOf = (bytes: Uint8Array, stated: number, options?: CellsOptions) =>
  new HiveCells(sourceOfBytes(bytes), stated, options)
const whole = Buffer.concat([HEAD, ...BINS])
const patched = (at: number, value: number) => {
  const bytes = Buffer.from(whole)
  bytes.writeInt32LE(value, at)
  return bytes
}

describe('the cells of a hive', () => {
  it('are those in use, each where it begins and nowhere else', () => {
    const cells = cellsOf(whole, 16384)
    assert.equal(cells.dataBytes, 16384)
    const found: number[] = []
    for (let offset = 0; offset < 16384 + 64; offset++) if (cells.has(offset)) found.push(offset)
    assert.deepEqual(found, [32, 32 + 40, 4096 + 32, 8192 + 32])
    assert.equal(cells.has(0xffffffff), false)
  })

  it('are found at any of the eight places that share a byte', () => {
    const sizes = Array.from({length: 508}, (_, index) => (index % 3 === 0 ? 8 : -8))
    const cells = cellsOf(Buffer.concat([HEAD, binOf(0, sizes)]), 4096)
    for (const [index, size] of sizes.entries()) assert.equal(cells.has(32 + index * 8), size < 0, String(index))
  })

  it('are given without their length', () => {
    const bytes = Buffer.from(whole)
    bytes.write('abcdefghijkl', CELLS_AT + 36)
    assert.equal(cellsOf(bytes, 16384).cell(32, 0, 'A cell').toString(), 'abcdefghijkl')
  })

  it('come as they are from a source that gives plain arrays', () => {
    const bytes = Uint8Array.from(whole)
    const buffer = Buffer.from(whole)
    const source = {
      size: bytes.byteLength,
      read: (offset: number, length: number) => bytes.subarray(offset, offset + length),
      readInt32: (offset: number) => buffer.readInt32LE(offset),
    }
    bytes[CELLS_AT + 36 + 5] = 7
    assert.equal(new HiveCells(source, 16384).cell(32, 0, 'A cell').readUInt8(5), 7)
  })

  for (const [atLeast, fits] of [
    [0, true],
    [12, true],
    [13, false],
  ] as const)
    it(`of 12 bytes ${fits ? 'serve' : 'are refused'} for ${atLeast}`, () => {
      const cells = cellsOf(whole, 16384)
      const read = () => cells.cell(32, 1, 'A cell', atLeast)
      if (fits) assert.equal(read().byteLength, 12)
      else assert.deepEqual(faultOf(read), {code: 'HIVE_CORRUPT', at: {offset: CELLS_AT + 32}})
    })

  for (const [offset, note] of [
    [33, 'between two'],
    [48, 'a free one'],
    [0, 'the head of a bin'],
    [16384, 'behind all'],
    [0xffffffff, 'none'],
  ] as const)
    it(`are refused where none is, at the place that led there: ${note}`, () => {
      const cells = cellsOf(whole, 16384)
      assert.deepEqual(
        faultOf(() => cells.cell(offset, 77, 'A cell')),
        {code: 'HIVE_CORRUPT', at: {offset: CELLS_AT + 77}},
      )
    })

  for (const [note, bytes, stated, offset] of [
    ['no data', whole, 0, 40],
    ['data of half a page', whole, 4096 + 2048, 40],
    ['no whole page in the file', whole.subarray(0, CELLS_AT + 4095), 4096, CELLS_AT + 4095],
    ['no bins in the file', HEAD, 4096, CELLS_AT],
    ['more data than the file', whole, 20480, CELLS_AT + 16384],
    ['another signature of a bin', patched(CELLS_AT + 4096, 0x6e696248), 16384, CELLS_AT + 4096],
    ['a bin that states another place', patched(CELLS_AT + 4096 + 4, 8192), 16384, CELLS_AT + 4096 + 4],
    ['a bin without a size', patched(CELLS_AT + 4096 + 8, 0), 16384, CELLS_AT + 4096 + 8],
    ['a bin of half a page', patched(CELLS_AT + 4096 + 8, 2048), 16384, CELLS_AT + 4096 + 8],
    ['a bin beyond the end', patched(CELLS_AT + 8192 + 8, 12288), 16384, CELLS_AT + 8192 + 8],
    ['a last bin beyond the stated data', whole, 12288, CELLS_AT + 8192 + 8],
    ['a cell of no bytes', patched(CELLS_AT + 32, 0), 16384, CELLS_AT + 32],
    ['a cell of four bytes', patched(CELLS_AT + 32, -4), 16384, CELLS_AT + 32],
    ['a cell of twelve bytes', patched(CELLS_AT + 32, -12), 16384, CELLS_AT + 32],
    ['a cell beyond its bin', patched(CELLS_AT + 4096 + 32, -4072), 16384, CELLS_AT + 4096 + 32],
    ['a free cell beyond its bin', patched(CELLS_AT + 32 + 16 + 24 + 64, 4000), 16384, CELLS_AT + 136],
  ] as const)
    it(`are refused for ${note}, with the place`, () => {
      assert.deepEqual(
        faultOf(() => cellsOf(bytes, stated)),
        {code: 'HIVE_CORRUPT', at: {offset}},
      )
    })

  it('may end in a bin beyond the stated data where that is accepted, as far as the file goes', () => {
    const cells = cellsOf(whole, 12288, {acceptsLongerBin: true})
    assert.equal(cells.dataBytes, 16384)
    assert.equal(cells.has(8192 + 32), true)
    assert.deepEqual(
      faultOf(() => cellsOf(whole.subarray(0, CELLS_AT + 12288), 12288, {acceptsLongerBin: true})),
      {code: 'HIVE_CORRUPT', at: {offset: CELLS_AT + 8192 + 8}},
    )
    assert.equal(cellsOf(Buffer.concat([whole, binOf(16384, [])]), 16384, {acceptsLongerBin: true}).dataBytes, 16384)
  })

  describe('of one that was not written to its end', () => {
    const damaged = (bytes: Uint8Array, stated: number) => cellsOf(bytes, stated, {isDamaged: true})

    it('are those of the whole bins in front', () => {
      const cells = damaged(patched(CELLS_AT + 4096 + 8, 0), 16384)
      assert.deepEqual([cells.dataBytes, cells.has(32), cells.has(4096 + 32)], [4096, true, false])
    })

    it('are those in front of a damaged one, and those of later bins', () => {
      const cells = damaged(patched(CELLS_AT + 32 + 16, 12), 16384)
      assert.deepEqual(
        [cells.dataBytes, cells.has(32), cells.has(72), cells.has(4096 + 32)],
        [16384, true, false, true],
      )
    })

    it('may be fewer than stated, where the file ends', () => {
      assert.equal(damaged(whole.subarray(0, CELLS_AT + 8192 + 100), 16384).dataBytes, 8192)
      assert.equal(damaged(whole.subarray(0, CELLS_AT + 8192 + 31), 16384).dataBytes, 8192)
    })

    it('are none where the first bin is damaged', () => {
      assert.deepEqual(
        faultOf(() => damaged(patched(CELLS_AT, 0), 16384)),
        {code: 'HIVE_CORRUPT', at: {offset: CELLS_AT}},
      )
      assert.equal(faultOf(() => damaged(HEAD, 4096)).code, 'HIVE_CORRUPT')
    })
  })
})
