import assert from 'node:assert/strict'
import {gzipSync} from 'node:zlib'
import type {WritableCompression} from '../../../src/codecs/compression/compress.js'
import {
  layerArtifact,
  LayerWriter,
  type LayerShelf,
  type WrittenLayer,
} from '../../../src/formats/layer-blob/layer-writer.js'
import {digestOf, type Digest} from '../../../src/model/digest.js'
import type {Layer} from '../../../src/model/image.js'
import type {DestinationOptions} from '../../../src/model/transport.js'
import {chunked, collect} from '../../helpers/bytes.js'
import {fileOf, layerTarOf} from '../../helpers/layer-archives.js'
import {assertRejects} from '../../helpers/told.js'
import {streamOf} from '../../helpers/streams.js'

/** A place for layers in memory; its members are numbers. */
class Shelf implements LayerShelf<number> {
  readonly bytes: Buffer[] = []
  readonly dropped: number[] = []
  readonly asked: string[] = []
  readonly takes: readonly WritableCompression[]
  kept: {readonly member: number; readonly entries?: number} | undefined

  constructor(takes: readonly WritableCompression[] = ['none', 'gzip']) {
    this.takes = takes
  }

  async put(open: Parameters<LayerShelf<number>['put']>[0]) {
    const body = open()
    this.bytes.push(await collect(body.bytes))
    return {member: this.bytes.length - 1, facts: body.facts()}
  }

  drop(member: number): Promise<void> {
    this.dropped.push(member)
    return Promise.resolve()
  }

  findKept(layer: Layer) {
    this.asked.push(layer.title)
    return Promise.resolve(this.kept)
  }
}

