import assert from 'node:assert/strict'
import {gzipSync} from 'node:zlib'
import {
  absentLayer,
  layerBytes,
  layerFromTar,
  layerInFile,
  layerTar,
  type StoredLayer,
} from '../../../src/formats/layer-blob/read-layer-blob.js'
import {digestOf, type Digest} from '../../../src/model/digest.js'
import {chunked, collect} from '../../helpers/bytes.js'
import {fileOf, layerTarOf} from '../../helpers/layer-archives.js'
import {assertRejects, assertThrows} from '../../helpers/told.js'

const OTHER = digestOf(Buffer.from('other'))

/** What passes a tap: texts of what it was shown. */
class Tap {
  readonly #stored: Buffer[] = []
  readonly #text: Buffer[] = []
  stored(bytes: Uint8Array): void {
    this.#stored.push(Buffer.from(bytes))
  }
  text(bytes: Uint8Array): void {
    this.#text.push(Buffer.from(bytes))
  }
  get seen(): readonly Buffer[] {
    return [Buffer.concat(this.#stored), Buffer.concat(this.#text)]
  }
}

describe('a layer that is stored as a tar', () => {
  let tar: Buffer = Buffer.alloc(0)
  let packed: Buffer = Buffer.alloc(0)
  let diffId: Digest

  before(async () => {
    tar = await layerTarOf([fileOf('Files/a.txt', 'text')])
    packed = gzipSync(tar)
    diffId = digestOf(tar)
  })

  const stored = (bytes: Buffer, more: Partial<StoredLayer> = {}): StoredLayer => ({
    title: 'layer 3',
    descriptor: {mediaType: 'a/b', digest: digestOf(bytes), size: bytes.byteLength},
    compression: bytes === tar ? 'none' : 'gzip',
    open: () => chunked(bytes, 100),
    ...more,
  })

  it('gives its bytes and its tar', async () => {
    for (const layer of [stored(packed), stored(packed, {diffId}), stored(packed, {diffId: digestOf(tar, 'sha512')})]) {
      assert.ok((await collect(layerBytes(layer))).equals(packed))
      assert.ok((await collect(layerTar(layer))).equals(tar))
    }
    for (const layer of [stored(tar), stored(tar, {diffId}), stored(tar, {diffId: digestOf(tar, 'sha512')})])
      assert.ok((await collect(layerTar(layer))).equals(tar))
  })

  it('shows its bytes and its tar to a tap, and a tar that is stored as such once', async () => {
    for (const [layer, text] of [
      [stored(packed), tar],
      [stored(packed, {diffId}), tar],
      [stored(tar), Buffer.alloc(0)],
      [stored(tar, {diffId}), Buffer.alloc(0)],
    ] as const) {
      const tap = new Tap()
      await collect(layerTar(layer, {tap}))
      assert.deepEqual(tap.seen, [layer.compression === 'none' ? tar : packed, text])
    }
  })

  it('is refused with another digest or size, stored or unpacked', async () => {
    const descriptor = {mediaType: 'a/b', digest: digestOf(packed), size: packed.byteLength}
    for (const [layer, code, path] of [
      [stored(packed, {descriptor: {...descriptor, digest: OTHER}}), 'DIGEST_MISMATCH', 'layer 3'],
      [stored(packed, {descriptor: {...descriptor, size: packed.byteLength + 1}}), 'SIZE_MISMATCH', 'layer 3'],
      [stored(packed, {descriptor: {...descriptor, size: packed.byteLength - 1}}), 'SIZE_MISMATCH', 'layer 3'],
      [stored(packed, {diffId: OTHER}), 'DIGEST_MISMATCH', 'layer 3 (uncompressed)'],
      [stored(tar, {diffId: OTHER}), 'DIGEST_MISMATCH', 'layer 3 (uncompressed)'],
      [stored(tar, {compression: 'gzip'}), 'LAYER_CORRUPT', 'layer 3'],
    ] as const)
      await assertRejects(collect(layerTar(layer)), {code, at: {path}, advises: true})
  })

  it('unpacks to no more than it may', async () => {
    const told = {code: 'LIMIT_EXCEEDED', at: {path: 'layer 3'}}
    await assertRejects(collect(layerTar(stored(packed), {maxUnpackedBytes: 100})), told)
  })

  it('is a layer with what is known of it', async () => {
    const layer = layerFromTar(stored(packed, {diffId}))
    const {title, hasContent, blob, ...rest} = layer
    assert.deepEqual(
      [title, hasContent, rest.diffId, rest.sizeBytes, rest.inFile],
      ['layer 3', true, diffId, undefined, undefined],
    )
    assert.deepEqual([blob?.compression, blob?.descriptor.digest], ['gzip', digestOf(packed)])
    assert.ok(blob !== undefined && (await collect(blob.open())).equals(packed))
    const paths: string[] = []
    for await (const entry of layer.entries()) if (entry.kind !== 'frame') paths.push(entry.path)
    assert.deepEqual(paths, ['Files', 'Files/a.txt'])
  })

  it('has its size before it is read where it is the tar itself', () => {
    assert.equal(layerFromTar(stored(tar)).sizeBytes, tar.byteLength)
    for (const field of ['diffId', 'inFile'] as const) assert.equal(field in layerFromTar(stored(tar)), false)
    assert.equal('sizeBytes' in layerFromTar(stored(packed)), false)
  })

  it('may lack its end only where its diffID is known', async () => {
    const cut = tar.subarray(0, -1024)
    const read = async (more: Partial<StoredLayer>) => {
      let entries = 0
      for await (const entry of layerFromTar(stored(cut, {compression: 'none', ...more})).entries())
        if (entry.kind !== 'frame') entries++
      return entries
    }
    assert.equal(await read({diffId: digestOf(cut)}), 2)
    await assertRejects(read({}), {code: 'ARCHIVE_TRUNCATED'})
  })

  it('is plain data where it lies in a file', () => {
    const range = {descriptor: 3, offset: 512, length: 100} as unknown as NonNullable<StoredLayer['range']>
    const {title, descriptor, compression} = stored(packed)
    assert.equal(layerInFile(stored(packed)), undefined)
    const plain = {title, descriptor, compression, diffId, range}
    assert.deepEqual(layerInFile(stored(packed, {diffId, range})), plain)
    assert.deepEqual(layerFromTar(stored(packed, {diffId, range})).inFile, plain)
  })
})

describe('a layer that a source does not hold', () => {
  const descriptor = {mediaType: 'a/b', digest: OTHER, size: 5}

  it('has a title alone where nothing more is known', () => {
    const layer = absentLayer({title: 'layer 1'})
    assert.deepEqual({...layer, entries: undefined}, {title: 'layer 1', hasContent: false, entries: undefined})
  })

  it('keeps its diffID, and its descriptor unless it was taken out', () => {
    const foreign = absentLayer({title: 'layer 1', diffId: OTHER, descriptor})
    assert.deepEqual([foreign.diffId, foreign.blob?.descriptor, foreign.blob?.compression], [OTHER, descriptor, 'gzip'])
    assert.equal(absentLayer({title: 'layer 1', descriptor, compression: 'none'}).blob?.compression, 'none')
    const {blob, absence} = absentLayer({title: 'layer 1', descriptor, absence: 'It lies in x.'})
    assert.deepEqual([blob, absence], [undefined, 'It lies in x.'])
  })

  for (const [note, more, says] of [
    ['that it is only named', {}, []],
    ['where it was taken out of', {absence: 'It lies in x.'}, ['It lies in x.']],
    ['where it is stored', {descriptor: {...descriptor, urls: ['https://a', 'https://b']}}, ['https://a or https://b']],
    ['that no address is known', {descriptor: {...descriptor, urls: []}, absence: 'It is gone.'}, ['It is gone.']],
  ] as const)
    it(`is refused when it is read, and tells ${note}`, () => {
      const layer = absentLayer({title: 'layer 1', ...more})
      const told = {code: 'LAYER_MISSING', at: {path: 'layer 1'}, says: ['layer 1', ...says], advises: true}
      assertThrows(() => layer.entries(), told)
      if (layer.blob !== undefined) assertThrows(() => layer.blob?.open(), told)
    })
})
