import assert from 'node:assert/strict'
import {gzipSync} from 'node:zlib'
import type {IndexDocument, StatedDescriptor} from '../../../src/formats/image-documents/image-documents.js'
import {createLayout} from '../../../src/formats/oci-layout/layout-destination.js'
import {layoutGrammar} from '../../../src/formats/oci-layout/reference.js'
import {layerFromTar} from '../../../src/formats/layer-blob/read-layer-blob.js'
import {digestOf, type Digest} from '../../../src/model/digest.js'
import type {Layer} from '../../../src/model/image.js'
import type {DestinationOptions, ImageDraft} from '../../../src/model/transport.js'
import {partsOf, sha256, tarOf} from '../../helpers/archives.js'
import {chunked} from '../../helpers/bytes.js'
import {errorOf, hearing} from '../../helpers/layout-store.js'
import {descriptorOf, OCI} from '../../helpers/layouts.js'
import {MemoryLayout} from '../../helpers/memory-layout.js'

const {format} = layoutGrammar('oci', 'DIR')
const DOCKER = 'application/vnd.docker.distribution.manifest.v2+json'
const REF = 'org.opencontainers.image.ref.name'
const FULL = 'io.containerd.image.name'
const PLATFORM = {os: 'windows', architecture: 'amd64', osVersion: '10.0.1.2'}
const pathOf = (bytes: Buffer | string) => `blobs/sha256/${sha256(bytes)}`

