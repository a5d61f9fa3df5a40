import assert from 'node:assert/strict'
import {gunzipSync, gzipSync} from 'node:zlib'
import type {WritableCompression} from '../../../src/codecs/compression/compress.js'
import {layerBody, type LayerWish} from '../../../src/formats/layer-blob/layer-body.js'
import {digestOf, type Digest} from '../../../src/model/digest.js'
import {InternalError} from '../../../src/model/errors.js'
import type {Compression, Layer} from '../../../src/model/image.js'
import {chunked, collect} from '../../helpers/bytes.js'
import {fileOf, layerTarOf, withParents} from '../../helpers/layer-archives.js'
import {assertRejects} from '../../helpers/told.js'
import {streamOf} from '../../helpers/streams.js'

const ENTRIES = withParents([fileOf('Files/a.txt', 'text '.repeat(4000)), fileOf('Files/b.txt', 'b')])

interface Stored {
  readonly compression?: Compression
  readonly bytes: Buffer
  readonly digest?: Digest
  readonly diffId?: Digest
  readonly isVouchedFor?: boolean
}

let opened = 0

function layerOf({compression = 'gzip', bytes, digest = digestOf(bytes), diffId, isVouchedFor}: Stored): Layer {
  return {
    title: 'layer 1',
    hasContent: true,
    ...(diffId === undefined ? {} : {diffId}),
    blob: {
      descriptor: {mediaType: 'a/b', digest, size: bytes.byteLength},
      compression,
      ...(isVouchedFor === undefined ? {} : {isVouchedFor}),
      open: () => {
        opened++
        return chunked(bytes, 1000)
      },
    },
    entries: () => assert.fail('nobody asks for entries'),
  }
}

const KEEP: LayerWish = {accepts: ['none', 'gzip', 'zstd'], compression: 'none'}
const ANEW = (compression: WritableCompression, level?: number): LayerWish => ({accepts: [], compression, level})

