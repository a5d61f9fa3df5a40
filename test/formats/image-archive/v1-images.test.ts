import assert from 'node:assert/strict'
import {gzipSync} from 'node:zlib'
import {Archive} from '../../../src/formats/archive-file/archive.js'
import {readOffers} from '../../../src/formats/image-archive/read-offers.js'
import {parseManifestItems, parseRepositories, parseV1Document} from '../../../src/formats/image-archive/schema.js'
import type {FaultSink} from '../../../src/model/fault-sink.js'
import {digestOf} from '../../../src/model/digest.js'
import {partsOf, tarOf, v1Members, type Member} from '../../helpers/archives.js'
import {chunked} from '../../helpers/bytes.js'
import {errorOf} from '../../helpers/layout-store.js'

const [BASE, TOP] = ['base', 'top'].map((text) => Buffer.from(text)) as [Buffer, Buffer]
const bytesOf = (value: unknown) => Buffer.from(JSON.stringify(value))

/** Layers, base first, each an image on the one before; `repositories` names the top one. */
function layersOf(documents: readonly object[], repositories?: object): Member[] {
  const members = documents.flatMap((document, index): Member[] => [
    [`id${index}/json`, JSON.stringify({...(index === 0 ? {} : {parent: `id${index - 1}`}), ...document})],
    [`id${index}/layer.tar`, `layer ${index}`],
  ])
  return [...members, ['repositories', JSON.stringify(repositories ?? {shop: {1: `id${documents.length - 1}`}})]]
}

async function read(members: readonly Member[]) {
  const archive = await Archive.ofStream(chunked(await tarOf(members)), {title: 'the archive'})
  const found: [string, string | undefined][] = []
  const sink: FaultSink = {
    get item() {
      return sink
    },
    fault: ({code, at}) => found.push([code, at.path]),
    warn: () => undefined,
  }
  const offers = await readOffers(archive, sink)
  return {archive, offers, faults: found}
}

/** The configuration that is made of the first image. */
async function configOf(members: readonly Member[]): Promise<Record<string, unknown>> {
  const {archive, offers} = await read(members)
  const {config} = await offers[0]!.read(archive, {})
  await archive.close()
  return JSON.parse(Buffer.from(config.bytes).toString()) as Record<string, unknown>
}

