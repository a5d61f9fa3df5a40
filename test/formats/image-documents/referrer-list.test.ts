import assert from 'node:assert/strict'
import {MEDIA_TYPE} from '../../../src/formats/image-documents/media-types.js'
import {describeReferrer, extendedList, partsOf} from '../../../src/formats/image-documents/referrer-list.js'
import {digestOf} from '../../../src/model/digest.js'
import {assertThrows} from '../../helpers/told.js'

const SUBJECT = digestOf(Buffer.from('subject'))
const [CONFIG, FIRST, SECOND] = ['config', 'first', 'second'].map((name) => ({
  mediaType: `application/${name}`,
  digest: digestOf(Buffer.from(name)),
  size: name.length,
}))

function stored(document: object, mediaType: string = MEDIA_TYPE.ociManifest) {
  const bytes = Buffer.from(JSON.stringify(document))
  return {mediaType, bytes, digest: digestOf(bytes)}
}

describe('what a document says of itself as a referrer', () => {
  it('is its subject, its type and its annotations', () => {
    const document = stored({
      artifactType: 'application/sbom',
      config: CONFIG,
      subject: {digest: SUBJECT, size: 1, mediaType: 'x'},
      annotations: {a: 'b'},
    })
    assert.deepEqual(describeReferrer(document), {
      subject: SUBJECT,
      artifactType: 'application/sbom',
      descriptor: {
        mediaType: MEDIA_TYPE.ociManifest,
        digest: document.digest,
        size: document.bytes.byteLength,
        annotations: {a: 'b'},
      },
    })
  })

  for (const [note, document, mediaType, artifactType] of [
    ['of its configuration', {config: CONFIG}, MEDIA_TYPE.ociManifest, 'application/config'],
    ['where it is empty', {config: CONFIG, artifactType: ''}, MEDIA_TYPE.ociManifest, 'application/config'],
    ['where it is null', {config: CONFIG, artifactType: null}, MEDIA_TYPE.ociManifest, 'application/config'],
    ['of an index: its media type', {manifests: []}, MEDIA_TYPE.ociIndex, MEDIA_TYPE.ociIndex],
    ['of a Docker list', {manifests: []}, MEDIA_TYPE.dockerIndex, MEDIA_TYPE.dockerIndex],
    ['that an index states', {artifactType: 'a/b'}, MEDIA_TYPE.ociIndex, 'a/b'],
  ] as const)
    it(`has a type that is not stated: ${note}`, () => {
      assert.equal(describeReferrer(stored(document, mediaType)).artifactType, artifactType)
    })

  for (const subject of [undefined, null, {digest: ''}, {digest: 'sha256:1'}])
    it(`has no subject: ${JSON.stringify(subject)}`, () => {
      const {subject: found, descriptor} = describeReferrer(stored({config: CONFIG, subject, annotations: null}))
      assert.equal(found, undefined)
      assert.equal('annotations' in descriptor, false)
    })

  it('is refused where it is neither, with its digest', () => {
    for (const read of [describeReferrer, partsOf])
      for (const document of [
        stored({config: CONFIG, manifests: []}),
        stored({layers: []}, MEDIA_TYPE.ociIndex),
        stored({}),
      ])
        assertThrows(() => read(document), {code: 'MANIFEST_INVALID', at: {path: `referrer ${document.digest}`}})
  })
})

describe('what a document names', () => {
  it('is its configuration, then its layers', () => {
    assert.deepEqual(partsOf(stored({config: CONFIG, layers: [FIRST, SECOND]})), [CONFIG, FIRST, SECOND])
    assert.deepEqual(partsOf(stored({config: CONFIG, layers: null})), [CONFIG])
    assert.deepEqual(partsOf(stored({config: CONFIG})), [CONFIG])
  })

  it('is what an index lists', () => {
    for (const type of [MEDIA_TYPE.ociIndex, MEDIA_TYPE.dockerIndex]) {
      assert.deepEqual(partsOf(stored({manifests: [FIRST, SECOND]}, type)), [FIRST, SECOND])
      assert.deepEqual(partsOf(stored({manifests: null}, type)), [])
      assert.deepEqual(partsOf(stored({}, type)), [])
    }
  })
})

describe('a list of referrers', () => {
  const listed = (name: string, more: object = {}) => ({
    ...FIRST!,
    digest: digestOf(Buffer.from(name)),
    artifactType: name,
    ...more,
  })

  it('stays as it is where it has them all', () => {
    assert.equal(extendedList([], []), undefined)
    assert.equal(extendedList([FIRST!], []), undefined)
    assert.equal(extendedList([FIRST!, SECOND!], [{...SECOND!, artifactType: 'a'}]), undefined)
  })

  it('is an index with what it had, then what is new', () => {
    const document = extendedList([FIRST!], [listed('first'), listed('b', {annotations: {x: 'y'}}), listed('c')])
    assert.equal(document?.mediaType, MEDIA_TYPE.ociIndex)
    assert.deepEqual(JSON.parse(Buffer.from(document.bytes).toString()), {
      schemaVersion: 2,
      mediaType: MEDIA_TYPE.ociIndex,
      manifests: [FIRST, listed('b', {annotations: {x: 'y'}}), listed('c')],
    })
  })

  it('has nothing of an entry that lists do not have', () => {
    const document = extendedList([], [listed('b', {urls: ['https://example.com']})])
    const {manifests} = JSON.parse(Buffer.from(document!.bytes).toString()) as {manifests: object[]}
    assert.deepEqual(manifests, [listed('b')])
  })
})
