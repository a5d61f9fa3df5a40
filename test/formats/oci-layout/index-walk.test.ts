import assert from 'node:assert/strict'
import {IndexWalk, statedNames, type WalkOptions} from '../../../src/formats/oci-layout/index-walk.js'
import type {StatedDescriptor} from '../../../src/formats/image-documents/image-documents.js'
import {TransshipError} from '../../../src/model/errors.js'
import {StrictSink, type FaultSink} from '../../../src/model/fault-sink.js'
import {LIMITS} from '../../../src/model/limits.js'
import {partsOf} from '../../helpers/archives.js'
import {errorOf, storeOf} from '../../helpers/layout-store.js'
import {descriptorOf, LayoutBuilder, OCI, tagged} from '../../helpers/layouts.js'

const FULL = 'io.containerd.image.name'
const REF = 'org.opencontainers.image.ref.name'
const PARTS = partsOf([Buffer.from('layer')])
const as = (descriptor: object) => descriptor as StatedDescriptor
const named = (full: string, ref: string) => ({annotations: {[FULL]: full, [REF]: ref}})

/** Walks an index.json of these entries; faults are kept by their codes. */
async function walked(layout: LayoutBuilder, manifests: readonly object[], options: WalkOptions = {}) {
  const codes: string[] = []
  const sink: FaultSink = {
    item: new StrictSink(),
    fault: ({code}) => codes.push(code),
    warn: () => undefined,
  }
  const store = storeOf(layout)
  const walk = new IndexWalk(store, sink, options)
  await walk.index(Buffer.from(JSON.stringify({manifests})), 'index.json')
  return {walk, codes, store}
}

const reasonsOf = ({passedOver}: IndexWalk) => passedOver.map(({digest, reason}) => [digest, reason])
const digestsOf = (walk: IndexWalk) => walk.found.map(({manifest}) => manifest.digest)

