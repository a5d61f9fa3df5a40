import assert from 'node:assert/strict'
import {byteSourceOf} from '../../../src/codecs/backup-stream/byte-source.js'
import {scanBackupStreams} from '../../../src/codecs/backup-stream/scan-streams.js'
import {
  decodeStreamHeader,
  putSparseBlockHeader,
  putStreamHeader,
  StreamAttribute,
  StreamId,
  streamIdName,
} from '../../../src/codecs/backup-stream/stream-header.js'
import {faultOf} from '../../helpers/faults.js'

/** BACKUP_* of winbase.h and MS-BKUP 2.2. */
const NAMES: Readonly<Record<keyof typeof StreamId, readonly [number, string]>> = {
  data: [1, 'DATA'],
  extendedAttributes: [2, 'EA_DATA'],
  security: [3, 'SECURITY_DATA'],
  alternateData: [4, 'ALTERNATE_DATA'],
  link: [5, 'LINK'],
  propertyData: [6, 'PROPERTY_DATA'],
  objectId: [7, 'OBJECT_ID'],
  reparseData: [8, 'REPARSE_DATA'],
  sparseBlock: [9, 'SPARSE_BLOCK'],
  txfsData: [10, 'TXFS_DATA'],
  ghostedExtents: [11, 'GHOSTED_FILE_EXTENTS'],
}

describe('ids of backup streams', () => {
  for (const [key, [id, name]] of Object.entries(NAMES))
    it(`${id} is ${name}`, () => {
      assert.equal(Object.entries(StreamId).find(([own]) => own === key)?.[1], id)
      assert.equal(streamIdName(id), name)
    })

  it('that are unknown are numbers', () => {
    assert.deepEqual([streamIdName(0), streamIdName(12)], ['stream 0', 'stream 12'])
  })

  it('come with the attributes of winnt.h', () => {
    assert.deepEqual(StreamAttribute, {modifiedWhenRead: 1, containsSecurity: 2, containsProperties: 4, sparse: 8})
  })
})

describe('the header of a backup stream', () => {
  it('is written field by field, with its name behind it', () => {
    const into = Buffer.alloc(40, 0xcc)
    const name = Buffer.from(':a', 'utf16le')
    const end = putStreamHeader(into, 5, {id: 4, attributes: 8, sizeBytes: 0x1_2345_6789, name})
    assert.equal(end, 29)
    assert.equal(into.toString('hex'), `cccccccccc04000000080000008967452301000000040000003a006100${'cc'.repeat(11)}`)
  })

  it('may have no name', () => {
    const into = Buffer.alloc(20, 0xcc)
    assert.equal(putStreamHeader(into, 0, {id: 1, attributes: 0, sizeBytes: 0}), 20)
    assert.equal(into.toString('hex'), `01${'00'.repeat(19)}`)
  })

  it('of a sparse block counts its offset', () => {
    const into = Buffer.alloc(30, 0xcc)
    assert.equal(putSparseBlockHeader(into, 1, {offset: 0x3_0000_0002, length: 5, attributes: 1}), 29)
    assert.equal(into.toString('hex'), 'cc09000000010000000d00000000000000000000000200000003000000cc')
  })

  it('gives each field from its place', () => {
    const bytes = Buffer.alloc(26)
    putStreamHeader(bytes, 3, {id: 0x81000001, attributes: 0x82000002, sizeBytes: 2 ** 53 - 1})
    bytes.writeUInt32LE(4096, 3 + 16)
    assert.deepEqual(decodeStreamHeader(bytes.subarray(3), 0), {
      id: 0x81000001,
      attributes: 0x82000002,
      sizeBytes: 2 ** 53 - 1,
      nameBytes: 4096,
    })
  })

  for (const [note, size, nameBytes, offset] of [
    ['a size below zero', -1n, 0, 108],
    ['the lowest size', -(2n ** 63n), 0, 108],
    ['a size beyond what is exact', 2n ** 53n, 0, 108],
    ['an odd name', 0n, 1, 116],
    ['a name of 4098 bytes', 0n, 4098, 116],
  ] as const)
    it(`is refused for ${note}, with the place`, () => {
      const bytes = Buffer.alloc(20)
      bytes.writeBigInt64LE(size, 8)
      bytes.writeUInt32LE(nameBytes, 16)
      assert.deepEqual(
        faultOf(() => decodeStreamHeader(bytes, 100)),
        {code: 'CARRIER_CORRUPT', at: {offset}},
      )
    })
})

describe('scanning backup streams', () => {
  const block = (size: bigint, offset: bigint, payload = 0) => {
    const bytes = Buffer.alloc(28 + payload)
    bytes.writeUInt32LE(9, 0)
    bytes.writeBigInt64LE(size, 8)
    bytes.writeBigInt64LE(offset, 20)
    return bytes
  }
  const scan = (bytes: Uint8Array, start = 0) => scanBackupStreams(byteSourceOf(bytes), start)

  it('begins where it is told', () => {
    const bytes = Buffer.concat([Buffer.from('head'), block(8n, 5n), Buffer.alloc(3)])
    const {streams, end} = scan(bytes, 4)
    assert.deepEqual(streams, [
      {id: 9, attributes: 0, name: new Uint8Array(), position: 4, payloadPosition: 32, payloadBytes: 0, blockOffset: 5},
    ])
    assert.equal(end, 32)
    assert.deepEqual(scan(bytes, bytes.byteLength), {streams: [], end: bytes.byteLength})
  })

  it('gives attributes and names, and no offset but of a block', () => {
    const bytes = Buffer.alloc(24)
    putStreamHeader(bytes, 0, {id: 4, attributes: 8, sizeBytes: 0, name: Buffer.from('ab', 'utf16le')})
    const [stream] = scan(bytes).streams
    assert.deepEqual(
      {...stream, name: Buffer.from(stream!.name).toString('utf16le')},
      {id: 4, attributes: 8, name: 'ab', position: 0, payloadPosition: 24, payloadBytes: 0},
    )
    const kept = stream!.name
    bytes.fill(0)
    assert.equal(Buffer.from(kept).toString('utf16le'), 'ab')
  })

  for (const [note, bytes, offset] of [
    ['a block without room for its offset', block(7n, 0n), 20],
    ['a block below zero', block(8n, -1n), 20],
    ['a block beyond what is exact', block(8n, 2n ** 53n), 20],
    ['a block that ends beyond what is exact', block(10n, 2n ** 53n - 2n, 2), 20],
    ['a header that is cut, with a byte that is not zero', Buffer.concat([block(8n, 0n), Buffer.from([0, 0, 1])]), 28],
    ['a payload that is one byte short', block(9n, 0n), 0],
  ] as const)
    it(`refuses ${note}, with the place`, () => {
      assert.deepEqual(
        faultOf(() => scan(bytes)),
        {code: 'CARRIER_CORRUPT', at: {offset}},
      )
    })

  it('takes the last block that is exact', () => {
    assert.equal(scan(block(9n, 2n ** 53n - 2n, 1)).streams[0]?.blockOffset, 2 ** 53 - 2)
    assert.equal(scan(block(8n, 2n ** 53n - 1n)).streams[0]?.blockOffset, 2 ** 53 - 1)
  })
})
