import assert from 'node:assert/strict'
import {gzipSync} from 'node:zlib'
import {tellOfPassed, verifyLayout} from '../../../src/formats/oci-layout/verify-layout.js'
import {ImageCheck} from '../../../src/formats/layer-blob/image-check.js'
import type {OfferedPlatform} from '../../../src/formats/image-documents/platform-choice.js'
import type {WorkEvent} from '../../../src/model/events.js'
import type {OpenOptions, Verdict} from '../../../src/model/transport.js'
import {partsOf, sha256} from '../../helpers/archives.js'
import {errorOf, hearing, placeOf} from '../../helpers/layout-store.js'
import {descriptorOf, LayoutBuilder, OCI, tagged} from '../../helpers/layouts.js'
import {RAW_END, rawMember} from '../../helpers/raw-tar.js'

const LAYER = Buffer.concat([rawMember({name: 'Files/', type: '5'}), RAW_END])
const FOREIGN = 'application/vnd.docker.image.rootfs.foreign.diff.tar'
const pathOf = (bytes: Buffer | string) => `blobs/sha256/${sha256(bytes)}`
const found = ({faults}: Verdict) => faults.map(({code, subject}) => [code, subject])
const at = (selector?: string) => ({transport: 'x', path: 'shop', ...(selector === undefined ? {} : {selector})})

/** Verifies a layout in memory; gives what is told, and what was not read. */
async function verified(layout: LayoutBuilder, selector?: string, options: OpenOptions = {}) {
  const place = placeOf(layout)
  const {told, onEvent} = hearing()
  const verdict = await verifyLayout(place, at(selector), {...options, onEvent})
  assert.equal(place.uses.open, 0)
  return {verdict, told, asked: place.store.asked}
}

const sizeOf = (layout: LayoutBuilder) => [...layout.files.values()].reduce((sum, {length}) => sum + length, 0)

