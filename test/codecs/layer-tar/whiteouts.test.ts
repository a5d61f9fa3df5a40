import assert from 'node:assert/strict'
import {canonicalOpaque, canonicalWhiteout} from '../../../src/codecs/layer-tar/canonical-header.js'
import {encodeLayerTar} from '../../../src/codecs/layer-tar/encode-layer-tar.js'
import {findTarHeader} from '../../../src/codecs/tar/tar-header.js'
import {parseLayerPath} from '../../../src/model/layer-path.js'
import {collect} from '../../helpers/bytes.js'
import {directoryEntry, fileEntry, layerOf, linkEntry} from '../../helpers/file-system-model.js'

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

describe('a name that a layer tar would take for a deletion', () => {
  for (const entry of [
    fileEntry('Files/.wh.a', 'text'),
    directoryEntry('Files/.wh.a'),
    linkEntry('Files/.wh.a', 'Files/b'),
    fileEntry('Files/.wh..wh..opq', ''),
  ])
    for (const keepFrames of [true, false])
      it(`is refused: ${entry.kind}, ${keepFrames ? 'with' : 'without'} frames`, async () => {
        const tar = encodeLayerTar(layerOf('0', [entry]).entries(), {keepFrames})
        await assert.rejects(collect(tar), {code: 'NAME_UNSAFE'})
      })
})
