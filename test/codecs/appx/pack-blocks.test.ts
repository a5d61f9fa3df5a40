import assert from 'node:assert/strict'
import {createHash} from 'node:crypto'
import {constants, deflateRawSync, inflateRawSync} from 'node:zlib'
import {BlockMap, BlockMapWriter} from '../../../src/codecs/appx/block-map.js'
import {
  FINAL_BLOCK,
  findBlock,
  findBlockSync,
  hashBlock,
  isStreamEnd,
  mayEndStream,
  packBlock,
  packBlockSync,
} from '../../../src/codecs/appx/pack-blocks.js'

const SMALL = Buffer.from('some text '.repeat(30))
const LARGE = Buffer.from(Array.from({length: 65_536}, (_, at) => Math.imul(at, 0x9e3779b1) >>> 24))

describe('blocks of a package', () => {
  for (const [note, block] of [
    ['few bytes', SMALL],
    ['many', LARGE],
    ['4096', LARGE.subarray(0, 4096)],
    ['4097', LARGE.subarray(0, 4097)],
    ['none', Buffer.alloc(0)],
  ] as const)
    it(`are deflated alike on this thread and on another, and end at a byte: ${note}`, async () => {
      for (const level of [1, 6, 9]) {
        const packed = packBlockSync(block, level)
        const other = packBlock(block, level)
        assert.equal(other instanceof Promise, block.length > 4096)
        assert.ok(Buffer.from(await other).equals(packed))
        assert.equal(Buffer.from(packed.subarray(-4)).toString('hex'), '0000ffff')
        assert.ok(inflateRawSync(Buffer.concat([packed, FINAL_BLOCK])).equals(block))
        assert.ok(Buffer.from(packed).equals(deflateRawSync(block, {level, finishFlush: constants.Z_FULL_FLUSH})))
      }
    })

  for (const [note, block] of [
    ['on this thread', SMALL],
    ['on another', LARGE],
  ] as const)
    describe(`are inflated ${note}`, () => {
      const open = packBlockSync(block, 6)
      const closed = deflateRawSync(block)
      const found = async (packed: Uint8Array, size: number, isLast: boolean) => {
        const [sync, other] = [findBlockSync(packed, size, isLast), await findBlock(packed, size, isLast)]
        assert.deepEqual(sync, other)
        return sync === undefined ? undefined : Buffer.from(sync).equals(block)
      }
      for (const [what, packed, size, isLast, expected] of [
        ['as it was packed', open, block.length, false, true],
        ['the last one as well', open, block.length, true, true],
        ['closed, the last one', closed, block.length, true, true],
        ['closed, one between', closed, block.length, false, undefined],
        ['with a final block behind', Buffer.concat([open, FINAL_BLOCK]), block.length, true, true],
        ['with bytes behind', Buffer.concat([closed, Buffer.of(0)]), block.length, true, undefined],
        ['cut', open.subarray(0, -10), block.length, true, undefined],
        ['more than is expected', open, block.length - 1, true, undefined],
        ['less than is expected', open, block.length + 1, true, undefined],
        ['damaged', Buffer.concat([Buffer.of(0xff), open.subarray(1)]), block.length, true, undefined],
      ] as const)
        it(`${what}: ${expected === undefined ? 'not found' : 'found'}`, async () => {
          assert.equal(await found(packed, size, isLast), expected)
        })
    })

  it('of a file may be followed by an end of their stream', () => {
    assert.deepEqual([0, 1, 2, 3, 4, 5, 6].map(mayEndStream), [true, false, true, false, false, true, false])
    for (const [tail, expected] of [
      ['', true],
      ['0300', true],
      ['010000ffff', true],
      ['0301', false],
      ['03', false],
      ['000000ffff', false],
      ['030000', false],
    ] as const)
      assert.equal(isStreamEnd(Buffer.from(tail, 'hex')), expected, tail)
  })

  it('have a SHA-256', () => {
    assert.equal(hashBlock(SMALL), createHash('sha256').update(SMALL).digest('base64'))
  })
})

describe('a block map', () => {
  it('in memory keeps blocks by their number', () => {
    const map = new BlockMap()
    const hashOf = (index: number) => createHash('sha256').update(String(index)).digest()
    for (let index = 0; index < 600; index++) map.push(hashOf(index), index * 1e6, index + 1)
    assert.equal(map.blocks, 600)
    for (const index of [0, 1, 255, 256, 257, 511, 512, 599])
      assert.deepEqual(
        [map.hash(index), map.start(index), map.packedBytes(index)],
        [hashOf(index), index * 1e6, index + 1],
      )
    for (const index of [600, 767, 768, 5000]) assert.throws(() => map.hash(index), RangeError)
    assert.throws(() => new BlockMap().start(0), RangeError)
  })

  it('is written file by file', () => {
    const writer = new BlockMapWriter()
    writer.add('Files/a & b', 70_000, 41)
    writer.block({hash: 'h1', packedBytes: 9})
    writer.block({hash: 'h2', packedBytes: 8})
    writer.end()
    writer.add('empty', 0, 35)
    writer.end()
    writer.add('stored', 1, 36)
    writer.block({hash: 'h3'})
    writer.end()
    assert.deepEqual(writer.take(), [])
    assert.equal(
      Buffer.concat(writer.finish()).toString(),
      '<?xml version="1.0" encoding="UTF-8" standalone="no"?>\r\n' +
        '<BlockMap xmlns="http://schemas.microsoft.com/appx/2010/blockmap" HashMethod="http://www.w3.org/2001/04/xmlenc#sha256">' +
        '<File Name="Files\\a &amp; b" Size="70000" LfhSize="41"><Block Hash="h1" Size="9"/><Block Hash="h2" Size="8"/></File>' +
        '<File Name="empty" Size="0" LfhSize="35"/>' +
        '<File Name="stored" Size="1" LfhSize="36"><Block Hash="h3"/></File></BlockMap>',
    )
  })

  it('is given out in pieces, each once', () => {
    const [one, other] = [new BlockMapWriter(), new BlockMapWriter()]
    const taken: Uint8Array[] = []
    for (let index = 0; index < 3000; index++) {
      for (const writer of [one, other]) {
        writer.add(`Files/${index}`, 0, 40)
        writer.end()
      }
      taken.push(...one.take())
    }
    assert.ok(taken.length >= 2 && taken.every(({byteLength}) => byteLength >= 65_536 && byteLength < 65_700))
    assert.ok(Buffer.concat([...taken, ...one.finish()]).equals(Buffer.concat(other.finish())))
  })
})
