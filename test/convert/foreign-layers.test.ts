import assert from 'node:assert/strict'
import path from 'node:path'
import {convert, inspect, verify} from '../../src/index.js'
import {partsOf, tarOf} from '../helpers/archives.js'
import {LayoutBuilder, OCI, tagged} from '../helpers/layouts.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'

describe('a foreign layer that the source only names', () => {
  const folder = temporaryFolder()
  let made = 0
  const fresh = () => path.join(folder.path, `made-${made++}`)

  for (const mediaType of [
    'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip',
    'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
  ])
    it(`comes back through packages with its media type and addresses: ${mediaType}`, async () => {
      const [os, app] = [await tarOf([['Files/os.txt', 'os']]), await tarOf([['Files/app.txt', 'app']])]
      const parts = partsOf([os, app])
      const builder = new LayoutBuilder()
      const urls = ['https://mcr.example/blob/1', 'https://other.example/1']
      const foreign = {mediaType, digest: `sha256:${'5'.repeat(64)}`, size: 12_345, urls}
      const layers = [foreign, builder.blob(OCI.layer, app)]
      builder.manifests.push({...builder.image(parts, {layers}), ...tagged('1')})
      const source = `oci:${fresh()}`
      builder.writeFolder(source.slice(4))
      const inbox = `inbox:${fresh()}`
      await convert(source, inbox, {layers: 'chain'})
      const target = `oci:${fresh()}`
      const back = await convert(inbox, `${target}:1`)
      const [before, after] = [await inspect(source), await inspect(target)]
      assert.equal(after.manifestDigest, before.manifestDigest)
      assert.deepEqual([after.layers[0]?.mediaType, after.layers[0]?.urls], [mediaType, urls])
      assert.equal(back.exact, true)
      assert.deepEqual((await verify(target)).faults, [])
    })
})
