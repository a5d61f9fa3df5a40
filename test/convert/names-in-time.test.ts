import assert from 'node:assert/strict'
import fc from 'fast-check'
import {squashLayers} from '../../src/convert/squash.js'
import {TransshipError} from '../../src/model/errors.js'
import {ImageNames} from '../../src/model/image-names.js'
import type {Layer} from '../../src/model/image.js'
import type {LayerEntry} from '../../src/model/layer-entry.js'
import {parseLayerPath} from '../../src/model/layer-path.js'
import {
  directoryEntry,
  fileEntry,
  FileSystemModel,
  junctionEntry,
  layerOf,
  linkEntry,
  ModelRefusal,
  opaque,
  tombstone,
  UNSTATED,
} from '../helpers/file-system-model.js'
import {FUZZ_RUNS} from '../helpers/fuzz.js'
import {tameLayers, wildLayers} from '../helpers/timely-layers.js'

const layersOf = (entries: readonly (readonly LayerEntry[])[]): Layer[] =>
  entries.map((each, index) => layerOf(`layer ${index}`, each))

/** What a model makes of the layers: the files, or the code of the refusal. */
async function modelOf(layers: readonly Layer[]): Promise<FileSystemModel | string> {
  const model = new FileSystemModel()
  try {
    for (const layer of layers) await model.apply(layer)
    return model
  } catch (error) {
    if (error instanceof ModelRefusal) return error.code
    throw error
  }
}

async function refusalOf(step: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await step()
    return undefined
  } catch (error) {
    if (error instanceof TransshipError) return error.code
    throw error
  }
}

async function drain(entries: AsyncIterable<LayerEntry>): Promise<void> {
  for await (const _entry of entries);
}

/** All layers, one after the other, as a chain of packages reads them. */
async function follow(layers: readonly Layer[]): Promise<void> {
  const names = new ImageNames(layers, {isWhole: true})
  for (const [index, layer] of layers.entries()) await drain(names.follow(index, layer.entries(), {}))
}

function squashAll(layers: readonly Layer[], from = 0): Layer {
  return squashLayers(layers, {from, to: layers.length - 1, title: 'squashed', standsAlone: from === 0})
}

/** Without the folders that no entry states in the original: a layer has nothing to keep of them. */
function statedIn(original: FileSystemModel, model: FileSystemModel, sharing: boolean): string[] {
  const unstated = new Set<string>()
  for (const [path, node] of original.nodes)
    if (node.kind === 'directory' && node.mark === UNSTATED) unstated.add(`${path} directory`)
  return model.describe(sharing).filter((line) => !unstated.has(line.replace(/ directory .*$/, ' directory')))
}

