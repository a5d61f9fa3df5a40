import assert from 'node:assert/strict'
import {readFileSync, statSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import type {ContentLayout} from '../../../src/codecs/carrier/carrier-frame.js'
import {CarrierOutput, openNew, storeBytes, writePieces} from '../../../src/formats/transport-layout/carrier-output.js'
import {DiskFile} from '../../../src/formats/transport-layout/folder-files.js'
import {contentOf, type Content} from '../../../src/model/content.js'
import {sparseContent} from '../../../src/model/sparse-content.js'
import {UnpackLimit} from '../../../src/model/unpack-limit.js'
import {chunked} from '../../helpers/bytes.js'
import {sha256} from '../../helpers/archives.js'
import {openBelow} from '../../helpers/open-files.js'
import {temporaryFolder} from '../../helpers/temporary-folder.js'

const MIB = 2 ** 20

describe('a file that is written', () => {
  const folder = temporaryFolder()
  let made = 0
  const fresh = () => path.join(folder.path, `file-${made++}`)
  const stamped: number[] = []
  const stamp = (fd: number) => {
    stamped.push(fd)
  }
  const outputAt = (file: string, maxBytes = 64 * MIB) =>
    new CarrierOutput(file, {place: 'it/a', limit: new UnpackLimit('it', maxBytes)})
  async function written(use: (output: CarrierOutput) => Promise<void> | void, maxBytes?: number) {
    const file = fresh()
    const output = outputAt(file, maxBytes)
    try {
      await use(output)
      const stored = output.finish(stamp)
      const bytes = readFileSync(file)
      assert.deepEqual(stored, {sizeBytes: bytes.byteLength, sha256: sha256(bytes)})
      return {bytes, blocks: statSync(file).blocks}
    } finally {
      output.close()
    }
  }
  const layout = (headBytes: number, ...blocks: readonly (readonly [number, number])[]): ContentLayout => ({
    headBytes,
    blocks: blocks.map(([offset, length]) => ({offset, length, attributes: 0})),
  })
  const sparse = (size: number, ...ranges: readonly (readonly [offset: number, text: string])[]) =>
    sparseContent({
      size,
      ranges: ranges.map(([offset, text]) => ({offset, length: text.length})),
      openRanges: () => chunked(Buffer.from(ranges.map(([, text]) => text).join('')), 3),
      limit: new UnpackLimit('it'),
    })
  /** The bytes of a block's header, as a stream of sparse blocks has it. */
  const header = (offset: number, length: number) => {
    const bytes = Buffer.alloc(28)
    bytes.writeUInt32LE(9, 0)
    bytes.writeBigUInt64LE(BigInt(length + 8), 8)
    bytes.writeBigUInt64LE(BigInt(offset), 20)
    return bytes
  }

  it('is new: what is there is refused, and told by its place', () => {
    const file = fresh()
    writeFileSync(file, 'there')
    assert.throws(() => openNew(file, 'it/a'), {code: 'DUPLICATE_ENTRY', message: /it\/a/})
    assert.throws(() => openNew(path.join(folder.path, 'none', 'a'), 'it/a'), {code: 'NOT_FOUND', at: {path: 'it/a'}})
    assert.throws(() => storeBytes(file, [], 'it/a', stamp), {code: 'DUPLICATE_ENTRY'})
    assert.equal(readFileSync(file, 'utf8'), 'there')
  })

  it('is the pieces one behind the other', () => {
    for (const [pieces, text] of [
      [[], ''],
      [['a'], 'a'],
      [['ab', '', 'c'], 'abc'],
    ] as const) {
      const [one, other] = [fresh(), fresh()]
      const buffers = pieces.map((piece) => Buffer.from(piece))
      const before = stamped.length
      assert.deepEqual(storeBytes(one, buffers, 'it/a', stamp), {sizeBytes: text.length, sha256: sha256(text)})
      assert.equal(stamped.length, before + 1)
      writePieces(other, buffers)
      assert.deepEqual([readFileSync(one, 'utf8'), readFileSync(other, 'utf8')], [text, text])
    }
    assert.throws(
      () =>
        storeBytes(fresh(), [], 'it/a', () => {
          throw new Error('No times.')
        }),
      /No times/,
    )
    assert.deepEqual(openBelow(folder.path), [])
  })

  it('is content as it comes, or refused where that is of another size', async () => {
    const {bytes} = await written(async (output) => {
      output.put(Buffer.from('<'))
      await output.content({size: 6, open: () => chunked(Buffer.from('abcdef'), 4)}, 6, undefined)
      await output.content(undefined, 0, undefined)
      output.put(Buffer.from('>'))
    })
    assert.equal(bytes.toString(), '<abcdef>')
    for (const size of [5, 7])
      await assert.rejects(
        written((output) => output.content(contentOf(Buffer.from('abcdef')), size, undefined)),
        {code: 'SIZE_MISMATCH', at: {path: 'it/a'}},
      )
    await assert.rejects(
      written((output) => output.content(undefined, 1, undefined)),
      {code: 'SIZE_MISMATCH'},
    )
  })

  it('has small holes as zeros and large ones as holes, at its end too', async () => {
    for (const size of [64 * 1024 - 1, 64 * 1024, 8 * MIB]) {
      const content = sparse(size + 3, [size, 'end'])
      const {bytes, blocks} = await written((output) => output.content(content, size + 3, undefined))
      assert.ok(bytes.equals(Buffer.concat([Buffer.alloc(size), Buffer.from('end')])))
      if (size === 8 * MIB && process.platform === 'linux') assert.ok(blocks * 512 < MIB)
      const tail = await written((output) => output.content(sparse(size + 3, [0, 'end']), size + 3, undefined))
      assert.ok(tail.bytes.equals(Buffer.concat([Buffer.from('end'), Buffer.alloc(size)])))
    }
    await assert.rejects(
      written((output) => output.content(sparse(100, [0, 'x']), 100, undefined), 98),
      {code: 'LIMIT_EXCEEDED'},
    )
    await written((output) => output.content(sparse(100, [0, 'x']), 100, undefined), 99)
  })

  for (const [note, content, size, blocks, expected] of [
    ['a head alone', contentOf(Buffer.from('abc')), 3, layout(3), ['abc']],
    ['a block', contentOf(Buffer.from('\0\0abc')), 5, layout(0, [2, 3]), [header(2, 3), 'abc']],
    [
      'a head and two blocks',
      contentOf(Buffer.from('ab\0\0cd\0e')),
      8,
      layout(2, [4, 2], [7, 1]),
      ['ab', header(4, 2), 'cd', header(7, 1), 'e'],
    ],
    [
      'blocks that touch',
      contentOf(Buffer.from('abcd')),
      4,
      layout(0, [0, 2], [2, 2]),
      [header(0, 2), 'ab', header(2, 2), 'cd'],
    ],
    [
      'an empty block at the end',
      contentOf(Buffer.from('ab\0\0')),
      4,
      layout(0, [0, 2], [4, 0]),
      [header(0, 2), 'ab', header(4, 0)],
    ],
    [
      'a block in pieces',
      {size: 7, open: () => chunked(Buffer.from('\0abcde\0'), 2)} as Content,
      7,
      layout(0, [1, 5]),
      [header(1, 5), 'abcde'],
    ],
    [
      'holes where the blocks lie',
      sparse(9, [2, 'abc'], [7, 'd']),
      9,
      layout(0, [2, 3], [7, 1], [9, 0]),
      [header(2, 3), 'abc', header(7, 1), 'd', header(9, 0)],
    ],
    ['a hole inside a block', sparse(6, [1, 'a'], [4, 'b']), 6, layout(0, [1, 4]), [header(1, 4), 'a\0\0b']],
    ['nothing at all', undefined, 0, layout(0, [0, 0]), [header(0, 0)]],
  ] as const)
    it(`is content in blocks: ${note}`, async () => {
      const {bytes} = await written((output) => output.content(content, size, blocks))
      assert.deepEqual(
        bytes.toString('latin1'),
        Buffer.concat(expected.map((each) => Buffer.from(each as string))).toString('latin1'),
      )
    })

  it('is refused where there is something between its blocks, or too little', async () => {
    for (const text of ['ab\0x\0', 'ab\0\0x', 'abx\0\0'])
      await assert.rejects(
        written((output) => output.content(contentOf(Buffer.from(text)), 5, layout(0, [0, 2], [5, 0]))),
        {code: 'RECIPE_CORRUPT'},
        text,
      )
    await assert.rejects(
      written((output) => output.content(contentOf(Buffer.from('ab\0')), 5, layout(0, [0, 2], [5, 0]))),
      {code: 'SIZE_MISMATCH'},
    )
  })

  it('has named streams behind it, in canonical form or as they were', async () => {
    const {bytes} = await written(async (output) => {
      await output.stream('mark', contentOf(Buffer.from('one')), undefined)
      await output.stream('m', contentOf(Buffer.from('two')), {kind: 'stream', sizeBytes: 3, attributes: 2})
    })
    const name = Buffer.from(':mark:$DATA', 'utf16le')
    assert.deepEqual(
      [bytes.readUInt32LE(0), bytes.readUInt32LE(4), bytes.readUInt32LE(8), bytes.readUInt32LE(16)],
      [4, 0, 3, name.byteLength],
    )
    assert.ok(bytes.subarray(20, 20 + name.byteLength).equals(name))
    const second = bytes.subarray(20 + name.byteLength + 3)
    assert.deepEqual([second.readUInt32LE(0), second.readUInt32LE(4), second.subarray(-3).toString()], [4, 2, 'two'])
    const holes = await written((output) => output.stream('m', sparse(2 * MIB, [0, 'x']), undefined))
    assert.deepEqual([holes.bytes.readUInt32LE(4), holes.bytes.readUInt32LE(8)], [8, 0])
    await assert.rejects(
      written((output) =>
        output.stream('m', contentOf(Buffer.from('two')), {kind: 'stream', sizeBytes: 2, attributes: 0}),
      ),
      {code: 'SIZE_MISMATCH'},
    )
  })

  it('is opened where it lies, and tells what the system says', () => {
    assert.throws(
      () =>
        new DiskFile(() => {
          throw Object.assign(new Error('x'), {code: 'EACCES'})
        }, 'it/a'),
      {code: 'NO_ACCESS', at: {path: 'it/a'}},
    )
  })
})
