import assert from 'node:assert/strict'
import {MAX_DOCUMENT_BYTES} from '../../../src/codecs/json/json-document.js'
import type {LayoutFiles} from '../../../src/formats/oci-layout/layout-files.js'
import {listsIn} from '../../../src/formats/oci-layout/listed-referrers.js'
import {digestOf} from '../../../src/model/digest.js'
import {chunked} from '../../helpers/bytes.js'

const REF_NAME = 'org.opencontainers.image.ref.name'
const INDEX = 'application/vnd.oci.image.index.v1+json'
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json'
const TAG = `sha256-${'ab'.repeat(32)}`
const LISTED = {mediaType: MANIFEST, digest: digestOf(Buffer.from('signature')), size: 9}
const LIST = Buffer.from(JSON.stringify({schemaVersion: 2, mediaType: INDEX, manifests: [LISTED]}))

interface Stated {
  readonly mediaType?: string
  readonly digest?: string
  readonly ref?: string
}

/** A layout whose index.json has one entry, and the blob of `LIST`, which claims so many bytes. */
async function listed(
  {mediaType = INDEX, digest = digestOf(LIST), ref = TAG}: Stated,
  blob: {bytes?: Buffer; sizeBytes?: number; isMissing?: boolean} = {},
) {
  const {bytes = LIST, sizeBytes = bytes.byteLength, isMissing = false} = blob
  const asked: string[] = []
  const files = {
    existing: {manifests: [{mediaType, digest, size: bytes.byteLength, annotations: {[REF_NAME]: ref}}]},
    findExisting: (name: string) => {
      asked.push(name)
      return Promise.resolve(isMissing ? undefined : {sizeBytes, open: () => chunked(bytes, 7)})
    },
  }
  return {lists: await listsIn(files as unknown as LayoutFiles<unknown>, {}), asked}
}

describe('the lists of referrers that a layout has', () => {
  it('are read by their tags', async () => {
    const {lists, asked} = await listed({})
    assert.deepEqual([...lists], [[TAG, [LISTED]]])
    assert.deepEqual(asked, [`blobs/sha256/${digestOf(LIST).slice('sha256:'.length)}`])
  })

  it('are found by a full name with such a tag', async () => {
    assert.deepEqual([...(await listed({ref: `example.com/shop:${TAG}`})).lists.keys()], [TAG])
  })

  it('may be empty', async () => {
    const {lists} = await listed({}, {bytes: Buffer.from(JSON.stringify({schemaVersion: 2, mediaType: INDEX}))})
    assert.deepEqual([...lists], [[TAG, []]])
  })

  for (const [note, stated] of [
    ['another tag', {ref: 'latest'}],
    ['the tag of a signature', {ref: `${TAG}.sig`}],
    ['a manifest', {mediaType: MANIFEST}],
    ['a digest that is none', {digest: 'sha256:abc'}],
  ] as const)
    it(`are nothing else: ${note}`, async () => {
      const {lists, asked} = await listed(stated)
      assert.equal(lists.size, 0)
      assert.deepEqual(asked, [])
    })

  for (const [note, blob] of [
    ['is not there', {isMissing: true}],
    ['is larger than a document may be', {sizeBytes: MAX_DOCUMENT_BYTES + 1}],
    ['is no index', {bytes: Buffer.from('{"manifests": 1}')}],
    ['is no JSON', {bytes: Buffer.from('{')}],
  ] as const)
    it(`are made anew where the blob ${note}`, async () => {
      assert.equal((await listed({}, blob)).lists.size, 0)
    })

  it('are read up to the size that a document may have', async () => {
    assert.equal((await listed({}, {sizeBytes: MAX_DOCUMENT_BYTES})).lists.size, 1)
  })

  it('are none in a new layout', async () => {
    assert.equal((await listsIn({} as unknown as LayoutFiles<unknown>, {})).size, 0)
  })
})
