import assert from 'node:assert/strict'
import {keyOf} from '../../../src/codecs/registry-hive/hive-key.js'
import {unusedBytes} from '../../../src/codecs/registry-hive/unused-bytes.js'
import {CELLS_AT, HiveBytes} from '../../helpers/hive-bytes.js'
import {hiveOf} from '../../helpers/hives.js'

/** Bins of one page with cells of these sizes, those in use below zero. */
function fileOf(...bins: readonly (readonly number[])[]): Buffer {
  const file = Buffer.alloc(CELLS_AT + bins.length * 4096)
  for (const [index, cells] of bins.entries()) {
    const start = CELLS_AT + index * 4096
    file.write('hbin', start)
    file.writeUInt32LE(4096, start + 8)
    let at = start + 32
    for (const size of cells) {
      file.writeInt32LE(size, at)
      at += Math.abs(size)
    }
  }
  return file
}

/** From where to where bytes are unused. */
function spansOf(file: Buffer): [number, number][] {
  const isUnused = unusedBytes(file)
  const spans: [number, number][] = []
  for (let at = 0; at <= file.byteLength; at++) {
    if (!isUnused(at)) continue
    const last = spans.at(-1)
    if (last?.[1] === at) last[1] = at + 1
    else spans.push([at, at + 1])
  }
  return spans
}

const [FIRST, SECOND] = [CELLS_AT, CELLS_AT + 4096]

describe('unused bytes of a hive', () => {
  for (const [note, file, spans] of [
    ['are those of free cells, behind their length', fileOf([-16, 24, -4024]), [[FIRST + 52, FIRST + 72]]],
    [
      'lie in every bin',
      fileOf([4064], [-4056, 8]),
      [
        [FIRST + 36, FIRST + 4096],
        [SECOND + 4092, SECOND + 4096],
      ],
    ],
    [
      'are told apart in two cells side by side',
      fileOf([8, 8, -4048]),
      [
        [FIRST + 36, FIRST + 40],
        [FIRST + 44, FIRST + 48],
      ],
    ],
    ['are none where all is in use', fileOf([-4064]), []],
    ['are none of a file without bins', Buffer.alloc(CELLS_AT), []],
    ['are none behind a cell of no size', fileOf([16]), [[FIRST + 36, FIRST + 48]]],
    ['are none behind a cell of less than eight bytes', fileOf([16, 4, 16]), [[FIRST + 36, FIRST + 48]]],
    ['are none behind a cell in use of less than eight bytes', fileOf([16, -4, 16]), [[FIRST + 36, FIRST + 48]]],
    ['are none of a cell that leaves its bin', fileOf([16, 4056]), [[FIRST + 36, FIRST + 48]]],
  ] as const)
    it(note, () => {
      assert.deepEqual(spansOf(file), spans)
    })

  for (const [note, spoil] of [
    ['has no signature', (file: Buffer) => file.write('nibh', SECOND)],
    ['has no size', (file: Buffer) => file.writeUInt32LE(0, SECOND + 8)],
    ['leaves the file', (file: Buffer) => file.writeUInt32LE(4097, SECOND + 8)],
  ] as const)
    it(`are none from a bin on that ${note}`, () => {
      const file = fileOf([4064], [4064])
      spoil(file)
      assert.deepEqual(spansOf(file), [[FIRST + 36, FIRST + 4096]])
    })

  it('are known in whatever order they are asked for', () => {
    const file = fileOf([16, -16, 16, -4016], [16])
    const isUnused = unusedBytes(file)
    for (const [at, expected] of [
      [SECOND + 36, true],
      [FIRST + 36, true],
      [FIRST + 48, false],
      [FIRST + 70, true],
      [FIRST + 35, false],
      [FIRST + 47, true],
      [SECOND + 48, false],
      [FIRST + 36, true],
      [0, false],
    ] as const)
      assert.equal(isUnused(at), expected, String(at))
  })

  it('hold no key', () => {
    const hive = new HiveBytes(hiveOf(keyOf({name: 'ROOT', subkeys: [keyOf({name: 'k'})]})))
    const isUnused = unusedBytes(hive.bytes)
    const subkey = hive.at(hive.root, 28, 4)
    for (const cell of [hive.root, subkey])
      for (let at = 0; at < 76; at++) assert.equal(isUnused(hive.place(cell, at)), false)
    assert.equal(isUnused(hive.bytes.byteLength - 1), true)
  })
})
