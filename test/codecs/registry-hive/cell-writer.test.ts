import assert from 'node:assert/strict'
import {CellWriter} from '../../../src/codecs/registry-hive/cell-writer.js'
import {faultOf} from '../../helpers/faults.js'
import {CELLS_AT, HiveBytes} from '../../helpers/hive-bytes.js'

const BASE = Buffer.alloc(4096, 'base')
const finished = (writer: CellWriter, time = 0n): HiveBytes => new HiveBytes(writer.finish(BASE, time))

/** Offset, size and cells of each bin; a size below zero is that of a cell in use. */
function binsOf(hive: HiveBytes): [number, number, number[]][] {
  const bins: [number, number, number[]][] = []
  for (let at = CELLS_AT; at < hive.bytes.byteLength;) {
    assert.equal(hive.bytes.toString('latin1', at, at + 4), 'hbin')
    const size = hive.bytes.readUInt32LE(at + 8)
    const cells: number[] = []
    for (let cell = at + 32; cell < at + size;) {
      const stated = hive.bytes.readInt32LE(cell)
      cells.push(stated)
      cell += Math.abs(stated)
    }
    bins.push([hive.bytes.readUInt32LE(at + 4), size, cells])
    at += size
  }
  return bins
}

describe('cells that are written', () => {
  for (const [length, size] of [
    [0, 8],
    [1, 8],
    [4, 8],
    [5, 16],
    [12, 16],
    [13, 24],
  ] as const)
    it(`take ${size} bytes for ${length}, their own length counted`, () => {
      const writer = new CellWriter(1e6)
      assert.deepEqual([writer.allocate(length), writer.allocate(0)], [32, 32 + size])
      assert.equal(finished(writer).size(32), -size)
    })

  it('lie in bins of a page, and of as many pages as a large one needs; what is left is one free cell', () => {
    const writer = new CellWriter(1e6)
    assert.equal(writer.dataBytes, 0)
    const offsets = [4052, 4060, 4061, 8000, 100].map((length) => writer.allocate(length))
    assert.deepEqual(offsets, [32, 4096 + 32, 8192 + 32, 8192 + 8192 + 32, 8192 + 8192 + 32 + 8008])
    assert.equal(writer.dataBytes, 24576)
    assert.deepEqual(binsOf(finished(writer)), [
      [0, 4096, [-4056, 8]],
      [4096, 4096, [-4064]],
      [8192, 8192, [-4072, 4088]],
      [16384, 8192, [-8008, -104, 48]],
    ])
  })

  it('hold their bytes, with room for more where it is asked for', () => {
    const writer = new CellWriter(1e6)
    const [exact, roomy] = [writer.put(Buffer.from('exact')), writer.put(Buffer.from('roomy'), 21)]
    writer.at(roomy).writeUInt32LE(0xabcdef01, 8)
    const hive = finished(writer)
    assert.equal(hive.bytes.toString('latin1', hive.place(exact, 0), hive.place(exact, 6)), 'exact\0')
    assert.equal(hive.bytes.toString('latin1', hive.place(roomy, 0), hive.place(roomy, 6)), 'roomy\0')
    assert.equal(hive.at(roomy, 8), 0xabcdef01)
    assert.equal(hive.size(roomy), -32)
  })

  it('stand behind the head, the first bin stamped with the time', () => {
    const writer = new CellWriter(1e6)
    writer.allocate(8)
    writer.allocate(4096)
    const {bytes} = finished(writer, 0x0102030405060708n)
    assert.ok(bytes.subarray(0, 4096).equals(BASE))
    assert.equal(bytes.byteLength, 4096 + 4096 + 8192)
    assert.equal(bytes.toString('hex', CELLS_AT + 12, CELLS_AT + 32), `${'00'.repeat(8)}080706050403020100000000`)
    assert.equal(bytes.toString('hex', CELLS_AT + 4096 + 12, CELLS_AT + 4096 + 32), '00'.repeat(20))
  })

  it('keep what they hold while the room for them grows', () => {
    const writer = new CellWriter(1e7)
    const offsets = Array.from({length: 300}, (_, index) => writer.put(Buffer.alloc(1000, index & 255)))
    const hive = finished(writer)
    for (const [index, offset] of offsets.entries()) {
      const found = hive.bytes.subarray(hive.place(offset, 0), hive.place(offset, 1000))
      assert.ok(found.equals(Buffer.alloc(1000, index & 255)), String(index))
    }
  })

  for (const pages of [1, 30])
    it(`may take the file to just its limit, and no further: ${pages} pages`, () => {
      const fill = (maxBytes: number) => {
        const writer = new CellWriter(maxBytes)
        for (let page = 0; page < pages; page++) writer.allocate(4060)
        return writer
      }
      const bytes = 4096 * (pages + 1)
      assert.equal(finished(fill(bytes)).bytes.byteLength, bytes)
      assert.equal(faultOf(() => fill(bytes - 1)).code, 'LIMIT_EXCEEDED')
    })
})
