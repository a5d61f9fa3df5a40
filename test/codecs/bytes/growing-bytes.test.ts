import assert from 'node:assert/strict'
import {GrowingBytes} from '../../../src/codecs/bytes/growing-bytes.js'

describe('bytes that are copied together', () => {
  for (const room of [0, 4, 64])
    it(`hold all that came, from ${room} bytes of room on`, () => {
      const bytes = new GrowingBytes(room)
      let all = ''
      for (const text of ['', 'one', 'a second', 'x'.repeat(100), 'last']) {
        bytes.push(Buffer.from(text))
        all += text
        assert.equal(bytes.view.toString(), all)
        assert.equal(bytes.length, all.length)
      }
    })

  it('begin anew when they are cleared', () => {
    const bytes = new GrowingBytes(8)
    bytes.push(Buffer.from('before'))
    bytes.clear()
    assert.equal(bytes.length, 0)
    bytes.push(Buffer.from('new'))
    assert.equal(bytes.view.toString(), 'new')
  })

  it('are given away for good: what comes later lies elsewhere', () => {
    const bytes = new GrowingBytes(8)
    bytes.push(Buffer.from('taken'))
    const taken = bytes.take()
    assert.equal(bytes.length, 0)
    bytes.push(Buffer.from('OTHER'))
    assert.equal(taken.toString(), 'taken')
    assert.equal(bytes.view.toString(), 'OTHER')
  })
})
