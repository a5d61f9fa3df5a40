import assert from 'node:assert/strict'
import type {StatedDescriptor} from '../../../src/formats/image-documents/image-documents.js'
import {createLayout} from '../../../src/formats/oci-layout/layout-destination.js'
import {layoutGrammar} from '../../../src/formats/oci-layout/reference.js'
import {layerFromTar} from '../../../src/formats/layer-blob/read-layer-blob.js'
import type {ImageIndex, Referrers, StoredContent} from '../../../src/model/content-graph.js'
import {digestOf} from '../../../src/model/digest.js'
import type {DestinationOptions, ImageDraft} from '../../../src/model/transport.js'
import {sha256} from '../../helpers/archives.js'
import {chunked} from '../../helpers/bytes.js'
import {errorOf} from '../../helpers/layout-store.js'
import {descriptorOf, OCI} from '../../helpers/layouts.js'
import {MemoryLayout} from '../../helpers/memory-layout.js'

const {format} = layoutGrammar('oci', 'DIR')
const REF = 'org.opencontainers.image.ref.name'
const FULL = 'io.containerd.image.name'
const PLATFORM = {os: 'linux', architecture: 'amd64'}
const TAR = Buffer.alloc(1024)
const pathOf = (bytes: Buffer | string) => `blobs/sha256/${sha256(bytes)}`

const CONFIG = Buffer.from('{}')
const MANIFEST = Buffer.from(
  JSON.stringify({
    schemaVersion: 2,
    mediaType: OCI.manifest,
    config: descriptorOf(OCI.config, CONFIG),
    layers: [descriptorOf(OCI.layer, TAR)],
  }),
)
const DIGEST = digestOf(MANIFEST)

function draftOf(names: readonly string[], layers = [TAR]): ImageDraft {
  return {
    names,
    platform: PLATFORM,
    config: () => ({mediaType: OCI.config, bytes: CONFIG}),
    layers: layers.map((tar) => {
      const descriptor = {mediaType: OCI.layer, digest: digestOf(tar), size: tar.length}
      const stored = {title: 'layer', descriptor, compression: 'none', diffId: digestOf(tar)} as const
      return layerFromTar({...stored, open: () => chunked(tar)})
    }),
  }
}

function entryOf(bytes: Buffer | string, ref?: string, full?: string): StatedDescriptor {
  const annotations = {...(full === undefined ? {} : {[FULL]: full}), ...(ref === undefined ? {} : {[REF]: ref})}
  return descriptorOf(OCI.manifest, bytes, ref === undefined ? {} : {annotations}) as unknown as StatedDescriptor
}

function create(
  manifests: readonly StatedDescriptor[],
  {selector, there, ...options}: DestinationOptions & {selector?: string; there?: ReadonlyMap<string, Buffer>} = {},
  more: object = {},
) {
  const files = new MemoryLayout({manifests, ...more}, there)
  const reference = {transport: 'oci', path: 'images', ...(selector === undefined ? {} : {selector})}
  return {files, to: createLayout({reference, format, open: () => Promise.resolve(files)}, options)}
}

/** As containerd goes by it: a whole name, and no tag beside it. */
function wholeNamed(bytes: Buffer | string, full: string): StatedDescriptor {
  return descriptorOf(OCI.manifest, bytes, {annotations: {[FULL]: full}}) as unknown as StatedDescriptor
}

function wholeAndRef(full: string) {
  return {annotations: {[FULL]: full, [REF]: full}}
}

const SHOP = 'docker.io/library/shop:1'
const ADDED = {...entryOf(MANIFEST, '1', SHOP), platform: {architecture: 'amd64', os: 'linux'}}

