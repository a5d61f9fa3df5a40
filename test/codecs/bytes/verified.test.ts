import assert from 'node:assert/strict'
import {digestMismatch, verified, type Expected} from '../../../src/codecs/bytes/verified.js'
import {digestOf} from '../../../src/model/digest.js'
import {chunked, collect} from '../../helpers/bytes.js'
import {lateFaultOf} from '../../helpers/faults.js'

const BYTES = Buffer.from('some bytes that pass by')
const DIGEST = digestOf(BYTES)
const OTHER = digestOf(Buffer.from('others'))
const passed = (want: Omit<Expected, 'title'>) => collect(verified(chunked(BYTES, 7), {title: 'the layer', ...want}))

describe('bytes that are verified', () => {
  for (const [note, want] of [
    ['by nothing', {}],
    ['by their size', {size: BYTES.byteLength}],
    ['by their digest', {digest: DIGEST}],
    ['by both', {digest: DIGEST, size: BYTES.byteLength}],
  ] as const)
    it(`pass unchanged: ${note}`, async () => {
      assert.ok((await passed(want)).equals(BYTES))
    })

  for (const [note, want, code] of [
    ['one byte less', {size: BYTES.byteLength + 1}, 'SIZE_MISMATCH'],
    ['one byte more', {size: BYTES.byteLength - 1}, 'SIZE_MISMATCH'],
    ['more than none', {size: 0}, 'SIZE_MISMATCH'],
    ['another digest', {digest: OTHER}, 'DIGEST_MISMATCH'],
    ['another digest and the right size', {digest: OTHER, size: BYTES.byteLength}, 'DIGEST_MISMATCH'],
    ['both', {digest: OTHER, size: 1000}, 'SIZE_MISMATCH'],
  ] as const)
    it(`are refused by code, and name what they are: ${note}`, async () => {
      assert.deepEqual(await lateFaultOf(passed(want)), {code, at: {path: 'the layer'}})
    })

  it('may be none', async () => {
    const none = Buffer.alloc(0)
    assert.equal((await collect(verified(chunked(none), {title: 'x', size: 0, digest: digestOf(none)}))).byteLength, 0)
  })

  it('are hashed as their digest says', async () => {
    const sha512 = digestOf(BYTES, 'sha512')
    assert.ok((await passed({digest: sha512})).equals(BYTES))
  })

  it('stop at the first piece that is too much, and give nothing of it', async () => {
    const seen: string[] = []
    let asked = 0
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (;;) {
        asked++
        yield await Promise.resolve(Buffer.from('1234'))
      }
    }
    const run = async () => {
      for await (const chunk of verified(endless(), {title: 'x', size: 10})) seen.push(Buffer.from(chunk).toString())
    }
    assert.equal((await lateFaultOf(run())).code, 'SIZE_MISMATCH')
    assert.deepEqual([seen, asked], [['1234', '1234'], 3])
  })

  it('are named in what is told, with both digests', () => {
    const error = digestMismatch({title: 'layer 2', digest: DIGEST}, OTHER)
    assert.deepEqual([error.code, error.at], ['DIGEST_MISMATCH', {path: 'layer 2'}])
    assert.ok(error.what.startsWith('Layer 2 '))
    assert.ok(error.why?.includes(DIGEST) && error.why.includes(OTHER))
    assert.ok(digestMismatch({title: 'x'}, OTHER).why?.includes(OTHER))
  })
})
