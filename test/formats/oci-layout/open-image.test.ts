import assert from 'node:assert/strict'
import {gzipSync} from 'node:zlib'
import type {StatedDescriptor} from '../../../src/formats/image-documents/image-documents.js'
import {chooseImage} from '../../../src/formats/oci-layout/choose-image.js'
import {IndexWalk, type FoundImage} from '../../../src/formats/oci-layout/index-walk.js'
import {findStoredLayer, imageOver, readFound} from '../../../src/formats/oci-layout/open-image.js'
import {indexOver} from '../../../src/formats/oci-layout/open-index.js'
import {StrictSink} from '../../../src/model/fault-sink.js'
import type {Referrers} from '../../../src/model/content-graph.js'
import {partsOf, sha256, tarOf} from '../../helpers/archives.js'
import {collect} from '../../helpers/bytes.js'
import {errorOf, storeOf} from '../../helpers/layout-store.js'
import {descriptorOf, LayoutBuilder, OCI} from '../../helpers/layouts.js'

const pathOf = (bytes: Buffer | string) => `blobs/sha256/${sha256(bytes)}`
const FOREIGN = 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip'

async function foundIn(layout: LayoutBuilder, ...entries: readonly object[]): Promise<IndexWalk> {
  const walk = new IndexWalk(storeOf(layout), new StrictSink())
  await walk.index(Buffer.from(JSON.stringify({manifests: entries})), 'index.json')
  return walk
}

async function oneIn(layout: LayoutBuilder, entry: object): Promise<FoundImage> {
  return (await foundIn(layout, entry)).found[0]!
}