describe('a layer in the form that a destination stores', () => {
  let tar: Buffer = Buffer.alloc(0)
  let packed: Buffer = Buffer.alloc(0)
  let diffId: Digest
  const other = digestOf(Buffer.from('other'))

  before(async () => {
    tar = await layerTarOf(ENTRIES)
    packed = gzipSync(tar)
    diffId = digestOf(tar)
  })

  beforeEach(() => {
    opened = 0
  })

  const written = async (layer: Layer, wish: LayerWish) => {
    const body = layerBody(layer, wish, {})
    const bytes = await collect(body.bytes)
    return {bytes, facts: body.facts(), stated: body.stated}
  }

  it('is passed on as it is where its compression will do, with members counted on the way', async () => {
    const layer = layerOf({bytes: packed, diffId})
    const {bytes, facts, stated} = await written(layer, KEEP)
    assert.ok(bytes.equals(packed))
    assert.deepEqual(facts, {
      diffId,
      digest: digestOf(packed),
      size: packed.byteLength,
      compression: 'gzip',
      entries: 3,
    })
    assert.equal(stated, layer.blob?.descriptor)
    assert.equal(opened, 1)
  })

  it('is passed on and not opened where its manifest is vouched for', async () => {
    const {bytes, facts} = await written(layerOf({bytes: packed, diffId, isVouchedFor: true}), KEEP)
    assert.ok(bytes.equals(packed))
    assert.deepEqual(facts, {diffId, digest: digestOf(packed), size: packed.byteLength, compression: 'gzip'})
  })

  it('is opened all the same without a diffID, or with digests of another kind', async () => {
    const expected = {diffId, digest: digestOf(packed), size: packed.byteLength, compression: 'gzip', entries: 3}
    for (const layer of [
      layerOf({bytes: packed, isVouchedFor: true}),
      layerOf({bytes: packed, diffId: digestOf(tar, 'sha512'), isVouchedFor: true}),
      layerOf({bytes: packed, diffId, digest: digestOf(packed, 'sha512'), isVouchedFor: true}),
    ])
      assert.deepEqual((await written(layer, KEEP)).facts, expected)
  })

  it('that is a plain tar is passed on as one', async () => {
    for (const layer of [
      layerOf({compression: 'none', bytes: tar, diffId}),
      layerOf({compression: 'none', bytes: tar}),
      layerOf({compression: 'none', bytes: tar, diffId, digest: digestOf(tar, 'sha512')}),
    ]) {
      const {bytes, facts} = await written(layer, KEEP)
      assert.ok(bytes.equals(tar))
      assert.deepEqual(facts, {diffId, digest: diffId, size: tar.byteLength, compression: 'none', entries: 3})
    }
  })

  for (const compression of ['none', 'gzip'] as const)
    it(`is unpacked and packed again where its compression is not taken: ${compression}`, async () => {
      const {bytes, facts, stated} = await written(layerOf({bytes: packed, diffId}), ANEW(compression))
      const plain = compression === 'none' ? bytes : gunzipSync(bytes)
      assert.ok(plain.equals(tar))
      assert.deepEqual(facts, {diffId, digest: digestOf(bytes), size: bytes.byteLength, compression, entries: 3})
      assert.equal(stated, undefined)
    })

  it('is packed at the level that is asked for', async () => {
    const at = async (level: number) => (await written(layerOf({bytes: packed, diffId}), ANEW('gzip', level))).bytes
    assert.ok((await at(0)).byteLength > tar.byteLength)
    assert.ok((await at(9)).byteLength < tar.byteLength / 10)
    const encoded = await written(encodedLayer(), ANEW('gzip', 0))
    assert.ok(encoded.bytes.byteLength > tar.byteLength)
  })

  function encodedLayer(): Layer {
    // A diffID that is stated of a layer without a tar says nothing of the tar that is made.
    return {title: 'layer 2', hasContent: true, diffId: other, entries: () => streamOf(...ENTRIES)}
  }

  it('is encoded where the source has no tar', async () => {
    for (const accepts of [[], ['gzip']] as const) {
      const {bytes, facts, stated} = await written(encodedLayer(), {accepts, compression: 'none'})
      assert.ok(bytes.equals(tar))
      assert.deepEqual(facts, {diffId, digest: diffId, size: tar.byteLength, compression: 'none', entries: 3})
      assert.equal(stated, undefined)
    }
  })

  for (const [note, wish] of [
    ['passed on', KEEP],
    ['unpacked', ANEW('none')],
    ['packed again', ANEW('gzip')],
  ] as const)
    it(`is refused by its end where its tar has another digest: ${note}`, async () => {
      const {bytes} = layerBody(layerOf({bytes: packed, diffId: other}), wish, {})
      await assertRejects(collect(bytes), {
        code: 'DIGEST_MISMATCH',
        at: {path: 'layer 1 (uncompressed)'},
        says: [other, diffId],
      })
    })

  it('is refused where a plain tar has another digest than is stated twice', async () => {
    const {bytes} = layerBody(layerOf({compression: 'none', bytes: tar, diffId: other}), KEEP, {})
    await assertRejects(collect(bytes), {code: 'DIGEST_MISMATCH'})
  })

  it('is refused where it cannot be unpacked, also where it would be passed on', async () => {
    const damaged = Buffer.from(packed)
    damaged.fill(0xff, 20, 40)
    for (const wish of [KEEP, ANEW('none')]) {
      const {bytes} = layerBody(layerOf({bytes: damaged, diffId}), wish, {})
      await assertRejects(collect(bytes), {code: 'LAYER_CORRUPT', at: {path: 'layer 1'}})
    }
    const cut = layerBody(layerOf({bytes: packed.subarray(0, -9), diffId}), KEEP, {})
    await assertRejects(collect(cut.bytes), {code: 'ARCHIVE_TRUNCATED', at: {path: 'layer 1'}})
  })

  it('unpacks to no more than it may', async () => {
    for (const wish of [KEEP, ANEW('none'), ANEW('gzip')]) {
      const {bytes} = layerBody(layerOf({bytes: packed, diffId}), wish, {maxUnpackedBytes: 5000})
      await assertRejects(collect(bytes), {code: 'LIMIT_EXCEEDED'})
    }
  })

  it('has no facts before its end', async () => {
    const body = layerBody(layerOf({bytes: packed, diffId}), KEEP, {})
    assert.throws(() => body.facts(), InternalError)
    for await (const _chunk of body.bytes) {
      assert.throws(() => body.facts(), InternalError)
      break
    }
    assert.throws(() => body.facts(), InternalError)
  })
})
