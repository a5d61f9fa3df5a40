import assert from 'node:assert/strict'
import {gzipSync} from 'node:zlib'
import {Archive} from '../../../src/formats/archive-file/archive.js'
import {ArchiveCheck} from '../../../src/formats/image-archive/archive-check.js'
import {openOffer, storedLayer} from '../../../src/formats/image-archive/open-offer.js'
import {findOffers, type Offer} from '../../../src/formats/image-archive/read-offers.js'
import type {ArchivedLayer} from '../../../src/formats/image-archive/archived-image.js'
import type {ImageCheck} from '../../../src/formats/layer-blob/image-check.js'
import {archiveStore} from '../../../src/formats/oci-layout/archive-store.js'
import {digestOf} from '../../../src/model/digest.js'
import type {Verdict} from '../../../src/model/transport.js'
import {hybridMembers, partsOf, sha256, tarOf, type Member, type Parts} from '../../helpers/archives.js'
import {chunked, collect} from '../../helpers/bytes.js'
import {hearing} from '../../helpers/layout-store.js'
import {descriptorOf, LayoutBuilder, OCI, tagged} from '../../helpers/layouts.js'
import {RAW_END, rawMember} from '../../helpers/raw-tar.js'

const LAYER = Buffer.concat([rawMember({name: 'Files/', type: '5'}), RAW_END])
const TOP = Buffer.concat([rawMember({name: 'Files/', type: '5'}), rawMember({name: 'Files/a'}, 'a'), RAW_END])
const FOREIGN = 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip'
const pathOf = (bytes: Buffer | string) => `blobs/sha256/${sha256(bytes)}`
const archiveOf = (tar: Uint8Array) => Archive.ofStream(chunked(tar), {title: 'the archive'})

function classic(parts: Parts, layers: readonly string[], more: readonly Member[] = [], names = ['shop:1']): Member[] {
  const item = {Config: 'c.json', RepoTags: names, Layers: layers}
  return [...more, ['c.json', parts.config], ['manifest.json', JSON.stringify([item])]]
}

describe('an image of an archive, opened', () => {
  async function opened(members: readonly Member[], sink = {warnings: [] as {code: string; message: string}[]}) {
    const archive = await archiveOf(await tarOf(members))
    const {offers} = await findOffers(archive)
    return {archive, image: await openOffer(archive, offers[0]!, {sink})}
  }

  it('is its documents and its layers in place, and closing it closes the archive', async () => {
    const parts = partsOf([LAYER])
    const {archive, image} = await opened(hybridMembers(parts))
    assert.deepEqual(
      [image.names, image.platform.os, image.warnings, image.namedBase],
      [['app:1'], 'windows', [], undefined],
    )
    assert.deepEqual(Buffer.from(image.config!.bytes).toString(), parts.config)
    assert.equal(image.manifest?.mediaType, OCI.manifest)
    const [layer] = image.layers
    assert.deepEqual([layer?.title, layer?.diffId, layer?.hasContent], ['layer 0', parts.diffIds[0], true])
    assert.notEqual(layer?.inFile, undefined)
    assert.deepEqual(await collect(layer!.blob!.open()), LAYER)
    await image.close()
    await assert.rejects(archive.readDocument(archive.find('index.json')!))
  })

  it('has no manifest of its own in an older form, and may name its base', async () => {
    const rootfs = {type: 'layers+base', base_layer: 'the base', diff_ids: []}
    const {image} = await opened(classic(partsOf([], {rootfs}), []))
    assert.deepEqual(['manifest' in image, image.namedBase], [false, {name: 'the base'}])
    await image.close()
  })

  it('tells of what is warned of, of members that come twice, and of layers that are not there', async () => {
    const members = classic(partsOf([LAYER, TOP]), ['a.tar', 'b.tar'], [['a.tar', LAYER]])
    const {image} = await opened([['c.json', 'x'], ...members], {warnings: [{code: 'given', message: ''}]})
    assert.deepEqual(image.warnings.map(({code}) => code), ['given', 'repeated-member', 'layer-not-held']) // prettier-ignore
    assert.ok(image.warnings[1]?.message.includes("'c.json'"))
    for (const text of ['layer 1', "'b.tar'"]) assert.ok(image.warnings[2]?.message.includes(text))
    assert.deepEqual(image.layers.map(({title, hasContent}) => [title, hasContent]), [['layer 0', true], ['layer 1', false]]) // prettier-ignore
    await image.close()
  })

  const packed = gzipSync(LAYER)
  const stated = {mediaType: 'a/type', digest: digestOf(Buffer.from('x')), size: 3}
  for (const [note, bytes, layer, descriptor] of [
    ['its tar', LAYER, {diffId: digestOf(LAYER)}, descriptorOf(OCI.layer, LAYER)],
    [
      'another diffID',
      LAYER,
      {diffId: stated.digest},
      {mediaType: OCI.layer, digest: stated.digest, size: LAYER.length},
    ],
    ['nothing', LAYER, {}, descriptorOf(OCI.layer, LAYER)],
    ['a diffID of what is compressed', packed, {diffId: digestOf(LAYER)}, descriptorOf(`${OCI.layer}+gzip`, packed)],
    ['a descriptor', LAYER, {descriptor: stated}, stated],
    [
      'a descriptor without a type',
      packed,
      {descriptor: {...stated, mediaType: ''}},
      {...stated, mediaType: `${OCI.layer}+gzip`},
    ],
    [
      'bzip2, for which there is no type',
      Buffer.from('BZh91AY&SY'),
      {descriptor: {...stated, mediaType: ''}},
      {...stated, mediaType: 'application/vnd.docker.image.rootfs.diff.tar'},
    ],
    [
      'xz, for which there is no type',
      Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 0, 0, 0, 0]),
      {descriptor: {...stated, mediaType: ''}},
      {...stated, mediaType: 'application/vnd.docker.image.rootfs.diff.tar'},
    ],
  ] as const)
    it(`has layers by what is stated of them: ${note}`, async () => {
      const archive = await archiveOf(await tarOf([['layer', bytes]]))
      const entry = archive.find('layer')!
      const stored = await storedLayer(archive, {...layer, entry}, 'the title', {})
      assert.deepEqual([stored?.title, stored?.descriptor], ['the title', descriptor])
      assert.equal(stored?.diffId, 'diffId' in layer ? layer.diffId : undefined)
      assert.deepEqual([stored?.range?.offset, stored?.range?.length], [512, bytes.length])
      assert.deepEqual(await collect(stored!.open({})), bytes)
      assert.equal(await storedLayer(archive, layer as ArchivedLayer, 'x', {}), undefined)
      await archive.close()
    })

  it('is a store of blobs, by their digests', async () => {
    const archive = await archiveOf(await tarOf([[pathOf('text'), 'text'], [pathOf(packed), packed]])) // prettier-ignore
    const store = archiveStore(archive)
    assert.equal(store.title, 'the archive')
    const of = (bytes: Buffer | string) => ({mediaType: 'x', digest: digestOf(Buffer.from(bytes)), size: 1})
    assert.equal(Buffer.from((await store.findDocument(of('text'), {}))!).toString(), 'text')
    assert.equal(await store.findDocument(of('other'), {}), undefined)
    assert.equal(await store.findBlob(of('other'), {}), undefined)
    const blob = await store.findBlob(of(packed), {})
    assert.deepEqual([blob?.compression, blob?.range?.length], ['gzip', packed.length])
    assert.deepEqual(await collect(blob!.open({})), packed)
    await archive.close()
  })
})