describe('an image of a layout, opened', () => {
  let tar: Buffer
  before(async () => {
    tar = await tarOf([['Files/', '']])
  })
  const openOver = async (layout: LayoutBuilder, entry: object, more: object = {}) => {
    const store = storeOf(layout)
    const read = await readFound(store, await oneIn(layout, entry), {})
    return imageOver(store, read, {names: ['shop:1'], close: () => Promise.resolve(), ...more})
  }

  it('is its documents and its layers in place', async () => {
    const layout = new LayoutBuilder()
    const parts = partsOf([tar])
    const entry = layout.image(parts)
    const found = await oneIn(layout, entry)
    const read = await readFound(storeOf(layout), found, {})
    const config = {mediaType: OCI.config, bytes: Buffer.from(parts.config)}
    assert.deepEqual([read.found, read.config, read.imageId], [found, config, parts.imageId])
    const image = await openOver(layout, entry)
    assert.deepEqual(
      [image.names, image.platform, image.config, image.manifest, image.warnings, image.namedBase],
      [['shop:1'], read.facts.platform, config, found.manifest, [], undefined],
    )
    assert.equal('findReferrers' in image, false)
    const [layer] = image.layers
    assert.deepEqual([layer?.title, layer?.diffId, layer?.hasContent], ['layer 0', parts.diffIds[0], true])
    assert.deepEqual(await collect(layer!.blob!.open()), tar)
  })

  it('knows what it builds on by name, and who asks for referrers', async () => {
    const layout = new LayoutBuilder()
    const rootfs = {type: 'layers+base', base_layer: 'the base', diff_ids: []}
    const findReferrers = () => Promise.reject(new Error('asked'))
    const image = await openOver(layout, layout.image(partsOf([], {rootfs})), {findReferrers})
    assert.deepEqual(image.namedBase, {name: 'the base'})
    assert.equal(image.findReferrers, findReferrers)
  })

  it('is refused without its configuration', async () => {
    const layout = new LayoutBuilder()
    const found = await oneIn(layout, layout.image(partsOf([])))
    layout.files.delete(pathOf(partsOf([]).config))
    const error = await errorOf(() => readFound(storeOf(layout), found, {}))
    assert.deepEqual([error.code, error.at.path], ['CONFIG_MISSING', 'the store'])
    for (const digest of [found.manifest.digest, found.config.digest]) assert.ok(error.message.includes(digest))
  })

  it('takes the configuration that the manifest carries', async () => {
    const layout = new LayoutBuilder()
    const {config, imageId} = partsOf([])
    const carried = descriptorOf(OCI.config, config, {data: Buffer.from(config).toString('base64')})
    const found = await oneIn(layout, layout.image(partsOf([]), {manifest: {config: carried}}))
    layout.files.delete(pathOf(config))
    assert.equal((await readFound(storeOf(layout), found, {})).imageId, imageId)
  })

  for (const [layers, diffIds] of [
    [1, 2],
    [2, 1],
    [0, 1],
  ] as const)
    it(`is refused with ${layers} layers and ${diffIds} diffIDs`, async () => {
      const layout = new LayoutBuilder()
      const parts = partsOf(Array<Buffer>(diffIds).fill(tar))
      const found = await oneIn(
        layout,
        layout.image(parts, {layers: Array<object>(layers).fill(layout.blob(OCI.layer, tar))}),
      )
      const error = await errorOf(() => readFound(storeOf(layout), found, {}))
      assert.deepEqual([error.code, error.at.path], ['ARCHIVE_CONTRADICTORY', 'the store'])
      assert.match(error.message, new RegExp(`${layers} layers.* ${diffIds}`))
    })

  it('tells of layers that the place does not hold, and where they are', async () => {
    const layout = new LayoutBuilder()
    const urls = ['https://a.example/x', 'https://b.example/x']
    const [plain, foreign] = [descriptorOf(OCI.layer, 'away'), descriptorOf(FOREIGN, 'elsewhere', {urls})]
    const image = await openOver(layout, layout.image(partsOf([Buffer.from('away'), tar, tar]), {layers: [plain, layout.blob(OCI.layer, tar), foreign]})) // prettier-ignore
    assert.deepEqual(image.layers.map(({hasContent}) => hasContent), [false, true, false]) // prettier-ignore
    assert.deepEqual(image.layers[2]?.blob?.descriptor, foreign)
    assert.deepEqual(image.warnings.map(({code}) => code), ['layer-not-held', 'layer-not-held']) // prettier-ignore
    const [first, second] = image.warnings.map(({message}) => message)
    assert.ok(first!.includes(String(plain['digest'])) && !first!.includes('foreign') && !first!.includes('points to'))
    for (const text of ['layer 2', 'foreign', String(foreign['digest']), ...urls])
      assert.ok(second!.includes(text), text)
  })

  for (const [mediaType, hints] of [
    [`${OCI.layer}+encrypted`, 1],
    ['application/vnd.erofs', 0],
  ] as const)
    it(`is refused for a layer that is no tar: ${mediaType}`, async () => {
      const layout = new LayoutBuilder()
      const error = await errorOf(() =>
        openOver(layout, layout.image(partsOf([tar]), {layers: [layout.blob(mediaType, tar)]})),
      )
      assert.deepEqual(
        [error.code, error.at.path, error.suggestions.length],
        ['FORMAT_UNSUPPORTED', 'the store', hints],
      )
      assert.ok(error.message.includes(mediaType))
    })

  it('has a layer that its manifest carries, and of the two what the place holds', async () => {
    const layout = new LayoutBuilder()
    const packed = gzipSync(tar)
    const carried = descriptorOf(`${OCI.layer}+gzip`, packed, {data: packed.toString('base64')})
    const found = await oneIn(layout, layout.image(partsOf([tar]), {layers: [carried]}))
    const store = storeOf(layout)
    const {facts} = await readFound(store, found, {})
    const place = {found, facts, index: 0, title: 'the layer'}
    const stored = await findStoredLayer(store, place, {})
    assert.deepEqual([stored?.compression, stored?.title, stored?.diffId], ['gzip', 'the layer', facts.diffIds[0]])
    assert.deepEqual(await collect(stored!.open({})), packed)
    layout.files.set(pathOf(packed), Buffer.from('held'))
    assert.equal((await collect((await findStoredLayer(store, place, {}))!.open({}))).toString(), 'held')
    assert.equal(await findStoredLayer(store, {...place, index: 1}, {}), undefined)
  })
})