describe('an image that is written into a layout', () => {
  let [base, top]: Buffer[] = []
  before(async () => {
    base = await tarOf([['Files/', '']])
    top = await tarOf([
      ['Files/', ''],
      ['Files/a', 'text'],
    ])
  })

  const layerOf = (tar: Buffer, compression: 'none' | 'gzip' = 'none'): Layer => {
    const stored = compression === 'none' ? tar : gzipSync(tar)
    const descriptor = {mediaType: OCI.layer, digest: digestOf(stored), size: stored.length}
    return layerFromTar({title: 'layer', descriptor, compression, diffId: digestOf(tar), open: () => chunked(stored)})
  }
  const configOf = (diffIds: readonly Digest[]) => Buffer.from(JSON.stringify({rootfs: {diff_ids: diffIds}}))
  const draftOf = (names: readonly string[], layers: readonly Layer[], more: Partial<ImageDraft> = {}): ImageDraft => ({
    names,
    platform: PLATFORM,
    layers,
    config: (diffIds) => ({mediaType: OCI.config, bytes: configOf(diffIds)}),
    ...more,
  })
  const manifestOf = (tars: readonly Buffer[]) => {
    const config = configOf(tars.map((tar) => digestOf(tar)))
    const layers = tars.map((tar) => descriptorOf(OCI.layer, tar))
    return Buffer.from(
      JSON.stringify({schemaVersion: 2, mediaType: OCI.manifest, config: descriptorOf(OCI.config, config), layers}),
    )
  }
  const entryOf = (manifest: Buffer, ref?: string, full?: string) =>
    ({
      ...descriptorOf(OCI.manifest, manifest),
      ...(ref === undefined ? {} : {annotations: {...(full === undefined ? {} : {[FULL]: full}), [REF]: ref}}),
    }) as unknown as StatedDescriptor

  function create(
    {selector, existing, there}: {selector?: string; existing?: IndexDocument; there?: Map<string, Buffer>} = {},
    options: DestinationOptions = {},
  ) {
    const files = new MemoryLayout(existing, there)
    const reference = {transport: 'oci', path: 'images', ...(selector === undefined ? {} : {selector})}
    const target = {reference, format, open: () => Promise.resolve(files), peek: () => existing}
    return {files, to: createLayout(target, options)}
  }

  for (const [replace, expected] of [
    [undefined, false],
    [false, false],
    [true, true],
  ] as const)
    it(`takes the place of a file that is there: replace ${String(replace)}`, async () => {
      const {files, to} = create({}, replace === undefined ? {} : {replace})
      await to.write(draftOf(['shop:1'], [layerOf(base!)]), {})
      await to.commit({})
      assert.deepEqual([files.replaces, files.fate], [expected, 'committed'])
    })

  it('is told of, and found by its names in the index', async () => {
    const {files, to} = create()
    const draft = draftOf(['shop:1', 'example.com/shop:2'], [layerOf(base!), layerOf(top!)])
    const told = await to.write(draft, {})
    const manifest = manifestOf([base!, top!])
    const config = configOf([digestOf(base!), digestOf(top!)])
    assert.deepEqual(told, {
      kind: 'image',
      reference: 'oci:images:1',
      imageId: digestOf(config),
      manifestDigest: digestOf(manifest),
      layers: [base!, top!].map((tar, index) => ({
        diffId: digestOf(tar),
        digest: digestOf(tar),
        mediaType: OCI.layer,
        size: tar.length,
        entries: index + 1,
      })),
      bytesWritten: [base!, top!, config, manifest].reduce((sum, {length}) => sum + length, 0),
    })
    assert.deepEqual([...files.written.keys()], [base!, top!, config, manifest].map(pathOf))
    await to.commit({})
    assert.equal(files.fate, 'committed')
    assert.deepEqual(JSON.parse(String(files.written.get('oci-layout'))), {imageLayoutVersion: '1.0.0'})
    const platform = {architecture: 'amd64', os: 'windows', 'os.version': '10.0.1.2'}
    assert.deepEqual(files.index, {
      schemaVersion: 2,
      mediaType: OCI.index,
      manifests: [
        {...entryOf(manifest, '1', 'docker.io/library/shop:1'), platform},
        {...entryOf(manifest, '2', 'example.com/shop:2'), platform},
      ],
    })
  })

  it('is found by its digest where it has no name, and names that nobody could read are told', async () => {
    const {files, to} = create()
    const {told, onEvent} = hearing()
    const {reference, manifestDigest} = await to.write(draftOf(['-odd'], [layerOf(base!)]), {onEvent})
    assert.equal(reference, `oci:images@${manifestDigest ?? ''}`)
    assert.deepEqual(told, [['name-left-out', '-odd']])
    await to.commit({})
    assert.deepEqual(files.index.manifests.map(({annotations}) => annotations), [undefined]) // prettier-ignore
  })

  it('has its layers written once, with those of other images', async () => {
    const {files, to} = create()
    const [one, two] = [
      await to.write(draftOf(['shop:1'], [layerOf(base!)]), {}),
      await to.write(draftOf(['web:1'], [layerOf(base!), layerOf(top!), layerOf(base!)]), {}),
    ]
    // The tag is taken, so that the whole name selects it.
    assert.deepEqual([one.reference, two.reference], ['oci:images:1', 'oci:images:docker.io/library/web:1'])
    assert.equal(one.bytesWritten + two.bytesWritten, files.size)
    assert.deepEqual(two.layers.map(({digest}) => digest), [base!, top!, base!].map((tar) => digestOf(tar))) // prettier-ignore
    assert.equal(files.written.size, 2 + 4)
  })

  for (const [selector, names, ref, full] of [
    ['mine', ['shop:1'], 'mine', undefined],
    ['1', ['web:2', 'shop:1'], '1', 'docker.io/library/shop:1'],
    ['example.com/web:3', ['shop:1'], 'example.com/web:3', 'example.com/web:3'],
    ['no/Name:3', ['shop:1'], 'no/Name:3', undefined],
  ] as const)
    it(`is called what the reference says: ${selector}`, async () => {
      const {files, to} = create({selector})
      const {told, onEvent} = hearing()
      assert.equal(to.holdsOne, true)
      assert.deepEqual(to.placesOf?.(names), [{transport: 'oci', path: 'images', selector}])
      const draft = draftOf([...names, '-odd'], [layerOf(base!)])
      assert.equal((await to.write(draft, {onEvent})).reference, `oci:images:${selector}`)
      assert.deepEqual(told, [])
      assert.equal((await errorOf(() => to.write(draft, {}))).code, 'BAD_REFERENCE')
      await to.commit({})
      const annotations = {...(full === undefined ? {} : {[FULL]: full}), [REF]: ref}
      assert.deepEqual(files.index.manifests.map((entry) => entry['annotations']), [annotations]) // prettier-ignore
    })

  it('would stand where its names are, without anything being touched', () => {
    const existing = {manifests: [entryOf(Buffer.from('x'), '1', 'docker.io/library/shop:1')]}
    const {files, to} = create({existing})
    assert.equal(to.holdsOne, false)
    assert.deepEqual(
      to.placesOf?.(['web:1', 'shop:1', 'web:2']).map(({selector}) => selector),
      ['docker.io/library/web:1', '1', '2'],
    )
    assert.deepEqual([files.fate, files.written.size], ['open', 0])
  })

  for (const [selector, options, code] of [
    [`@${digestOf(Buffer.from('x'))}`, {}, 'BAD_REFERENCE'],
    [`1@${digestOf(Buffer.from('x'))}`, {}, 'BAD_REFERENCE'],
    ['1', {names: ['shop:2']}, 'BAD_OPTION'],
    ['1', {names: ['no good']}, 'BAD_REFERENCE'],
    [undefined, {names: ['no good']}, 'BAD_REFERENCE'],
    [undefined, {compressionLevel: 3}, 'BAD_OPTION'],
    [undefined, {compression: 'none', compressionLevel: 3}, 'BAD_OPTION'],
    [undefined, {compression: 'gzip', compressionLevel: 10}, 'BAD_OPTION'],
  ] as const)
    it(`is refused at once: ${selector?.slice(0, 8) ?? 'no selector'} with ${JSON.stringify(options)}`, async () => {
      assert.equal((await errorOf(() => create(selector === undefined ? {} : {selector}, options))).code, code)
    })

  for (const [selector, names] of [
    ['1', ['shop:1']],
    ['shop:1', ['docker.io/library/shop:1']],
    [undefined, ['shop:1', 'shop:2']],
  ] as const)
    it(`may be called what the reference says as well: ${selector ?? 'nothing'} and ${names.join(', ')}`, () => {
      assert.equal(create(selector === undefined ? {} : {selector}, {names}).files.fate, 'open')
    })

  for (const [manifestFormat, isDocker, notes] of [
    [undefined, true, 1],
    ['docker', true, 0],
    ['oci', false, 0],
  ] as const)
    it(`keeps a manifest of Docker's unless another is asked for: ${manifestFormat ?? 'nothing'}`, async () => {
      const {to} = create({}, manifestFormat === undefined ? {} : {manifestFormat})
      const manifest = {mediaType: DOCKER, bytes: manifestOf([base!])}
      const {told, onEvent} = hearing()
      const {manifestDigest, layers} = await to.write(draftOf([], [layerOf(base!)], {manifest}), {onEvent})
      assert.equal(manifestDigest, digestOf(manifest.bytes))
      assert.deepEqual(told, notes === 1 ? [['docker-manifest-kept', manifestDigest]] : [])
      assert.equal(layers[0]?.mediaType, isDocker ? 'application/vnd.docker.image.rootfs.diff.tar' : OCI.layer)
    })

  it('passes on compressed layers as they are, and a foreign one by its descriptor', async () => {
    const {files, to} = create()
    const packed = gzipSync(top!)
    const descriptor = {
      mediaType: 'application/vnd.oci.image.layer.nondistributable.v1.tar',
      digest: digestOf(base!),
      size: 9,
    }
    const foreign = {
      ...layerOf(base!),
      hasContent: false,
      blob: {descriptor, compression: 'gzip', open: () => chunked(base!)},
    } as const
    const {layers} = await to.write(draftOf([], [foreign, layerOf(top!, 'gzip')]), {})
    assert.deepEqual(layers, [
      {diffId: digestOf(base!), ...descriptor},
      {
        diffId: digestOf(top!),
        digest: digestOf(packed),
        mediaType: `${OCI.layer}+gzip`,
        size: packed.length,
        entries: 2,
      },
    ])
    assert.deepEqual([files.written.has(pathOf(packed)), files.written.has(pathOf(base!))], [true, false])
  })

  it('takes back what turns out to be there, and knows equal layers however they come', async () => {
    const {files, to} = create({}, {compression: 'none'})
    const {layers} = await to.write(
      draftOf([], [layerOf(base!), {...layerOf(base!, 'gzip'), diffId: digestOf(base!)}]),
      {},
    )
    assert.deepEqual(layers[0], layers[1])
    const {blob: _blob, ...bare} = layerOf(base!)
    await to.write(draftOf([], [bare]), {})
    assert.equal([...files.written.keys()].filter((name) => name === pathOf(base!)).length, 1)
  })

  it('does not read layers that the layout has', async () => {
    const there = new Map([[pathOf(base!), base!]])
    const {files, to} = create({there})
    const unread = {...layerOf(base!)}
    const {layers, bytesWritten} = await to.write(draftOf([], [unread]), {})
    assert.deepEqual(layers[0], {
      diffId: digestOf(base!),
      digest: digestOf(base!),
      mediaType: OCI.layer,
      size: base!.length,
      entries: 1,
    })
    assert.equal(files.written.has(pathOf(base!)), false)
    assert.equal(bytesWritten, manifestOf([base!]).length + configOf([digestOf(base!)]).length)
  })

  for (const [mayOverlap, most] of [
    [true, 2],
    [false, 1],
  ] as const)
    it(`has ${most} of its layers written at a time where overlapping is ${mayOverlap}`, async () => {
      const {files, to} = create({}, {concurrency: 2})
      files.mayOverlap = mayOverlap
      let [now, seen] = [0, 0]
      const layers = ['a', 'b', 'c', 'd'].map((text): Layer => {
        const bytes = Buffer.concat([base!, Buffer.from(text.repeat(512))])
        async function* open() {
          seen = Math.max(seen, ++now)
          await new Promise(setImmediate)
          yield bytes
          now -= 1
        }
        const descriptor = {mediaType: OCI.layer, digest: digestOf(bytes), size: bytes.length}
        return layerFromTar({title: text, descriptor, compression: 'none', diffId: digestOf(bytes), open})
      })
      await to.write(draftOf([], layers), {})
      assert.equal(seen, most)
    })

  it('is given up with all that was begun, and nothing is where nothing was', async () => {
    const {files, to} = create()
    await to.abort()
    assert.equal(files.fate, 'open')
    await to.write(draftOf([], []), {})
    await to.abort()
    assert.equal(files.fate, 'aborted')
  })

  it('is none: an empty layout is one as well', async () => {
    const {files, to} = create()
    await to.commit({})
    assert.deepEqual([files.fate, files.index.manifests], ['committed', []])
  })

  it('has a manifest of its own where the draft has none that fits', async () => {
    const {to} = create()
    const manifest = {mediaType: OCI.manifest, bytes: manifestOf([top!])}
    const {manifestDigest} = await to.write(draftOf([], [layerOf(base!)], {manifest}), {})
    assert.equal(manifestDigest, digestOf(manifestOf([base!])))
    assert.notEqual(partsOf([base!]).imageId, manifestDigest)
  })
})
