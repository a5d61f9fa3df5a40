import assert from 'node:assert/strict'
import {ContentGatherer} from '../../../src/formats/oci-layout/content-graph.js'
import type {StatedDescriptor} from '../../../src/formats/image-documents/image-documents.js'
import {LIMITS} from '../../../src/model/limits.js'
import {partsOf, sha256} from '../../helpers/archives.js'
import {collect} from '../../helpers/bytes.js'
import {errorOf, storeOf} from '../../helpers/layout-store.js'
import {descriptorOf, LayoutBuilder, OCI} from '../../helpers/layouts.js'

const FOREIGN = 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip'
const [BASE, TOP, OTHER] = ['base', 'top', 'other'].map((text) => Buffer.from(text))
const as = (descriptor: object) => descriptor as StatedDescriptor
const pathOf = (bytes: Buffer | string) => `blobs/sha256/${sha256(bytes)}`

/** An index of two images over one base, and of something that is no manifest. */
function indexed() {
  const layout = new LayoutBuilder()
  const foreign = descriptorOf(FOREIGN, 'elsewhere', {urls: ['https://example.com/layer']})
  const [base, top, other] = [BASE, TOP, OTHER].map((bytes) => layout.blob(OCI.layer, bytes!))
  const one = layout.image(partsOf([BASE!, TOP!]), {layers: [base!, top!]})
  const two = layout.image(partsOf([BASE!, OTHER!]), {layers: [base!, other!, foreign]})
  const note = layout.blob('text/plain', 'a note')
  return {layout, foreign, one, two, note, index: layout.index([one, two, note, one])}
}

describe('a document with all that it leads to', () => {
  it('has documents behind what they name, and each blob once', async () => {
    const {layout, foreign, one, two, note, index} = indexed()
    const store = storeOf(layout)
    const gatherer = new ContentGatherer(store)
    const added = await gatherer.add(as(index), {})
    const {documents, blobs, absent} = gatherer.graph
    assert.deepEqual(documents.map(({digest}) => digest), [one['digest'], two['digest'], index['digest']]) // prettier-ignore
    assert.deepEqual(documents.map(({mediaType}) => mediaType), [OCI.manifest, OCI.manifest, OCI.index]) // prettier-ignore
    assert.equal(added, documents.at(-1))
    assert.deepEqual(added?.bytes, layout.files.get(`blobs/sha256/${String(index['digest']).slice(7)}`))
    const [first, second] = [partsOf([BASE!, TOP!]), partsOf([BASE!, OTHER!])].map(({imageId}) => imageId)
    assert.deepEqual(
      blobs.map(({descriptor}) => descriptor.digest),
      [first, ...[BASE, TOP].map((each) => `sha256:${sha256(each!)}`), second]
        .concat(`sha256:${sha256(OTHER!)}`)
        .concat([String(foreign['digest']), String(note['digest'])]),
    )
    assert.deepEqual(absent, [])
    // Blobs are not read for it, and no document twice.
    assert.equal(store.asked.length, 3)
  })

  it('keeps what is said of a foreign layer, and finds out only of those whether they are there', async () => {
    const {layout, two} = indexed()
    const gatherer = new ContentGatherer(storeOf(layout))
    await gatherer.add(as(two), {})
    const {blobs} = gatherer.graph
    assert.deepEqual(blobs.map(({isHeld}) => isHeld !== undefined), [false, false, false, true]) // prettier-ignore
    const foreign = blobs.at(-1)!
    assert.deepEqual(foreign.descriptor.urls, ['https://example.com/layer'])
    assert.equal(await foreign.isHeld!({}), false)
    layout.files.set(pathOf('elsewhere'), Buffer.from('elsewhere'))
    assert.equal(await foreign.isHeld!({}), true)
  })

  it('tells of manifests and indexes that are not there, each once', async () => {
    const {layout, one, two} = indexed()
    const lost = layout.index([two])
    const top = layout.index([one, lost, one, lost])
    for (const {digest} of [one, lost] as {digest: string}[]) layout.files.delete(`blobs/sha256/${digest.slice(7)}`)
    const gatherer = new ContentGatherer(storeOf(layout))
    await gatherer.add(as(top), {})
    const {documents, absent, blobs} = gatherer.graph
    assert.deepEqual(absent, [one, lost])
    assert.deepEqual([documents.length, blobs.length], [1, 0])
    assert.equal(await gatherer.add(as(one), {}), undefined)
  })

  it('has blobs that can be opened more than once, and are checked as they are read', async () => {
    const {layout, one} = indexed()
    const gatherer = new ContentGatherer(storeOf(layout))
    await gatherer.add(as(one), {})
    const [, base] = gatherer.graph.blobs
    assert.deepEqual(await collect(base!.open()), BASE)
    assert.deepEqual(await collect(base!.open({})), BASE)
    for (const [bytes, code] of [
      ['bass', 'DIGEST_MISMATCH'],
      ['bas', 'SIZE_MISMATCH'],
      [undefined, 'LAYER_MISSING'],
    ] as const) {
      if (bytes === undefined) layout.files.delete(pathOf(BASE!))
      else layout.files.set(pathOf(BASE!), Buffer.from(bytes))
      const error = await errorOf(() => collect(base!.open()))
      assert.equal(error.code, code)
      assert.equal(error.at.path, code === 'LAYER_MISSING' ? 'the store' : `blob sha256:${sha256(BASE!)}`)
    }
  })

  it('has blobs that its documents carry, without a look into the store', async () => {
    const layout = new LayoutBuilder()
    const layer = descriptorOf(OCI.layer, BASE!, {data: BASE!.toString('base64')})
    const image = layout.image(partsOf([BASE!]), {layers: [layer]})
    const store = storeOf(layout)
    const gatherer = new ContentGatherer(store)
    await gatherer.add(as(image), {})
    store.asked.length = 0
    assert.deepEqual(await collect(gatherer.graph.blobs[1]!.open()), BASE)
    assert.deepEqual(store.asked, [])
  })

  it('is refused where it names what is no digest, or is not what it should be', async () => {
    const {layout, one} = indexed()
    const gatherer = new ContentGatherer(storeOf(layout))
    const bad = layout.blob(OCI.index, JSON.stringify({manifests: [{...one, digest: 'sha256:1'}]}))
    for (const [stated, code] of [
      [bad, 'MANIFEST_INVALID'],
      [{...one, size: 1}, 'SIZE_MISMATCH'],
      [{...one, mediaType: OCI.index}, 'MANIFEST_INVALID'],
      [layout.blob(OCI.manifest, '{}'), 'MANIFEST_INVALID'],
    ] as const)
      assert.equal((await errorOf(() => gatherer.add(as(stated), {}))).code, code)
  })

  it('stops where it is interrupted', async () => {
    const {layout, one} = indexed()
    const signal = AbortSignal.abort(new Error('enough'))
    await assert.rejects(new ContentGatherer(storeOf(layout)).add(as(one), {signal}), /enough/)
  })
})

