import assert from 'node:assert/strict'
import path from 'node:path'
import {convert} from '../../src/convert/convert.js'
import {files} from '../../src/convert/files.js'
import {withoutOpaque} from '../../src/convert/opaque.js'
import type {ConvertOptions} from '../../src/convert/options.js'
import {squashLayers} from '../../src/convert/squash.js'
import {verify} from '../../src/convert/verify.js'
import type {Layer} from '../../src/model/image.js'
import type {DirectoryEntry, LayerEntry} from '../../src/model/layer-entry.js'
import {directoryEntry, fileEntry, layerOf, opaque, tombstone} from '../helpers/file-system-model.js'
import {CONFIG, fileOf, saveImage} from '../helpers/layer-archives.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'

async function told(layer: Layer): Promise<string[]> {
  const entries: string[] = []
  for await (const entry of layer.entries()) if (entry.kind !== 'frame') entries.push(`${entry.kind} ${entry.path}`)
  return entries
}

const deletionsOf = async (reference: string, layer: number): Promise<string[]> =>
  (await files(reference, undefined, {layer})).entries.flatMap((row) => (row.kind === 'tombstone' ? [row.path] : []))

describe('deletions of what no layer at hand holds', () => {
  const folder = temporaryFolder()
  let made = 0
  const fresh = (): string => path.join(folder.path, `made-${made++}`)
  const app: readonly (readonly LayerEntry[])[] = [
    [fileOf('Files/app', '1')],
    [tombstone('Files/of-the-os'), tombstone('Files/app')],
    [fileOf('Files/more', '2')],
  ]
  const squashRange = {from: 1, to: 2}

  it('stay when layers above the lowest of an image without its OS are squashed', async () => {
    const source = await saveImage(`${fresh()}.tar`, app)
    const target = `docker-archive:${fresh()}.tar`
    await convert(source, target, {squashRange})
    assert.deepEqual(await deletionsOf(target, 1), ['Files/app', 'Files/of-the-os'])
    const packages: ConvertOptions = {squashRange, name: 'Shop', publisher: 'CN=Contoso'}
    const {artifacts} = await convert(source, `inbox:${fresh()}`, packages)
    assert.deepEqual(await deletionsOf(artifacts.at(-1)!.reference, 1), ['Files/app', 'Files/of-the-os'])
  })

  it('go when the lowest layer is the OS, which then is all that there was', async () => {
    const os = [fileOf(`${CONFIG}/SYSTEM`, ''), ...app[0]!]
    const source = await saveImage(`${fresh()}.tar`, [os, ...app.slice(1)])
    const target = `docker-archive:${fresh()}.tar`
    await convert(source, target, {squashRange})
    assert.deepEqual(await deletionsOf(target, 1), ['Files/app'])
  })

  const emptied = layerOf('0', [directoryEntry('Files'), directoryEntry('Files/a'), opaque('Files/a')])
  const junction: DirectoryEntry = {
    ...(directoryEntry('Files/a', 0x410) as DirectoryEntry),
    meta: {
      ...(directoryEntry('Files/a', 0x410) as DirectoryEntry).meta,
      reparsePoint: Buffer.from('030000a000000000', 'hex'),
    },
  }
  for (const [title, above, result] of [
    ['deleted', [tombstone('Files/a')], ['directory Files', 'tombstone Files/a']],
    ['replaced by a file', [fileEntry('Files/a', 'x')], ['directory Files', 'file Files/a']],
    ['replaced by a junction', [junction], ['directory Files', 'directory Files/a']],
  ] as const)
    it(`need not be known one by one in an emptied folder that is ${title} above`, async () => {
      const layers = [emptied, layerOf('1', [directoryEntry('Files'), ...above])]
      const squashed = squashLayers(layers, {from: 0, to: 1, title: 'squashed', standsAlone: false})
      assert.deepEqual(await told(squashed), result)
    })

  for (const above of [[fileEntry('Files/a/b', 'x')], [directoryEntry('Files/a')], []])
    it(`must be known in one that is still there, with ${above.length} entries above`, async () => {
      const layers = [emptied, layerOf('1', [directoryEntry('Files'), ...above])]
      const squashed = squashLayers(layers, {from: 0, to: 1, title: 'squashed', standsAlone: false})
      await assert.rejects(told(squashed), {code: 'LAYER_MISSING'})
    })

  it('need not be known in a folder that a layer deletes and replaces by a junction', async () => {
    const layer = layerOf('0', [directoryEntry('Files'), tombstone('Files/a'), junction])
    assert.deepEqual(await told(withoutOpaque(layer, undefined)), [
      'directory Files',
      'tombstone Files/a',
      'directory Files/a',
    ])
  })

  it('stay in a package however the layer spells the folder Files', async () => {
    for (const top of ['Files', 'files', 'FILES']) {
      const source = await saveImage(`${fresh()}.tar`, [
        [fileOf(`${CONFIG}/SYSTEM`, ''), fileOf('Files/x', '1')],
        [tombstone(`${top}/x`)],
      ])
      const repository = `inbox:${fresh()}`
      const result = await convert(source, repository, {layers: 'chain', name: 'Shop', publisher: 'CN=Contoso'})
      assert.equal(result.exact, true)
      const {entries} = await files(result.artifacts.at(-1)!.reference, undefined)
      assert.deepEqual(
        entries.filter(({path: name}) => /\/x$/i.test(name)),
        [],
      )
      assert.deepEqual((await verify(repository)).faults, [])
    }
  })
})
