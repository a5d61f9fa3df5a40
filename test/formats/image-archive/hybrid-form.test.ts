import assert from 'node:assert/strict'
import type {WrittenImage, WrittenLayer} from '../../../src/formats/image-archive/archive-form.js'
import {HybridForm} from '../../../src/formats/image-archive/hybrid-form.js'
import {ImageNames} from '../../../src/formats/image-archive/image-names.js'
import {requireTaggedName} from '../../../src/formats/image-documents/image-name.js'
import {digestOf} from '../../../src/model/digest.js'
import {sha256} from '../../helpers/archives.js'
import {errorOf, hearing} from '../../helpers/layout-store.js'
import {descriptorOf, OCI} from '../../helpers/layouts.js'

const DOCKER = 'application/vnd.docker.distribution.manifest.v2+json'
const SHA = `sha256:${'a'.repeat(64)}`
const PLATFORM = {os: 'windows', architecture: 'amd64', osVersion: '10.0.1.2'}
const pathOf = (bytes: Buffer | string) => `blobs/sha256/${sha256(bytes)}`

const stored = (text: string): WrittenLayer & {kind: 'stored'} => ({
  kind: 'stored',
  facts: {
    diffId: digestOf(Buffer.from(`tar of ${text}`)),
    digest: digestOf(Buffer.from(text)),
    size: text.length,
    compression: 'gzip',
  },
  member: {offset: 0, size: text.length},
})
const urls = ['https://example.com/layer']
const FOREIGN: WrittenLayer & {kind: 'foreign'} = {
  kind: 'foreign',
  diffId: digestOf(Buffer.from('tar of elsewhere')),
  descriptor: {
    mediaType: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
    digest: digestOf(Buffer.from('elsewhere')),
    size: 9,
    urls,
  },
}

function imageOf(
  layers: readonly WrittenLayer[],
  more: Partial<WrittenImage> & {names?: WrittenImage['names']} = {},
): WrittenImage {
  const config = {mediaType: OCI.config, bytes: Buffer.from('{"a":1}')}
  return {
    names: [],
    others: [],
    draft: {names: [], platform: PLATFORM, layers: [], config: () => config},
    config,
    imageId: digestOf(config.bytes),
    diffIds: layers.map((layer) => (layer.kind === 'stored' ? layer.facts.diffId : layer.diffId)),
    layers,
    ...more,
  }
}

/** A tar that only remembers. */
function tar() {
  const members: {name: string; typeflag?: string; mode?: number; body?: string}[] = []
  return {
    members,
    add: ({name, typeflag, mode}: {name: string; typeflag: string; mode: number}, body?: Uint8Array) => {
      members.push({name, typeflag, mode, ...(body === undefined ? {} : {body: Buffer.from(body).toString()})})
      return Promise.resolve()
    },
    name: (_: unknown, name: string) => Promise.resolve(void members.push({name})),
    document: (name: string) => JSON.parse(members.find((each) => each.name === name)?.body ?? '') as unknown,
  }
}

const layerOf = (text: string) => ({
  mediaType: `${OCI.layer}+gzip`,
  digest: digestOf(Buffer.from(text)),
  size: text.length,
})
const nondistributable = {
  mediaType: 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip',
  digest: digestOf(Buffer.from('elsewhere')),
  size: 9,
  urls,
}
const manifestOf = (...layers: object[]) =>
  JSON.stringify({schemaVersion: 2, mediaType: OCI.manifest, config: descriptorOf(OCI.config, '{"a":1}'), layers})