describe('a layout that is verified', () => {
  it('is told by its layers and its bytes: each blob is read once', async () => {
    const layout = new LayoutBuilder()
    const parts = partsOf([LAYER])
    layout.manifests.push(layout.image(parts, {more: tagged('1')}), layout.image(partsOf([LAYER], {author: 'x'})))
    layout.blob('x', 'of no image')
    const {verdict, told, asked} = await verified(layout)
    assert.deepEqual([verdict.faults, told], [[], []])
    assert.deepEqual(verdict.layers.map(({title, diffId}) => [title, diffId]), [['1 layer 0', parts.diffIds[0]]]) // prettier-ignore
    assert.equal(verdict.bytes, LAYER.length + 'of no image'.length)
    // Configurations and manifests are documents; each is looked for where it is needed.
    assert.ok(asked.includes(pathOf(parts.config)))
  })

  it('has everything in it read, and only that which is selected', async () => {
    const layout = new LayoutBuilder()
    layout.manifests.push(layout.image(partsOf([LAYER]), {more: tagged('1')}))
    layout.files.set(`blobs/sha256/${'0'.repeat(64)}`, Buffer.from('another'))
    layout.files.set('blobs/md5/0', Buffer.from('x'))
    assert.deepEqual(found((await verified(layout)).verdict), [
      ['DIGEST_MISMATCH', `blobs/sha256/${'0'.repeat(64)}`],
      ['DIGEST_MISMATCH', 'blobs/md5/0'],
    ])
    assert.deepEqual(found((await verified(layout, '1')).verdict), [])
  })

  it('says which image is damaged, by its tag, its name or its digest', async () => {
    const layout = new LayoutBuilder()
    const lost = descriptorOf(OCI.layer, 'lost')
    const entries = ['a', 'b', 'c'].map((author) => layout.image(partsOf([LAYER], {author}), {layers: [lost]}))
    const full = {annotations: {'io.containerd.image.name': 'docker.io/library/web:1'}}
    layout.manifests.push({...entries[0], ...tagged('1')}, {...entries[1], ...full}, entries[2]!)
    assert.deepEqual(found((await verified(layout)).verdict), [
      ['LAYER_MISSING', '1 layer 0'],
      ['LAYER_MISSING', 'docker.io/library/web:1 layer 0'],
      ['LAYER_MISSING', `${String(entries[2]!['digest'])} layer 0`],
    ])
  })

  it('may lack foreign layers, which is told', async () => {
    const layout = new LayoutBuilder()
    const layers = [descriptorOf(FOREIGN, 'away'), layout.blob(OCI.layer, LAYER)]
    layout.manifests.push(layout.image(partsOf([Buffer.from('away'), LAYER]), {layers, more: tagged('1')}))
    const {verdict, told} = await verified(layout)
    assert.deepEqual([found(verdict), verdict.layers.length], [[], 1])
    assert.deepEqual(told, [['not-read', '1 layer 0']])
  })

  for (const [mediaType, stored, codes] of [
    [`${OCI.layer}+gzip`, LAYER, ['MANIFEST_INVALID']],
    [`${OCI.layer}+zstd`, gzipSync(LAYER), ['MANIFEST_INVALID']],
    [`${OCI.layer}+gzip`, gzipSync(LAYER), []],
    // Docker's plain type may be compressed in spite of its name.
    ['application/vnd.docker.image.rootfs.diff.tar', gzipSync(LAYER), []],
  ] as const)
    it(`has layers of the type that is stated: ${mediaType} of ${stored === LAYER ? 'none' : 'gzip'}`, async () => {
      const layout = new LayoutBuilder()
      layout.manifests.push(
        layout.image(partsOf([LAYER]), {layers: [layout.blob(mediaType, stored)], more: tagged('1')}),
      )
      const {verdict} = await verified(layout)
      assert.deepEqual(found(verdict), codes.map((code) => [code, '1 layer 0'])) // prettier-ignore
      assert.equal(verdict.layers.length, 1)
    })

  it('has a layer checked again where another image says something else of it', async () => {
    const layout = new LayoutBuilder()
    const layer = layout.blob(OCI.layer, LAYER)
    const other = partsOf([Buffer.from('other')])
    layout.manifests.push(
      layout.image(partsOf([LAYER]), {more: tagged('1')}),
      layout.image(other, {layers: [layer], more: tagged('2')}),
      layout.image(partsOf([LAYER], {author: 'x'}), {layers: [{...layer, size: 1}], more: tagged('3')}),
    )
    const {verdict} = await verified(layout)
    assert.deepEqual(verdict.faults.map(({code}) => code).sort(), ['DIGEST_MISMATCH', 'SIZE_MISMATCH']) // prettier-ignore
    assert.equal(verdict.bytes, LAYER.length)
  })

  it('has attestations read as well, and what they need', async () => {
    const layout = new LayoutBuilder()
    const statement = descriptorOf('application/vnd.in-toto+json', 'statement')
    const unknown = {os: 'unknown', architecture: 'unknown'}
    const attestation = layout.image(partsOf([], unknown), {layers: [statement], more: {platform: unknown}})
    const image = layout.image(partsOf([LAYER]), {more: {platform: {os: 'windows', architecture: 'amd64'}}})
    layout.manifests.push(layout.index([image, attestation], tagged('1')))
    const lost = [['LAYER_MISSING', 'the store']]
    assert.deepEqual(found((await verified(layout)).verdict), lost)
    // It is for no platform, and is kept with the image that is asked for.
    assert.deepEqual(found((await verified(layout, undefined, {platform: 'windows'})).verdict), lost)
    layout.blob('x', 'statement')
    assert.deepEqual(found((await verified(layout)).verdict), [])
    // Without a word of it in the index, by its configuration.
    const alone = new LayoutBuilder()
    const note = descriptorOf('a/note', 'note')
    alone.manifests.push(alone.image(partsOf([Buffer.from('x')], unknown), {layers: [note], more: tagged('1')}))
    assert.deepEqual(found((await verified(alone)).verdict), lost)
    alone.blob('x', 'note')
    assert.deepEqual(found((await verified(alone)).verdict), [])
  })

  it('is told to lack what index.json or an index names', async () => {
    const layout = new LayoutBuilder()
    const platform = {os: 'linux', architecture: 'arm64'}
    const [top, inner] = [descriptorOf(OCI.manifest, 'top'), descriptorOf(OCI.manifest, 'inner', {platform})]
    layout.manifests.push({...top, ...tagged('lost')}, layout.index([inner]))
    const {verdict} = await verified(layout)
    assert.deepEqual(found(verdict), [
      ['MANIFEST_MISSING', 'lost'],
      ['MANIFEST_MISSING', String(inner['digest'])],
    ])
    assert.ok(!verdict.faults[0]?.message.includes('It is for'))
    assert.ok(verdict.faults[1]?.message.endsWith(' It is for linux/arm64.'))
  })

  it('leads to nothing where nothing is selected; what cannot be read is told instead', async () => {
    const layout = new LayoutBuilder()
    layout.manifests.push(layout.image(partsOf([LAYER]), {more: tagged('1')}))
    const error = await errorOf(() => verified(layout, '2'))
    assert.deepEqual([error.code, error.at.reference], ['NOT_FOUND', 'memory:shop 2'])
    layout.manifests.push(layout.blob(OCI.manifest, '{}', tagged('2')))
    assert.deepEqual(found((await verified(layout, '2')).verdict).map(([code]) => code), ['MANIFEST_INVALID']) // prettier-ignore
  })

  it('has what refers to its images read', async () => {
    const layout = new LayoutBuilder()
    const image = layout.image(partsOf([LAYER]), {more: tagged('1')})
    const index = layout.index([image])
    const config = layout.blob('a/config', '{}')
    const sign = (subject: object, ...layers: object[]) =>
      layout.blob(OCI.manifest, JSON.stringify({config, subject, layers}))
    layout.manifests.push(image, index, sign(image, layout.blob('a/b', 'one')), sign(index, descriptorOf('a/b', 'two')))
    const {verdict} = await verified(layout)
    assert.deepEqual([...new Set(verdict.faults.map(({code}) => code))], ['LAYER_MISSING'])
    layout.blob('a/b', 'two')
    const whole = await verified(layout)
    assert.deepEqual(found(whole.verdict), [])
    assert.ok(whole.verdict.bytes < sizeOf(layout))
  })

  it('passes over what is for another platform, which is told, and is no fault', async () => {
    const layout = new LayoutBuilder()
    const linux = layout.image(partsOf([], {os: 'linux'}), {more: tagged('1')})
    const stated = layout.image(partsOf([], {os: 'linux', author: 'x'}), {more: {platform: {os: 'linux'}}})
    const windows = layout.image(partsOf([LAYER]), {more: tagged('2')})
    layout.manifests.push(linux, stated, windows)
    const {verdict, told} = await verified(layout, undefined, {platform: 'windows/amd64'})
    assert.deepEqual([found(verdict), verdict.layers.length], [[], 1])
    assert.deepEqual(told, [['not-read', 'memory:shop']])
    for (const [selector, platform] of [
      ['1', 'windows'],
      [undefined, 'linux/s390x'],
    ] as const) {
      const error = await errorOf(() => verified(layout, selector, {platform}))
      assert.equal(error.code, 'PLATFORM_UNSUPPORTED')
    }
  })

  it('counts what is missing among what is for another platform', async () => {
    const layout = new LayoutBuilder()
    layout.manifests.push(descriptorOf(OCI.manifest, 'lost', {platform: {os: 'linux', architecture: 'amd64'}}))
    const error = await errorOf(() => verified(layout, undefined, {platform: 'windows'}))
    assert.deepEqual([error.code, error.suggestions], ['PLATFORM_UNSUPPORTED', ["--platform 'linux/amd64'"]])
    assert.deepEqual(found((await verified(layout, undefined, {platform: 'linux'})).verdict).map(([code]) => code), ['MANIFEST_MISSING']) // prettier-ignore
  })
})

