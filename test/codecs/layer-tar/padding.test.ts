import assert from 'node:assert/strict'
import {decodeLayerTar} from '../../../src/codecs/layer-tar/decode-layer-tar.js'
import {encodeLayerTar} from '../../../src/codecs/layer-tar/encode-layer-tar.js'
import {tarOf} from '../../helpers/archives.js'
import {chunked, collect} from '../../helpers/bytes.js'

const tar = await tarOf([
  ['Files/', ''],
  ['Files/a.txt', 'five!'],
  ['Files/a.txt:one', 'stream'],
  ['Files/a.txt:two', 'another stream'],
  ['Files/b.txt', 'b'],
])
/** Where each body ends, as its size and place in the tar say. */
const BODIES = [
  [512 + 512, 5],
  [512 + 3 * 512, 6],
  [512 + 5 * 512, 14],
  [512 + 7 * 512, 1],
] as const

describe('padding that is not zero', () => {
  for (const size of [100, 512, 700, 64 * 1024])
    for (const [start, length] of BODIES)
      it(`comes back behind the body at ${start}, read ${size} bytes at a time`, async () => {
        const odd = Buffer.from(tar)
        odd.fill('A', start + length, start + 512)
        // The bytes of a chunk are lent: they are overwritten as soon as the next one is asked for.
        const entries = decodeLayerTar(chunked(odd, size), {title: 'layer', keepFrames: true})
        const again = await collect(encodeLayerTar(entries, {keepFrames: true}))
        assert.equal(again.equals(odd), true)
      })

  it('comes back behind all bodies, and with bytes behind the end', async () => {
    const odd = Buffer.concat([tar, Buffer.alloc(3000, 'end')])
    for (const [start, length] of BODIES) odd.fill('A', start + length, start + 512)
    for (const size of [100, 700]) {
      const entries = decodeLayerTar(chunked(odd, size), {title: 'layer', keepFrames: true})
      assert.equal((await collect(encodeLayerTar(entries, {keepFrames: true}))).equals(odd), true)
    }
  })
})