describe('layers that are written to one place', () => {
  let tar: Buffer = Buffer.alloc(0)
  let packed: Buffer = Buffer.alloc(0)
  let diffId: Digest

  before(async () => {
    tar = await layerTarOf([fileOf('Files/a.txt', 'text '.repeat(100))])
    packed = gzipSync(tar)
    diffId = digestOf(tar)
  })

  const layer = (bytes: Buffer, more: Partial<Layer> = {}): Layer => ({
    title: bytes === tar ? 'plain' : 'packed',
    hasContent: true,
    diffId,
    blob: {
      descriptor: {mediaType: 'a/b', digest: digestOf(bytes), size: bytes.byteLength},
      compression: bytes === tar ? 'none' : 'gzip',
      open: () => chunked(bytes, 999),
    },
    entries: () => assert.fail('nobody asks for entries'),
    ...more,
  })
  const factsOf = (written: WrittenLayer<number>) => {
    assert.ok(written.kind === 'stored')
    return written.facts
  }
  const writing = (shelf: Shelf, options: DestinationOptions = {}) => new LayerWriter<number>(shelf, options)

  it('are passed on where the place takes what they have', async () => {
    const shelf = new Shelf()
    const written = await writing(shelf).write(layer(packed), {})
    const facts = {diffId, digest: digestOf(packed), size: packed.byteLength, compression: 'gzip', entries: 2}
    assert.deepEqual(written, {kind: 'stored', member: 0, facts})
    assert.deepEqual(shelf.bytes, [packed])
  })

  it('are written once with the same stored bytes', async () => {
    const shelf = new Shelf()
    const writer = writing(shelf)
    const first = await writer.write(layer(packed), {})
    assert.equal(await writer.write(layer(packed), {}), first)
    assert.deepEqual([shelf.bytes.length, shelf.asked], [1, ['packed']])
  })

  it('are written once with the same tar, where they are unpacked anyway', async () => {
    const shelf = new Shelf(['none'])
    const writer = writing(shelf)
    const first = await writer.write(layer(tar), {})
    assert.equal(await writer.write(layer(packed), {}), first)
    assert.equal(shelf.bytes.length, 1)
  })

  it('are both kept where one is packed and the other is not', async () => {
    const shelf = new Shelf()
    const writer = writing(shelf)
    await writer.write(layer(tar), {})
    await writer.write(layer(packed), {})
    assert.deepEqual(shelf.bytes, [tar, packed])
  })

  it('are taken back where the same turns out to be there already', async () => {
    const shelf = new Shelf()
    const writer = writing(shelf)
    const first = await writer.write(layer(packed), {})
    const {diffId: _known, ...nameless} = layer(packed)
    const again = {
      ...nameless,
      blob: {...nameless.blob!, descriptor: {...nameless.blob!.descriptor, digest: digestOf(packed, 'sha512')}},
    }
    assert.equal(await writer.write(again, {}), first)
    assert.deepEqual([shelf.bytes.length, shelf.dropped], [2, [1]])
  })

  it('are not taken for the same where the diffID differs', async () => {
    const writer = writing(new Shelf())
    await writer.write(layer(packed), {})
    const told = {code: 'DIGEST_MISMATCH', at: {path: 'packed (uncompressed)'}}
    await assertRejects(writer.write(layer(packed, {diffId: digestOf(Buffer.from('x'))}), {}), told)
  })

  it('without a tar are encoded, and found by their digest', async () => {
    const shelf = new Shelf()
    const writer = writing(shelf)
    const encoded: Layer = {title: 'encoded', hasContent: true, entries: () => streamOf(fileOf('Files.txt', 'x'))}
    const first = await writer.write(encoded, {})
    assert.equal(factsOf(first).compression, 'none')
    assert.equal(await writer.write(encoded, {}), first)
    assert.deepEqual([shelf.bytes.length, shelf.dropped, shelf.asked], [2, [1], []])
  })

  for (const [note, options, takes, packedIs, plainIs] of [
    ['no compression is asked for', {}, ['none', 'gzip'], 'passed', 'passed'],
    ['gzip is asked for', {compression: 'gzip'}, ['none', 'gzip'], 'passed', 'gzip'],
    ['none is asked for', {compression: 'none'}, ['none', 'gzip'], 'none', 'passed'],
    ['none is asked for with a level', {compression: 'none', compressionLevel: 0}, ['none', 'gzip'], 'none', 'passed'],
    ['gzip is asked for with a level', {compression: 'gzip', compressionLevel: 9}, ['none', 'gzip'], 'gzip', 'gzip'],
    ['the place takes no gzip, which is asked for', {compression: 'gzip'}, ['none'], 'gzip', 'passed'],
    ['the place takes nothing', {}, [], 'none', 'none'],
  ] as const)
    it(`where ${note}: packed ones are ${packedIs}, plain ones ${plainIs}`, async () => {
      for (const [bytes, expected] of [
        [packed, packedIs],
        [tar, plainIs],
      ] as const) {
        const shelf = new Shelf(takes)
        const {compression} = factsOf(await writing(shelf, options).write(layer(bytes), {}))
        const own = bytes === tar ? 'none' : 'gzip'
        assert.equal(compression, expected === 'passed' ? own : expected)
        // What was packed anew here has another header than the library's.
        if (expected === 'passed') assert.ok(shelf.bytes[0]?.equals(bytes))
        else assert.ok(expected === 'none' ? shelf.bytes[0]?.equals(tar) : !shelf.bytes[0]?.equals(packed))
      }
    })

  it('that the place had before are not written', async () => {
    const shelf = new Shelf()
    shelf.kept = {member: 7, entries: 4}
    const writer = writing(shelf)
    const facts = {diffId, digest: digestOf(packed), size: packed.byteLength, compression: 'gzip'}
    const first = await writer.write(layer(packed), {})
    assert.deepEqual(first, {kind: 'stored', member: 7, facts: {...facts, entries: 4}})
    assert.equal(await writer.write(layer(packed), {}), first)
    assert.deepEqual([shelf.bytes, shelf.asked], [[], ['packed']])
    const uncounted = new Shelf()
    uncounted.kept = {member: 8}
    assert.deepEqual(await writing(uncounted).write(layer(packed), {}), {kind: 'stored', member: 8, facts})
  })

  it('are not looked for where their stored form would not be kept, or their diffID is not known', async () => {
    const {diffId: _known, ...nameless} = layer(packed)
    for (const [shelf, given] of [
      [new Shelf(['none']), layer(packed)],
      [new Shelf(), nameless],
    ] as const) {
      shelf.kept = {member: 7}
      await writing(shelf).write(given, {})
      assert.deepEqual([shelf.asked, shelf.bytes.length], [[], 1])
    }
  })

  it('need no place that finds what it had', async () => {
    const shelf = new Shelf()
    const {takes} = shelf
    const plain: LayerShelf<number> = {takes, put: (open) => shelf.put(open), drop: (member) => shelf.drop(member)}
    assert.equal((await new LayerWriter(plain, {}).write(layer(packed), {})).kind, 'stored')
  })

  it('that the source does not hold are named', async () => {
    const {blob} = layer(packed)
    const absent = layer(packed, {hasContent: false})
    assert.deepEqual(await writing(new Shelf()).write(absent, {}), {
      kind: 'foreign',
      diffId,
      descriptor: blob!.descriptor,
    })
    const {diffId: _diffId, ...nameless} = absent
    const {blob: _blob, ...bare} = absent
    for (const missing of [nameless, bare])
      await assertRejects(writing(new Shelf()).write(missing, {}), {
        code: 'LAYER_MISSING',
        at: {path: 'packed'},
        says: ['packed'],
        advises: true,
      })
  })

  it('are reported as their manifest has them', () => {
    const descriptor = {mediaType: 'type/of.manifest', digest: digestOf(packed), size: 5}
    const facts = {diffId, digest: digestOf(packed), size: 5, compression: 'gzip'} as const
    const stored = (entries?: number) =>
      ({kind: 'stored', member: 0, facts: {...facts, ...(entries === undefined ? {} : {entries})}}) as const
    const base = {diffId, digest: digestOf(packed), size: 5}
    assert.deepEqual(layerArtifact(stored(3), descriptor), {...base, mediaType: 'type/of.manifest', entries: 3})
    assert.deepEqual(layerArtifact(stored(0), undefined), {...base, mediaType: '', entries: 0})
    assert.deepEqual(layerArtifact(stored(), undefined), {...base, mediaType: ''})
    const foreign = {kind: 'foreign', diffId, descriptor: {...descriptor, mediaType: 'other'}} as const
    assert.deepEqual(layerArtifact(foreign, descriptor), {...base, mediaType: 'type/of.manifest'})
  })
})