describe('what is passed over for its platform', () => {
  const tell = (passed: readonly OfferedPlatform[], count: number, platform?: string) => {
    const {told, onEvent} = hearing()
    tellOfPassed(new ImageCheck('x', {onEvent}), {passed, count}, {reference: 'the reference', platform})
    return told
  }
  const linux = {platform: {os: 'linux', architecture: 'amd64'}}

  it('is told where it is held', () => {
    const held = {...linux, reference: '@0'}
    assert.deepEqual(tell([held], 2, 'windows'), [['not-read', 'the reference']])
    assert.deepEqual(tell([held, linux], 3, 'windows'), [['not-read', 'the reference']])
    assert.deepEqual(tell([linux], 2, 'windows'), [])
    assert.deepEqual(tell([], 0, 'windows'), [])
    assert.deepEqual(tell([held], 1), [])
  })

  it('is told by its platforms, the first five of them', () => {
    for (const [count, shown] of [
      [1, /^1 image .*\(os0\/amd64\)/],
      [2, /^2 images .*\(os0\/amd64, os1\/amd64\)/],
      [5, /^5 images .*os4\/amd64\)/],
      [6, /^6 images .*os4\/amd64, …\)/],
    ] as const) {
      const messages: string[] = []
      const onEvent = (event: WorkEvent) => {
        if (event.kind === 'note') messages.push(event.message)
      }
      const passed = Array.from({length: count}, (_, number) => ({
        reference: `@${number}`,
        platform: {os: `os${number}`, architecture: 'amd64'},
      }))
      tellOfPassed(new ImageCheck('x', {onEvent}), {passed, count: count + 1}, {reference: 'x', platform: 'windows'})
      assert.match(messages[0]!, shown)
    }
  })

  it('is an error where there is nothing else', async () => {
    for (const count of [0, 1]) {
      const error = await errorOf(() => tell([linux], count, 'windows'))
      assert.deepEqual([error.code, error.at.reference], ['PLATFORM_UNSUPPORTED', 'the reference'])
    }
  })
})