describe('an archive of Docker before 1.10', () => {
  it('offers what `repositories` names, and the rest when its layers were read', async () => {
    const {archive, offers, faults} = await read(v1Members(partsOf([BASE, TOP])))
    const [offer] = offers
    assert.deepEqual([offers.length, faults], [1, []])
    assert.deepEqual(
      [offer?.names, offer?.platform, offer?.createdTime, offer?.isPrimary, offer?.image],
      [['app:1'], {os: 'windows', architecture: 'amd64'}, '2015-01-02T03:04:05Z', true, undefined],
    )
    assert.deepEqual(offer?.layers.map((entry) => entry?.size), [BASE.length, TOP.length]) // prettier-ignore
    const image = await offer.read(archive, {})
    assert.deepEqual([image.origin, image.names, image.manifest], ['repositories', ['app:1'], undefined])
    assert.equal(image.config.mediaType, 'application/vnd.docker.container.image.v1+json')
    assert.equal(image.imageId, digestOf(image.config.bytes))
    const diffIds = [BASE, TOP].map((layer) => digestOf(layer))
    assert.deepEqual(image.facts.diffIds, diffIds)
    assert.deepEqual(image.layers, diffIds.map((diffId, index) => ({entry: offer.layers[index], diffId}))) // prettier-ignore
    assert.equal(await offer.read(archive, {}), image)
    await archive.close()
  })

  it('has the names of one image together, in the order of `repositories`', async () => {
    const repositories = {shop: {2: 'id1', 1: 'id0'}, 'example.com/web': {latest: 'id1'}}
    const {archive, offers} = await read(layersOf([{}, {}], repositories))
    assert.deepEqual(offers.map(({names}) => names), [['shop:1'], ['shop:2', 'example.com/web:latest']]) // prettier-ignore
    assert.deepEqual(offers.map((offer) => 'createdTime' in offer), [false, false]) // prettier-ignore
    await archive.close()
  })

  it('takes layers that are compressed for what is in them', async () => {
    const {archive, offers} = await read([
      ['id/json', '{}'],
      ['id/layer.tar', gzipSync(BASE)],
      ['repositories', '{"shop":{"1":"id"}}'],
    ])
    assert.deepEqual((await offers[0]!.read(archive, {})).facts.diffIds, [digestOf(BASE)])
    const signal = AbortSignal.abort(new Error('enough'))
    const again = await read([['id/json', '{}'], ['id/layer.tar', gzipSync(BASE)], ['repositories', '{"shop":{"1":"id"}}']]) // prettier-ignore
    await assert.rejects(again.offers[0]!.read(again.archive, {signal}), /enough/)
    await Promise.all([archive, again.archive].map((each) => each.close()))
  })

  it('gives the configuration that Docker made of it', async () => {
    const config = await configOf(
      layersOf([
        {created: '2015', author: 'me', comment: 'base', container_config: {Cmd: ['/bin/sh', '-c', 'make']}},
        {author: '', comment: '', container_config: {Cmd: 'make'}},
        {container_config: {Cmd: null}},
        {container_config: null},
        {
          ...{id: 'x', Size: 1, parent_id: 'x', layer_id: 'x', throwaway: true, rootfs: 1, history: 1},
          ...{os: 'windows', 'os.version': '10.0.1', config: {Cmd: ['x']}, container: 'c'},
        },
      ]),
    )
    const never = '0001-01-01T00:00:00Z'
    assert.deepEqual(config, {
      config: {Cmd: ['x']},
      container: 'c',
      history: [
        {created: '2015', author: 'me', created_by: '/bin/sh -c make', comment: 'base'},
        {created: never, created_by: 'make'},
        {created: never},
        {created: never},
        {created: never},
      ],
      os: 'windows',
      'os.version': '10.0.1',
      rootfs: {type: 'layers', diff_ids: [0, 1, 2, 3, 4].map((index) => digestOf(Buffer.from(`layer ${index}`)))},
    })
    assert.deepEqual(Object.keys(config), Object.keys(config).sort())
  })

  it('spells what HTML would take for markup as Go does', async () => {
    const {archive, offers} = await read(layersOf([{comment: '<a>&\u2028\u2029é"'}]))
    const {config} = await offers[0]!.read(archive, {})
    assert.match(Buffer.from(config.bytes).toString(), /"comment":"\\u003ca\\u003e\\u0026\\u2028\\u2029é\\""/)
    await archive.close()
  })

  for (const [note, members, code] of [
    ['a layer is not there', layersOf([{parent: 'none'}]), 'LAYER_MISSING'],
    ['a layer has no body', [['id0/json', '{}'], layersOf([{}])[2]!], 'LAYER_MISSING'],
    ['a layer has no document', [['id0/layer.tar', ''], layersOf([{}])[2]!], 'LAYER_MISSING'],
    ['the image is not there', layersOf([], {shop: {1: 'none'}}), 'LAYER_MISSING'],
    ['an id is none', [['../id0/json', '{}'], ...layersOf([], {shop: {1: '../id0'}})], 'LAYER_MISSING'],
    ['an id is empty', layersOf([], {shop: {1: ''}}), 'LAYER_MISSING'],
    ['layers form a loop', layersOf([{parent: 'id1'}, {}]), 'ARCHIVE_CORRUPT'],
  ] as const)
    it(`keeps no other image away where ${note}`, async () => {
      const sound: Member[] = [['ok/json', '{}'], ['ok/layer.tar', '']] // prettier-ignore
      const [name, text] = members.at(-1) as [string, string]
      const repositories = {...(JSON.parse(text) as object), sound: {1: 'ok'}}
      const {archive, offers, faults} = await read([
        ...members.slice(0, -1),
        ...sound,
        [name, JSON.stringify(repositories)],
      ])
      assert.deepEqual(faults, [[code, 'the archive']])
      assert.deepEqual(offers.map(({names}) => names), [['sound:1']]) // prettier-ignore
      await archive.close()
    })

  for (const [id, isId] of [
    ['a-B_9', true],
    ['x'.repeat(100), true],
    ['a.b', false],
    ['a/b', false],
    ['', false],
  ] as const)
    it(`has ids of letters and digits: '${id.slice(0, 10)}'`, async () => {
      const {archive, offers} = await read([[`${id}/json`, '{}'], [`${id}/layer.tar`, ''], ['repositories', JSON.stringify({a: {1: id}})]]) // prettier-ignore
      assert.equal(offers.length, isId ? 1 : 0)
      await archive.close()
    })

  it('ends a chain at a layer without a parent, also an empty one', async () => {
    const {archive, offers, faults} = await read(layersOf([{parent: ''}, {}]))
    assert.deepEqual([offers[0]?.layers.length, faults], [2, []])
    await archive.close()
  })

  for (const [layers, codes] of [
    [1000, []],
    [1001, ['ARCHIVE_CORRUPT']],
  ] as const)
    it(`has up to a thousand layers: ${layers}`, async () => {
      const {archive, faults} = await read(layersOf(Array.from({length: layers}, () => ({}))))
      assert.deepEqual(faults.map(([code]) => code), codes) // prettier-ignore
      await archive.close()
    })

  it('is told of in the layer whose document is malformed', async () => {
    const {archive, offers, faults} = await read(layersOf([{os: 1}]))
    assert.deepEqual([offers, faults], [[], [['CONFIG_INVALID', 'id0/json']]])
    await archive.close()
    const other = await read([['repositories', '[]']])
    assert.deepEqual([other.offers, other.faults], [[], [['MANIFEST_INVALID', 'repositories']]])
    await other.archive.close()
  })
})

describe('the documents of an archive', () => {
  const source = {mediaType: 'x', digest: 'y', size: 0}
  for (const [value, isTaken] of [
    [[], true],
    [[{Config: 'c'}], true],
    [[{Config: 'c', RepoTags: null, Layers: null, LayerSources: null}], true],
    [[{Config: 'c', RepoTags: ['a'], Layers: ['b'], Parent: 'p', LayerSources: {d: source}, other: 1}], true],
    [[{Config: 'c', LayerSources: {d: {...source, urls: null, size: Number.MAX_SAFE_INTEGER}}}], true],
    [{}, false],
    [[null], false],
    [[{}], false],
    [[{Config: null}], false],
    [[{Config: 'c', RepoTags: 'a'}], false],
    [[{Config: 'c', RepoTags: [1]}], false],
    [[{Config: 'c', Layers: [null]}], false],
    [[{Config: 'c', Parent: 1}], false],
    [[{Config: 'c', LayerSources: []}], false],
    [[{Config: 'c', LayerSources: {d: {...source, mediaType: 1}}}], false],
    [[{Config: 'c', LayerSources: {d: {...source, digest: undefined}}}], false],
    [[{Config: 'c', LayerSources: {d: {...source, mediaType: undefined}}}], false],
    [[{Config: 'c', LayerSources: {d: {...source, size: undefined}}}], false],
    [[{Config: 'c', LayerSources: {d: {...source, digest: 1}}}], false],
    [[{Config: 'c', LayerSources: {d: {...source, size: -1}}}], false],
    [[{Config: 'c', LayerSources: {d: {...source, size: 1.5}}}], false],
    [[{Config: 'c', LayerSources: {d: {...source, size: Number.MAX_SAFE_INTEGER + 1}}}], false],
    [[{Config: 'c', LayerSources: {d: {...source, urls: 'u'}}}], false],
  ] as const)
    it(`are ${isTaken ? 'taken' : 'refused'}: manifest.json as ${JSON.stringify(value)}`, async () => {
      if (isTaken) assert.deepEqual(parseManifestItems(bytesOf(value)), value)
      else {
        const error = await errorOf(() => parseManifestItems(bytesOf(value)))
        assert.deepEqual([error.code, error.at.path], ['MANIFEST_INVALID', 'manifest.json'])
      }
    })

  it('are read in any case of the keys of manifest.json', () => {
    const spelt = {config: 'c', repotags: ['a'], LAYERS: ['b'], parent: 'p', layerSources: {d: source}}
    const item = {Config: 'c', RepoTags: ['a'], Layers: ['b'], Parent: 'p', LayerSources: {d: source}}
    assert.deepEqual(parseManifestItems(bytesOf([spelt])), [item])
  })

  for (const [value, isTaken] of [
    [{}, true],
    [{shop: {}}, true],
    [{shop: {1: 'id'}}, true],
    [[], false],
    [{shop: []}, false],
    [{shop: {1: 1}}, false],
    [{shop: null}, false],
  ] as const)
    it(`are ${isTaken ? 'taken' : 'refused'}: repositories as ${JSON.stringify(value)}`, async () => {
      if (isTaken) assert.deepEqual(parseRepositories(bytesOf(value)), value)
      else {
        const error = await errorOf(() => parseRepositories(bytesOf(value)))
        assert.deepEqual([error.code, error.at.path], ['MANIFEST_INVALID', 'repositories'])
      }
    })

  const words = ['id', 'parent', 'created', 'author', 'comment', 'os', 'architecture', 'os.version']
  for (const [value, isTaken] of [
    [{}, true],
    [Object.fromEntries(words.map((word) => [word, word])), true],
    [{container_config: null}, true],
    [{container_config: {}}, true],
    [{container_config: {Cmd: null}}, true],
    [{container_config: {Cmd: 'x'}}, true],
    [{container_config: {Cmd: ['x']}}, true],
    [{container_config: {Cmd: [1]}}, false],
    [{container_config: {Cmd: 1}}, false],
    [{container_config: []}, false],
    [[], false],
    ...words.map((word) => [{[word]: 1}, false] as const),
  ] as const)
    it(`are ${isTaken ? 'taken' : 'refused'}: a layer's document as ${JSON.stringify(value).slice(0, 60)}`, async () => {
      if (isTaken) assert.deepEqual(parseV1Document(bytesOf(value), 'it'), value)
      else {
        const error = await errorOf(() => parseV1Document(bytesOf(value), 'it'))
        assert.deepEqual([error.code, error.at.path], ['CONFIG_INVALID', 'it'])
      }
    })
})
