import assert from 'node:assert/strict'
import {blobKey, blobPath} from '../../../src/formats/oci-layout/content-store.js'
import {isAsked, verifyBlob, verifyNamed} from '../../../src/formats/oci-layout/verify-named.js'
import {verifyReferrers} from '../../../src/formats/oci-layout/verify-referrers.js'
import type {PassedOver} from '../../../src/formats/oci-layout/index-walk.js'
import type {StatedDescriptor} from '../../../src/formats/image-documents/image-documents.js'
import {ImageCheck} from '../../../src/formats/layer-blob/image-check.js'
import type {Referrers, StoredContent} from '../../../src/model/content-graph.js'
import {digestOf} from '../../../src/model/digest.js'
import {InputError} from '../../../src/model/errors.js'
import type {OpenOptions, Verdict} from '../../../src/model/transport.js'
import {partsOf, sha256} from '../../helpers/archives.js'
import {chunked} from '../../helpers/bytes.js'
import {errorOf, hearing, storeOf} from '../../helpers/layout-store.js'
import {descriptorOf, LayoutBuilder, OCI} from '../../helpers/layouts.js'

const FOREIGN = 'application/vnd.docker.image.rootfs.foreign.diff.tar'
const pathOf = (bytes: Buffer | string) => `blobs/sha256/${sha256(bytes)}`
const found = ({faults}: Verdict) => faults.map(({code, subject}) => [code, subject])

describe('what an index names and is no image, verified', () => {
  const passed = (stated: object, more: object = {}) =>
    ({stated, refs: [], reason: 'unknown', ...more}) as unknown as PassedOver

  async function named(
    layout: LayoutBuilder,
    over: readonly PassedOver[],
    options: OpenOptions = {},
    read = new Set<string>(),
  ) {
    const check = new ImageCheck('the subject', options)
    const store = storeOf(layout)
    await verifyNamed(store, over, {check, read, options})
    return {verdict: check.verdict, read, asked: store.asked}
  }

  it('is read to its end, each once', async () => {
    const layout = new LayoutBuilder()
    const note = layout.blob('text/plain', 'a note')
    const manifest = layout.image(partsOf([Buffer.from('layer')]))
    const {verdict, read} = await named(layout, [passed(note), passed(layout.index([manifest, note])), passed(note)])
    assert.deepEqual(verdict, {faults: [], layers: [], bytes: 'a note'.length + 'layer'.length + partsOf([Buffer.from('layer')]).config.length}) // prettier-ignore
    assert.ok(read.has(pathOf('a note')) && read.has(`${pathOf('a note')} 6`))
    assert.deepEqual((await named(layout, [passed(note)], {}, read)).verdict.bytes, 0)
  })

  it('is read once, in however many indexes', async () => {
    const layout = new LayoutBuilder()
    const manifest = layout.image(partsOf([]))
    const [one, two] = [layout.index([manifest, manifest]), layout.index([manifest, {...manifest, size: 1}])]
    const {verdict, asked} = await named(layout, [passed(one), passed(two)])
    const path = `blobs/sha256/${String(manifest['digest']).slice(7)}`
    assert.equal(asked.filter((each) => each === path).length, 2)
    assert.deepEqual(verdict.faults.map(({code}) => code), ['SIZE_MISMATCH']) // prettier-ignore
  })

  it('is a fault where it is missing or damaged', async () => {
    const layout = new LayoutBuilder()
    const [note, inner] = [layout.blob('text/plain', 'a note'), descriptorOf(OCI.manifest, 'inner')]
    layout.files.set(pathOf('a note'), Buffer.from('a noTe'))
    const entries = [
      passed(descriptorOf('text/plain', 'lost')),
      passed(note),
      passed({...note, size: 5}),
      passed(layout.index([inner])),
      passed(descriptorOf(OCI.manifest, 'lost'), {reason: 'absent', refs: ['1', '2']}),
      passed(layout.image(partsOf([Buffer.from('l')]), {layers: [descriptorOf('a/layer', 'gone'), descriptorOf(FOREIGN, 'away')]})), // prettier-ignore
    ]
    assert.deepEqual(found((await named(layout, entries)).verdict), [
      ['MANIFEST_MISSING', 'the store'],
      ['DIGEST_MISMATCH', `blob ${String(note['digest'])}`],
      ['SIZE_MISMATCH', `blob ${String(note['digest'])}`],
      ['MANIFEST_MISSING', String(inner['digest'])],
      ['MANIFEST_MISSING', '1'],
      ['LAYER_MISSING', 'the store'],
    ])
  })

  it('may be carried by its descriptor', async () => {
    const carried = descriptorOf('text/plain', 'note', {data: Buffer.from('note').toString('base64')})
    assert.deepEqual((await named(new LayoutBuilder(), [passed(carried)])).verdict.faults, [])
    const {verdict} = await named(new LayoutBuilder(), [passed({...carried, data: 'AAAA'})])
    assert.deepEqual(verdict.faults.map(({code}) => code), ['SIZE_MISMATCH']) // prettier-ignore
  })

  for (const [platform, wanted, reason, isTold] of [
    [undefined, 'linux', 'absent', true],
    [{os: 'linux'}, 'linux', 'absent', true],
    [{os: 'windows'}, 'linux', 'absent', false],
    [{os: 'windows'}, undefined, 'absent', true],
    [{os: 'windows'}, 'linux', 'artifact', false],
    [{os: 'unknown'}, 'linux', 'artifact', true],
    [{os: 'unknown'}, 'linux', 'absent', false],
  ] as const)
    it(`is asked for or not: ${platform?.os ?? 'any'} where ${wanted ?? 'anything'} is wanted, ${reason}`, async () => {
      const lost = descriptorOf('text/plain', 'lost', platform === undefined ? {} : {platform})
      const options = wanted === undefined ? {} : {platform: wanted}
      const {verdict} = await named(new LayoutBuilder(), [passed(lost, {reason})], options)
      assert.equal(verdict.faults.length, isTold ? 1 : 0)
      const isFor =
        platform?.os !== 'unknown' && (wanted === undefined || platform === undefined || platform.os === wanted)
      assert.equal(isAsked(lost as unknown as StatedDescriptor, options), isFor)
    })

  for (const [platform, words] of [
    [{os: 'linux', architecture: 'arm64'}, / It is for linux\/arm64\.$/],
    [{os: 'linux'}, / It is for linux\/unknown\.$/],
    [{os: 'unknown', architecture: 'unknown'}, / which is missing\.$/],
    [{architecture: 'arm64'}, / which is missing\.$/],
    [null, / which is missing\.$/],
  ] as const)
    it(`is told to be missing, and what it is for: ${JSON.stringify(platform)}`, async () => {
      const lost = descriptorOf('y'.repeat(300), 'lost', {platform})
      const {verdict} = await named(new LayoutBuilder(), [passed(lost, {reason: 'absent'})])
      const [{message} = {message: ''}] = verdict.faults
      assert.match(message, words)
      assert.ok(message.includes(`${String(lost['digest'])} (${'y'.repeat(200)})`))
    })

  it('stops where it is interrupted', async () => {
    const signal = AbortSignal.abort(new Error('enough'))
    await assert.rejects(named(new LayoutBuilder(), [passed(descriptorOf('x', 'x'))], {signal}), /enough/)
  })

  it('is missed by what it is for', async () => {
    for (const code of ['LAYER_MISSING', 'MANIFEST_MISSING'] as const) {
      const checking = {check: new ImageCheck('x', {}), read: new Set<string>(), options: {}}
      const lost = descriptorOf('a/type', 'lost') as unknown as StatedDescriptor
      const error = await errorOf(() => verifyBlob(storeOf(new LayoutBuilder()), lost, checking, code))
      assert.deepEqual([error.code, error.at.path], [code, 'the store'])
      for (const text of [lost.digest, 'a/type']) assert.ok(error.message.includes(text))
    }
  })
})

