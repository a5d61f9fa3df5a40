import assert from 'node:assert/strict'
import {existsSync, mkdtempSync, readFileSync, statSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {encodeCarrierFrame} from '../../../src/codecs/carrier/carrier-frame.js'
import {decodeTombstones} from '../../../src/codecs/tombstones/tombstones.js'
import {writeBarePayload} from '../../../src/formats/transport-layout/bare-payload.js'
import {encodeLayoutNotes, type LayoutNotes} from '../../../src/formats/transport-layout/layout-notes.js'
import {payloadArtifact} from '../../../src/formats/transport-layout/payload-artifact.js'
import {contentOf} from '../../../src/model/content.js'
import {digestOf} from '../../../src/model/digest.js'
import type {WorkEvent} from '../../../src/model/events.js'
import type {AlternateStream, DirectoryEntry, FileEntry, LayerEntry} from '../../../src/model/layer-entry.js'
import {UNIX_EPOCH} from '../../../src/model/windows-metadata.js'
import {chunked} from '../../helpers/bytes.js'
import {directoryEntry, fileEntry, layerOf, linkEntry, opaque, tombstone} from '../../helpers/file-system-model.js'
import {carrierOf, indexOfText, layoutWith, SIDECAR} from '../../helpers/layout-folders.js'
import {openBelow} from '../../helpers/open-files.js'
import {digest, storedOf} from '../../helpers/stored-packages.js'
import {temporaryFolder} from '../../helpers/temporary-folder.js'

const tick = (seconds: number) => UNIX_EPOCH + BigInt(seconds) * 10_000_000n
const timesAt = (seconds: number) => ({
  creation: tick(seconds),
  lastAccess: tick(seconds),
  lastWrite: tick(seconds),
  change: tick(seconds),
})
const timed = <E extends LayerEntry>(entry: E, seconds: number): E =>
  'meta' in entry ? {...entry, meta: {...entry.meta, times: timesAt(seconds)}} : entry
const withNotes = (entry: LayerEntry, notes: LayoutNotes): LayerEntry => ({
  ...entry,
  frame: {layout: encodeLayoutNotes(notes)!},
})
const streamsOf = (...streams: readonly AlternateStream[]): AsyncIterable<AlternateStream> => ({
  // eslint-disable-next-line @typescript-eslint/require-await
  async *[Symbol.asyncIterator]() {
    yield* streams
  },
})
const MARK = {name: 'mark', content: contentOf(Buffer.from('one'))}
const told = (events: readonly WorkEvent[]) =>
  events.map((event) => [event.kind, 'code' in event ? event.code : '', 'subject' in event ? event.subject : ''])

describe('a layout that is written', () => {
  const folder = temporaryFolder()
  const written = (entries: readonly LayerEntry[], options: Parameters<typeof layoutWith>[2] = {}) =>
    layoutWith(folder.path, entries, options)
  const mtime = (root: string, name: string) => statSync(path.join(root, name)).mtimeMs / 1000

  it('has a carrier for each file and a sidecar for each folder, plain hives, and an index of all', async () => {
    const entries = [
      timed(directoryEntry('Files'), 1),
      timed(directoryEntry('Files/d'), 2),
      timed(fileEntry('Files/d/a', 'text', 0x21), 3),
      timed(directoryEntry('Hives'), 4),
      timed(fileEntry('Hives/Sam_Delta', 'hive'), 5),
    ]
    const {root, indexText, digest: own, entries: count, payloadBytes, events} = await written(entries)
    const read = (name: string) => readFileSync(path.join(root, name))
    assert.ok(read('Files/d/a').equals(carrierOf('text', 0x21)))
    assert.ok(
      read('Files/d.$wcidirs$').equals(SIDECAR) &&
        read('Files.$wcidirs$').equals(SIDECAR) &&
        read('Hives.$wcidirs$').equals(SIDECAR),
    )
    assert.equal(read('Hives/Sam_Delta').toString(), 'hive')
    const lines = [...indexOfText(indexText).lines()]
    assert.deepEqual(
      lines.map((line) => line.path),
      [
        'Files',
        'Files/d/a',
        'Files/d.$wcidirs$',
        'Files.$wcidirs$',
        'Hives',
        'Hives/Sam_Delta',
        'Hives.$wcidirs$',
        'tombstones.txt',
      ],
    )
    for (const {path: name, sizeBytes, sha256} of lines.filter((line) => line.sizeBytes !== undefined))
      assert.deepEqual([sizeBytes, `sha256:${sha256}`], [read(name).byteLength, digestOf(read(name))])
    assert.deepEqual(
      [own, count, payloadBytes],
      [digestOf(Buffer.from(indexText)), 5, lines.reduce((sum, {sizeBytes = 0}) => sum + sizeBytes, 0)],
    )
    assert.deepEqual(
      lines.map(({attributes}) => attributes),
      [undefined, undefined, undefined, undefined, undefined, 0x20, undefined, undefined],
    )
    assert.deepEqual(
      ['Files', 'Files/d', 'Files/d/a', 'Files/d.$wcidirs$', 'Hives/Sam_Delta', 'tombstones.txt'].map((name) =>
        mtime(root, name),
      ),
      [1, 2, 3, 2, 5, 1],
    )
    assert.deepEqual(events, [])
  })

  for (const [note, form, entries, expected] of [
    ['a delta of nothing', 'delta', [], ['Files', 'Hives', 'tombstones.txt']],
    ['a base of nothing', 'base', [], ['Files']],
    ['a base with a deletion', 'base', [tombstone('Files/x')], ['Files', 'tombstones.txt']],
  ] as const)
    it(`has the folders that its form must have: ${note}`, async () => {
      const {root} = await written(entries, {form})
      assert.deepEqual(
        ['Files', 'Hives', 'tombstones.txt', 'Files.$wcidirs$'].filter((name) => existsSync(path.join(root, name))),
        expected,
      )
    })

  it('counts neither opaque folders nor frames', async () => {
    const {entries, root} = await written([
      opaque('Files/d'),
      {kind: 'frame', frame: {}},
      tombstone('Files/x'),
      fileEntry('Files/a', 'a'),
    ])
    assert.equal(entries, 2)
    assert.deepEqual(decodeTombstones(readFileSync(path.join(root, 'tombstones.txt'))), ['Files/x'])
  })

  it('has no other parts', async () => {
    for (const entry of [fileEntry('Other/a', ''), directoryEntry('Other'), fileEntry('a', '')])
      await assert.rejects(written([entry]), {code: 'NAME_UNSAFE', at: {path: 'it'}})
  })

  it('tells of deletions that it cannot name, which are lost without a recipe', async () => {
    const entries = [tombstone('Hives/x'), tombstone('UtilityVM/Files/y')]
    for (const [keepsRecipe, kind] of [
      [false, 'loss'],
      [true, 'note'],
    ] as const)
      assert.deepEqual(
        told((await written(entries, {keepsRecipe})).events),
        ['Hives/x', 'UtilityVM/Files/y'].map((subject) => [kind, 'deletion-outside-files', subject]),
      )
  })

  it('tells of streams that files without carriers cannot have', async () => {
    const hive = {...fileEntry('Hives/a', 'h'), streams: streamsOf(MARK)} as LayerEntry
    const vm = {...directoryEntry('UtilityVM/Files'), streams: streamsOf(MARK)} as LayerEntry
    const {events, root} = await written([hive, vm], {keepsRecipe: true})
    assert.deepEqual(told(events), [
      ['loss', 'stream-without-carrier', 'Hives/a:mark'],
      ['loss', 'stream-without-carrier', 'UtilityVM/Files:mark'],
    ])
    assert.equal(readFileSync(path.join(root, 'Hives/a'), 'utf8'), 'h')
  })

  it('tells once of names that Windows does not have', async () => {
    const {events} = await written([fileEntry('Files/a?', ''), fileEntry('Files/b*', '')])
    assert.deepEqual(told(events), [['note', 'name-not-on-windows', 'Files/a?']])
  })

  for (const [note, form, entries, isPlain] of [
    ['its top says so', 'delta', [withNotes(directoryEntry('UtilityVM'), {isPlain: true})], true],
    ['the top of a delta has no descriptor', 'delta', [directoryEntry('UtilityVM')], true],
    [
      'the top of a delta has one',
      'delta',
      [
        {
          ...directoryEntry('UtilityVM'),
          meta: {
            attributes: 0x10,
            times: timesAt(1),
            securityDescriptor: Buffer.from('0100048000000000000000000000000000000000', 'hex'),
          },
        } as DirectoryEntry,
      ],
      false,
    ],
    ['it is a base', 'base', [directoryEntry('UtilityVM')], false],
    ['no entry states its top', 'base', [], true],
  ] as const satisfies readonly (readonly [string, 'base' | 'delta', readonly LayerEntry[], boolean])[])
    it(`keeps the utility VM ${isPlain ? 'plain' : 'in carriers'}: ${note}`, async () => {
      const {root, indexText} = await written([...entries, fileEntry('UtilityVM/a', 'text')], {form})
      assert.equal(
        readFileSync(path.join(root, 'UtilityVM/a')).toString('latin1'),
        isPlain ? 'text' : carrierOf('text').toString('latin1'),
      )
      assert.equal(indexOfText(indexText).get('UtilityVM/a')?.attributes, isPlain ? 0x20 : undefined)
      assert.equal(existsSync(path.join(root, 'UtilityVM.$wcidirs$')), !isPlain)
    })

  it('is spelt as the notes of its top have it', async () => {
    const list = Buffer.from('\ufeffVersion 1.0\r\n\\b\r\n\\a')
    const sidecar = Buffer.from('10200000', 'hex')
    const notes = {sidecar, sidecarTimes: timesAt(20), tombstones: list, tombstonesTimes: timesAt(30)}
    const {root, indexText} = await written([
      withNotes(timed(directoryEntry('Files'), 10), notes),
      tombstone('Files/a'),
      tombstone('Files/b'),
      timed(fileEntry('Hives/System_Delta', ''), 50),
    ])
    assert.ok(
      readFileSync(path.join(root, 'tombstones.txt')).equals(list) &&
        readFileSync(path.join(root, 'Files.$wcidirs$')).equals(sidecar),
    )
    assert.deepEqual(
      ['Files.$wcidirs$', 'tombstones.txt', 'Files'].map((name) => mtime(root, name)),
      [20, 30, 20],
    )
    const index = indexOfText(indexText)
    assert.deepEqual(
      ['Files.$wcidirs$', 'tombstones.txt', 'Files'].map((name) => index.get(name)?.times?.lastWrite),
      [tick(20), tick(30), undefined],
    )
    const none = await written([withNotes(directoryEntry('Files'), {tombstones: null})])
    assert.equal(existsSync(path.join(none.root, 'tombstones.txt')), false)
    const unnoted = await written([timed(directoryEntry('Files'), 10)])
    assert.deepEqual(
      [mtime(unnoted.root, 'tombstones.txt'), indexOfText(unnoted.indexText).get('tombstones.txt')?.times],
      [10, undefined],
    )
  })

  it('keeps the times of its tops in the index, where there is no System hive that lends them', async () => {
    const entries = [timed(directoryEntry('Files'), 10), timed(directoryEntry('Hives'), 11)]
    const index = indexOfText((await written(entries)).indexText)
    assert.deepEqual(
      ['Files', 'Hives'].map((name) => index.get(name)?.times?.lastWrite),
      [tick(10), tick(11)],
    )
    for (const [more, form] of [
      [[fileEntry('Hives/System_Delta', '')], 'delta'],
      [[], 'base'],
    ] as const)
      assert.equal(indexOfText((await written([...entries, ...more], {form})).indexText).get('Files'), undefined)
  })

  it('keeps what plain files have besides', async () => {
    const notes = {times: {creation: 1n, lastAccess: 2n}}
    const meta = {
      attributes: 0x22,
      times: timesAt(5),
      reparsePoint: Buffer.from('r'),
      extendedAttributes: [{name: 'A', flags: 0, value: Buffer.from('v')}],
    }
    const {indexText} = await written([withNotes({...(fileEntry('Hives/a', 'x') as FileEntry), meta}, notes)])
    assert.ok(
      indexText.includes(
        `"c":"1","a":"2","w":"${tick(5)}","h":"${tick(5)}","attr":34,"ea":[["A",0,"dg=="]],"rp":"cg=="}`,
      ),
    )
  })

  it('has a folder whose carrier is to be absent in its index alone', async () => {
    const layout = encodeCarrierFrame({isAbsent: true, streams: [], tail: new Uint8Array(0)})
    const {root, indexText} = await written([{...timed(directoryEntry('Files/d'), 7), frame: {layout}}])
    assert.deepEqual(
      ['Files/d', 'Files/d.$wcidirs$'].map((name) => existsSync(path.join(root, name))),
      [true, false],
    )
    assert.deepEqual(indexOfText(indexText).get('Files/d'), {path: 'Files/d', times: timesAt(7)})
  })

  it('passes over a frame that fits no entry, which is told', async () => {
    const {root, events} = await written([
      {...fileEntry('Files/a', 'text'), frame: {layout: Buffer.from([1, 255, 255])}},
    ])
    assert.deepEqual(told(events), [['note', 'layout-frame-unusable', 'Files/a']])
    assert.ok(readFileSync(path.join(root, 'Files/a')).equals(carrierOf('text')))
  })

  it('is the same however the content comes: at once, in pieces, with streams', async () => {
    const large = Buffer.alloc(2 ** 20 + 7, 'large ')
    for (const bytes of [Buffer.from(''), Buffer.from('text'), large])
      for (const content of [contentOf(bytes), {size: bytes.byteLength, open: () => chunked(bytes, 1000)}]) {
        const file = (name: string, more: object = {}) => ({
          ...(fileEntry(`Files/${name}`, '') as FileEntry),
          content,
          ...more,
        })
        const {root} = await written([file('a')])
        const plain = carrierOf(bytes.toString())
        assert.ok(readFileSync(path.join(root, 'Files/a')).equals(plain))
        const {root: other} = await written([file('a', {streams: streamsOf(MARK)})])
        const found = readFileSync(path.join(other, 'Files/a'))
        assert.ok(found.subarray(0, plain.byteLength).equals(plain) && found.subarray(-3).toString() === 'one')
        const {root: none} = await written([file('a', {streams: streamsOf()})])
        assert.ok(readFileSync(path.join(none, 'Files/a')).equals(plain))
      }
    assert.deepEqual(openBelow(folder.path), [])
  })

  it('has links, and copies of those that lead between carriers and plain files', async () => {
    const {root, indexText, events} = await written([
      fileEntry('Files/a', 'text', 0x21),
      linkEntry('Files/b', 'Files/A'),
      directoryEntry('UtilityVM'),
      linkEntry('UtilityVM/Files/c', 'Files/a'),
      timed(fileEntry('UtilityVM/Files/d', 'plain', 0x22), 9),
      linkEntry('Files/e', 'UtilityVM/Files/d'),
    ])
    const read = (name: string) => readFileSync(path.join(root, name))
    assert.equal(statSync(path.join(root, 'Files/a')).ino, statSync(path.join(root, 'Files/b')).ino)
    assert.equal(read('UtilityVM/Files/c').toString(), 'text')
    assert.ok(read('Files/e').equals(carrierOf('plain', 0x22)))
    const index = indexOfText(indexText)
    assert.deepEqual(
      [
        index.get('Files/b')?.link,
        index.get('UtilityVM/Files/c')?.link,
        index.get('UtilityVM/Files/c')?.attributes,
        index.get('Files/e')?.times?.lastWrite,
      ],
      ['Files/a', undefined, 0x21, tick(9)],
    )
    assert.deepEqual(events, [])
    assert.deepEqual(openBelow(folder.path), [])
  })

  it('has copies of files of the layers below', async () => {
    const asked: string[] = []
    const {root} = await written([linkEntry('Files/b', 'Files/low')], {
      readLower: (target) => {
        asked.push(target)
        return fileEntry('Files/low', 'below') as FileEntry
      },
    })
    assert.deepEqual(
      [asked, readFileSync(path.join(root, 'Files/b')).equals(carrierOf('below'))],
      [['Files/low'], true],
    )
    await assert.rejects(written([linkEntry('Files/b', 'Files/low')]), {code: 'LINK_TARGET_MISSING'})
  })

  it('ends where it is asked to', async () => {
    await assert.rejects(
      written([fileEntry('Files/a', '')], {signal: AbortSignal.abort(new Error('Enough.'))}),
      /Enough/,
    )
  })

  it('is refused where the disk holds what nobody told of', async () => {
    const root = mkdtempSync(path.join(folder.path, 'taken-'))
    writeFileSync(path.join(root, 'Files'), '')
    const draft = {metadata: storedOf('App').metadata, form: 'delta', keepRecipe: false} as const
    const layer = layerOf('it', [fileEntry('Files/a', '')])
    await assert.rejects(
      writeBarePayload(root, {draft, layer, title: 'it'}, {reference: 'layout:x', kind: 'A runtime layer'}, {}),
      {code: 'NAME_COLLISION'},
    )
  })

  it('may be a payload alone, whose metadata are told to be lost', async () => {
    const root = mkdtempSync(path.join(folder.path, 'bare-'))
    const events: WorkEvent[] = []
    const dependency = {publisher: 'CN=Contoso', name: 'Base', version: '1.0.0.0'}
    const {metadata} = storedOf('App', {metadata: {dependencies: [dependency]}})
    const layer = {...layerOf('it', [fileEntry('Files/a', 'text'), tombstone('Hives/x')]), diffId: digest('a')}
    const {
      artifact,
      index,
      digest: own,
    } = await writeBarePayload(
      root,
      {draft: {metadata, form: 'delta', keepRecipe: true}, layer, title: 'it'},
      {reference: 'layout:x', kind: 'A bare transport layout'},
      {onEvent: (event) => events.push(event)},
    )
    assert.deepEqual(told(events), [
      ['loss', 'metadata-not-kept', 'CN=Contoso_App_1.0.0.0'],
      ['loss', 'deletion-outside-files', 'Hives/x'],
    ])
    assert.ok(events[0]?.kind === 'loss' && events[0].message.startsWith('A bare transport layout'))
    const bytes = [...indexOfText(Buffer.concat([...index.pieces()])).lines()].reduce(
      (sum, {sizeBytes = 0}) => sum + sizeBytes,
      0,
    )
    assert.deepEqual(artifact, {
      kind: 'package',
      reference: 'layout:x',
      identity: metadata.identity,
      dependencies: [dependency],
      unchanged: false,
      layers: [
        {
          diffId: digest('a'),
          digest: own,
          mediaType: 'application/vnd.transship.transport-layout.v1',
          size: bytes,
          entries: 2,
        },
      ],
      bytesWritten: bytes,
    })
    assert.equal(own, digestOf(Buffer.concat([...index.pieces()])))
    assert.ok(!('diffId' in payloadArtifact(undefined, {digest: own, bytes: 1, entries: 1})))
  })
})
