import assert from 'node:assert/strict'
import {canonicalOpaque, canonicalWhiteout} from '../../../src/codecs/layer-tar/canonical-header.js'
import {findTarHeader} from '../../../src/codecs/tar/tar-header.js'
import {parseLayerPath} from '../../../src/model/layer-path.js'

/** Names of the image specification, layer.md, "Whiteouts". */
describe('what a layer tar writes for a deletion', () => {
  for (const [note, bytes, name] of [
    ['of a file', canonicalWhiteout(parseLayerPath('Files/a/b.txt')), 'Files/a/.wh.b.txt'],
    ['of a file at the top', canonicalWhiteout(parseLayerPath('Files')), '.wh.Files'],
    ['of all that a folder has below', canonicalOpaque(parseLayerPath('Files/a')), 'Files/a/.wh..wh..opq'],
  ] as const)
    it(note, () => {
      assert.equal(bytes.byteLength, 512)
      const header = findTarHeader(bytes)
      assert.equal(Buffer.from(header?.name ?? []).toString(), name)
      assert.deepEqual([header?.typeflag, header?.size, header?.mode, header?.mtime], ['0', 0, 0, 0])
    })
})