describe('how far a document may lead', () => {
  const most = LIMITS.indexDepth.value

  for (const [levels, isTaken] of [
    [most, true],
    [most + 1, false],
  ] as const)
    it(`is bounded in its depth: an image in ${levels} indexes`, async () => {
      const layout = new LayoutBuilder()
      let named = layout.image(partsOf([]))
      for (let level = 0; level < levels; level++) named = layout.index([named])
      const gatherer = new ContentGatherer(storeOf(layout))
      if (isTaken) assert.equal((await gatherer.add(as(named), {}))?.digest, named['digest'])
      else assert.equal((await errorOf(() => gatherer.add(as(named), {}))).code, 'LIMIT_EXCEEDED')
    })

  it('counts from where it is told to', async () => {
    const layout = new LayoutBuilder()
    const index = layout.index([layout.image(partsOf([]))])
    assert.notEqual(await new ContentGatherer(storeOf(layout)).add(as(index), {}, most - 1), undefined)
    const error = await errorOf(() => new ContentGatherer(storeOf(layout)).add(as(index), {}, most))
    assert.equal(error.code, 'LIMIT_EXCEEDED')
  })

  it('is bounded in its manifests', async () => {
    const layout = new LayoutBuilder()
    const config = descriptorOf(OCI.config, '{}')
    const manifests = Array.from({length: LIMITS.manifests.value + 1}, (_, number) =>
      layout.blob(OCI.manifest, JSON.stringify({config, number})),
    )
    await new ContentGatherer(storeOf(layout)).add(as(layout.index(manifests.slice(1))), {})
    const gatherer = new ContentGatherer(storeOf(layout))
    assert.equal((await errorOf(() => gatherer.add(as(layout.index(manifests)), {}))).code, 'LIMIT_EXCEEDED')
  })

  it('is bounded in the bytes of its documents together', async () => {
    const layout = new LayoutBuilder()
    const gatherer = new ContentGatherer(storeOf(layout))
    const documentOf = (size: number) => {
      layout.files.clear()
      return as(layout.blob(OCI.index, '{}'.padEnd(size)))
    }
    // All of them together, none of which may be one that is known.
    for (let [number, left] = [0, LIMITS.heldDocuments.value]; left > 0; number++) {
      const size = Math.min(left, 15 * 2 ** 20 + number)
      left -= size
      await gatherer.add(documentOf(size), {})
    }
    assert.equal((await errorOf(() => gatherer.add(documentOf(2), {}))).code, 'LIMIT_EXCEEDED')
  })
})
