import assert from 'node:assert/strict'
import {digestTagOf, indexSubjects, isReferrerEntry} from '../../../src/formats/oci-layout/layout-referrers.js'
import {referrerEntries} from '../../../src/formats/oci-layout/written-referrers.js'
import type {StatedDescriptor} from '../../../src/formats/image-documents/image-documents.js'
import {digestOf} from '../../../src/model/digest.js'
import type {Referrer} from '../../../src/model/content-graph.js'
import {storeOf} from '../../helpers/layout-store.js'
import {descriptorOf, LayoutBuilder, OCI, tagged} from '../../helpers/layouts.js'

const SUBJECT = digestOf(Buffer.from('subject'))
const TAG = SUBJECT.replace(':', '-')
const SUBJECT_ANNOTATION = 'io.containerd.manifest.subject'
const DOCKER_INDEX = 'application/vnd.docker.distribution.manifest.list.v2+json'
const entry = (more: object = {}) => descriptorOf(OCI.manifest, 'x', more) as unknown as StatedDescriptor

describe('the digest tag of an entry of index.json', () => {
  for (const [ref, tag] of [
    [TAG, TAG],
    [`${TAG}.sig`, `${TAG}.sig`],
    [`${TAG}.att`, `${TAG}.att`],
    [`${TAG}.sbom`, `${TAG}.sbom`],
    [`example.com/shop:${TAG}`, TAG],
    [`example.com/shop:${TAG}.sig`, `${TAG}.sig`],
    ['latest', undefined],
    ['example.com/shop:1', undefined],
    [`${TAG}.other`, undefined],
    [`x${TAG}`, undefined],
    [TAG.slice(0, -1), undefined],
  ] as const)
    it(`is ${tag ?? 'none'} for ${ref}`, () => {
      assert.equal(digestTagOf(entry(tagged(ref))), tag)
      assert.equal(isReferrerEntry(entry(tagged(ref))), tag !== undefined)
    })

  for (const [note, more, isReferrer] of [
    ['without annotations', {}, false],
    ['with null for annotations', {annotations: null}, false],
    ['with other annotations', {annotations: {note: TAG}}, false],
    ['with a subject', {annotations: {[SUBJECT_ANNOTATION]: SUBJECT}}, true],
  ] as const)
    it(`is none ${note}`, () => {
      assert.equal(digestTagOf(entry(more)), undefined)
      assert.equal(isReferrerEntry(entry(more)), isReferrer)
    })
})

describe('what a layout lists for each subject', () => {
  const subjectsOf = async (layout: LayoutBuilder, manifests: readonly object[]) => {
    const found = await indexSubjects(storeOf(layout), manifests as readonly StatedDescriptor[], {})
    return Object.fromEntries(found)
  }
  const config = descriptorOf('application/vnd.oci.empty.v1+json', '{}')
  const refer = (layout: LayoutBuilder, subject = SUBJECT as string, more: object = {}) =>
    layout.blob(OCI.manifest, JSON.stringify({config, subject: {digest: subject}, ...more}))

  it('is nothing in an empty index', async () => {
    assert.deepEqual(await subjectsOf(new LayoutBuilder(), []), {})
  })

  it('is what states the subject itself, a manifest or an index', async () => {
    const layout = new LayoutBuilder()
    const manifest = refer(layout)
    const index = layout.blob(OCI.index, JSON.stringify({subject: {digest: SUBJECT}, manifests: []}))
    const another = refer(layout, digestOf(Buffer.from('another')))
    const image = layout.blob(OCI.manifest, JSON.stringify({config}), tagged('latest'))
    assert.deepEqual(await subjectsOf(layout, [manifest, index, another, image]), {
      [SUBJECT]: [{stated: manifest}, {stated: index}],
      [digestOf(Buffer.from('another'))]: [{stated: another}],
    })
  })

  it("is what cosign's tags name, unread", async () => {
    const layout = new LayoutBuilder()
    const [signature, attestation] = ['.sig', '.att'].map((suffix) =>
      descriptorOf(OCI.manifest, suffix, tagged(`${TAG}${suffix}`)),
    )
    assert.deepEqual(await subjectsOf(layout, [signature!, attestation!]), {
      [SUBJECT]: [
        {stated: signature, tag: `${TAG}.sig`},
        {stated: attestation, tag: `${TAG}.att`},
      ],
    })
  })

  for (const mediaType of [OCI.index, DOCKER_INDEX])
    it(`is what the list under its tag has: ${mediaType}`, async () => {
      const layout = new LayoutBuilder()
      const [one, two] = [refer(layout), refer(layout, SUBJECT, {artifactType: 'two'})]
      const list = layout.blob(mediaType, JSON.stringify({manifests: [one, two]}), tagged(TAG))
      assert.deepEqual(await subjectsOf(layout, [list]), {[SUBJECT]: [{stated: one}, {stated: two}]})
    })

  it('is not what is no list: the subject under its own tag, and a manifest', async () => {
    const layout = new LayoutBuilder()
    const own = layout.index([refer(layout)])
    const tag = String(own['digest']).replace(':', '-')
    assert.deepEqual(await subjectsOf(layout, [{...own, ...tagged(tag)}]), {})
    assert.deepEqual(await subjectsOf(layout, [{...refer(layout), ...tagged(TAG)}]), {})
  })

  for (const [note, change] of [
    ['is missing', (_: Buffer) => undefined],
    ['is damaged', (bytes: Buffer) => Buffer.alloc(bytes.length)],
  ] as const)
    it(`is nothing where the document ${note}`, async () => {
      const layout = new LayoutBuilder()
      const listed = [refer(layout), layout.index([refer(layout)], tagged(TAG))]
      for (const [name, bytes] of [...layout.files]) {
        const changed = change(bytes)
        if (changed === undefined) layout.files.delete(name)
        else layout.files.set(name, changed)
      }
      assert.deepEqual(await subjectsOf(layout, listed), {})
    })

  it('is nothing where an entry is no document, has no digest, or is neither one nor the other', async () => {
    const layout = new LayoutBuilder()
    const text = JSON.stringify({config, subject: {digest: SUBJECT}})
    const entries = [
      layout.blob('text/plain', text),
      {...refer(layout), digest: 'sha256:1'},
      layout.blob(OCI.index, text),
    ]
    assert.deepEqual(await subjectsOf(layout, entries), {})
    assert.deepEqual(await subjectsOf(layout, [layout.blob('text/plain', '{"manifests":[]}', tagged(TAG))]), {})
  })

  it('hears of an interruption', async () => {
    const layout = new LayoutBuilder()
    const index = [refer(layout)] as unknown as readonly StatedDescriptor[]
    layout.files.clear()
    const aborted = {...storeOf(layout), findDocument: () => Promise.reject(new Error('cut'))}
    await assert.rejects(indexSubjects(aborted, index, {signal: AbortSignal.abort(new Error('enough'))}), /enough/)
    assert.equal((await indexSubjects(aborted, index, {})).size, 0)
  })
})

