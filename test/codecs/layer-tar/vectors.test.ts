import assert from 'node:assert/strict'
import {createHash} from 'node:crypto'
import {decodeLayerTar} from '../../../src/codecs/layer-tar/decode-layer-tar.js'
import {encodeLayerTar} from '../../../src/codecs/layer-tar/encode-layer-tar.js'
import {chunked, collect} from '../../helpers/bytes.js'
import {vectorFile, vectorTar, VECTORS} from '../../helpers/vectors.js'

describe('layer tars that Microsoft’s code has written', () => {
  for (const vector of VECTORS) {
    for (const chunkSize of [100, 64 * 1024])
      it(`come back byte for byte without any frame: ${vector} in chunks of ${chunkSize}`, async () => {
        const tar = vectorTar(vector)
        const want = vectorFile(vector, 'layer.sha256').toString().slice(0, 64)
        const entries = decodeLayerTar(chunked(tar, chunkSize), {title: vector, keepFrames: false})
        const written = await collect(encodeLayerTar(entries, {keepFrames: false}))
        assert.equal(createHash('sha256').update(written).digest('hex'), want)
        assert.ok(written.equals(tar))
      })

    it(`come back byte for byte with frames, which only roots, hives and files without data need: ${vector}`, async () => {
      const tar = vectorTar(vector)
      const framed: string[] = []
      async function* watched() {
        for await (const entry of decodeLayerTar(chunked(tar), {title: vector, keepFrames: true})) {
          const hasNoData = entry.kind === 'file' && entry.content === undefined
          const isFramed = entry.frame?.archive !== undefined && !hasNoData
          if (isFramed) framed.push(entry.kind === 'frame' ? '(outer bytes)' : entry.path)
          yield entry
        }
      }
      assert.ok((await collect(encodeLayerTar(watched(), {keepFrames: true}))).equals(tar))
      assert.deepEqual(
        framed.filter((name) => !/^(?:Files|Hives|UtilityVM|Hives\/.*)$/.test(name)),
        [],
      )
    })
  }
})
