import assert from 'node:assert/strict'
import {letGo} from '../../../src/codecs/bytes/let-go.js'

const CAN_TRANSFER = 'transfer' in ArrayBuffer.prototype

describe('letting go of bytes', () => {
  it('frees memory that holds nothing else', () => {
    const memory = new ArrayBuffer(65_792)
    letGo(new Uint8Array(memory, 0, 100), 65_792)
    assert.equal(memory.byteLength, CAN_TRANSFER ? 0 : 65_792)
  })

  it('leaves memory alone that other bytes lie in', () => {
    const pooled = Buffer.from('some bytes of the pool')
    const neighbour = Buffer.from('others beside them')
    letGo(pooled, pooled.byteLength)
    letGo(neighbour, 4096)
    assert.deepEqual([pooled.toString(), neighbour.toString()], ['some bytes of the pool', 'others beside them'])
  })

  it('takes no notice of shared memory', () => {
    const shared = new SharedArrayBuffer(64)
    letGo(new Uint8Array(shared), 64)
    assert.equal(shared.byteLength, 64)
  })
})
