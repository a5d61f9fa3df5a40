import assert from 'node:assert/strict'
import {existsSync} from 'node:fs'
import path from 'node:path'
import {keyOf, valueOf} from '../../src/codecs/registry-hive/hive-key.js'
import {compare} from '../../src/convert/diff.js'
import {readHive} from '../../src/convert/hive.js'
import {convert, inspect, verify} from '../../src/index.js'
import type {LayerEntry} from '../../src/model/layer-entry.js'
import {partsOf, tarOf} from '../helpers/archives.js'
import {linkEntry} from '../helpers/file-system-model.js'
import {deltaOf, descriptorOf, text} from '../helpers/hives.js'
import {fileOf, layerTarOf} from '../helpers/layer-archives.js'
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

  /** An image whose OS is a foreign layer, and these layers above it. */
  async function imageAbove(...apps: (readonly LayerEntry[])[]): Promise<string> {
    const tars: Buffer[] = []
    for (const app of apps) tars.push(await layerTarOf(app))
    const builder = new LayoutBuilder()
    const mediaType = 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip'
    const os = {mediaType, digest: `sha256:${'5'.repeat(64)}`, size: 12_345, urls: ['https://mcr.example/blob/1']}
    const layers = [os, ...tars.map((tar) => builder.blob(OCI.layer, tar))]
    builder.manifests.push({
      ...builder.image(partsOf([await tarOf([['Files/os.txt', 'os']]), ...tars]), {layers}),
      ...tagged('1'),
    })
    const folder = fresh()
    builder.writeFolder(folder)
    return `oci:${folder}`
  }

  for (const [title, options] of [
    ['as part of a range', {squashRange: {from: 0, to: 1}}],
    ['with all others', {withBase: true}],
    ['as no OS', {layers: 'squash', osLayers: 0}],
  ] as const)
    for (const transport of ['oci', 'inbox'])
      it(`is refused where its content would have to be squashed ${title}: ${transport}`, async () => {
        const source = await imageAbove([fileOf('Files/a', '1')], [fileOf('Files/b', '2')])
        const target = fresh()
        await assert.rejects(convert(source, `${transport}:${target}`, options), {code: 'LAYER_MISSING'})
        assert.equal(existsSync(target), false)
      })

  it('hides neither the files nor the registry of the layers above it', async () => {
    const delta = keyOf({name: 'ROOT', security: descriptorOf(18), values: [valueOf('a', 1, text('x'))]})
    const source = await imageAbove([fileOf('Hives/System_Delta', deltaOf(delta))])
    assert.deepEqual(
      (await readHive(source, undefined)).keys.flatMap(({values}) => values.map(({name}) => name)),
      ['a'],
    )
  })

  it('counts as different files where links mean different ones of it', async () => {
    const image = (target: string) => imageAbove([linkEntry('Files/y', target), linkEntry('Files/z', target)])
    const [one, other] = [await image('Files/Windows/a.dll'), await image('Files/Windows/b.dll')]
    const fieldsOf = async (right: string) =>
      (await compare(one, right)).files.map(({path: name, fields}) => [name, fields])
    assert.deepEqual(await fieldsOf(one), [])
    assert.deepEqual(await fieldsOf(other), [
      ['Files/y', ['links']],
      ['Files/z', ['links']],
    ])
  })
})