describe('an index that leads to an image', () => {
  it('tells all that documents say of it', async () => {
    const layout = new LayoutBuilder()
    const platform = {os: 'windows', architecture: 'amd64'}
    const entry = layout.image(PARTS, {more: {...named('example.com/shop:1', '1'), platform}})
    const {walk, codes} = await walked(layout, [entry])
    const bytes = layout.files.get(`blobs/sha256/${String(entry['digest']).slice(7)}`)
    const config = descriptorOf(OCI.config, PARTS.config)
    const layer = descriptorOf(OCI.layer, PARTS.layers[0]!)
    assert.deepEqual(walk.found, [
      {
        names: ['example.com/shop:1'],
        refs: ['1'],
        manifest: {mediaType: OCI.manifest, bytes, digest: entry['digest']},
        config,
        layers: [layer],
        stated: [config, layer],
        entry,
        within: [],
      },
    ])
    assert.deepEqual([walk.passedOver, walk.unwanted, walk.absent, codes], [[], [], [], []])
  })

  it('gives all names that entries have of it, in the place of the first entry and with the platform of the last', async () => {
    const layout = new LayoutBuilder()
    const [one, two] = [layout.image(PARTS), layout.image(partsOf([]))]
    const last = {...one, ...named('shop:2', '2'), platform: {os: 'linux'}}
    const {walk} = await walked(layout, [{...one, ...named('shop:1', '1')}, two, last, {...two, ...tagged('1')}])
    assert.deepEqual(
      walk.found.map(({names, refs, entry}) => [names, refs, entry]),
      [
        [['shop:1', 'shop:2'], ['1', '2'], last],
        [[], ['1'], {...two, ...tagged('1')}],
      ],
    )
  })

  it('gives the names of an index to what is in it, unless that has its own', async () => {
    const layout = new LayoutBuilder()
    const [one, two] = [layout.image(PARTS), layout.image(partsOf([]), {more: tagged('own')})]
    const inner = layout.index([one, two])
    const outer = layout.index([inner], named('shop:1', '1'))
    const {walk} = await walked(layout, [outer])
    const within = [outer['digest'], inner['digest']]
    assert.deepEqual(
      walk.found.map((each) => ({names: each.names, refs: each.refs, within: each.within})),
      [
        {names: ['shop:1'], refs: ['1'], within},
        {names: [], refs: ['own'], within},
      ],
    )
  })

  it('is read once for the same words of it, and again for others', async () => {
    const layout = new LayoutBuilder()
    const image = layout.image(PARTS)
    const entries = [image, {...image, ...tagged('1')}, {...image, size: 1}, {...image, mediaType: 'x'}]
    const {walk, codes, store} = await walked(layout, entries)
    assert.deepEqual([walk.found.length, codes, store.asked.length], [1, ['SIZE_MISMATCH'], 2])
  })

  it('may be one descriptor alone', async () => {
    const layout = new LayoutBuilder()
    const walk = new IndexWalk(storeOf(layout), new StrictSink())
    const index = layout.index([layout.image(PARTS)], tagged('1'))
    await walk.entry(as(index), 'index.json')
    assert.deepEqual(walk.found.map(({refs, within}) => [refs, within]), [[['1'], [index['digest']]]]) // prettier-ignore
  })

  it('leaves out unread what is not wanted; indexes are followed all the same', async () => {
    const layout = new LayoutBuilder()
    const [one, two] = [layout.image(PARTS), layout.image(partsOf([]))]
    const index = layout.index([one, two], named('shop:1', '1'))
    const asked: unknown[] = []
    const {walk, store} = await walked(layout, [index], {
      isWanted: ({digest}, place) => {
        asked.push(place)
        return digest === two['digest']
      },
    })
    const place = {names: ['shop:1'], refs: ['1'], within: [index['digest']]}
    assert.deepEqual(asked, [place, place])
    assert.deepEqual(walk.unwanted, [{stated: one, ...place}])
    assert.deepEqual([digestsOf(walk), store.asked.length], [[two['digest']], 2])
  })

  it('stops where it is interrupted', async () => {
    const layout = new LayoutBuilder()
    const signal = AbortSignal.abort(new Error('enough'))
    await assert.rejects(walked(layout, [layout.image(PARTS)], {signal}), /enough/)
  })
})