describe('an archive that is checked', () => {
  const all = (offers: readonly Offer[]) => offers.map((offer, index) => ({offer, index}))
  const found = ({faults}: Verdict) => faults.map(({code, subject}) => [code, subject])

  async function checked(
    tar: Uint8Array,
    how: {
      isWhole?: boolean
      isSelected?: boolean
      choose?: (offers: readonly Offer[], check: ImageCheck) => ReturnType<typeof all>
    } = {},
  ) {
    const {choose = all, ...flags} = how
    const archive = await archiveOf(tar)
    const {told, onEvent} = hearing()
    try {
      return {verdict: await new ArchiveCheck(archive, {onEvent}).run(choose, flags), told}
    } finally {
      await archive.close()
    }
  }

  it('is told by its layers and its bytes, each layer once', async () => {
    const parts = partsOf([LAYER, TOP, LAYER])
    const {verdict, told} = await checked(await tarOf(hybridMembers(parts)))
    assert.deepEqual([verdict.faults, told], [[], []])
    assert.deepEqual(verdict.layers.map(({title, diffId}) => [title, diffId]), [['app:1 layer 0', parts.diffIds[0]], ['app:1 layer 1', parts.diffIds[1]]]) // prettier-ignore
    const members = hybridMembers(parts).filter(([name]) => /^blobs\/sha256\/./.test(name))
    assert.equal(
      verdict.bytes,
      members.reduce((sum, [, body]) => sum + Buffer.from(body as Buffer).length, 0),
    )
    const selected = await checked(await tarOf(hybridMembers(parts)), {isSelected: true})
    assert.equal(selected.verdict.bytes, LAYER.length + TOP.length)
  })

  it('has a layer read again for another diffID, and counted once', async () => {
    const other = partsOf([TOP])
    const items = [
      {Config: 'c.json', RepoTags: ['a:1'], Layers: ['layer.tar']},
      {Config: 'd.json', RepoTags: ['b:1'], Layers: ['layer.tar']},
    ]
    const members: Member[] = [['layer.tar', LAYER], ['c.json', partsOf([LAYER]).config], ['d.json', other.config], ['manifest.json', JSON.stringify(items)]] // prettier-ignore
    const {verdict} = await checked(await tarOf(members))
    assert.deepEqual(verdict.faults.map(({code}) => code), ['DIGEST_MISMATCH']) // prettier-ignore
    assert.equal(verdict.bytes, LAYER.length)
  })

  it('is told by the place of an image that has no name', async () => {
    const members = classic(partsOf([LAYER]), ['gone.tar'], [], [])
    assert.deepEqual(found((await checked(await tarOf(members))).verdict), [['LAYER_MISSING', '@0 layer 0']])
    const none = await checked(await tarOf(members), {choose: () => []})
    assert.deepEqual(none.verdict.faults, [])
    const seventh = await checked(await tarOf(members), {choose: ([offer]) => [{offer: offer!, index: 7}]})
    assert.deepEqual(found(seventh.verdict), [['LAYER_MISSING', '@7 layer 0']])
  })

  it('may lack foreign layers, which is told', async () => {
    const layout = new LayoutBuilder()
    layout.manifests.push(layout.image(partsOf([LAYER]), {layers: [descriptorOf(FOREIGN, 'x')], more: tagged('x/a:1')}))
    const {verdict, told} = await checked(await tarOf(layout.members()))
    assert.deepEqual([found(verdict), told], [[], [['not-read', 'x/a:1 layer 0']]])
  })

  it('is told of names that come twice and of those that lead out of it', async () => {
    const tar = Buffer.concat([
      ...['a', 'a', '../b', '/c', 'C:/d', 'e/../f', '..g', 'h/..i'].map((name) => rawMember({name}, 'x')),
      rawMember({name: 'c.json'}, partsOf([]).config),
      rawMember({name: 'manifest.json'}, '[{"Config":"c.json"}]'),
      RAW_END,
    ])
    assert.deepEqual(found((await checked(tar)).verdict), [
      ['DUPLICATE_ENTRY', 'a'],
      ...['../b', '/c', 'C:/d', 'e/../f'].map((name) => ['NAME_UNSAFE', name]),
    ])
  })

  it('has blobs of no image read as well, unless only some are asked for', async () => {
    const members: Member[] = [
      [`blobs/sha256/${'0'.repeat(64)}`, 'x'],
      ['blobs/sha256/0', 'x'],
      ['blobs/sha256/X', 'x'],
      [`x/blobs/sha256/${'0'.repeat(64)}`, 'x'],
      ...hybridMembers(partsOf([LAYER])),
    ]
    const tar = await tarOf(members)
    assert.deepEqual(found((await checked(tar)).verdict), [
      ['DIGEST_MISMATCH', `blobs/sha256/${'0'.repeat(64)}`],
      ['DIGEST_MISMATCH', 'blobs/sha256/0'],
    ])
    assert.deepEqual((await checked(tar, {isSelected: true})).verdict.faults, [])
  })

  it('has what index.json leads to read where the whole is asked for', async () => {
    const layout = new LayoutBuilder()
    const parts = partsOf([LAYER])
    const image = layout.image(parts)
    const platform = {os: 'linux', architecture: 'arm64'}
    const others = ['a', 'b'].map((text) => descriptorOf(OCI.manifest, text, {platform}))
    layout.manifests.push(
      layout.index([image, ...others, descriptorOf('text/plain', 'note'), descriptorOf(OCI.index, 'inner')]),
      descriptorOf(OCI.manifest, 'top'),
    )
    layout.manifests.push(layout.image(partsOf([], {author: 'x'})))
    layout.files.delete(pathOf(partsOf([], {author: 'x'}).config))
    const tar = await tarOf(layout.members())
    assert.deepEqual((await checked(tar)).verdict.faults, [])
    const {verdict, told} = await checked(tar, {isWhole: true})
    assert.deepEqual(found(verdict), [
      ['CONFIG_MISSING', 'the archive'],
      ['MANIFEST_MISSING', 'the archive'],
      ['MANIFEST_MISSING', `sha256:${sha256('inner')}`],
      ['MANIFEST_MISSING', `sha256:${sha256('top')}`],
    ])
    // Other platforms of an image need not have been saved.
    assert.deepEqual(told, [['not-read', 'the archive']])
    const without = layout.members().filter(([name]) => name !== 'oci-layout')
    const classicToo = classic(parts, [pathOf(LAYER)])
    assert.deepEqual((await checked(await tarOf([...without, ...classicToo]), {isWhole: true})).verdict.faults, [])
  })

  it('has nothing told where nothing is left out', async () => {
    const {verdict, told} = await checked(await tarOf(hybridMembers(partsOf([LAYER]))), {isWhole: true})
    assert.deepEqual([verdict.faults, told], [[], []])
  })

  it('is told of an index that is malformed by its name, once', async () => {
    const members: Member[] = [['index.json', 'x'], ['oci-layout', '{}'], ...classic(partsOf([]), [])] // prettier-ignore
    const {verdict} = await checked(await tarOf(members), {isWhole: true})
    assert.deepEqual(found(verdict), [['MANIFEST_INVALID', 'index.json']])
  })

  it('has the faults of what cannot be read told once, and the others checked', async () => {
    const layout = new LayoutBuilder()
    layout.manifests.push(layout.blob(OCI.manifest, '{}'), layout.image(partsOf([LAYER]), {more: tagged('x/a:1')}))
    const {verdict} = await checked(await tarOf(layout.members()), {isWhole: true})
    assert.deepEqual(verdict.faults.map(({code}) => code), ['MANIFEST_INVALID']) // prettier-ignore
    assert.equal(verdict.layers.length, 1)
  })
})