describe('an image that is added to a layout', () => {
  it('leaves the entries and fields that are there', async () => {
    const others = [entryOf('other', '2'), entryOf('nameless')]
    const {files, to} = create(others, {}, {annotations: {note: 'kept'}, mediaType: 'a/type'})
    const told = await to.write(draftOf(['shop:1']), {})
    assert.equal(told.unchanged, undefined)
    await to.commit({})
    const index = {schemaVersion: 2, mediaType: 'a/type', annotations: {note: 'kept'}, manifests: [...others, ADDED]}
    assert.deepEqual(files.index, index)
  })

  for (const replace of [false, true])
    for (const [note, layers] of [
      ['with layers', [TAR]],
      ['without', []],
    ] as const)
      it(`is told to be there under its names: ${note}${replace ? ', to be replaced' : ''}`, async () => {
        // What may be replaced is read, and written again where the layout does not have it sound.
        const manifest = layers.length > 0 ? MANIFEST : MANIFEST.toString().replace(/"layers":.*/, '"layers":[]}')
        const {files, to} = create([entryOf(Buffer.from(manifest), '1', SHOP)], {replace})
        const told = await to.write(draftOf(['shop:1'], [...layers]), {})
        const isKept = !replace || layers.length === 0
        assert.deepEqual([told.unchanged, told.bytesWritten === 0], [true, isKept])
        await to.commit({})
        assert.equal(files.fate, isKept ? 'aborted' : 'committed')
      })

  it('is not all there with a further name, or beside another image', async () => {
    const {files, to} = create([entryOf(MANIFEST, '1', SHOP)])
    assert.equal((await to.write(draftOf(['shop:1', 'web:2']), {})).unchanged, undefined)
    await to.commit({})
    assert.deepEqual([files.fate, files.index.manifests.length], ['committed', 2])
    const beside = create([entryOf(MANIFEST, '1', SHOP)])
    assert.equal((await beside.to.write(draftOf(['shop:1']), {})).unchanged, true)
    assert.equal((await beside.to.write(draftOf(['web:2'], []), {})).unchanged, undefined)
    await beside.to.commit({})
    assert.equal(beside.files.fate, 'committed')
  })

  it('is there without a name by its digest, which an entry without a name then has once', async () => {
    for (const [existing, isThere] of [
      [entryOf(MANIFEST, '1', SHOP), true],
      [entryOf(MANIFEST), true],
      [entryOf('other'), false],
    ] as const)
      assert.equal((await create([existing]).to.write(draftOf([]), {})).unchanged, isThere ? true : undefined)
    const {files, to} = create([entryOf(MANIFEST), entryOf('other')])
    await to.write(draftOf(['shop:1']), {})
    await to.commit({})
    assert.deepEqual(files.index.manifests, [entryOf('other'), ADDED])
  })

  it('leaves a whole name that stands alone, and takes it from another only where that was asked for', async () => {
    const own = wholeNamed(MANIFEST, 'docker.io/library/web:1')
    const beside = create([own])
    await beside.to.write(draftOf(['shop:1']), {})
    await beside.to.commit({})
    assert.deepEqual(beside.files.index.manifests, [own, ADDED])
    const others = [wholeNamed('other', SHOP), wholeNamed('other', 'docker.io/library/web:1')]
    const error = await errorOf(() => create(others).to.write(draftOf(['shop:1']), {}))
    assert.deepEqual([error.code, error.at.reference], ['DESTINATION_EXISTS', `oci:images:${SHOP}`])
    const {files, to} = create(others, {replace: true})
    assert.equal((await to.write(draftOf(['shop:1']), {})).reference, `oci:images:${SHOP}`)
    await to.commit({})
    assert.deepEqual(files.index.manifests, [others[1], {...ADDED, ...wholeAndRef(SHOP)}])
    // One that no reference could select stands where it is.
    const odd = wholeNamed('other', 'odd|name')
    const more = create([odd])
    await more.to.write(draftOf(['shop:1']), {})
    await more.to.commit({})
    assert.deepEqual(more.files.index.manifests, [odd, ADDED])
  })

  it('takes a name from another only where that was asked for', async () => {
    const others = [entryOf('other', '1', SHOP), entryOf('other', '2')]
    const error = await errorOf(() => create(others).to.write(draftOf(['shop:1']), {}))
    assert.deepEqual([error.code, error.at.reference], ['DESTINATION_EXISTS', 'oci:images:1'])
    for (const digest of [DIGEST, digestOf(Buffer.from('other'))]) assert.ok(error.message.includes(digest))
    const {files, to} = create(others, {replace: true})
    assert.equal((await to.write(draftOf(['shop:1']), {})).unchanged, undefined)
    await to.commit({})
    assert.deepEqual(files.index.manifests, [entryOf('other', '2'), ADDED])
  })

  for (const replace of [false, true])
    it(`does not choose between images of one name${replace ? ', to be replaced' : ''}`, async () => {
      const {to} = create([entryOf('a', '1'), entryOf('b', '1')], {replace, selector: '1'})
      const error = await errorOf(() => to.write(draftOf([]), {}))
      assert.deepEqual([error.code, error.at.reference], ['AMBIGUOUS_SELECTION', 'oci:images:1'])
      for (const name of ['a', 'b']) assert.ok(error.message.includes(digestOf(Buffer.from(name))))
    })

  it('may take a name from an image that has it twice', async () => {
    const {files, to} = create([entryOf('a', '1'), entryOf('a', '1')], {replace: true, selector: '1'})
    await to.write(draftOf([]), {})
    await to.commit({})
    assert.deepEqual(files.index.manifests.map((entry) => entry['digest']), [DIGEST]) // prettier-ignore
  })

  it('is held against the index that others have made meanwhile', async () => {
    const {files, to} = create([])
    await to.write(draftOf(['shop:1']), {})
    files.meanwhile = {manifests: [entryOf('other', '1', SHOP)]}
    assert.equal((await errorOf(() => to.commit({}))).code, 'DESTINATION_EXISTS')
    files.meanwhile = {manifests: [entryOf('other', '2'), entryOf(MANIFEST, '1', SHOP)]}
    files.written.delete('oci-layout')
    await to.commit({})
    assert.deepEqual(files.index.manifests, [entryOf('other', '2'), ADDED])
  })
})

