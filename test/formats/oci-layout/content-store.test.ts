import assert from 'node:assert/strict'
import {blobKey, blobPath, findChecked, requireDigest} from '../../../src/formats/oci-layout/content-store.js'
import {findEmbedded} from '../../../src/formats/oci-layout/embedded.js'
import {digestOf} from '../../../src/model/digest.js'
import {errorOf, storeOf} from '../../helpers/layout-store.js'

const BYTES = Buffer.from('{"a":1}')
const mediaType = 'application/json'

function stated(bytes: Buffer, algorithm = 'sha256') {
  return {mediaType, digest: digestOf(bytes, algorithm), size: bytes.length}
}

describe('the place of a blob in a layout', () => {
  for (const algorithm of ['sha256', 'sha512'])
    it(`is told by its digest: ${algorithm}`, () => {
      const {digest} = stated(BYTES, algorithm)
      const hex = digest.slice(algorithm.length + 1)
      assert.equal(blobPath(digest), `blobs/${algorithm}/${hex}`)
      assert.equal(blobKey({digest, size: 7}), `blobs/${algorithm}/${hex} 7`)
    })
})

describe('a document by its descriptor', () => {
  const find = (held: Buffer | undefined, descriptor: ReturnType<typeof stated>, data?: string) => {
    const files = new Map(held === undefined ? [] : [[blobPath(descriptor.digest), held]])
    return findChecked(storeOf({files}), descriptor, {
      title: 'the document',
      ...(data === undefined ? {} : {stated: {...descriptor, data}}),
    })
  }

  for (const algorithm of ['sha256', 'sha512']) {
    it(`is what the store holds: ${algorithm}`, async () => {
      assert.deepEqual(await find(BYTES, stated(BYTES, algorithm)), BYTES)
    })

    it(`is refused where its bytes are others: ${algorithm}`, async () => {
      const error = await errorOf(() => find(Buffer.from('{"a":2}'), stated(BYTES, algorithm)))
      assert.deepEqual([error.code, error.at.path], ['DIGEST_MISMATCH', 'the document'])
    })
  }

  it('is what the descriptor carries, where the store does not hold it', async () => {
    assert.deepEqual(await find(undefined, stated(BYTES), BYTES.toString('base64')), BYTES)
  })

  it('is nowhere where neither has it', async () => {
    assert.equal(await find(undefined, stated(BYTES)), undefined)
  })

  for (const size of [BYTES.length - 1, BYTES.length + 1])
    it(`is refused where another size is stated: ${size}`, async () => {
      const error = await errorOf(() => find(BYTES, {...stated(BYTES), size}))
      assert.deepEqual([error.code, error.at.path], ['SIZE_MISMATCH', 'the store'])
      assert.match(error.message, new RegExp(`${size} .*${BYTES.length}`))
    })

  it('is refused for wrong data in its descriptor, even where the store has the right ones', async () => {
    const error = await errorOf(() => find(BYTES, stated(BYTES), 'AAAA'))
    assert.equal(error.code, 'SIZE_MISMATCH')
  })

  it('has the digest that is asked for, or is refused', async () => {
    requireDigest(BYTES, stated(BYTES).digest, 'it')
    const error = await errorOf(() => {
      requireDigest(BYTES, stated(Buffer.from('x')).digest, 'it')
    })
    assert.deepEqual([error.code, error.at.path], ['DIGEST_MISMATCH', 'it'])
  })
})

describe('data that a descriptor carries', () => {
  for (const data of [undefined, null])
    it(`are none where it has none: ${data}`, () => {
      assert.equal(
        findEmbedded({...stated(BYTES), ...(data === undefined ? {} : {data})}, stated(BYTES), 'x'),
        undefined,
      )
    })

  for (const [bytes, algorithm] of [
    [BYTES, 'sha256'],
    [BYTES, 'sha512'],
    [Buffer.alloc(0), 'sha256'],
  ] as const)
    it(`are given as bytes: ${bytes.length} of ${algorithm}`, () => {
      const descriptor = stated(bytes, algorithm)
      assert.deepEqual(findEmbedded({...descriptor, data: bytes.toString('base64')}, descriptor, 'x'), bytes)
    })

  for (const [code, descriptor] of [
    ['SIZE_MISMATCH', {...stated(BYTES), size: 6}],
    ['SIZE_MISMATCH', {...stated(BYTES), size: 8}],
    ['DIGEST_MISMATCH', {...stated(BYTES), digest: stated(Buffer.from('other')).digest}],
    ['DIGEST_MISMATCH', {...stated(BYTES), digest: stated(Buffer.from('other'), 'sha512').digest}],
  ] as const)
    it(`are refused where they are not what it says: ${code} of ${descriptor.digest.slice(0, 6)}, ${descriptor.size}`, async () => {
      const error = await errorOf(() => findEmbedded({...descriptor, data: BYTES.toString('base64')}, descriptor, 'x'))
      assert.equal(error.code, code)
    })
})