describe('what refers to an image, verified', () => {
  const bytes = Buffer.from('signature')
  const descriptor = {mediaType: 'a/type', digest: digestOf(bytes), size: bytes.length}
  const document = {mediaType: OCI.manifest, digest: digestOf(Buffer.from('{}')), bytes: Buffer.from('{}')}
  let opened: number
  beforeEach(() => {
    opened = 0
  })
  const blobOf = (more: Partial<StoredContent> = {}): StoredContent => ({
    descriptor,
    open: () => {
      opened += 1
      return chunked(bytes, 4)
    },
    ...more,
  })
  const referrer = {subject: descriptor.digest, descriptor: {...descriptor, digest: document.digest}, artifactType: 'x'}

  async function checked(
    {referrers = [referrer], doubts = [], blobs = [blobOf()]}: Partial<Referrers> & {blobs?: StoredContent[]},
    read = new Set<string>(),
    signal?: AbortSignal,
  ) {
    const {told, onEvent} = hearing()
    const options = {onEvent, ...(signal === undefined ? {} : {signal})}
    const check = new ImageCheck('the subject', options)
    await verifyReferrers(
      {referrers, doubts, content: {documents: [document], blobs, absent: []}},
      {check, read, options},
    )
    return {verdict: check.verdict, told, read}
  }

  it('is read and counted once, and known to be read', async () => {
    const {verdict, read} = await checked({})
    assert.deepEqual([verdict.faults, verdict.bytes, opened], [[], bytes.length + 2, 1])
    assert.deepEqual([...read], [blobPath(document.digest), blobPath(descriptor.digest), blobKey(descriptor)])
    const again = await checked({}, read)
    assert.deepEqual([again.verdict.bytes, opened], [0, 1])
  })

  it('is read again where another size of it was read, and not counted twice', async () => {
    const {verdict} = await checked({}, new Set([blobPath(descriptor.digest), blobPath(document.digest)]))
    assert.deepEqual([verdict.bytes, opened], [0, 1])
  })

  it('is a fault where a list names it, and a note where nobody knows', async () => {
    const doubts = ['referrer-not-held', 'referrers-unknown'].map((code) => ({code, message: code}))
    const {verdict, told} = await checked({doubts})
    assert.deepEqual(verdict.faults, [{code: 'MANIFEST_MISSING', message: 'referrer-not-held', subject: 'the subject'}])
    assert.deepEqual(told, [['referrers-unknown', 'the subject']])
  })

  it('is damaged by its manifest where there is one, else by its own digest', async () => {
    const fails = () => {
      throw new InputError('LAYER_MISSING', {what: 'gone'})
    }
    for (const [referrers, subject] of [
      [[referrer], document.digest],
      [[], descriptor.digest],
      [[referrer, referrer], descriptor.digest],
    ] as const) {
      const {verdict, read} = await checked({referrers, blobs: [blobOf({open: fails})]})
      assert.deepEqual([found(verdict), verdict.bytes], [[['LAYER_MISSING', subject]], 2])
      assert.equal(read.has(blobPath(descriptor.digest)), false)
    }
  })

  it('is not read where it is a foreign layer that is elsewhere', async () => {
    await checked({blobs: [blobOf({isHeld: () => Promise.resolve(false)})]})
    assert.equal(opened, 0)
    await checked({blobs: [blobOf({isHeld: () => Promise.resolve(true)})]})
    assert.equal(opened, 1)
  })

  it('stops where it is interrupted', async () => {
    await assert.rejects(checked({}, new Set(), AbortSignal.abort(new Error('enough'))), /enough/)
  })
})
