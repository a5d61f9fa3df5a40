import assert from 'node:assert/strict'
import fc from 'fast-check'
import {squashLayers} from '../../src/convert/squash.js'
import type {Layer} from '../../src/model/image.js'
import type {LayerEntry} from '../../src/model/layer-entry.js'
import {foldPath, parentPath} from '../../src/model/layer-path.js'
import {
  directoryEntry,
  fileEntry,
  FileSystemModel,
  layerOf,
  layersFrom,
  linkEntry,
  opaque,
  tombstone,
} from '../helpers/file-system-model.js'
import {FUZZ_RUNS} from '../helpers/fuzz.js'

async function applied(layers: readonly Layer[], sharing = true): Promise<string[]> {
  const model = new FileSystemModel()
  for (const layer of layers) await model.apply(layer)
  return model.describe(sharing)
}

async function entriesOf(layer: Layer): Promise<LayerEntry[]> {
  const entries: LayerEntry[] = []
  for await (const entry of layer.entries()) entries.push(entry)
  return entries
}

/** Where a parent is in the layer at all, it comes first: Windows makes no directory that it was not told of. */
function requireParentsFirst(entries: readonly LayerEntry[]): void {
  const positions = new Map<string, number>()
  for (const [index, entry] of entries.entries()) if (entry.kind !== 'frame') positions.set(foldPath(entry.path), index)
  for (const [index, entry] of entries.entries()) {
    const parent = entry.kind === 'frame' ? undefined : parentPath(entry.path)
    const at = parent === undefined ? undefined : positions.get(foldPath(parent))
    assert.ok(at === undefined || at < index, `${String(parent)} comes after what lies in it`)
  }
}

describe('squashing files', () => {
  const numbers = fc.array(fc.array(fc.nat({max: 0xffff}), {minLength: 1, maxLength: 40}), {minLength: 2, maxLength: 6})

  it('equals applying layer by layer, whatever the layers and whichever of them are squashed', async () => {
    await fc.assert(
      fc.asyncProperty(numbers, fc.nat(), async (choices, cut) => {
        const layers = await layersFrom(choices)
        const from = cut % layers.length
        const standsAlone = from === 0
        const squashed = squashLayers(layers, {from, to: layers.length - 1, title: 'squashed', standsAlone})
        // Above a kept base, a link whose file lost its first name down there gets a copy of its own.
        const result = await applied([...layers.slice(0, from), squashed], standsAlone)
        assert.deepEqual(result, await applied(layers, standsAlone))
        requireParentsFirst(await entriesOf(squashed))
      }),
      {
        numRuns: FUZZ_RUNS,
        examples: [
          // A link below the range, through a directory that the lowest layer of the range made a file.
          [
            [
              [0],
              [22288, 1279, 10395, 0, 48652, 0, 749, 0],
              [0],
              [19714, 0, 23995, 0],
              [46429, 0, 0, 0],
              [0, 0, 693, 0],
            ],
            942900909,
          ],
        ],
      },
    )
  })

  const base = layerOf('base', [
    directoryEntry('Files'),
    directoryEntry('Files/dir'),
    fileEntry('Files/dir/one', '1'),
    fileEntry('Files/dir/two', '2'),
    fileEntry('Files/other', 'o'),
  ])
  for (const {title, layers, tombstones} of [
    {
      title: 'a file deleted and made again needs no tombstone',
      layers: [
        [directoryEntry('Files'), tombstone('Files/other')],
        [directoryEntry('Files'), fileEntry('Files/other', 'new')],
      ],
      tombstones: [],
    },
    {
      title: 'a directory deleted and made again hides what it held, name by name',
      layers: [
        [directoryEntry('Files'), tombstone('Files/dir')],
        [directoryEntry('Files'), directoryEntry('Files/dir'), fileEntry('Files/dir/two', 'x')],
      ],
      tombstones: ['Files/dir/one'],
    },
    {
      title: 'an opaque directory hides what it held, name by name',
      layers: [[directoryEntry('Files'), directoryEntry('Files/DIR'), opaque('Files/DIR')], [directoryEntry('Files')]],
      tombstones: ['Files/dir/one', 'Files/dir/two'],
    },
    {
      title: 'a tombstone of what the base never held goes',
      layers: [
        [directoryEntry('Files'), fileEntry('Files/temp', 't')],
        [directoryEntry('Files'), tombstone('Files/temp')],
      ],
      tombstones: [],
    },
    {
      title: 'a deleted directory needs one tombstone, not one for each name in it',
      layers: [
        [directoryEntry('Files'), tombstone('Files/dir/one')],
        [directoryEntry('Files'), tombstone('Files/dir')],
      ],
      tombstones: ['Files/dir'],
    },
  ])
    it(title, async () => {
      const all = [base, ...layers.map((entries, index) => layerOf(`delta ${index}`, entries))]
      const squashed = squashLayers(all, {from: 1, to: all.length - 1, title: 'squashed', standsAlone: false})
      const found = (await entriesOf(squashed)).filter((entry) => entry.kind === 'tombstone').map((entry) => entry.path)
      assert.deepEqual(found, tombstones)
      assert.deepEqual(await applied([base, squashed]), await applied(all))
    })

  it('gives a link the content its target had when it was made, though the target was replaced above', async () => {
    const layers = [
      layerOf('0', [directoryEntry('Files'), fileEntry('Files/a', 'old')]),
      layerOf('1', [directoryEntry('Files'), linkEntry('Files/b', 'Files/a'), linkEntry('Files/c', 'Files/a')]),
      layerOf('2', [directoryEntry('Files'), fileEntry('Files/a', 'new')]),
    ]
    const squashed = squashLayers(layers, {from: 0, to: 2, title: 'squashed', standsAlone: true})
    const model = new FileSystemModel()
    await model.apply(squashed)
    assert.deepEqual(model.describe(), await applied(layers))
    assert.equal(
      (await entriesOf(squashed)).filter((entry) => entry.kind === 'file').length,
      2,
      'content is copied once',
    )
  })

  it('gives a link the target that its entry spells, whatever the case of the folders that came before', async () => {
    const layers = [
      layerOf('0', [
        directoryEntry('Files'),
        tombstone('Files/dir/gone'),
        directoryEntry('Files/Dir'),
        fileEntry('Files/Dir/a', '1'),
        linkEntry('Files/b', 'Files/DIR/a'),
      ]),
      layerOf('1', [directoryEntry('Files'), linkEntry('Files/c', 'Files/dir/A')]),
    ]
    const squashed = squashLayers(layers, {from: 0, to: 1, title: 'squashed', standsAlone: true})
    const targets = (await entriesOf(squashed)).flatMap((entry) => (entry.kind === 'hard-link' ? [entry.target] : []))
    assert.deepEqual(targets, ['Files/Dir/a', 'Files/Dir/a'])
  })

  it('refuses a link whose target no layer holds', async () => {
    const layers = [layerOf('0', [directoryEntry('Files')]), layerOf('1', [linkEntry('Files/b', 'Files/gone')])]
    const squashed = squashLayers(layers, {from: 0, to: 1, title: 'squashed', standsAlone: true})
    await assert.rejects(entriesOf(squashed), {code: 'LINK_TARGET_MISSING'})
  })
})