describe('an archive of Docker 25', () => {
  it('keeps compressed layers, and names that are no tags', () => {
    const {takesCompressed, hasIndex} = new HybridForm(undefined)
    assert.deepEqual([takesCompressed, hasIndex], [true, true])
  })

  it('has folders first, then the blobs of each image, then the documents over all', async () => {
    const [form, file] = [new HybridForm(undefined), tar()]
    await form.begin(file)
    const names = ['shop:1', 'example.com/shop:2'].map(requireTaggedName)
    const layers = [stored('one'), FOREIGN, stored('two'), stored('one')]
    const made = await form.addImage(file, imageOf(layers, {names, others: ['Odd:3', `web@${SHA}`, '-odd']}))
    const manifest = manifestOf(layerOf('one'), nondistributable, layerOf('two'), layerOf('one'))
    assert.deepEqual(made, {
      layers: [layerOf('one'), nondistributable, layerOf('two'), layerOf('one')],
      manifestDigest: digestOf(Buffer.from(manifest)),
    })
    await form.end(file)
    const document = (name: string) => ({name, typeflag: '0', mode: 0o644})
    assert.deepEqual(
      file.members.map(({body: _, ...each}) => each),
      [
        {name: 'blobs/', typeflag: '5', mode: 0o755},
        {name: 'blobs/sha256/', typeflag: '5', mode: 0o755},
        {name: pathOf('one')},
        {name: pathOf('two')},
        {name: pathOf('{"a":1}'), typeflag: '0', mode: 0o444},
        {name: pathOf(manifest), typeflag: '0', mode: 0o444},
        ...['index.json', 'manifest.json', 'oci-layout'].map(document),
      ],
    )
    assert.equal(file.members[5]?.body, manifest)
    assert.deepEqual(file.document('oci-layout'), {imageLayoutVersion: '1.0.0'})
    const entry = (full: string, ref: string) => ({
      ...descriptorOf(OCI.manifest, manifest),
      annotations: {'io.containerd.image.name': full, 'org.opencontainers.image.ref.name': ref},
      platform: {architecture: 'amd64', os: 'windows', 'os.version': '10.0.1.2'},
    })
    assert.deepEqual(file.document('index.json'), {
      schemaVersion: 2,
      mediaType: OCI.index,
      manifests: [
        entry('docker.io/library/shop:1', '1'),
        entry('example.com/shop:2', '2'),
        entry('Odd:3', '3'),
        entry(`docker.io/library/web@${SHA}`, `web@${SHA}`),
      ],
    })
    assert.deepEqual(file.document('manifest.json'), [
      {
        Config: pathOf('{"a":1}'),
        RepoTags: ['shop:1', 'example.com/shop:2'],
        Layers: ['one', 'elsewhere', 'two', 'one'].map(pathOf),
        LayerSources: {[FOREIGN.diffId]: nondistributable},
      },
    ])
  })

  it('has what images share once', async () => {
    const [form, file] = [new HybridForm(undefined), tar()]
    await form.addImage(file, imageOf([stored('one')]))
    await form.addImage(file, imageOf([stored('one')]))
    await form.addImage(file, imageOf([stored('one'), stored('two')]))
    await form.end(file)
    const blobs = file.members.map(({name}) => name).filter((name) => name.startsWith('blobs/'))
    assert.deepEqual(blobs, [
      ...['one', '{"a":1}', manifestOf(layerOf('one')), 'two', manifestOf(layerOf('one'), layerOf('two'))].map(pathOf),
    ])
    assert.deepEqual(
      (file.document('manifest.json') as {RepoTags: unknown}[]).map((item) => [item.RepoTags, 'LayerSources' in item]),
      [
        [null, false],
        [null, false],
        [null, false],
      ],
    )
  })

  for (const [family, isDocker] of [
    [undefined, true],
    ['docker', true],
    ['oci', false],
  ] as const)
    it(`keeps the manifest of the image, or makes one of the other family: ${family ?? 'any'}`, async () => {
      const [form, file] = [new HybridForm(family), tar()]
      const kept = {mediaType: DOCKER, bytes: Buffer.from(manifestOf(layerOf('one')).replace('{', '{ '))}
      const image = imageOf([stored('one')])
      const made = await form.addImage(file, {...image, draft: {...image.draft, manifest: kept}})
      assert.equal(made.manifestDigest === digestOf(kept.bytes), isDocker)
      const mediaType = isDocker ? 'application/vnd.docker.image.rootfs.diff.tar.gzip' : `${OCI.layer}+gzip`
      assert.deepEqual(made.layers, [{...layerOf('one'), mediaType}])
    })
})

describe('names of the images of one archive', () => {
  const namesOf = (selector: string | undefined, holdsOthers = true) =>
    new ImageNames({selector, given: 'the reference', bare: 'the place', holdsOthers})
  const [one, two] = ['one', 'two'].map((text) => digestOf(Buffer.from(text)))

  it('are what the reference says, of one image alone', async () => {
    const names = namesOf('shop:1')
    const {told, onEvent} = hearing()
    const draft = {names: ['web:2', '-odd']}
    assert.deepEqual(names.namesOf(draft, 0, {onEvent}), {names: [requireTaggedName('shop:1')], others: []})
    assert.deepEqual(told, [])
    const error = await errorOf(() => names.namesOf(draft, 1, {}))
    assert.equal(error.code, 'BAD_REFERENCE')
    assert.ok(error.message.includes('the reference') && error.suggestions[0]?.includes('the place'))
    assert.equal((await errorOf(() => namesOf('-odd').namesOf(draft, 0, {}))).code, 'BAD_REFERENCE')
  })

  it('are their own, whichever image it is', () => {
    const names = namesOf(undefined)
    for (const before of [0, 1])
      assert.deepEqual(names.namesOf({names: ['web:2', 'docker.io/library/web:2']}, before, {}), {
        names: [requireTaggedName('web:2')],
        others: [],
      })
  })

  it('may be taken by one image as often as it likes, and by no other', () => {
    const names = namesOf(undefined)
    const held = (...texts: string[]) => names.namesOf({names: texts}, 0, {})
    names.register(held('web:2', 'Odd:1'), one!)
    names.register(held('web:2', 'shop:1', 'Odd:1'), one!)
    names.register(held('web:3', 'Odd:2'), two!)
    for (const name of ['web:2', 'docker.io/library/shop:1', 'Odd:1']) {
      assert.throws(
        () => {
          names.register(held(name), two!)
        },
        {code: 'BAD_REFERENCE'},
      )
    }
  })
})
