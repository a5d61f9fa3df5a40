import assert from 'node:assert/strict'
import {byteSourceOf} from '../../../src/codecs/backup-stream/byte-source.js'
import {scanBackupStreams} from '../../../src/codecs/backup-stream/scan-streams.js'
import {putSparseBlockHeader, putStreamHeader, streamIdName} from '../../../src/codecs/backup-stream/stream-header.js'
import {TransshipError} from '../../../src/model/errors.js'

function stream(id: number, payload: string, name = ''): Buffer {
  const bytes = Buffer.alloc(20 + name.length * 2)
  const stored = Buffer.from(name, 'utf16le')
  putStreamHeader(bytes, 0, {id, attributes: 0, sizeBytes: payload.length, name: stored})
  return Buffer.concat([bytes, Buffer.from(payload)])
}

function scan(bytes: Uint8Array) {
  return scanBackupStreams(byteSourceOf(bytes), 0)
}

/** A header with any fields. */
function header(id: number, size: bigint, nameBytes: number): Buffer {
  const bytes = Buffer.alloc(20)
  bytes.writeUInt32LE(id, 0)
  bytes.writeBigInt64LE(size, 8)
  bytes.writeUInt32LE(nameBytes, 16)
  return bytes
}

describe('backup streams', () => {
  it('are listed with their places, whatever their id', () => {
    const {streams, end} = scan(Buffer.concat([stream(3, 'sec'), stream(77, ''), stream(4, 'zz', ':a:$DATA')]))
    assert.deepEqual(
      streams.map(({id, position, payloadPosition, payloadBytes}) => [id, position, payloadPosition, payloadBytes]),
      [
        [3, 0, 20, 3],
        [77, 23, 43, 0],
        [4, 43, 79, 2],
      ],
    )
    assert.equal(end, 81)
    assert.equal(Buffer.from(streams[2]!.name).toString('utf16le'), ':a:$DATA')
  })

  it('give the offset of a sparse block, beyond 4 GiB too', () => {
    const bytes = Buffer.alloc(30)
    putSparseBlockHeader(bytes, 0, {offset: 0x1_2345_6789, length: 2, attributes: 8})
    const [block] = scan(bytes).streams
    assert.equal(block?.blockOffset, 0x1_2345_6789)
    assert.equal(block.payloadBytes, 2)
    assert.equal(block.payloadPosition, 28)
  })

  it('may be followed by a few zeros and nothing else', () => {
    assert.equal(scan(Buffer.concat([stream(1, 'x'), Buffer.alloc(19)])).end, 21)
    assert.throws(() => scan(Buffer.concat([stream(1, 'x'), Buffer.from([0, 1])])), {code: 'CARRIER_CORRUPT'})
  })

  for (const {bytes, offset, note} of [
    {bytes: header(1, -1n, 0), offset: 8, note: 'a negative size'},
    {bytes: header(1, 2n ** 62n, 0), offset: 8, note: 'a size no file has'},
    {bytes: header(1, 1n, 0), offset: 0, note: 'a payload that is not there'},
    {bytes: header(4, 0n, 3), offset: 16, note: 'a name of odd length'},
    {bytes: header(4, 0n, 0xfffffffe), offset: 16, note: 'a name of 4 GiB'},
    {bytes: header(4, 0n, 8), offset: 0, note: 'a name that is not there'},
    {bytes: Buffer.concat([header(9, 4n, 0), Buffer.alloc(4)]), offset: 20, note: 'a sparse block without an offset'},
    {bytes: Buffer.concat([header(9, 8n, 0), Buffer.alloc(8, 0xff)]), offset: 20, note: 'a negative block offset'},
  ])
    it(`are refused for ${note}, naming the place`, () => {
      assert.throws(
        () => scan(bytes),
        (error) => error instanceof TransshipError && error.code === 'CARRIER_CORRUPT' && error.at.offset === offset,
      )
    })

  it('are refused or listed when cut at any length', () => {
    const whole = Buffer.concat([stream(3, 'security'), stream(4, 'stream', ':a:$DATA'), stream(1, '')])
    for (let length = 0; length < whole.byteLength; length++) {
      try {
        assert.ok(scan(whole.subarray(0, length)).end <= length)
      } catch (error) {
        assert.ok(error instanceof TransshipError && error.code === 'CARRIER_CORRUPT', String(error))
      }
    }
  })

  it('have names for messages', () => {
    assert.equal(streamIdName(9), 'SPARSE_BLOCK')
    assert.equal(streamIdName(99), 'stream 99')
  })
})