describe('the image that is chosen', () => {
  const LINUX = {os: 'linux', architecture: 'amd64', 'os.version': undefined}
  const WINDOWS = {os: 'windows', architecture: 'amd64', 'os.version': '10.0.20348.1'}
  const UNKNOWN = {os: 'unknown', architecture: 'unknown', 'os.version': undefined}

  /** Chooses among images of these configurations; the index states what the second of each pair says. */
  async function chosen(
    platforms: readonly (readonly [config: object, stated?: object])[],
    {platform, extra = [], unwanted}: {platform?: string; extra?: readonly object[]; unwanted?: readonly object[]} = {},
  ) {
    const layout = new LayoutBuilder()
    const entries = platforms.map(([config, stated], number) =>
      layout.image(partsOf([], {...config, number}), {more: stated === undefined ? {} : {platform: stated}}),
    )
    const walk = await foundIn(layout, ...entries, ...extra)
    const at = (digest: string) => `@${entries.findIndex((entry) => entry['digest'] === digest)}`
    const read = chooseImage(storeOf(layout), walk.found, {
      reference: 'the reference',
      passedOver: walk.passedOver,
      referenceTo: at,
      ...(platform === undefined ? {} : {platform}),
      ...(unwanted === undefined ? {} : {unwanted: unwanted as StatedDescriptor[]}),
    })
    return read.then(({found}) => at(found.manifest.digest))
  }

  it('is the only one, the only one for Windows, or the only one of the platform', async () => {
    assert.equal(await chosen([[LINUX]]), '@0')
    assert.equal(await chosen([[LINUX], [WINDOWS], [LINUX]]), '@1')
    assert.equal(await chosen([[LINUX], [WINDOWS]], {platform: 'linux/amd64'}), '@0')
    assert.equal(await chosen([[WINDOWS], [{...WINDOWS, 'os.version': '10.0.17763.1'}]], {platform: 'windows:10.0.17763'}), '@1') // prettier-ignore
    assert.equal(await chosen([[UNKNOWN], [LINUX]]), '@1')
  })

  for (const [note, platforms, options, fitting] of [
    ['two of Windows', [[WINDOWS], [LINUX], [WINDOWS]], {}, 3],
    ['two of Linux', [[LINUX], [LINUX]], {}, 2],
    ['two of the platform', [[WINDOWS], [LINUX], [LINUX]], {platform: 'linux'}, 2],
  ] as const)
    it(`is not decided between several: ${note}`, async () => {
      const error = await errorOf(() => chosen(platforms, options))
      assert.deepEqual([error.code, error.at.reference], ['AMBIGUOUS_SELECTION', 'the reference'])
      assert.equal(error.suggestions.length, fitting)
      assert.match(error.suggestions[0]!, /^@\d \((?:windows\(10\.0\.20348\.1\)|linux)\/amd64\)$/)
    })

  it('is by its configuration, whatever the index says beside it', async () => {
    assert.equal(await chosen([[WINDOWS, {os: 'windows', architecture: 'arm64'}]], {platform: 'windows'}), '@0')
    // By its descriptor it need not be read.
    const error = await errorOf(() => chosen([[WINDOWS, {os: 'linux'}]], {platform: 'windows'}))
    assert.equal(error.code, 'PLATFORM_UNSUPPORTED')
    assert.equal(
      await chosen(
        [
          [LINUX, {variant: 'v8'}],
          [LINUX, {variant: 'v7'}],
        ],
        {platform: 'linux/amd64/v7'},
      ),
      '@1',
    )
  })

  it('is none for another platform, and those that are there are told', async () => {
    const others = [
      [WINDOWS, {os: 'windows', architecture: 'amd64'}],
      [LINUX, {os: 'linux', architecture: 's390x'}],
      [UNKNOWN, {os: 'unknown', architecture: 'amd64'}],
    ] as const
    const error = await errorOf(() => chosen(others, {platform: 'linux/arm64'}))
    assert.deepEqual([error.code, error.at.reference], ['PLATFORM_UNSUPPORTED', 'the reference'])
    assert.deepEqual(error.suggestions, ['@0 (windows/amd64)', '@1 (linux/s390x)'])
    // What was read is told by its configuration; what is alone needs no reference.
    const read = await errorOf(() => chosen([[WINDOWS]], {platform: 'windows/arm64'}))
    assert.deepEqual(read.suggestions, ["--platform 'windows(10.0.20348.1)/amd64'"])
    const unread = {...descriptorOf(OCI.manifest, 'x'), platform: {os: 'freebsd', architecture: 'arm'}}
    const left = await errorOf(() => chosen([], {platform: 'linux', unwanted: [unread]}))
    assert.deepEqual([left.code, left.suggestions], ['PLATFORM_UNSUPPORTED', ["--platform 'freebsd/arm'"]])
  })

  it('is none where there is none: what is there is named', async () => {
    const error = await errorOf(() => chosen([[UNKNOWN, {os: 'unknown'}], [UNKNOWN]]))
    assert.deepEqual([error.code, error.at.reference], ['NOT_FOUND', 'the reference'])
    assert.deepEqual(error.suggestions, ['@0 (unknown/unknown)', '@1'])
    assert.equal((await errorOf(() => chosen([[UNKNOWN]], {platform: 'linux'}))).code, 'NOT_FOUND')
  })

  const artifact = descriptorOf('a/type', 'artifact')
  const lost = descriptorOf(OCI.manifest, 'lost')
  for (const [note, extra, code, told] of [
    ['something else', [artifact], 'FORMAT_UNSUPPORTED', 'a/type'],
    ['two of something else', [artifact, artifact], 'FORMAT_UNSUPPORTED', 'a/type'],
    ['something that is missing', [lost], 'NOT_FOUND', String(lost['digest'])],
    ['something missing behind something else', [artifact, lost], 'NOT_FOUND', 'the store'],
    ['nothing', [], 'NOT_FOUND', 'the store'],
  ] as const)
    it(`is none where only ${note} is there`, async () => {
      const error = await errorOf(() => chosen([], {extra}))
      assert.deepEqual([error.code, error.at.reference], [code, 'the reference'])
      assert.ok(error.message.includes(told), error.message)
    })
})

