import assert from 'node:assert/strict'
import {BlockRoom} from '../../../src/codecs/bytes/block-room.js'
import {GrowingBytes} from '../../../src/codecs/bytes/growing-bytes.js'
import {letGo} from '../../../src/codecs/bytes/let-go.js'
import {RecordWriter} from '../../../src/codecs/bytes/record-writer.js'

describe('room for blocks', () => {
  it('is of the size that was asked for, and of its own for each that is taken', () => {
    const room = new BlockRoom(64)
    const [one, other] = [room.take(), room.take()]
    assert.deepEqual([one.byteLength, other.byteLength], [64, 64])
    assert.notEqual(one.buffer, other.buffer)
  })

  it('is used again once it is given back, whole', () => {
    const room = new BlockRoom(64)
    const block = room.take()
    room.giveBack(block.subarray(10, 20))
    const again = room.take()
    assert.equal(again.buffer, block.buffer)
    assert.deepEqual([again.byteOffset, again.byteLength], [0, 64])
    assert.notEqual(room.take().buffer, block.buffer)
  })

  it('is not handed out twice for one that is given back twice', () => {
    const room = new BlockRoom(8)
    const block = room.take()
    room.giveBack(block)
    room.giveBack(block)
    assert.notEqual(room.take().buffer, room.take().buffer)
  })

  it('takes no notice of bytes from elsewhere', () => {
    const room = new BlockRoom(8)
    const foreign = new Uint8Array(8)
    room.giveBack(foreign)
    assert.notEqual(room.take().buffer, foreign.buffer)
  })
})

describe('memory that is let go', () => {
  it('is made of no length, where the platform can', () => {
    const asked: number[] = []
    const memory = Object.assign(new ArrayBuffer(16), {
      transfer: (length: number) => {
        asked.push(length)
        return new ArrayBuffer(length)
      },
    })
    letGo(new Uint8Array(memory, 4, 2), 16)
    assert.deepEqual(asked, [0])
    for (const own of [15, 17]) letGo(new Uint8Array(memory), own)
    assert.deepEqual(asked, [0])
  })
})

describe('bytes that grow', () => {
  it('take room twice what they need, not more often than they must', () => {
    const bytes = new GrowingBytes(4)
    bytes.push(Buffer.from('abcd'))
    const {buffer} = bytes.view
    bytes.clear()
    bytes.push(Buffer.from('efgh'))
    assert.equal(bytes.view.buffer, buffer)
    bytes.push(Buffer.from('i'))
    assert.equal(bytes.view.toString(), 'efghi')
    const larger = bytes.view
    bytes.push(Buffer.from('jklmn'))
    assert.equal(bytes.view.byteOffset, larger.byteOffset)
    assert.equal(bytes.view.toString(), 'efghijklmn')
  })

  for (const length of [0, 1, 255, 256, 257, 511, 512, 513, 5000])
    it(`are kept in a record of ${length} bytes and what comes behind`, () => {
      const body = Buffer.alloc(length, 'x')
      const writer = new RecordWriter().bytes(body)
      for (let value = 0; value < 300; value++) writer.byte(value & 255)
      const tail = Buffer.from(Array.from({length: 300}, (_, index) => index & 255))
      assert.ok(
        Buffer.from(writer.u32(1).i64(-1n).finish()).equals(
          Buffer.concat([body, tail, Buffer.from('01000000ffffffffffffffff', 'hex')]),
        ),
      )
    })
})
