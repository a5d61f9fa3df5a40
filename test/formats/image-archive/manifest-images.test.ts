import assert from 'node:assert/strict'
import {readOffers} from '../../../src/formats/image-archive/read-offers.js'
import {StrictSink} from '../../../src/model/fault-sink.js'
import {digestOf} from '../../../src/model/digest.js'
import {hybridMembers, partsOf, sha256, type Member} from '../../helpers/archives.js'
import {errorOf} from '../../helpers/layout-store.js'
import {descriptorOf, LayoutBuilder, OCI, tagged} from '../../helpers/layouts.js'
import {archiveOf, BASE, classic, PARTS, readArchive as read, TOP, type Item} from '../../helpers/read-archive.js'

const FOREIGN = 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip'
const pathOf = (bytes: Buffer | string) => `blobs/sha256/${sha256(bytes)}`
const configName = `${PARTS.imageId.slice(7)}.json`

describe('what manifest.json offers', () => {
  it('is an image with all that is known of it', async () => {
    const {offers, codes, warnings} = await read(classic([{RepoTags: ['shop:1', 'docker.io/library/web:2']}]))
    const [offer] = offers
    assert.deepEqual([codes, warnings, offers.length], [[], [], 1])
    const names = ['shop:1', 'docker.io/library/web:2']
    const platform = {os: 'windows', architecture: 'amd64', osVersion: '10.0.20348.2113'}
    assert.deepEqual(
      [offer?.names, offer?.platform, offer?.createdTime, offer?.isPrimary],
      [names, platform, '2024-01-02T03:04:05Z', true],
    )
    assert.deepEqual(offer?.layers.map((entry) => entry?.name), ['base.tar', 'top.tar']) // prettier-ignore
    const image = offer.image!
    assert.equal(await offer.read(undefined as never, {}), image)
    assert.deepEqual(image.config, {
      mediaType: 'application/vnd.docker.container.image.v1+json',
      bytes: Buffer.from(PARTS.config),
    })
    assert.deepEqual([image.origin, image.imageId, image.manifest], ['manifest.json', PARTS.imageId, undefined])
    assert.deepEqual(image.layers.map(({diffId, descriptor, absence}) => [diffId, descriptor, absence]), PARTS.diffIds.map((diffId) => [diffId, undefined, undefined])) // prettier-ignore
  })

  it('has no time where the configuration has none, and no layers where it has none', async () => {
    const {config} = partsOf([], {created: undefined})
    const {offers, codes} = await read([
      ['c.json', config],
      ['manifest.json', '[{"Config":"c.json","Layers":null}]'],
    ])
    assert.deepEqual([offers[0] && 'createdTime' in offers[0], offers[0]?.layers, codes], [false, [], []])
  })

  for (const [tags, names] of [
    [null, []],
    [['', 'a:1', '<none>:<none>', 'b@<none>'], ['a:1']],
  ] as const)
    it(`has the names that are some: ${JSON.stringify(tags)}`, async () => {
      assert.deepEqual((await read(classic([{RepoTags: tags}]))).offers[0]?.names, names)
    })

  for (const [note, item, code] of [
    ['its configuration is not there', {Config: 'nothing'}, 'CONFIG_MISSING'],
    ['it has fewer layers than the configuration', {Layers: ['base.tar']}, 'ARCHIVE_CONTRADICTORY'],
    [
      'it has more layers than the configuration',
      {Layers: ['base.tar', 'top.tar', 'top.tar']},
      'ARCHIVE_CONTRADICTORY',
    ],
    ['it names what leads out of the archive', {Config: '../x'}, 'NAME_UNSAFE'],
    ['its configuration is none', {Config: 'base.tar'}, 'CONFIG_INVALID'],
  ] as const)
    it(`keeps no other image away where ${note}`, async () => {
      const {offers, codes} = await read(classic([item, {RepoTags: ['sound:1']}]))
      assert.deepEqual([codes, offers.map(({names}) => names)], [[code], [['sound:1']]])
      const archive = await archiveOf(classic([item]))
      const error = await errorOf(() => readOffers(archive, new StrictSink()))
      assert.equal(error.code, code)
      if (code === 'CONFIG_MISSING' || code === 'ARCHIVE_CONTRADICTORY') assert.equal(error.at.path, 'the archive')
      await archive.close()
    })

  const long = digestOf(Buffer.from(PARTS.config), 'sha512').slice(7)
  for (const [name, isRight] of [
    ['any.json', true],
    [`${PARTS.imageId.slice(7)}.json`, true],
    [PARTS.imageId, true],
    [PARTS.imageId.slice(7), true],
    [pathOf(PARTS.config), true],
    [`blobs/sha512/${long}`, true],
    [`blobs/sha512/${long.slice(0, 64)}`, true],
    [`${'0'.repeat(64)}.json`, false],
    [`sha256:${'0'.repeat(64)}`, false],
    [`blobs/sha256/${'0'.repeat(64)}`, false],
    [`blobs/sha512/${'0'.repeat(128)}`, false],
    [`x${'0'.repeat(64)}.json`, true],
    [`${'0'.repeat(64)}.jsonx`, true],
    [`x/blobs/sha256/${'0'.repeat(64)}`, true],
  ] as const)
    it(`has a configuration that is what its name says: ${name.replaceAll(/[0-9a-f]{40,}/g, '…')}`, async () => {
      const {codes, offers} = await read(classic([{Config: name}], [[name, PARTS.config]]))
      assert.deepEqual([codes, offers.length], [isRight ? [] : ['DIGEST_MISMATCH'], 1])
      const strict = await read(classic([{Config: name}], [[name, PARTS.config]]), false)
      assert.equal(strict.offers.length, isRight ? 1 : 0)
    })

  const blob = (digest: string) => ({mediaType: '', digest, size: BASE.length})
  const [diffId] = PARTS.diffIds as [string]
  const other = sha256('other')
  for (const [name, descriptor] of [
    ['base.tar', undefined],
    [`${diffId.slice(7)}.tar`, undefined],
    [`${other}.tar`, undefined],
    [`${other}/layer.tar`, undefined],
    [`${other}.tar.gz`, blob(`sha256:${other}`)],
    [`sha256:${other}.tar.gz`, blob(`sha256:${other}`)],
    [`${diffId.slice(7)}.tar.gz`, undefined],
    [`blobs/sha256/${other}`, blob(`sha256:${other}`)],
    [`blobs/sha256/${diffId.slice(7)}`, blob(diffId)],
    ['blobs/sha256/0', undefined],
  ] as const)
    it(`has layers that are what their names say: ${name.replaceAll(/[0-9a-f]{40,}/g, (hex) => hex.slice(0, 4))}`, async () => {
      const {images, codes} = await read(classic([{Layers: [name, 'top.tar']}], [[name, BASE]]))
      assert.deepEqual([images[0]?.layers[0]?.descriptor, codes], [descriptor, []])
    })

  const urls = ['https://example.com/x']
  for (const [note, source, isForeign] of [
    ['nothing', undefined, false],
    ['null', null, false],
    ['another layer', {[PARTS.diffIds[1]!]: descriptorOf(FOREIGN, 'x', {urls})}, false],
    ['the layer', {[diffId]: descriptorOf(FOREIGN, 'x')}, true],
    ['the layer, with an address', {[diffId]: descriptorOf(OCI.layer, 'x', {urls})}, true],
    ['the layer, as an ordinary one', {[diffId]: descriptorOf(OCI.layer, 'x')}, false],
  ] as const)
    it(`may lack a layer of which it tells where it is: ${note}`, async () => {
      const item = {Layers: ['away.tar', 'top.tar'], ...(source === undefined ? {} : {LayerSources: source})}
      const {images, codes} = await read(classic([item]))
      const [layer] = images[0]!.layers
      assert.deepEqual([layer?.diffId, layer?.entry, codes], [diffId, undefined, []])
      assert.equal(layer?.absence === undefined, isForeign)
      assert.equal(layer?.descriptor === undefined, !isForeign)
      if (!isForeign) assert.ok(layer?.absence?.includes("'away.tar'"))
      assert.equal(images[0]?.layers[1]?.absence, undefined)
    })

  it('is told where the layer that is elsewhere has no digest, and names are cut', async () => {
    const LayerSources = {[diffId]: {mediaType: FOREIGN, digest: 'x', size: 1}}
    const {codes, places} = await read(classic([{Layers: ['away.tar', 'top.tar'], LayerSources}]))
    assert.deepEqual([codes, places], [['MANIFEST_INVALID'], ['manifest.json']])
    const {images} = await read(classic([{Layers: ['y'.repeat(400), 'top.tar']}]))
    assert.match(images[0]!.layers[0]!.absence!, /[^y]y{300}[^y]/)
  })

  it('keeps the diffID of a layer whose name cannot be read', async () => {
    const {images, codes} = await read(classic([{Layers: ['../base.tar', 'top.tar']}]))
    assert.deepEqual([images[0]?.layers[0], codes], [{diffId}, ['NAME_UNSAFE']])
  })

  for (const text of [
    '{}',
    '[{}]',
    '[{"Config":1}]',
    '[{"Config":"c","Layers":[1]}]',
    '[{"Config":"c","LayerSources":{"x":{}}}]',
    'x',
  ])
    it(`is nothing where manifest.json is malformed: ${text}`, async () => {
      const {offers, codes} = await read([['manifest.json', text]])
      assert.deepEqual([offers, codes], [[], ['MANIFEST_INVALID']])
    })

  it('is read with keys in any case, as Go does', async () => {
    const item = {
      config: configName,
      REPOTAGS: ['a:1'],
      layers: ['base.tar', 'top.tar'],
      Parent: '',
      layersources: null,
    }
    const {offers} = await read([...classic([]).slice(0, -1), ['manifest.json', JSON.stringify([item])]])
    assert.deepEqual(offers.map(({names}) => names), [['a:1']]) // prettier-ignore
  })
})