describe('an index of a layout, opened', () => {
  const NONE: Referrers = {referrers: [], content: {documents: [], blobs: [], absent: []}, doubts: []}

  async function indexed(layout: LayoutBuilder, entries: readonly object[]) {
    const stated = layout.index(entries) as unknown as StatedDescriptor
    const {found} = await foundIn(layout, stated)
    const asked: unknown[] = []
    let closed = 0
    const place = {
      stated,
      names: ['shop:1'],
      found,
      findReferrers: (subjects: readonly string[], options: object) => {
        asked.push([subjects, options])
        return Promise.resolve(NONE)
      },
      close: () => Promise.resolve(void (closed += 1)),
    }
    return {stated, asked, open: () => indexOver(storeOf(layout), place, {}), closed: () => closed}
  }

  it('tells of its images, with the diffIDs of their layers', async () => {
    const layout = new LayoutBuilder()
    const parts = partsOf([Buffer.from('a'), Buffer.from('b')])
    const image = layout.image(parts)
    const {stated, open, closed, asked} = await indexed(layout, [image])
    const index = await open()
    assert.deepEqual([index.names, index.document.digest], [['shop:1'], stated.digest])
    assert.deepEqual(index.content.documents.map(({digest}) => digest), [image['digest'], stated.digest]) // prettier-ignore
    assert.deepEqual(index.images, [
      {
        manifestDigest: image['digest'],
        imageId: parts.imageId,
        layers: parts.layers.map((layer, at) => ({
          descriptor: descriptorOf(OCI.layer, layer),
          diffId: parts.diffIds[at],
        })),
      },
    ])
    // What is in it travels anyway, whether or not it refers to something.
    assert.equal(await index.findReferrers({}), NONE)
    const documents = [image['digest'], stated.digest]
    assert.deepEqual(asked, [[documents, {apart: new Set(documents)}]])
    await index.close()
    assert.equal(closed(), 1)
  })

  it('passes over what it does not understand', async () => {
    const layout = new LayoutBuilder()
    const odd = layout.image(partsOf([Buffer.from('a')]), {layers: [layout.blob('a/layer', 'a')]})
    const unknown = layout.image(partsOf([], {os: 'unknown'}))
    const lost = layout.image(partsOf([], {author: 'lost'}))
    layout.files.delete(pathOf(partsOf([], {author: 'lost'}).config))
    const sound = layout.image(partsOf([]))
    const {open} = await indexed(layout, [odd, unknown, lost, sound])
    const {images, content} = await open()
    assert.deepEqual(images.map(({manifestDigest}) => manifestDigest), [sound['digest']]) // prettier-ignore
    assert.equal(content.documents.length, 5)
  })

  it('is not found where its document is gone, and no other failure is hidden', async () => {
    const layout = new LayoutBuilder()
    const image = layout.image(partsOf([]))
    const {open, stated} = await indexed(layout, [image])
    const whole = storeOf(layout)
    const isConfig = (digest: string) => digest === partsOf([]).imageId
    const broken = {
      ...whole,
      findDocument: (...args: Parameters<typeof whole.findDocument>) =>
        isConfig(args[0].digest) ? Promise.reject(new Error('the disk is gone')) : whole.findDocument(...args),
    }
    const {found} = await foundIn(layout, stated)
    const place = {stated, names: [], found, findReferrers: () => Promise.resolve(NONE), close: () => Promise.resolve()}
    await assert.rejects(indexOver(broken, place, {}), /the disk is gone/)
    layout.files.delete(`blobs/sha256/${stated.digest.slice(7)}`)
    const error = await errorOf(open)
    assert.deepEqual([error.code, error.at.path], ['NOT_FOUND', 'the store'])
    assert.ok(error.message.includes(stated.digest))
  })
})