describe('an index that is added to a layout', () => {
  const document = Buffer.from(JSON.stringify({manifests: [entryOf(MANIFEST)]}))
  const contentOf = (bytes: Buffer): StoredContent => ({
    descriptor: {mediaType: 'x', digest: digestOf(bytes), size: bytes.length},
    open: () => chunked(bytes),
  })
  const indexOf = (names: readonly string[]): ImageIndex => ({
    names,
    document: {mediaType: OCI.index, bytes: document, digest: digestOf(document)},
    content: {
      documents: [
        {mediaType: OCI.manifest, bytes: MANIFEST, digest: DIGEST},
        {mediaType: OCI.index, bytes: document, digest: digestOf(document)},
      ],
      blobs: [CONFIG, TAR].map(contentOf),
      absent: [],
    },
    images: [{manifestDigest: DIGEST, imageId: digestOf(CONFIG), layers: []}],
    findReferrers: () => Promise.reject(new Error('unasked')),
    close: () => Promise.resolve(),
  })
  const entry = {...descriptorOf(OCI.index, document)}

  it('comes with everything that it leads to', async () => {
    const {files, to} = create([])
    const told = await to.writeIndex!(indexOf(['shop:1']), {})
    assert.deepEqual(told, {
      kind: 'index',
      reference: 'oci:images:1',
      digest: digestOf(document),
      images: [`oci:images@${DIGEST}`],
      bytesWritten: [CONFIG, TAR, MANIFEST, document].reduce((sum, {length}) => sum + length, 0),
    })
    assert.deepEqual([...files.written.keys()], [CONFIG, TAR, MANIFEST, document].map(pathOf))
    await to.commit({})
    assert.deepEqual(files.index.manifests, [{...entry, annotations: {[FULL]: SHOP, [REF]: '1'}}])
  })

  it('is selected by its digest where it has no name', async () => {
    const {files, to} = create([])
    assert.equal((await to.writeIndex!(indexOf([]), {})).reference, `oci:images@${digestOf(document)}`)
    await to.commit({})
    assert.deepEqual(files.index.manifests, [entry])
  })

  for (const [replace, isSound, fate] of [
    [false, false, 'aborted'],
    [true, false, 'committed'],
    [true, true, 'aborted'],
  ] as const)
    it(`is told to be there${replace ? `, to be replaced, and is ${isSound ? 'sound' : 'mended'}` : ''}`, async () => {
      const there = new Map([CONFIG, TAR].map((bytes) => [pathOf(bytes), bytes]))
      const existing = {...entry, annotations: {[FULL]: SHOP, [REF]: '1'}} as unknown as StatedDescriptor
      const {files, to} = create([existing], {replace, ...(isSound ? {there} : {})})
      const index = indexOf(['shop:1'])
      // Documents are written whenever something is.
      const whole = isSound ? {...index, content: {...index.content, documents: []}} : index
      const told = await to.writeIndex!(whole, {})
      assert.deepEqual([told.unchanged, told.bytesWritten === 0], [true, fate === 'aborted'])
      await to.commit({})
      assert.equal(files.fate, fate)
    })

  it('does not take the name of another', async () => {
    const {to} = create([entryOf('other', '1', SHOP)])
    assert.equal((await errorOf(() => to.writeIndex!(indexOf(['shop:1']), {}))).code, 'DESTINATION_EXISTS')
  })
})