describe('referrers as entries of index.json', () => {
  const referrer = (text: string, more: Partial<Referrer> = {}): Referrer => ({
    subject: SUBJECT,
    descriptor: {mediaType: OCI.manifest, digest: digestOf(Buffer.from(text)), size: text.length, annotations: {text}},
    artifactType: `a/${text}`,
    ...more,
  })
  const stated = ({descriptor: {mediaType, digest, size}}: Referrer) => ({mediaType, digest, size})
  const [one, two] = [referrer('one'), referrer('two')]
  const listOf = (bytes: Uint8Array) => JSON.parse(Buffer.from(bytes).toString()) as Record<string, unknown>

  it('stand under the tag that they are found by', () => {
    const found = referrerEntries([referrer('one', {tag: `${TAG}.sig`})], () => [])
    assert.deepEqual(found, {
      entries: [{ref: `${TAG}.sig`, digest: one.descriptor.digest, entry: {...stated(one), ...tagged(`${TAG}.sig`)}}],
      lists: [],
    })
  })

  it('stand without a name, and in a list under the tag of their subject', () => {
    const other = referrer('other', {subject: digestOf(Buffer.from('other'))})
    const {entries, lists} = referrerEntries([one, other, two], () => [])
    const nameless = [one, other, two].map((each) => ({
      digest: each.descriptor.digest,
      entry: {
        ...stated(each),
        artifactType: each.artifactType,
        annotations: {[SUBJECT_ANNOTATION]: each.subject},
      },
    }))
    const listed = lists.map(({mediaType, bytes}, index) => {
      const ref = [TAG, other.subject.replace(':', '-')][index]!
      const digest = digestOf(bytes)
      return {ref, digest, entry: {mediaType, digest, size: bytes.byteLength, ...tagged(ref)}}
    })
    assert.equal(listed.length, 2)
    assert.deepEqual(entries, [...nameless, ...listed])
    assert.deepEqual(listOf(lists[0]!.bytes), {
      schemaVersion: 2,
      mediaType: OCI.index,
      manifests: [one, two].map(({descriptor, artifactType}) => ({...descriptor, artifactType})),
    })
  })

  it('are added to the list that there is, which is not made anew where it has them', () => {
    const listed = [stated(one)]
    const asked: string[] = []
    const {entries, lists} = referrerEntries([one, two], (subject) => {
      asked.push(subject)
      return listed
    })
    assert.deepEqual(asked, [SUBJECT])
    assert.deepEqual(listOf(lists[0]!.bytes)['manifests'], [
      stated(one),
      {...two.descriptor, artifactType: two.artifactType},
    ])
    assert.equal(entries.length, 3)
    const again = referrerEntries([one], () => listed)
    assert.deepEqual([again.entries.length, again.lists.length], [1, 0])
  })

  it('are none where there are none', () => {
    assert.deepEqual(referrerEntries([], () => []), {entries: [], lists: []}) // prettier-ignore
  })
})
