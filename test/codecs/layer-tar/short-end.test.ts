import assert from 'node:assert/strict'
import {decodeLayerTar} from '../../../src/codecs/layer-tar/decode-layer-tar.js'
import {encodeLayerTar} from '../../../src/codecs/layer-tar/encode-layer-tar.js'
import {InputError} from '../../../src/model/errors.js'
import {tarOf} from '../../helpers/archives.js'
import {chunked, collect} from '../../helpers/bytes.js'

/** A folder, a file with a padding, and 1024 bytes of end. */
const tar = await tarOf([
  ['Files/', ''],
  ['Files/a.txt', 'five!'],
])
const BODY_END = tar.length - 1024 - 507

async function again(bytes: Buffer, mayLackEnd: boolean): Promise<Buffer> {
  const entries = decodeLayerTar(chunked(bytes, 100), {title: 'layer', keepFrames: true, mayLackEnd})
  return collect(encodeLayerTar(entries, {keepFrames: true}))
}

describe('a layer tar that stops short of its end', () => {
  for (const [what, length] of [
    ['right behind the last body, as umoci inserts it', BODY_END],
    ['inside the last padding', BODY_END + 100],
    ['behind the last padding', BODY_END + 507],
    ['inside the first end block', BODY_END + 600],
    ['behind the first end block', tar.length - 512],
    ['inside the second end block', tar.length - 1],
  ] as const) {
    it(`comes back byte for byte where its digest is checked: ${what}`, async () => {
      const short = tar.subarray(0, length)
      assert.ok((await again(short, true)).equals(short))
    })

    it(`is refused where nothing else could tell it from a cut: ${what}`, async () => {
      await assert.rejects(again(tar.subarray(0, length), false), {code: 'ARCHIVE_TRUNCATED'})
    })
  }

  it('comes back or is refused wherever it stops', async () => {
    for (let length = 0; length <= tar.length; length += 7) {
      const short = tar.subarray(0, length)
      const result = await again(short, true).catch((error: unknown) => {
        assert.ok(error instanceof InputError)
        assert.equal(error.code, 'ARCHIVE_TRUNCATED')
      })
      if (result !== undefined) assert.ok(result.equals(short))
    }
  })
})