describe('referrers that are added to a layout', () => {
  const tag = DIGEST.replace(':', '-')
  const config = descriptorOf('application/vnd.oci.empty.v1+json', '{}')
  const signature = Buffer.from(JSON.stringify({config, subject: {digest: DIGEST}}))
  const referrersOf = (own?: string): Referrers => ({
    referrers: [
      {
        subject: DIGEST,
        descriptor: {mediaType: OCI.manifest, digest: digestOf(signature), size: signature.length},
        artifactType: 'a/type',
        ...(own === undefined ? {} : {tag: own}),
      },
    ],
    content: {
      documents: [{mediaType: OCI.manifest, bytes: signature, digest: digestOf(signature)}],
      blobs: [],
      absent: [],
    },
    doubts: [],
  })
  const listOf = (listed: readonly object[]) =>
    Buffer.from(JSON.stringify({schemaVersion: 2, mediaType: OCI.index, manifests: listed}))
  const listed = {...descriptorOf(OCI.manifest, signature), artifactType: 'a/type'}
  const nameless = {...listed, annotations: {'io.containerd.manifest.subject': DIGEST}} as unknown as StatedDescriptor
  const listEntry = (bytes: Buffer) =>
    descriptorOf(OCI.index, bytes, {annotations: {[REF]: tag}}) as unknown as StatedDescriptor

  it('are found by their subject and in a list, and told in bytes', async () => {
    const {files, to} = create([])
    const list = listOf([listed])
    assert.equal(await to.attach!(referrersOf(), {}), signature.length + list.length)
    assert.deepEqual([...files.written.keys()], [pathOf(signature), pathOf(list)])
    await to.commit({})
    assert.deepEqual(files.index.manifests, [nameless, listEntry(list)])
  })

  it('are found by their tag', async () => {
    const {files, to} = create([])
    assert.equal(await to.attach!(referrersOf(`${tag}.sig`), {}), signature.length)
    await to.commit({})
    assert.deepEqual(files.index.manifests, [entryOf(signature, `${tag}.sig`)])
  })

  it('are added to the list that the layout has, which they replace', async () => {
    const another = descriptorOf(OCI.manifest, 'another')
    const old = listOf([another])
    const {files, to} = create([listEntry(old)], {there: new Map([[pathOf(old), old]])})
    const list = listOf([another, listed])
    assert.equal(await to.attach!(referrersOf(), {}), signature.length + list.length)
    await to.commit({})
    assert.deepEqual(files.index.manifests, [nameless, listEntry(list)])
  })

  for (const replace of [false, true])
    it(`are not written where they are there by every way${replace ? ', unless they are to be replaced' : ''}`, async () => {
      const list = listOf([listed])
      const there = new Map([list, signature].map((bytes) => [pathOf(bytes), bytes]))
      const {files, to} = create([nameless, listEntry(list)], {there, replace})
      assert.equal(await to.attach!(referrersOf(), {}), replace ? signature.length : 0)
      assert.equal(files.written.has(pathOf(signature)), replace)
      const tagged = create([entryOf(signature, `${tag}.sig`)], {replace})
      assert.equal(await tagged.to.attach!(referrersOf(`${tag}.sig`), {}), replace ? signature.length : 0)
    })

  it('are there by half only: under another name, or without the list', async () => {
    assert.notEqual(await create([entryOf(signature, 'other')]).to.attach!(referrersOf(`${tag}.sig`), {}), 0)
    assert.notEqual(await create([nameless]).to.attach!(referrersOf(), {}), 0)
  })

  it('do not take the tag of another', async () => {
    const others = [entryOf('other', `${tag}.sig`)]
    const error = await errorOf(() => create(others).to.attach!(referrersOf(`${tag}.sig`), {}))
    assert.deepEqual([error.code, error.at.reference], ['DESTINATION_EXISTS', `oci:images:${tag}.sig`])
    const {files, to} = create(others, {replace: true})
    await to.attach!(referrersOf(`${tag}.sig`), {})
    await to.commit({})
    assert.deepEqual(files.index.manifests, [entryOf(signature, `${tag}.sig`)])
  })
})
