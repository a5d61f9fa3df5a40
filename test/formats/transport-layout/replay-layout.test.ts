import assert from 'node:assert/strict'
import {mkdirSync, unlinkSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {encodeTombstones} from '../../../src/codecs/tombstones/tombstones.js'
import {recordingRecipe} from '../../../src/codecs/recipe/record-recipe.js'
import type {RecipeRecord} from '../../../src/codecs/recipe/recipe-records.js'
import {compareWithRecipe, replayLayout} from '../../../src/formats/transport-layout/replay-layout.js'
import type {WorkEvent} from '../../../src/model/events.js'
import type {LayerEntry} from '../../../src/model/layer-entry.js'
import {parseLayerPath as at} from '../../../src/model/layer-path.js'
import {directoryEntry, fileEntry, linkEntry, opaque, tombstone} from '../../helpers/file-system-model.js'
import {
  carrierOf,
  indexOfText,
  layoutIn,
  layoutWith,
  SIDECAR,
  changing,
  writing,
  removing,
  type LayoutChange,
} from '../../helpers/layout-folders.js'
import {openBelow} from '../../helpers/open-files.js'
import {temporaryFolder} from '../../helpers/temporary-folder.js'
import {streamOf} from '../../helpers/streams.js'

describe('a layout and its recipe', () => {
  const folder = temporaryFolder()
  /** A layout of these entries with its recipe, changed afterwards. */
  async function made(entries: readonly LayerEntry[], change: LayoutChange = () => undefined) {
    const records: RecipeRecord[] = []
    const passed: LayerEntry[] = []
    for await (const entry of recordingRecipe(streamOf(...entries), (record) => {
      records.push(record)
    }))
      passed.push(entry)
    const {root, indexText} = await layoutWith(folder.path, passed, {keepsRecipe: true})
    change(root)
    const events: WorkEvent[] = []
    const options = {
      title: 'it',
      index: indexOfText(indexText),
      records: () => streamOf(...records),
      onEvent: (event: WorkEvent) => events.push(event),
    }
    return {root, options, events, layout: layoutIn(root, {index: options.index}).layout}
  }
  const told = (entries: readonly LayerEntry[]) =>
    entries.map((entry) => (entry.kind === 'frame' ? 'frame' : `${entry.kind} ${entry.path}`))
  async function replayed(entries: readonly LayerEntry[], change?: LayoutChange) {
    const {options, layout, events} = await made(entries, change)
    const found: LayerEntry[] = []
    for await (const entry of replayLayout(layout, options)) found.push(entry)
    assert.deepEqual(openBelow(folder.path), [])
    const [note] = events.filter((event) => event.kind === 'note' && event.code === 'recipe-stale')
    const compared = await compareWithRecipe((await made(entries, change)).layout, options)
    return {
      names: told(found),
      edits: note?.kind === 'note' ? note.edits?.files.map(({file, kind}) => [file, kind]) : [],
      note,
      compared: compared.files.map(({file, kind}) => [file, kind]),
    }
  }

  it('give the entries in the order of the recipe, not of the disk', async () => {
    const entries = [
      fileEntry('Files/z', '1'),
      opaque('Files/d'),
      fileEntry('Files/a', '2'),
      linkEntry('Files/b', 'Files/z'),
      tombstone('Files/gone'),
      tombstone('Hives/gone'),
    ]
    const {names, edits, compared} = await replayed(entries)
    assert.deepEqual([names, edits, compared], [told(entries), [], []])
  })

  for (const [note, change, edits] of [
    ['a name added', writing('Files/new', carrierOf('')), [['Files/new', 'added']]],
    ['a name removed', removing('Files/d/a'), [['Files/d/a', 'removed']]],
    [
      'a folder added',
      (root) => {
        writing('Files/d/e.$wcidirs$', SIDECAR)(root)
      },
      [['Files/d/e', 'added']],
    ],
    [
      'a folder without metadata added',
      changing('Files/d/e', (file) => {
        mkdirSync(file)
      }),
      [['Files/d/e', 'added']],
    ],
    [
      'a deletion added',
      writing('tombstones.txt', encodeTombstones(['Files/gone', 'Files/more'].map(at))),
      [['tombstones.txt', 'changed']],
    ],
    ['a deletion removed', writing('tombstones.txt', encodeTombstones([])), [['tombstones.txt', 'changed']]],
    ['all deletions removed', removing('tombstones.txt'), [['tombstones.txt', 'changed']]],
  ] as const satisfies readonly (readonly [string, LayoutChange, readonly (readonly [string, string])[]])[])
    it(`give the entries of the payload where names have changed: ${note}`, async () => {
      const entries = [
        directoryEntry('Files'),
        directoryEntry('Files/d'),
        fileEntry('Files/d/a', '1'),
        fileEntry('Files/d/x/b', '2'),
        tombstone('Files/gone'),
      ]
      const {names, edits: found, note: event, compared} = await replayed(entries, change)
      assert.deepEqual([found, compared], [edits, edits])
      assert.ok(event?.kind === 'note' && event.subject === 'it')
      assert.ok(!names.includes('tombstone Files/gone') || note !== 'a deletion removed')
      assert.equal(names[0], 'directory Files')
    })

  it('say nothing of what a list of deletions cannot name, nor of what was made again', async () => {
    const derived = (name: string) => ({...tombstone(name), isDerived: true}) as LayerEntry
    for (const entries of [
      [tombstone('Files/a'), fileEntry('Files/a', '1')],
      [tombstone('Files/a/b'), fileEntry('Files/a', '1')],
      [derived('Files/a')],
      [derived('Hives/a'), derived('UtilityVM/a')],
      [derived('Files/d'), tombstone('Files/d/x')],
      [fileEntry('Files/a/b/c/d', '1')],
    ])
      assert.deepEqual((await replayed(entries)).compared, [], told(entries).join())
    assert.deepEqual((await replayed([derived('Files/a')], removing('tombstones.txt'))).compared, [
      ['tombstones.txt', 'changed'],
    ])
  })

  it('lose only the form of an entry that has changed', async () => {
    const entries = [fileEntry('Files/a', '1'), linkEntry('Files/b', 'Files/a'), fileEntry('Files/c', '3')]
    const {names, edits} = await replayed(entries, (root) => {
      unlinkSync(path.join(root, 'Files/b'))
      writeFileSync(path.join(root, 'Files/b'), carrierOf('other'))
    })
    assert.deepEqual([names, edits], [['file Files/a', 'file Files/b', 'file Files/c'], [['Files/b', 'changed']]])
  })

  it('know a link that is stored as a copy by the index, as long as that is what it was', async () => {
    const entries = [
      fileEntry('Files/a', 'text'),
      directoryEntry('UtilityVM'),
      linkEntry('UtilityVM/Files/c', 'Files/a'),
    ]
    assert.deepEqual((await replayed(entries)).names, told(entries))
    const {names, edits} = await replayed(entries, writing('UtilityVM/Files/c', 'Text'))
    assert.deepEqual([names.at(-1), edits], ['file UtilityVM/Files/c', [['UtilityVM/Files/c', 'changed']]])
    const {layout, options} = await made(entries)
    const {index: _, ...unindexed} = options
    const found: LayerEntry[] = []
    for await (const entry of replayLayout(layout, unindexed)) found.push(entry)
    assert.equal(told(found).at(-1), 'file UtilityVM/Files/c')
  })

  it('tell a name that the recipe has twice', async () => {
    const {options, layout} = await made([fileEntry('Files/a', '1')])
    const twice = async function* (): AsyncGenerator<RecipeRecord> {
      for await (const record of options.records()) yield* [record, record]
    }
    assert.deepEqual((await compareWithRecipe(layout, {...options, records: twice})).files, [
      {file: 'Files/a', kind: 'removed'},
    ])
  })
})