describe('names in time', () => {
  const base = [fileEntry('Files/t2', '123'), directoryEntry('Files/d'), fileEntry('Files/d/f', 'deep')]
  const own = (text: string): LayerEntry => fileEntry('Files/t2', text)
  for (const {title, upper, t1} of [
    {title: 'a link before its target changes', upper: [linkEntry('Files/t1', 'Files/t2'), own('456')], t1: '123'},
    {title: 'a link after its target changes', upper: [own('456'), linkEntry('Files/t1', 'Files/t2')], t1: '456'},
    {
      title: 'a link in other case before its target changes',
      upper: [linkEntry('Files/t1', 'FILES/T2'), own('456')],
      t1: '123',
    },
    {
      title: 'a link in other case after its target changes',
      upper: [own('456'), linkEntry('Files/t1', 'files/T2')],
      t1: '456',
    },
    {
      title: 'a link before its target is deleted',
      upper: [linkEntry('Files/t1', 'Files/t2'), tombstone('Files/t2')],
      t1: '123',
    },
    {
      title: 'a link to a link that was made before the target changes',
      upper: [linkEntry('Files/t0', 'Files/t2'), own('456'), linkEntry('Files/t1', 'Files/t0')],
      t1: '123',
    },
    {
      title: 'a link below a folder that a file then replaces',
      upper: [linkEntry('Files/t1', 'Files/d/f'), fileEntry('Files/d', 'flat')],
      t1: 'deep',
    },
    {
      title: 'a link below a folder that is then opaque',
      upper: [linkEntry('Files/t1', 'Files/d/f'), opaque('Files/d'), fileEntry('Files/d/f', 'new')],
      t1: 'deep',
    },
    {
      title: 'a link to what an opaque folder hid, made again before it',
      upper: [opaque('Files/d'), fileEntry('Files/d/f', 'new'), linkEntry('Files/t1', 'Files/d/f')],
      t1: 'new',
    },
  ])
    it(`takes ${title} for what it is there`, async () => {
      const layers = layersOf([base, upper])
      const model = await modelOf([layers[0]!, squashAll(layers, 1)])
      assert.ok(typeof model === 'object')
      assert.ok(model.describe(false).some((line) => line.startsWith('FILES/T1 ') && line.endsWith(`'${t1}'`)))
      await follow(layers)
    })

  it('swaps two files by links', async () => {
    const layers = layersOf([
      [fileEntry('Files/a', 'A'), fileEntry('Files/b', 'B')],
      [linkEntry('Files/t', 'Files/a'), linkEntry('Files/a', 'Files/b'), linkEntry('Files/b', 'Files/t')],
    ])
    const model = await modelOf([squashAll(layers)])
    assert.ok(typeof model === 'object')
    assert.deepEqual(
      model.describe(false).map((line) => line.replace(/ file \d+/, '')),
      ['FILES directory -1', "FILES/A 'B'", "FILES/B 'A'", "FILES/T 'A'"],
    )
  })

  for (const {title, layers, code} of [
    {
      title: 'an entry below a junction of the same layer',
      layers: [[junctionEntry('Files/j'), fileEntry('Files/j/x', '')]],
      code: 'NAME_UNSAFE',
    },
    {
      title: 'an entry that comes before the junction above it',
      layers: [[fileEntry('Files/j/x', ''), junctionEntry('Files/j')]],
      code: 'NAME_UNSAFE',
    },
    {
      title: 'an entry below a junction of a lower layer',
      layers: [[junctionEntry('Files/j')], [], [fileEntry('Files/J/deep/x', '')]],
      code: 'NAME_UNSAFE',
    },
    {
      title: 'a deletion behind a junction of a lower layer',
      layers: [[junctionEntry('Files/j')], [tombstone('Files/j/x')]],
      code: 'NAME_UNSAFE',
    },
    {
      title: 'a link behind a junction of a lower layer',
      layers: [[junctionEntry('Files/j'), fileEntry('Files/f', '')], [linkEntry('Files/j/x', 'Files/f')]],
      code: 'NAME_UNSAFE',
    },
    {
      title: 'an entry that a folder above makes safe too late',
      layers: [[junctionEntry('Files/j')], [fileEntry('Files/j/x', ''), directoryEntry('Files/j')]],
      code: 'NAME_UNSAFE',
    },
    {
      title: 'an entry below a file of a lower layer',
      layers: [[fileEntry('Files/f', '')], [fileEntry('Files/f/x', '')]],
      code: 'NAME_COLLISION',
    },
    {
      title: 'a link to itself',
      layers: [[fileEntry('Files/f', '')], [linkEntry('Files/f', 'Files/F')]],
      code: 'LINK_TARGET_MISSING',
    },
    {
      title: 'a link to what a middle layer deleted',
      layers: [[fileEntry('Files/f', '')], [tombstone('Files/f')], [linkEntry('Files/x', 'Files/f')]],
      code: 'LINK_TARGET_MISSING',
    },
    {
      title: 'a link to what its own layer deleted before',
      layers: [[fileEntry('Files/f', '')], [tombstone('Files/f'), linkEntry('Files/x', 'Files/f')]],
      code: 'LINK_TARGET_MISSING',
    },
    {
      title: 'a link to a directory',
      layers: [[directoryEntry('Files/d')], [linkEntry('Files/x', 'Files/d')]],
      code: 'LINK_TARGET_MISSING',
    },
    {
      title: 'a link to a hive',
      layers: [[fileEntry('Hives/x', ''), linkEntry('Files/x', 'Hives/x')]],
      code: 'NAME_UNSAFE',
    },
    {
      title: 'a link to a file of the utility VM beside its files',
      layers: [[fileEntry('UtilityVM/x', ''), linkEntry('Files/x', 'UtilityVM/x')]],
      code: 'NAME_UNSAFE',
    },
  ])
    it(`refuses ${title}, squashed and layer by layer`, async () => {
      const all = layersOf(layers)
      assert.equal(await modelOf(all), code)
      assert.equal(await refusalOf(() => follow(all)), code)
      assert.equal(await refusalOf(() => drain(squashAll(all).entries())), code)
    })

  for (const {title, layers} of [
    {
      title: 'an entry below a folder that replaces a junction',
      layers: [[junctionEntry('Files/j')], [directoryEntry('Files/j'), fileEntry('Files/j/x', '')]],
    },
    {
      title: 'an entry below a junction that was deleted before',
      layers: [[junctionEntry('Files/j')], [tombstone('Files/j'), fileEntry('Files/j/x', '')]],
    },
    {
      title: 'a link between the utility VM and the files',
      layers: [[fileEntry('Files/x', ''), linkEntry('UtilityVM/Files/x', 'Files/x')]],
    },
  ])
    it(`takes ${title}`, async () => {
      const all = layersOf(layers)
      assert.equal(typeof (await modelOf(all)), 'object')
      await follow(all)
      await drain(squashAll(all).entries())
    })

  it('finds names again that were let go of', async () => {
    const layers = layersOf([[fileEntry('Files/a', '1')], [linkEntry('Files/b', 'Files/a')]])
    const names = new ImageNames(layers, {isWhole: true})
    for (const [index, layer] of layers.entries()) await drain(names.follow(index, layer.entries(), {}))
    const before = await names.locate(parseLayerPath('Files/b'), 1, {})
    names.forget()
    assert.deepEqual(await names.locate(parseLayerPath('Files/b'), 1, {}), before)
    assert.deepEqual(before, {kind: 'file', layer: 0, path: 'Files/a'})
  })

  it('does not read lower layers that no name asks for', async () => {
    let reads = 0
    const lower: Layer = {
      ...layerOf('lower', [fileEntry('Files/f', '')]),
      entries: () => {
        reads++
        return layerOf('lower', []).entries()
      },
    }
    const upper = layerOf('upper', [directoryEntry('Files'), directoryEntry('Files/d'), fileEntry('Files/d/x', '')])
    await drain(new ImageNames([lower, upper], {isWhole: true}).follow(1, upper.entries(), {}))
    assert.equal(reads, 0)
  })

  it('squashes layers in any order to what a plain file system makes of them', async () => {
    await fc.assert(
      fc.asyncProperty(tameLayers, fc.nat(), async (entries, cut) => {
        const layers = layersOf(entries)
        const from = cut % layers.length
        const expected = await modelOf(layers)
        const found = await modelOf([...layers.slice(0, from), squashAll(layers, from)])
        assert.ok(typeof expected === 'object' && typeof found === 'object', 'refused')
        const isWhole = from === 0
        assert.deepEqual(statedIn(expected, found, isWhole), statedIn(expected, expected, isWhole))
        await follow(layers)
      }),
      {numRuns: FUZZ_RUNS},
    )
  })

  it('deletes a folder that no entry states and that was emptied before', async () => {
    const layers = layersOf([
      [fileEntry('Files/a', '1')],
      [fileEntry('Files/C/a/a', '1')],
      [opaque('Files/C/a')],
      [tombstone('Files/C')],
    ])
    for (const from of [0, 1, 2, 3]) {
      const found = await modelOf([...layers.slice(0, from), squashAll(layers, from)])
      assert.ok(typeof found === 'object')
      assert.deepEqual(
        found.describe(false).filter((line) => line.startsWith('FILES/C')),
        [],
        `from ${from}`,
      )
    }
  })

  it('refuses what a plain file system refuses, squashed and layer by layer', async () => {
    await fc.assert(
      fc.asyncProperty(wildLayers, async (entries) => {
        const layers = layersOf(entries)
        const model = await modelOf(layers)
        const isRefused = typeof model === 'string'
        // Where several rules are broken, which is told depends on what is read first.
        const chained = await refusalOf(() => follow(layers))
        assert.equal(chained !== undefined, isRefused, `chain: ${chained} instead of ${typeof model}`)
        const squashed = await refusalOf(() => drain(squashAll(layers).entries()))
        assert.equal(squashed !== undefined, isRefused, `squash: ${squashed} instead of ${typeof model}`)
      }),
      {numRuns: 4 * FUZZ_RUNS},
    )
  })
})
