import assert from 'node:assert/strict'
import {ByteReader} from '../../../src/codecs/tar/byte-reader.js'
import {chunked} from '../../helpers/bytes.js'

const BYTES = Buffer.from('0123456789')

describe('a stream taken apart', () => {
  for (const size of [1, 3, 10])
    it(`gives bytes in any portions, from pieces of ${size}`, async () => {
      const reader = new ByteReader(chunked(BYTES, size))
      assert.equal(await reader.has(0), true)
      assert.equal(await reader.has(4), true)
      assert.equal(Buffer.from(reader.take(4)).toString(), '0123')
      assert.equal(reader.offset, 4)
      assert.equal(await reader.has(6), true)
      assert.equal(await reader.has(7), false)
      assert.equal(Buffer.from(reader.peek()).toString(), '456789')
      assert.equal(Buffer.from(reader.peek(2)).toString(), '45')
      assert.equal((await reader.takeSome(0)).byteLength, 0)
      assert.equal(Buffer.from(await reader.takeSome(2)).toString(), '45')
      assert.equal(Buffer.from(await reader.takeSome(100)).toString(), '6789')
      assert.equal((await reader.takeSome(1)).byteLength, 0)
      assert.equal(reader.offset, 10)
    })

  it('is closed with its source, and asks nothing of it any more', async () => {
    let asked = 0
    let isClosed = false
    const source: AsyncIterable<Uint8Array> = {
      [Symbol.asyncIterator]: () => ({
        next: () => {
          asked += 1
          return Promise.resolve({done: false, value: Buffer.from('ab')})
        },
        return: () => {
          isClosed = true
          return Promise.resolve({done: true, value: undefined})
        },
      }),
    }
    const reader = new ByteReader(source)
    assert.equal(await reader.has(1), true)
    await reader.close()
    assert.equal(isClosed, true)
    assert.equal(await reader.has(100), false)
    assert.equal(asked, 1)
  })
})