describe('what an index names and is no image', () => {
  it('is told with its names, its type and where it is', async () => {
    const layout = new LayoutBuilder()
    const lost = descriptorOf(OCI.manifest, 'lost')
    const inner = layout.index([lost], named('shop:1', '1'))
    const text = descriptorOf('text/plain', 'text', tagged('note'))
    const {walk} = await walked(layout, [inner, text, lost])
    const absent = {digest: lost['digest'], mediaType: OCI.manifest, reason: 'absent', stated: lost}
    assert.deepEqual(walk.passedOver, [
      {...absent, refs: ['shop:1', '1'], within: [inner['digest']]},
      {refs: ['note'], digest: text['digest'], mediaType: 'text/plain', reason: 'unknown', stated: text, within: []},
      {...absent, refs: [], within: []},
    ])
    // What is inside an index may be left out.
    assert.deepEqual(walk.absent, walk.passedOver.slice(2))
  })

  it('is an index that is not there', async () => {
    const lost = descriptorOf(OCI.index, 'lost')
    const {walk} = await walked(new LayoutBuilder(), [lost])
    assert.deepEqual(walk.absent.map(({reason, stated}) => [reason, stated]), [['absent', lost]]) // prettier-ignore
  })

  const unknown = {os: 'unknown', architecture: 'unknown'}
  for (const [note, more, isImage] of [
    ['annotated by BuildKit', {annotations: {'vnd.docker.reference.type': 'attestation-manifest'}}, false],
    ['of an unknown platform', {platform: unknown}, false],
    ['of an unknown system', {platform: {...unknown, architecture: 'amd64'}}, true],
    ['of an unknown architecture', {platform: {...unknown, os: 'windows'}}, true],
    ['of no platform', {platform: null}, true],
  ] as const)
    for (const [where, wrap] of [
      ['in index.json', (_: LayoutBuilder, entry: object) => entry],
      ['in an index', (layout: LayoutBuilder, entry: object) => layout.index([entry])],
    ] as const)
      it(`is an attestation by what its descriptor says: ${note} ${where}`, async () => {
        const layout = new LayoutBuilder()
        const entry = layout.image(PARTS, {more})
        const {walk} = await walked(layout, [wrap(layout, entry)])
        assert.equal(walk.found.length, isImage ? 1 : 0)
        assert.deepEqual(reasonsOf(walk), isImage ? [] : [[entry['digest'], 'artifact']])
      })

  it('is what refers to something else; in an index, where nobody looks for referrers, it is an image', async () => {
    const layout = new LayoutBuilder()
    const more = {annotations: {'io.containerd.manifest.subject': 'x'}}
    const entry = layout.image(PARTS, {more})
    const top = await walked(layout, [entry])
    assert.deepEqual([top.walk.found.length, reasonsOf(top.walk)], [0, [[entry['digest'], 'artifact']]])
    const inner = await walked(layout, [layout.index([entry])])
    assert.deepEqual([inner.walk.found.length, reasonsOf(inner.walk)], [1, []])
  })

  for (const [note, manifest, mediaType] of [
    ['another configuration', {config: descriptorOf('a/config', '{}')}, 'a/config'],
    ['a type of its own', {config: descriptorOf('a/config', '{}'), artifactType: 'a/type'}, 'a/type'],
    ['statements for layers', {layers: [descriptorOf('application/vnd.in-toto+json', 's')]}, OCI.config],
  ] as const)
    it(`is an artifact by its manifest: ${note}`, async () => {
      const layout = new LayoutBuilder()
      const entry = layout.image(PARTS, {manifest})
      const {walk} = await walked(layout, [entry])
      const [{reason, mediaType: type} = {}] = walk.passedOver
      assert.deepEqual([walk.found.length, reason, type], [0, 'artifact', mediaType])
    })

  it('is no artifact for one statement among its layers, nor for no layers', async () => {
    const layout = new LayoutBuilder()
    const layers = [descriptorOf('application/vnd.in-toto+json', 's'), descriptorOf(OCI.layer, 'l')]
    const {walk} = await walked(layout, [
      layout.image(PARTS, {layers}),
      layout.image(PARTS, {layers: []}),
      layout.image(PARTS, {manifest: {layers: null}}),
    ])
    assert.deepEqual(walk.found.map((each) => each.layers.length), [2, 0, 0]) // prettier-ignore
  })
})

