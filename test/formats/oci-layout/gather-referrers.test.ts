import assert from 'node:assert/strict'
import {gatherReferrers, type GatherOptions, type Listing} from '../../../src/formats/oci-layout/gather-referrers.js'
import {digestOf, type Digest} from '../../../src/model/digest.js'
import {LeavingOut} from '../../../src/model/fault-sink.js'
import {sha256} from '../../helpers/archives.js'
import {errorOf, storeOf} from '../../helpers/layout-store.js'
import {descriptorOf, LayoutBuilder, OCI} from '../../helpers/layouts.js'
import type {StatedDescriptor} from '../../../src/formats/image-documents/image-documents.js'

const SUBJECT = digestOf(Buffer.from('subject'))
const OTHER = digestOf(Buffer.from('other'))
const EMPTY = 'application/vnd.oci.empty.v1+json'

type Stated = StatedDescriptor & {readonly digest: Digest}

/** Referrers as blobs of a layout, and what is listed for each subject. */
class Referring {
  readonly layout = new LayoutBuilder()
  readonly listings = new Map<string, Listing>()
  readonly found: string[] = []

  manifest(subject: string | undefined, more: object = {}): Stated {
    const config = this.layout.blob(EMPTY, '{}')
    const document = {config, ...(subject === undefined ? {} : {subject: {digest: subject}}), ...more}
    return this.layout.blob(OCI.manifest, JSON.stringify(document)) as unknown as Stated
  }

  list(subject: string, ...listed: Listing['listed'][number][]): void {
    this.listings.set(subject, {listed})
  }

  gather(subjects: readonly Digest[], options: GatherOptions = {}) {
    return gatherReferrers(storeOf(this.layout), subjects, {
      ...options,
      find: (subject) => {
        this.found.push(subject)
        return Promise.resolve(this.listings.get(subject) ?? {listed: []})
      },
    })
  }
}

