import assert from 'node:assert/strict'
import {decodeLayerTar} from '../../../src/codecs/layer-tar/decode-layer-tar.js'
import {encodeLayerTar} from '../../../src/codecs/layer-tar/encode-layer-tar.js'
import {decodeReparsePoint} from '../../../src/codecs/reparse-point/decode-reparse-point.js'
import {encodeReparsePoint} from '../../../src/codecs/reparse-point/encode-reparse-point.js'
import {FileAttribute} from '../../../src/model/windows-metadata.js'
import {parseLayerPath} from '../../../src/model/layer-path.js'
import type {LayerEntry} from '../../../src/model/layer-entry.js'
import {chunked, collect} from '../../helpers/bytes.js'

const TIME = 131217202051234662n
const TIMES = {creation: TIME, lastAccess: TIME, lastWrite: TIME, change: TIME}

async function* layerWith(target: string): AsyncGenerator<LayerEntry> {
  const attributes = FileAttribute.archive | FileAttribute.reparsePoint
  const reparsePoint = encodeReparsePoint({kind: 'symlink', target})
  yield await Promise.resolve({
    kind: 'directory',
    path: parseLayerPath('Files'),
    meta: {attributes: FileAttribute.directory, times: TIMES},
  })
  yield {kind: 'file', path: parseLayerPath('Files/link'), meta: {attributes, times: TIMES, reparsePoint}}
}

/** A reparse point is data: whoever made it may have put anything in. */
describe('the name that a tar has of a link', () => {
  for (const {title, target, name} of [
    {title: 'as it is', target: 'C:\\x', name: 'C:\\x'},
    {title: 'up to a NUL', target: 'C:\\x\0y', name: 'C:\\x'},
    {title: 'nothing, of one that begins with a NUL', target: '\0x', name: ''},
    {title: 'up to a NUL behind letters that are not ASCII', target: '\u7400\0\u2e00', name: '\u7400'},
    {title: 'up to a NUL far behind', target: `${'x'.repeat(150)}\0y`, name: 'x'.repeat(150)},
  ])
    it(`is the print name ${title}, and the layer can be read`, async () => {
      const tar = await collect(encodeLayerTar(layerWith(target), {keepFrames: true}))
      const links: string[] = []
      for await (const entry of decodeLayerTar(chunked(tar, 4096), {title: 'layer', keepFrames: false})) {
        if (entry.kind !== 'file' || entry.meta.reparsePoint === undefined) continue
        const point = decodeReparsePoint(entry.meta.reparsePoint)
        links.push(point.kind === 'other' ? '' : point.printName)
      }
      assert.deepEqual(links, [name])
    })
})
