import assert from 'node:assert/strict'
import {recordingRecipe, checkOf, streamCheckOf} from '../../../src/codecs/recipe/record-recipe.js'
import {replayRecipe, type ReplaySource} from '../../../src/codecs/recipe/replay-recipe.js'
import {CHECK_BYTES, type RecipeRecord} from '../../../src/codecs/recipe/recipe-records.js'
import {contentOf} from '../../../src/model/content.js'
import {digestOf} from '../../../src/model/digest.js'
import type {AlternateStream, DirectoryEntry, FileEntry, LayerEntry} from '../../../src/model/layer-entry.js'
import {parseLayerPath} from '../../../src/model/layer-path.js'
import type {WindowsMetadata} from '../../../src/model/windows-metadata.js'
import {lateFaultOf} from '../../helpers/faults.js'
import {streamOf} from '../../helpers/streams.js'

const at = parseLayerPath
const TIMES = {creation: 1n, lastAccess: 2n, lastWrite: 3n, change: 4n}
const META: WindowsMetadata = {attributes: 32, times: TIMES}
const archive = Buffer.from('spelt')

const stream = (name: string, text: string, framed?: Uint8Array): AlternateStream => ({
  name,
  content: contentOf(Buffer.from(text)),
  ...(framed === undefined ? {} : {frame: {archive: framed}}),
})
const file = (name: string, text = 'text', more: Partial<FileEntry> = {}): FileEntry => ({
  kind: 'file',
  path: at(name),
  meta: META,
  content: contentOf(Buffer.from(text)),
  ...more,
})
const folder = (name: string, more: Partial<DirectoryEntry> = {}): DirectoryEntry => ({
  kind: 'directory',
  path: at(name),
  meta: {...META, attributes: 16},
  ...more,
})

/** What is recorded of entries; `look` is what the consumer does with each. */
async function recorded(
  entries: readonly LayerEntry[],
  look: (entry: LayerEntry) => Promise<void> | void = () => undefined,
): Promise<RecipeRecord[]> {
  const records: RecipeRecord[] = []
  const passed: LayerEntry[] = []
  for await (const entry of recordingRecipe(streamOf(...entries), (record) => void records.push(record))) {
    passed.push(entry)
    await look(entry)
  }
  assert.deepEqual(
    passed.map(({kind}) => kind),
    entries.map(({kind}) => kind),
  )
  return records
}

describe('recording a recipe', () => {
  const path = at('Files/a')
  for (const [note, entry, expected] of [
    ['a file as it is', file('Files/a'), {kind: 'entry', path, streams: []}],
    ['a whiteout', {kind: 'tombstone', path}, {kind: 'tombstone', path}],
    ['a whiteout with a form', {kind: 'tombstone', path, frame: {archive}}, {kind: 'tombstone', path, archive}],
    ['a derived deletion', {kind: 'tombstone', path, isDerived: true, frame: {archive}}, {kind: 'derived', path}],
    ['a deletion that is not derived', {kind: 'tombstone', path, isDerived: false}, {kind: 'tombstone', path}],
    ['an opaque marker', {kind: 'opaque', path}, {kind: 'opaque', path}],
    ['an opaque marker with a form', {kind: 'opaque', path, frame: {archive}}, {kind: 'opaque', path, archive}],
    [
      'a hard link',
      {kind: 'hard-link', path, target: at('Files/t'), meta: META},
      {kind: 'hard-link', path, target: at('Files/t'), attributes: 32, times: TIMES},
    ],
    [
      'a hard link with a form',
      {kind: 'hard-link', path, target: at('Files/t'), meta: META, frame: {archive}},
      {kind: 'hard-link', path, target: at('Files/t'), attributes: 32, times: TIMES, archive},
    ],
    ['outer bytes', {kind: 'frame', frame: {archive}}, {kind: 'frame', archive}],
    ['no outer bytes of a layout', {kind: 'frame', frame: {layout: archive}}, undefined],
  ] as const satisfies readonly (readonly [string, LayerEntry, RecipeRecord | undefined])[])
    it(`tells ${note}`, async () => {
      assert.deepEqual(await recorded([entry]), expected === undefined ? [] : [expected])
    })

  it('tells a form with what the entry must be like', async () => {
    const entry = file('Files/a', 'text', {frame: {archive}})
    const [record] = await recorded([entry])
    assert.deepEqual(record, {kind: 'entry', path, form: {archive, check: checkOf(entry)}, streams: []})
    assert.equal(checkOf(entry).byteLength, CHECK_BYTES)
  })

  it('tells an entry once the consumer is done with it, and its streams whether they were read or not', async () => {
    const make = () =>
      file('Files/a', 'text', {
        streams: streamOf(stream('zero', '0'), stream('one', '1', archive), stream('two', '2', Buffer.alloc(0))),
      })
    const forms = [1, 2].map((index) => ({
      index,
      archive: index === 1 ? archive : Buffer.alloc(0),
      check: streamCheckOf(file('Files/a'), index === 1 ? stream('one', '1') : stream('two', '2')),
    }))
    for (const read of [0, 1, 2, 3, 9]) {
      const seen: string[] = []
      const records = await recorded([make(), file('Files/b')], async (entry) => {
        if (entry.kind !== 'file' || entry.streams === undefined || read === 0) return
        for await (const {name} of entry.streams) {
          seen.push(name)
          if (seen.length === read) break
        }
      })
      assert.deepEqual(seen, ['zero', 'one', 'two'].slice(0, read))
      assert.deepEqual(records, [
        {kind: 'entry', path, streams: forms},
        {kind: 'entry', path: at('Files/b'), streams: []},
      ])
    }
  })

  it('gives no streams to what has none', async () => {
    await recorded([file('Files/a')], (entry) => {
      assert.ok(entry.kind === 'file' && !('streams' in entry))
    })
  })
})