describe('what manifest.json and index.json offer together', () => {
  const both = (layout: LayoutBuilder, items: readonly Item[]): Member[] => [
    ...layout.members(),
    ['manifest.json', JSON.stringify(items)],
  ]
  const itemOf = (parts = PARTS, more: Item = {}): Item => ({
    Config: pathOf(parts.config),
    Layers: parts.layers.map(pathOf),
    ...more,
  })

  it('is one image, with the manifest of the index and the types that it states', async () => {
    const {offers, images, codes} = await read(hybridMembers(PARTS))
    assert.deepEqual([offers.length, codes], [1, []])
    const [image] = images
    assert.deepEqual([image?.origin, image?.names, image?.config.mediaType], ['manifest.json', ['app:1'], OCI.config])
    assert.equal(image?.manifest?.mediaType, OCI.manifest)
    assert.deepEqual(image.layers.map(({descriptor}) => descriptor), PARTS.layers.map((layer) => descriptorOf(OCI.layer, layer))) // prettier-ignore
  })

  it('has further images, which come behind and are not meant first', async () => {
    const layout = new LayoutBuilder()
    const other = partsOf([BASE], {os: 'linux', created: undefined})
    layout.manifests.push(layout.image(other, {more: tagged('shop:2')}), layout.image(PARTS))
    const {offers, images} = await read(both(layout, [itemOf()]))
    assert.deepEqual(offers.map(({names, isPrimary, platform}) => [names, isPrimary, platform.os]), [[[], true, 'windows'], [['shop:2'], false, 'linux']]) // prettier-ignore
    assert.deepEqual(offers.map((offer) => 'createdTime' in offer), [true, false]) // prettier-ignore
    assert.deepEqual([images[1]?.origin, images[1]?.imageId], ['index.json', other.imageId])
    assert.deepEqual(images[1]?.layers, [
      {descriptor: descriptorOf(OCI.layer, BASE), diffId: other.diffIds[0], entry: images[1]?.layers[0]?.entry},
    ])
    assert.equal(images[1].layers[0]?.entry?.name, pathOf(BASE))
    const alone = await read(both(layout, []))
    assert.deepEqual(alone.offers.map(({isPrimary}) => isPrimary), [true, true]) // prettier-ignore
  })

  it('has no index without oci-layout, and needs no manifest.json', async () => {
    const members = hybridMembers(PARTS)
    const without = await read(members.filter(([name]) => name !== 'oci-layout'))
    assert.equal(without.images[0]?.manifest, undefined)
    const alone = await read(hybridMembers(PARTS, {withManifestJson: false}))
    assert.deepEqual(alone.offers.map(({names, isPrimary}) => [names, isPrimary]), [[['docker.io/library/app:1'], true]]) // prettier-ignore
  })

  it('has the names that only an index keeps', async () => {
    const layout = new LayoutBuilder()
    const image = layout.image(PARTS)
    const sha = `sha256:${'a'.repeat(64)}`
    const named = (full: string) => ({...image, annotations: {'io.containerd.image.name': full}})
    layout.manifests.push(...['Odd:1', `docker.io/library/web@${sha}`, 'shop:2', `web@${sha}`].map(named))
    const {offers} = await read(both(layout, [itemOf(PARTS, {RepoTags: ['shop:1']})]))
    assert.deepEqual(offers[0]?.names, ['shop:1', 'Odd:1', `web@${sha}`])
    const inner = new LayoutBuilder()
    inner.manifests.push(inner.index([{...inner.image(PARTS), ...named('Odd:1')}]))
    const {offers: within} = await read(both(inner, [itemOf()]))
    assert.deepEqual(within[0]?.names, [])
  })

  it('is warned of where a name means different images', async () => {
    const layout = new LayoutBuilder()
    const other = partsOf([TOP])
    layout.manifests.push(layout.image(other, {more: tagged('shop:1')}), layout.image(PARTS))
    assert.deepEqual((await read(both(layout, [itemOf(PARTS, {RepoTags: ['docker.io/library/shop:1']})]))).warnings, ['archive-contradictory']) // prettier-ignore
    layout.manifests.push(layout.image(PARTS, {more: tagged('shop:1')}))
    assert.deepEqual((await read(both(layout, [itemOf(PARTS, {RepoTags: ['shop:1']})]))).warnings, [])
    assert.deepEqual((await read(both(layout, [itemOf(PARTS, {RepoTags: ['shop:2']})]))).warnings, [])
  })

  it('is manifest.json alone where the other manifest lacks layers, with a warning', async () => {
    const layout = new LayoutBuilder()
    layout.manifests.push(layout.image(PARTS, {layers: []}))
    for (const layer of PARTS.layers) layout.blob(OCI.layer, layer)
    const {images, warnings} = await read(both(layout, [itemOf()]))
    assert.deepEqual([images[0]?.manifest, warnings], [undefined, ['manifest-incomplete']])
    layout.manifests.push(layout.image(PARTS))
    const usable = await read(both(layout, [itemOf()]))
    assert.equal(usable.images[0]?.manifest?.mediaType, OCI.manifest)
    assert.deepEqual(usable.warnings, [])
  })

  it('states what a layer is by its manifest, unless its name says otherwise', async () => {
    const layout = new LayoutBuilder()
    const foreign = descriptorOf(FOREIGN, 'elsewhere')
    layout.manifests.push(layout.image(PARTS, {layers: [layout.blob(OCI.layer, BASE), foreign]}))
    layout.blob('x', 'another')
    for (const [layers, stated] of [
      [
        [pathOf(BASE), 'elsewhere'],
        [descriptorOf(OCI.layer, BASE), foreign],
      ],
      [
        [pathOf('another'), 'elsewhere'],
        [descriptorOf('', 'another'), foreign],
      ],
      [
        ['index.json', 'elsewhere'],
        [descriptorOf(OCI.layer, BASE), foreign],
      ],
    ] as const) {
      const {images} = await read(both(layout, [itemOf(PARTS, {Layers: layers})]))
      assert.deepEqual(images[0]?.layers.map(({descriptor}) => descriptor), stated) // prettier-ignore
      assert.deepEqual(images[0].layers.map(({absence}) => absence), [undefined, undefined]) // prettier-ignore
    }
    layout.manifests.length = 0
    layout.manifests.push(
      layout.image(PARTS, {layers: [layout.blob(OCI.layer, BASE), descriptorOf(OCI.layer, 'gone')]}),
    )
    const {images} = await read(both(layout, [itemOf(PARTS, {Layers: [pathOf(BASE), 'gone']})]))
    assert.deepEqual(images[0]?.layers[1]?.descriptor, descriptorOf(OCI.layer, 'gone'))
    assert.ok(images[0].layers[1].absence?.includes("'gone'"))
  })

  it('knows the image of a configuration of another algorithm by its name', async () => {
    const layout = new LayoutBuilder()
    const digest = digestOf(Buffer.from(PARTS.config), 'sha512')
    const config = {mediaType: OCI.config, digest, size: PARTS.config.length}
    layout.files.set(`blobs/sha512/${digest.slice(7)}`, Buffer.from(PARTS.config))
    layout.manifests.push(layout.image(PARTS, {manifest: {config}}))
    const {images} = await read(both(layout, [itemOf(PARTS, {Config: `blobs/sha512/${digest.slice(7)}`})]))
    assert.equal(images[0]?.manifest?.mediaType, OCI.manifest)
    assert.equal(images[0].imageId, PARTS.imageId)
  })
})
