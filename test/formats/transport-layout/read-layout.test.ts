import assert from 'node:assert/strict'
import {linkSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {encodeTombstones} from '../../../src/codecs/tombstones/tombstones.js'
import {encodeIndexLine, type IndexLine} from '../../../src/formats/transport-layout/index-line.js'
import {decodeLayoutNotes} from '../../../src/formats/transport-layout/layout-notes.js'
import {areSameTimes, type ReadLayoutOptions} from '../../../src/formats/transport-layout/read-layout.js'
import type {WorkEvent} from '../../../src/model/events.js'
import type {LayerEntry} from '../../../src/model/layer-entry.js'
import {parseLayerPath as at} from '../../../src/model/layer-path.js'
import {UNIX_EPOCH} from '../../../src/model/windows-metadata.js'
import {collect} from '../../helpers/bytes.js'
import {carrierOf, folderWith, indexOfText, layoutIn, SIDECAR, TOPS, touch} from '../../helpers/layout-folders.js'
import {openBelow} from '../../helpers/open-files.js'
import {temporaryFolder} from '../../helpers/temporary-folder.js'

const tick = (seconds: number) => UNIX_EPOCH + BigInt(seconds) * 10_000_000n
const timesAt = (seconds: number) => ({
  creation: tick(seconds),
  lastAccess: tick(seconds),
  lastWrite: tick(seconds),
  change: tick(seconds),
})
const codesOf = (events: readonly WorkEvent[]) => events.map((event) => ('code' in event ? event.code : event.kind))

describe('the entries of a layout', () => {
  const folder = temporaryFolder()
  async function read(root: string, options: Partial<ReadLayoutOptions> = {}) {
    const {layout, events} = layoutIn(root, options)
    const entries = new Map<string, LayerEntry>()
    const texts = new Map<string, string>()
    for await (const entry of layout.entries()) {
      if (entry.kind === 'frame') continue
      entries.set(entry.path, entry)
      if (entry.kind === 'file' && entry.content !== undefined)
        texts.set(entry.path, (await collect(entry.content.open())).toString())
    }
    assert.deepEqual(openBelow(root), [])
    return {entries, texts, events, codes: codesOf(events)}
  }
  const made = (files: Readonly<Record<string, string | Uint8Array>>) => folderWith(folder.path, {...TOPS, ...files})
  const notesOf = (entry: LayerEntry | undefined) => decodeLayoutNotes(entry?.frame?.layout)
  const metaOf = (entry: LayerEntry | undefined) => {
    assert.ok(entry?.kind === 'file' || entry?.kind === 'directory' || entry?.kind === 'hard-link')
    return entry.meta
  }
  const linesOf = (...lines: readonly IndexLine[]) =>
    indexOfText(lines.map((line) => `${encodeIndexLine(line)}\n`).join(''))

  it('are what carriers say, and plain files as they are', async () => {
    const root = made({'Files/a': carrierOf('text', 0x21), 'Hives/Sam_Delta': 'hive', 'UtilityVM/x': 'plain'})
    touch(root, {'Files/a': 10, 'Hives/Sam_Delta': 20, 'UtilityVM/x': 30, UtilityVM: 40, Files: 50})
    const {entries, texts, codes} = await read(root)
    assert.deepEqual(
      [...texts],
      [
        ['Files/a', 'text'],
        ['Hives/Sam_Delta', 'hive'],
        ['UtilityVM/x', 'plain'],
      ],
    )
    assert.deepEqual(
      ['Files/a', 'Hives/Sam_Delta', 'UtilityVM/x', 'UtilityVM', 'Files'].map((name) => [
        metaOf(entries.get(name)).attributes,
        metaOf(entries.get(name)).times.lastWrite,
      ]),
      [
        [0x21, tick(10)],
        [0x20, tick(20)],
        [0x20, tick(30)],
        [0x10, tick(40)],
        [0x10, tick(50)],
      ],
    )
    assert.deepEqual(
      [entries.get('Files/a')?.frame, entries.get('UtilityVM/x')?.frame, codes],
      [undefined, undefined, []],
    )
  })

  it('have the times of the index, and attributes of what has no carrier', async () => {
    const root = made({'Files/a': carrierOf('text'), 'Hives/Sam_Delta': 'hive'})
    const odd = {creation: 1n, lastAccess: 2n, lastWrite: 3n, change: 4n}
    const index = linesOf(
      {path: 'Files', times: odd, attributes: 0x12},
      {path: 'Files/a', sizeBytes: 28, times: odd},
      {path: 'Hives/Sam_Delta', sizeBytes: 4, times: odd, attributes: 0x22},
    )
    const {entries} = await read(root, {index})
    assert.deepEqual(metaOf(entries.get('Files/a')).times, odd)
    assert.deepEqual(metaOf(entries.get('Hives/Sam_Delta')), {
      attributes: 0x22,
      times: {...odd, creation: 3n, lastAccess: 3n},
    })
    assert.deepEqual(notesOf(entries.get('Hives/Sam_Delta')).times, {creation: 1n, lastAccess: 2n})
    assert.equal(metaOf(entries.get('Files')).attributes, 0x12)
  })

  it('do not have those of an index that is of another size', async () => {
    const root = made({'Files/a': carrierOf('text')})
    touch(root, {'Files/a': 10})
    const {entries} = await read(root, {index: linesOf({path: 'Files/a', sizeBytes: 27, times: timesAt(99)})})
    assert.equal(metaOf(entries.get('Files/a')).times.lastWrite, tick(10))
    const unsized = await read(root, {index: linesOf({path: 'Files/a', times: timesAt(99)})})
    assert.equal(metaOf(unsized.entries.get('Files/a')).times.lastWrite, tick(99))
  })

  it('are told to differ from an index that lies beside, by the first of them', async () => {
    const root = made({'Files/a': carrierOf(''), 'Files/b': carrierOf(''), 'Files/c': carrierOf('')})
    touch(root, {'Files/a': 10, 'Files/b': 10, 'Files/c': 10})
    const index = linesOf(
      {path: 'Files/a', times: timesAt(10)},
      {path: 'Files/b', times: timesAt(5000)},
      {path: 'Files/c', times: timesAt(9000)},
    )
    const {events, codes} = await read(root, {index, isIndexBeside: true})
    assert.deepEqual(codes, ['times-of-index'])
    assert.ok(
      events[0]?.kind === 'note' && events[0].subject === 'it' && events[0].message.includes("'Files/b' and 1 more"),
    )
    assert.deepEqual((await read(root, {index})).codes, [])
    const {layout, events: twice} = layoutIn(root, {index, isIndexBeside: true})
    for (let time = 0; time < 2; time++) for await (const _ of layout.entries());
    assert.deepEqual(
      twice.map((event) => (event.kind === 'note' ? event.message.includes(' 1 more ') : '')),
      [true, true],
    )
  })

  it('of the top folders have the times of the System hive', async () => {
    const root = made({'Hives/SYSTEM_delta': 'hive'})
    touch(root, {'Hives/SYSTEM_delta': 70, Files: 10, Hives: 20})
    const {entries} = await read(root)
    assert.deepEqual(
      ['Files', 'Hives'].map((name) => metaOf(entries.get(name)).times.lastWrite),
      [tick(70), tick(70)],
    )
    const told = await read(root, {index: linesOf({path: 'Hives/SYSTEM_delta', sizeBytes: 4, times: timesAt(80)})})
    assert.equal(metaOf(told.entries.get('Files')).times.lastWrite, tick(80))
  })

  it('note what a layer has no place for: sidecars and the list of deletions', async () => {
    const same = {Files: 10, Hives: 10, 'Files.$wcidirs$': 10, 'Hives.$wcidirs$': 10, 'tombstones.txt': 10}
    const notes = async (
      files: Readonly<Record<string, string | Uint8Array>>,
      times: Readonly<Record<string, number>>,
      options: Partial<ReadLayoutOptions> = {},
    ) => {
      const root = made(files)
      touch(root, {...same, ...times})
      const {entries} = await read(root, options)
      return [notesOf(entries.get('Files')), notesOf(entries.get('Hives'))]
    }
    const own = (seconds: number) => ({lastWrite: tick(seconds)})
    if (process.platform !== 'win32') assert.deepEqual(await notes({}, {}), [{}, {}])
    const [files, hives] = await notes(
      {'Files.$wcidirs$': Buffer.from('10200000', 'hex'), 'tombstones.txt': Buffer.from('\ufeffVersion 1.0')},
      {'Hives.$wcidirs$': 30, 'tombstones.txt': 40},
    )
    assert.deepEqual(
      [files?.sidecar, files?.tombstones, files?.tombstonesTimes?.lastWrite],
      [Buffer.from('10200000', 'hex'), Buffer.from('\ufeffVersion 1.0'), own(40).lastWrite],
    )
    assert.deepEqual(
      [hives?.sidecar, hives?.sidecarTimes?.lastWrite, hives?.tombstones],
      [undefined, own(30).lastWrite, undefined],
    )
    // Of a base, an empty list is not usual; of a delta, none is not.
    const [ofBase] = await notes({}, {}, {form: 'base'})
    assert.deepEqual(ofBase?.tombstones, Buffer.from(encodeTombstones([])))
    const bare = folderWith(folder.path, {'Files/': '', 'Files.$wcidirs$': SIDECAR})
    assert.equal(notesOf((await read(bare)).entries.get('Files')).tombstones, null)
    const base = await read(bare, {form: 'base'})
    assert.deepEqual([notesOf(base.entries.get('Files')), base.entries.get('Files')?.frame], [{}, undefined])
    assert.equal(
      (await notes({'tombstones.txt': encodeTombstones([at('Files/x')])}, {}, {form: 'base'}))[0]?.tombstones,
      undefined,
    )
  })

  it('are told to lack metadata, folder by folder', async () => {
    const root = folderWith(folder.path, {'Files/a/x': carrierOf(''), 'tombstones.txt': encodeTombstones([])})
    touch(root, {'Files/a': 10})
    const {entries, events, codes} = await read(root)
    assert.deepEqual(codes, ['sidecar-missing', 'sidecar-missing'])
    assert.ok(events[1]?.kind === 'note' && events[1].message.startsWith('1 folder has') && events[1].subject === 'it')
    const meta = metaOf(entries.get('Files/a'))
    assert.deepEqual(
      [meta.attributes, meta.times.lastWrite, entries.get('Files/a')?.frame?.layout !== undefined],
      [0x10, tick(10), true],
    )
    const two = await read(made({'Files/a/x': carrierOf(''), 'Files/b/x': carrierOf('')}))
    assert.ok(two.events[0]?.kind === 'note' && two.events[0].message.startsWith('2 folders have'))
  })

  it('of a plain tree note nothing, and of a plain utility VM in a base that it is plain', async () => {
    const plain = await read(folderWith(folder.path, {'Files/a/b': 'text'}), {isPlain: true, form: 'base'})
    assert.deepEqual(
      [plain.texts.get('Files/a/b'), plain.entries.get('Files')?.frame, plain.codes],
      ['text', undefined, []],
    )
    const vm = {'UtilityVM/Files/a': 'x', 'Files/': '', 'Files.$wcidirs$': SIDECAR}
    assert.equal(
      notesOf((await read(folderWith(folder.path, vm), {form: 'base'})).entries.get('UtilityVM')).isPlain,
      true,
    )
    assert.equal(
      notesOf((await read(folderWith(folder.path, vm), {form: 'base'})).entries.get('UtilityVM/Files')).isPlain,
      undefined,
    )
    assert.equal(notesOf((await read(folderWith(folder.path, vm))).entries.get('UtilityVM')).isPlain, undefined)
    assert.equal(
      notesOf(
        (await read(folderWith(folder.path, {'UtilityVM/Files/a': 'x'}), {form: 'base', isPlain: true})).entries.get(
          'UtilityVM',
        ),
      ).isPlain,
      undefined,
    )
  })

  it('of a base have its top as its sidecar tells it, unless deletions make it a delta', async () => {
    const root = folderWith(folder.path, {'Files/': '', 'Files.$wcidirs$': Buffer.from('16000000', 'hex')})
    assert.equal(metaOf((await read(root, {form: 'base'})).entries.get('Files')).attributes, 0x16)
    assert.equal(metaOf((await read(root)).entries.get('Files')).attributes, 0x10)
    writeFileSync(path.join(root, 'tombstones.txt'), encodeTombstones([at('Files/x')]))
    assert.equal(metaOf((await read(root, {form: 'base'})).entries.get('Files')).attributes, 0x10)
  })

  it('note a deletion below a folder that is not there', async () => {
    const {entries} = await read(made({'tombstones.txt': encodeTombstones([at('Files/none/x'), at('Files/y')])}))
    assert.deepEqual(
      [notesOf(entries.get('Files/none/x')), entries.get('Files/y')?.frame],
      [{isOrphan: true}, undefined],
    )
  })

  const kindsOf = (entries: ReadonlyMap<string, LayerEntry>, ...names: readonly string[]) =>
    names.map((name) => {
      const entry = entries.get(name)
      return entry?.kind === 'hard-link' ? `link to ${entry.target}` : entry?.kind
    })

  it('are links to the first name of a file that has several', async () => {
    const root = made({'Files/b': carrierOf('text'), 'UtilityVM/b': 'x', 'Hives/b': 'h'})
    for (const [from, to] of [
      ['Files/b', 'Files/a'],
      ['Files/b', 'Files/c'],
      ['UtilityVM/b', 'UtilityVM/c'],
      ['Hives/b', 'Hives/c'],
    ] as const)
      linkSync(path.join(root, from), path.join(root, to))
    const {entries, texts} = await read(root)
    assert.deepEqual(
      kindsOf(entries, 'Files/a', 'Files/b', 'Files/c', 'UtilityVM/b', 'UtilityVM/c', 'Hives/b', 'Hives/c'),
      ['file', 'link to Files/a', 'link to Files/a', 'file', 'link to UtilityVM/b', 'file', 'file'],
    )
    assert.equal(texts.get('Files/a'), 'text')
    const {layout} = layoutIn(root)
    for (const node of layout.scanned.nodes)
      if (node.kind === 'file') assert.equal(layout.entry(node, {links: false}).kind, 'file')
    layout.close()
  })

  it('are links by the index too, as long as the files are the same', async () => {
    const root = made({
      'Files/a': carrierOf('text'),
      'Files/b': carrierOf('text'),
      'Files/c': carrierOf('Text'),
      'UtilityVM/d': carrierOf('text'),
    })
    const index = linesOf(
      {path: 'Files/b', link: 'Files/a'},
      {path: 'Files/c', link: 'Files/a'},
      {path: 'UtilityVM/d', link: 'Files/a'},
    )
    assert.deepEqual(kindsOf((await read(root, {index})).entries, 'Files/a', 'Files/b', 'Files/c', 'UtilityVM/d'), [
      'file',
      'link to Files/a',
      'file',
      'file',
    ])
    const other = linesOf({path: 'Files/a', link: 'Files/none'}, {path: 'Files/b', link: 'Files/none'})
    assert.deepEqual(kindsOf((await read(root, {index: other})).entries, 'Files/a', 'Files/b'), [
      'file',
      'link to Files/a',
    ])
  })

  it('are links by the index only to what they are one with, whatever they are one with among themselves', async () => {
    const names = ['Files/a', 'Files/b', 'Files/c', 'Files/d']
    const index = linesOf(...names.slice(1).map((name) => ({path: name, link: 'Files/a'})))
    // What an editor leaves that puts a new file in the place of one name, and what a copy of such a copy is.
    const forms: readonly (readonly [
      title: string,
      texts: readonly string[],
      links: readonly (readonly string[])[],
    ])[] = [
      ['the first name was edited', ['new', 'old'], [['Files/b', 'Files/c', 'Files/d']]],
      ['and the others are in two parts', ['new', 'old', '', 'Old'], [['Files/b', 'Files/c']]],
      ['a name in between was edited', ['old', 'new'], [['Files/a', 'Files/c', 'Files/d']]],
      [
        'copies that have links elsewhere',
        ['old', 'new', 'old', 'Old'],
        [
          ['Files/b', 'b'],
          ['Files/c', 'c'],
          ['Files/d', 'd'],
        ],
      ],
    ]
    for (const [title, texts, links] of forms) {
      const root = made(Object.fromEntries(texts.map((text, at) => [names[at]!, carrierOf(text)])))
      for (const [from, ...others] of links)
        for (const to of others) {
          rmSync(path.join(root, to), {force: true})
          linkSync(path.join(root, from!), path.join(root, to))
        }
      const wanted = new Map(names.map((name) => [name, readFileSync(path.join(root, name)).subarray(24).toString()]))
      const {entries, texts: found} = await read(root, {index})
      for (const name of names) {
        const entry = entries.get(name)
        assert.equal(
          found.get(entry?.kind === 'hard-link' ? entry.target : name),
          wanted.get(name),
          `${title}: ${name}`,
        )
      }
    }
  })

  it('end where they are asked to', async () => {
    const {layout} = layoutIn(made({'Files/a': carrierOf('')}), {signal: AbortSignal.abort(new Error('Enough.'))})
    await assert.rejects(layout.entries().next(), /Enough/)
  })

  it('have four times, each of which counts', () => {
    const times = timesAt(1)
    assert.equal(areSameTimes(times, {...times}), true)
    for (const key of ['creation', 'lastAccess', 'lastWrite', 'change'] as const)
      assert.equal(areSameTimes(times, {...times, [key]: 0n}), false, key)
  })
})