describe('what a form must fit', () => {
  const differs = (one: FileEntry | DirectoryEntry, other: FileEntry | DirectoryEntry) =>
    Buffer.compare(checkOf(one), checkOf(other)) !== 0

  for (const [note, other, changes] of [
    ['another size', file('Files/a', 'longer'), true],
    ['other text of the same size', file('Files/a', 'tttt'), false],
    ['another time', file('Files/a', 'text', {meta: {...META, times: {...TIMES, change: 5n}}}), true],
    ['other attributes', file('Files/a', 'text', {meta: {...META, attributes: 33}}), true],
    ['another name', file('Files/A'), true],
    ['a form of a layout', file('Files/a', 'text', {frame: {layout: Buffer.of(1)}}), true],
    ['another spelling in a tar', file('Files/a', 'text', {frame: {archive}}), false],
    ['a folder', folder('Files/a'), true],
  ] as const)
    it(`is told by its header: ${note}`, () => {
      assert.equal(differs(file('Files/a'), other), changes)
    })

  for (const name of ['Files', 'Hives/System_Delta', 'UtilityVM/Files/a'])
    it(`is only kind and size of ${name}`, () => {
      const other = {...META, attributes: 1}
      assert.equal(differs(file(name), file(name, 'tttt', {meta: other})), false)
      assert.equal(differs(file(name), file(name, 'longer')), true)
      assert.equal(differs(file(name, ''), folder(name)), true)
      assert.equal(differs(folder(name), folder(name, {meta: other})), false)
    })

  it('takes a file without data for an empty one', () => {
    const bare: FileEntry = {kind: 'file', path: at('Files/a'), meta: META}
    assert.equal(differs(bare, file('Files/a', '')), false)
    assert.equal(differs(bare, file('Files/a', 'x')), true)
    assert.deepEqual(streamCheckOf(bare, stream('s', 'x')), streamCheckOf(file('Files/a', ''), stream('s', 'x')))
  })

  for (const [note, one, other] of [
    ['its size', stream('s', 'x'), stream('s', 'xy')],
    ['its name', stream('s', 'x'), stream('S', 'x')],
  ] as const)
    it(`is, of a stream, ${note}`, () => {
      assert.notDeepEqual(streamCheckOf(file('Files/a'), one), streamCheckOf(file('Files/a'), other))
    })

  it('is, of a stream, what its owner is too', () => {
    const one = stream('s', 'x')
    const check = streamCheckOf(file('Files/a'), one)
    assert.equal(check.byteLength, CHECK_BYTES)
    assert.notDeepEqual(streamCheckOf(file('Files/b'), one), check)
    assert.notDeepEqual(streamCheckOf(folder('Files/a', {meta: META}), one), check)
    assert.deepEqual(streamCheckOf(file('Files/a', 'other text'), one), check)
  })
})

/** Replays records over a payload; what was told as changed comes with the entries. */
async function replayed(
  records: readonly RecipeRecord[],
  payload: readonly (FileEntry | DirectoryEntry)[],
  isLink = true,
) {
  const changed: string[] = []
  const source: ReplaySource = {
    find: (path) => payload.find((entry) => entry.path.toLowerCase() === path.toLowerCase()),
    isLink: () => Promise.resolve(isLink),
    onChanged: (path) => changed.push(path),
  }
  const entries: unknown[] = []
  for await (const entry of replayRecipe(streamOf(...records), source)) {
    if ((entry.kind !== 'file' && entry.kind !== 'directory') || entry.streams === undefined) {
      entries.push(entry)
      continue
    }
    const streams: unknown[] = []
    for await (const {name, frame} of entry.streams) streams.push(frame === undefined ? name : {name, frame})
    entries.push({path: entry.path, frame: entry.frame, streams})
  }
  return {entries, changed}
}

