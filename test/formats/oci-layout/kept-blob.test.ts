import assert from 'node:assert/strict'
import {gzipSync} from 'node:zlib'
import {findSound} from '../../../src/formats/oci-layout/kept-blob.js'
import {digestOf} from '../../../src/model/digest.js'
import {InputError} from '../../../src/model/errors.js'
import type {Compression, Layer} from '../../../src/model/image.js'
import type {WorkOptions} from '../../../src/model/events.js'
import {tarOf} from '../../helpers/archives.js'
import {chunked} from '../../helpers/bytes.js'
import {breakingOff} from '../../helpers/streams.js'

const refuse = (): never => {
  throw new Error('the source was read')
}

function layerOf(
  stored: Buffer,
  tar: Buffer,
  more: {algorithm?: string; diffAlgorithm?: string; compression?: Compression} = {},
) {
  const {algorithm, diffAlgorithm, compression = 'none'} = more
  const descriptor = {mediaType: 'x', digest: digestOf(stored, algorithm), size: stored.length}
  return {
    title: 'layer 1',
    hasContent: true,
    diffId: digestOf(tar, diffAlgorithm),
    blob: {descriptor, compression, open: refuse},
    entries: refuse,
  } satisfies Layer
}

describe('a blob of a layout in the place of a layer of a source', () => {
  let tar: Buffer
  let opened: number
  before(async () => {
    tar = await tarOf([
      ['Files/', ''],
      ['Files/a', 'text'],
    ])
  })
  beforeEach(() => {
    opened = 0
  })

  function found(layer: Layer, bytes: Buffer, sizeBytes = bytes.length, options: WorkOptions = {}) {
    const open = () => {
      opened += 1
      return chunked(bytes, 700)
    }
    return findSound(layer, {member: undefined, sizeBytes, open}, options)
  }

  for (const compression of ['none', 'gzip'] as const)
    it(`is read for what it is: ${compression}`, async () => {
      const stored = compression === 'none' ? tar : gzipSync(tar)
      assert.deepEqual(await found(layerOf(stored, tar, {compression}), stored), {
        diffId: digestOf(tar),
        digest: digestOf(stored),
        size: stored.length,
        compression,
        entries: 2,
      })
      assert.equal(opened, 1)
    })

  for (const [note, layer, more] of [
    ['the source has no blob', () => ({...layerOf(tar, tar), blob: undefined}), 0],
    ['the source states no diffID', () => ({...layerOf(tar, tar), diffId: undefined}), 0],
    ['its digest is of another algorithm', () => layerOf(tar, tar, {algorithm: 'sha512'}), 0],
    ['its diffID is of another algorithm', () => layerOf(tar, tar, {diffAlgorithm: 'sha512'}), 0],
    ['it is longer', () => layerOf(tar, tar), 1],
    ['it is shorter', () => layerOf(tar, tar), -1],
    ['it is in bzip2', () => layerOf(tar, tar, {compression: 'bzip2'}), 0],
    ['it is in xz', () => layerOf(tar, tar, {compression: 'xz'}), 0],
  ] as const)
    it(`is not even read where ${note}`, async () => {
      assert.equal(await found(layer() as Layer, tar, tar.length + more), undefined)
      assert.equal(opened, 0)
    })

  it('is of no use where it is damaged, or is not the tar that the source states', async () => {
    const damaged = Buffer.from(tar)
    damaged.writeUInt8(1, tar.length - 1)
    assert.equal(await found(layerOf(tar, tar), damaged), undefined)
    const stored = gzipSync(tar)
    assert.equal(await found(layerOf(stored, Buffer.from('another'), {compression: 'gzip'}), stored), undefined)
    assert.equal(opened, 2)
  })

  it('hands on an interruption, and what is no fault of it', async () => {
    const signal = AbortSignal.abort(new Error('enough'))
    await assert.rejects(found(layerOf(tar, tar), tar, tar.length, {signal}), /enough/)
    const broken = {member: 1, sizeBytes: tar.length, open: () => refuse()}
    await assert.rejects(findSound(layerOf(tar, tar), broken, {}), /the source was read/)
    const cut = {member: 1, sizeBytes: tar.length, open: () => breakingOff(new Error('cut'))}
    await assert.rejects(findSound(layerOf(tar, tar), cut, {}), /cut/)
    const gone = {
      member: 1,
      sizeBytes: tar.length,
      open: () => breakingOff(new InputError('NOT_FOUND', {what: 'gone'})),
    }
    assert.equal(await findSound(layerOf(tar, tar), gone, {}), undefined)
  })
})