describe('an index that is wrong', () => {
  for (const [note, code, make] of [
    ['no digest', 'MANIFEST_INVALID', (layout: LayoutBuilder) => ({...layout.image(PARTS), digest: 'sha256:1'})],
    ['no document', 'MANIFEST_INVALID', (layout: LayoutBuilder) => layout.blob(OCI.manifest, 'x')],
    [
      'a manifest that calls itself something else',
      'MANIFEST_INVALID',
      (layout: LayoutBuilder) => layout.image(PARTS, {manifest: {mediaType: 'application/json'}}),
    ],
    [
      'data in a layer that are others',
      'DIGEST_MISMATCH',
      (layout: LayoutBuilder) =>
        layout.image(PARTS, {layers: [descriptorOf(OCI.layer, 'one', {data: Buffer.from('two').toString('base64')})]}),
    ],
  ] as const)
    it(`keeps no other image away: ${note}`, async () => {
      const layout = new LayoutBuilder()
      const sound = layout.image(partsOf([]))
      const {walk, codes} = await walked(layout, [make(layout), sound])
      assert.deepEqual([codes, digestsOf(walk)], [[code], [sound['digest']]])
    })

  it('is refused where it is no index at all, and by a manifest without a type it is not', async () => {
    const walk = new IndexWalk(storeOf(new LayoutBuilder()), new StrictSink())
    const error = await errorOf(() => walk.index(Buffer.from('{"manifests":1}'), 'the index'))
    assert.deepEqual([error.code, error.at.path], ['MANIFEST_INVALID', 'the index'])
    const layout = new LayoutBuilder()
    const {codes} = await walked(layout, [layout.image(PARTS, {manifest: {mediaType: undefined}})])
    assert.deepEqual(codes, [])
  })

  for (const [levels, codes] of [
    [LIMITS.indexDepth.value, []],
    [LIMITS.indexDepth.value + 1, ['LIMIT_EXCEEDED']],
  ] as const)
    it(`is refused where it is too deep: ${levels} levels`, async () => {
      const layout = new LayoutBuilder()
      let entry = layout.image(PARTS)
      for (let level = 0; level < levels; level++) entry = layout.index([entry])
      const found = await walked(layout, [entry])
      assert.deepEqual([found.codes, found.walk.found.length], [codes, 1 - codes.length])
    })

  it('is read up to as many entries as a real one has', async () => {
    const most = LIMITS.indexEntries.value
    const entries = Array.from({length: most + 1}, () => ({mediaType: 'a', digest: 'b', size: 1}))
    const {walk, codes} = await walked(new LayoutBuilder(), entries)
    assert.deepEqual([codes, walk.passedOver.length], [['LIMIT_EXCEEDED'], most])
  })

  it('is read up to as many images as a real one has', async () => {
    const most = LIMITS.manifests.value
    const layout = new LayoutBuilder()
    const config = descriptorOf(OCI.config, '{}')
    const manifests = Array.from({length: most + 1}, (_, number) =>
      layout.blob(OCI.manifest, JSON.stringify({config, number})),
    )
    const {walk, codes} = await walked(layout, manifests)
    assert.deepEqual([codes, walk.found.length], [['LIMIT_EXCEEDED'], most])
    // One of them under another name is none more.
    const named = {...manifests[0], annotations: {[REF]: 'again'}}
    const again = await walked(layout, [...manifests.slice(0, most), named])
    assert.deepEqual([again.codes, again.walk.found.length], [[], most])
  })

  it('hands on what is no fault of the input', async () => {
    const store = {...storeOf(new LayoutBuilder()), findDocument: () => Promise.reject(new Error('the disk is gone'))}
    const walk = new IndexWalk(store, new StrictSink())
    const index = Buffer.from(JSON.stringify({manifests: [descriptorOf(OCI.manifest, 'x')]}))
    await assert.rejects(
      walk.index(index, 'index.json'),
      (error) => !(error instanceof TransshipError) && error instanceof Error && error.message === 'the disk is gone',
    )
  })
})

describe('the names that an entry states', () => {
  const SHA = `sha256:${'a'.repeat(64)}`
  for (const [full, ref, names, refs] of [
    [undefined, undefined, [], []],
    ['shop:1', undefined, ['shop:1'], []],
    ['shop:1', '1', ['shop:1'], ['1']],
    ['shop:1', 'web:2', ['shop:1'], ['web:2']],
    [undefined, '1', [], ['1']],
    [undefined, 'shop:1', ['shop:1'], ['shop:1']],
    [undefined, 'team/shop', ['team/shop'], ['team/shop']],
    [undefined, `@${SHA}`, [], [`@${SHA}`]],
    [undefined, `shop@${SHA}`, [`shop@${SHA}`], [`shop@${SHA}`]],
  ] as const)
    it(`are ${JSON.stringify([names, refs])} for ${full ?? 'no name'} and ${ref ?? 'no tag'}`, () => {
      const annotations = {...(full === undefined ? {} : {[FULL]: full}), ...(ref === undefined ? {} : {[REF]: ref})}
      assert.deepEqual(statedNames(as({annotations})), {names, refs})
    })

  it('are none without annotations', () => {
    for (const annotations of [undefined, null]) assert.deepEqual(statedNames(as({annotations})), {names: [], refs: []})
  })
})