describe('what refers to a manifest', () => {
  let place: Referring
  beforeEach(() => {
    place = new Referring()
  })

  it('is told by its subject, its type and its annotations', async () => {
    const annotations = {note: 'signed'}
    const signature = place.manifest(SUBJECT, {artifactType: 'a/signature', annotations})
    const bill = place.manifest(SUBJECT)
    place.list(SUBJECT, {stated: signature}, {stated: bill})
    const {referrers, content, doubts} = await place.gather([SUBJECT])
    const {mediaType, digest, size} = signature
    assert.deepEqual(referrers, [
      {subject: SUBJECT, descriptor: {mediaType, digest, size, annotations}, artifactType: 'a/signature'},
      {subject: SUBJECT, descriptor: bill, artifactType: EMPTY},
    ])
    assert.deepEqual(content.documents.map((each) => each.digest), [digest, bill.digest]) // prettier-ignore
    assert.deepEqual(content.blobs.map((each) => each.descriptor.digest), [`sha256:${sha256('{}')}`]) // prettier-ignore
    assert.deepEqual(doubts, [])
  })

  it('is what a tag names, whatever the manifest says', async () => {
    const stated = place.manifest(undefined)
    const elsewhere = place.manifest(OTHER)
    place.list(SUBJECT, {stated, tag: 'one.sig'}, {stated: elsewhere, tag: 'one.att'})
    const {referrers} = await place.gather([SUBJECT])
    assert.deepEqual(
      referrers.map(({subject, tag, descriptor}) => [subject, tag, descriptor.digest]),
      [
        [SUBJECT, 'one.sig', stated.digest],
        [SUBJECT, 'one.att', elsewhere.digest],
      ],
    )
  })

  it('is not what a list alone says', async () => {
    place.list(SUBJECT, {stated: place.manifest(OTHER)}, {stated: place.manifest(undefined)})
    const {referrers, doubts} = await place.gather([SUBJECT])
    assert.deepEqual([referrers, doubts], [[], []])
  })

  it('is told once for each way by which it is found', async () => {
    const stated = place.manifest(SUBJECT)
    place.list(SUBJECT, {stated}, {stated}, {stated, tag: 'a.sig'}, {stated, tag: 'a.sig'}, {stated, tag: 'a.att'})
    const {referrers, content} = await place.gather([SUBJECT])
    assert.deepEqual(referrers.map(({tag}) => tag), [undefined, 'a.sig', 'a.att']) // prettier-ignore
    assert.equal(content.documents.length, 1)
  })

  it('is left out where it travels anyway', async () => {
    const [apart, stated] = [place.manifest(SUBJECT, {annotations: {note: 'x'}}), place.manifest(SUBJECT)]
    place.list(SUBJECT, {stated: apart}, {stated: apart, tag: 'a.sig'}, {stated})
    const {referrers, content} = await place.gather([SUBJECT], {apart: new Set([apart.digest])})
    assert.deepEqual(referrers.map(({descriptor}) => descriptor.digest), [stated.digest]) // prettier-ignore
    assert.equal(content.documents.length, 1)
  })

  it('is searched for what refers to it in turn, each asked about once', async () => {
    const first = place.manifest(SUBJECT)
    const second = place.manifest(first.digest)
    place.list(SUBJECT, {stated: first})
    // A signature that is listed for itself as well leads nowhere new.
    place.list(first.digest, {stated: second}, {stated: first, tag: 'again.sig'})
    const {referrers} = await place.gather([SUBJECT, OTHER, SUBJECT])
    assert.deepEqual(place.found, [SUBJECT, OTHER, first.digest, second.digest])
    assert.deepEqual(referrers.map(({subject}) => subject), [SUBJECT, first.digest, first.digest]) // prettier-ignore
  })

  it('leaves a doubt where its manifest is missing, for each subject', async () => {
    const lost = {...descriptorOf(OCI.manifest, 'lost')} as unknown as Stated
    place.list(SUBJECT, {stated: lost}, {stated: lost, tag: 'a.sig'})
    place.list(OTHER, {stated: lost})
    const {referrers, content, doubts} = await place.gather([SUBJECT, OTHER])
    assert.deepEqual(referrers, [])
    assert.deepEqual(content.absent, [lost])
    assert.deepEqual(doubts.map(({code}) => code), ['referrer-not-held', 'referrer-not-held']) // prettier-ignore
    for (const [index, subject] of [SUBJECT, OTHER].entries())
      for (const digest of [subject, lost.digest]) assert.ok(doubts[index]?.message.includes(digest))
  })

  it('leaves a doubt where it has no digest, whose words are cut', async () => {
    const odd = {...descriptorOf(OCI.manifest, 'odd'), digest: 'x'.repeat(300)} as unknown as Stated
    place.list(SUBJECT, {stated: odd})
    const {doubts} = await place.gather([SUBJECT], {sink: new LeavingOut()})
    assert.match(doubts[0]!.message, / x{200} /)
  })

  it('passes on the doubts of the place, each once', async () => {
    const [one, two] = [
      {code: 'referrers-unknown', message: 'one'},
      {code: 'referrers-unknown', message: 'two'},
    ]
    place.listings.set(SUBJECT, {listed: [], doubts: [one, two]})
    place.listings.set(OTHER, {listed: [], doubts: [one]})
    assert.deepEqual((await place.gather([SUBJECT, OTHER])).doubts, [one, two])
  })

  it('is a fault where it is damaged: the first is thrown, or all are gathered and what is sound is kept', async () => {
    const damaged = place.manifest(SUBJECT, {annotations: {note: 'x'}})
    const sound = place.manifest(SUBJECT)
    const nothing = place.layout.blob(OCI.manifest, '{"config":1}') as unknown as Stated
    place.layout.files.set(`blobs/sha256/${damaged.digest.slice(7)}`, Buffer.alloc(damaged.size))
    place.list(SUBJECT, {stated: damaged}, {stated: nothing}, {stated: sound})
    assert.equal((await errorOf(() => place.gather([SUBJECT]))).code, 'DIGEST_MISMATCH')
    const sink = new LeavingOut()
    const {referrers, doubts} = await place.gather([SUBJECT], {sink})
    assert.deepEqual(referrers.map(({descriptor}) => descriptor.digest), [sound.digest]) // prettier-ignore
    assert.deepEqual(doubts.map(({code}) => code), ['referrer-not-held', 'referrer-not-held']) // prettier-ignore
    assert.equal(sink.leftOut.length, 2)
  })

  it('hears of an interruption', async () => {
    place.list(SUBJECT, {stated: place.manifest(SUBJECT)})
    await assert.rejects(place.gather([SUBJECT], {signal: AbortSignal.abort(new Error('enough'))}), /enough/)
  })

  for (const [count, asked, codes] of [
    [1000, 1000, []],
    [1001, 1000, ['referrers-unknown']],
  ] as const)
    it(`is searched for of the first thousand only, and that is told: ${count}`, async () => {
      const subjects = Array.from({length: count}, (_, number) => digestOf(Buffer.from(String(number))))
      const {doubts} = await place.gather(subjects)
      assert.deepEqual(place.found, subjects.slice(0, asked))
      assert.deepEqual(doubts.map(({code}) => code), codes) // prettier-ignore
    })
})