describe('replaying a recipe', () => {
  const path = at('Files/a')
  const target = at('Files/t')
  const link: RecipeRecord = {kind: 'hard-link', path, target, attributes: 32, times: TIMES, archive}

  for (const [note, record, expected] of [
    ['no entry for the end', {kind: 'end', diffId: digestOf(Buffer.of()), entries: 0}, []],
    ['no entry for a derived deletion', {kind: 'derived', path}, []],
    ['outer bytes', {kind: 'frame', archive}, [{kind: 'frame', frame: {archive}}]],
    ['a whiteout', {kind: 'tombstone', path}, [{kind: 'tombstone', path}]],
    ['a whiteout with its form', {kind: 'tombstone', path, archive}, [{kind: 'tombstone', path, frame: {archive}}]],
    ['an opaque marker', {kind: 'opaque', path, archive}, [{kind: 'opaque', path, frame: {archive}}]],
    ['a hard link', link, [{kind: 'hard-link', path, target, meta: {attributes: 32, times: TIMES}, frame: {archive}}]],
  ] as const satisfies readonly (readonly [string, RecipeRecord, readonly LayerEntry[]])[])
    it(`gives ${note}`, async () => {
      assert.deepEqual(await replayed([record], []), {entries: expected, changed: []})
    })

  it('gives the file in place of a link that is none any more, and tells', async () => {
    const entry = file('Files/a')
    assert.deepEqual(await replayed([link], [entry], false), {entries: [entry], changed: [path]})
    assert.deepEqual(await replayed([link], [], false), {entries: [], changed: [path]})
  })

  it('gives what the payload has, by the name that the tar had', async () => {
    const entry = file('Files/A')
    assert.deepEqual(await replayed([{kind: 'entry', path, streams: []}], [entry]), {
      entries: [{...entry, path}],
      changed: [],
    })
  })

  it('is refused where the payload lacks an entry', async () => {
    assert.equal((await lateFaultOf(replayed([{kind: 'entry', path, streams: []}], []))).code, 'RECIPE_CORRUPT')
  })

  it('gives a form to what fits it, beside that of the layout', async () => {
    const entry = file('Files/a', 'text', {frame: {layout: Buffer.of(9)}})
    const record: RecipeRecord = {kind: 'entry', path, form: {archive, check: checkOf(entry)}, streams: []}
    const {entries, changed} = await replayed([record], [entry])
    assert.deepEqual([entries, changed], [[{...entry, frame: {layout: Buffer.of(9), archive}}], []])
  })

  it('gives no form to what was changed, nor to its streams, and tells', async () => {
    const check = checkOf(file('Files/a', 'another length'))
    const streamCheck = streamCheckOf(file('Files/a'), stream('s', 'x'))
    const record: RecipeRecord = {
      kind: 'entry',
      path,
      form: {archive, check},
      streams: [{index: 0, archive, check: streamCheck}],
    }
    const entry = file('Files/a', 'text', {streams: streamOf(stream('s', 'x'))})
    assert.deepEqual(await replayed([record], [entry]), {
      entries: [{path, frame: undefined, streams: ['s']}],
      changed: [path],
    })
  })

  const forms = (...indexes: readonly number[]): RecipeRecord => ({
    kind: 'entry',
    path,
    streams: indexes.map((index) => ({
      index,
      archive,
      check: streamCheckOf(file('Files/a'), stream(`s${index}`, 'x')),
    })),
  })
  const framed = (name: string) => ({name, frame: {archive}})
  for (const [note, record, names, streams, changed] of [
    ['each by its place', forms(1), ['s0', 's1', 's2'], ['s0', framed('s1'), 's2'], 0],
    ['several', forms(0, 2), ['s0', 's1', 's2'], [framed('s0'), 's1', framed('s2')], 0],
    ['none that was changed, which is told', forms(0, 1), ['s0', 'other'], [framed('s0'), 'other'], 1],
    ['none that is not there, which is told', forms(0, 1), ['s0'], [framed('s0')], 1],
    ['none where there are none, which is told', forms(0), [], [], 1],
  ] as const)
    it(`gives forms to streams: ${note}`, async () => {
      const entry = file('Files/a', 'text', {streams: streamOf(...names.map((name) => stream(name, 'x')))})
      const {entries, changed: told} = await replayed([record], [entry])
      assert.deepEqual(entries, [{path, frame: undefined, streams}])
      assert.deepEqual(told, Array<string>(changed).fill(path))
    })

  it('tells of forms of streams where the entry has none at all', async () => {
    const entry = file('Files/a')
    assert.deepEqual(await replayed([forms(0)], [entry]), {entries: [entry], changed: [path]})
    assert.deepEqual((await replayed([forms()], [entry])).changed, [])
  })
})
