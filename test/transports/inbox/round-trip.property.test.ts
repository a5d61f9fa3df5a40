import assert from 'node:assert/strict'
import {mkdirSync, rmSync} from 'node:fs'
import path from 'node:path'
import fc from 'fast-check'
import {decodeLayerTar} from '../../../src/codecs/layer-tar/decode-layer-tar.js'
import {encodeLayerTar} from '../../../src/codecs/layer-tar/encode-layer-tar.js'
import {withoutOpaque} from '../../../src/convert/opaque.js'
import {digestOf} from '../../../src/model/digest.js'
import type {Layer, PackageMetadata} from '../../../src/model/image.js'
import {parseFullName} from '../../../src/model/package-identity.js'
import {layerOfPackage} from '../../../src/formats/package/stored-layer.js'
import {writePackage} from '../../../src/formats/package/write-package.js'
import {chunked, collect} from '../../helpers/bytes.js'
import {FUZZ_RUNS} from '../../helpers/fuzz.js'
import {oddTar} from '../../helpers/odd-tars.js'
import {temporaryFolder} from '../../helpers/temporary-folder.js'

const FULL_NAME = 'CN=Test_Layer_1.0.0.0'
const METADATA: PackageMetadata = {
  identity: parseFullName(FULL_NAME),
  architecture: 'x64',
  isOsImage: false,
  createdTime: '2016-10-12T08:30:00.0000000Z',
  dependencies: [],
}

function layerOf(tar: Buffer): Layer {
  return {
    title: 'layer',
    diffId: digestOf(tar),
    hasContent: true,
    entries: () => decodeLayerTar(chunked(tar, 1000), {title: 'layer', keepFrames: true}),
  }
}

describe('a layer tar that becomes a package', () => {
  const folder = temporaryFolder()

  it('comes back byte for byte, whatever wrote it', async function () {
    this.timeout(0)
    let count = 0
    await fc.assert(
      fc.asyncProperty(oddTar, async (tar) => {
        const root = path.join(folder.path, String(count++))
        mkdirSync(root)
        const layer = withoutOpaque(layerOf(tar), [])
        const draft = {metadata: METADATA, form: 'delta', layer, keepRecipe: true} as const
        const {stored} = await writePackage(path.join(root, FULL_NAME), draft, {lower: []})
        const notes: string[] = []
        const entries = layerOfPackage(stored).entries({
          onEvent: (event) => {
            if (event.kind === 'note' || event.kind === 'loss') notes.push(`${event.code}: ${event.message}`)
          },
        })
        const back = await collect(encodeLayerTar(entries, {keepFrames: true}))
        rmSync(root, {recursive: true})
        assert.ok(back.equals(tar), `${tar.byteLength} bytes became ${back.byteLength}; ${notes.join('; ')}`)
      }),
      {numRuns: FUZZ_RUNS},
    )
  })
})
