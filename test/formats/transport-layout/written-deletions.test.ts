import assert from 'node:assert/strict'
import {decodeTombstones, encodeTombstones} from '../../../src/codecs/tombstones/tombstones.js'
import {ForeignNames} from '../../../src/formats/transport-layout/foreign-names.js'
import {WrittenDeletions} from '../../../src/formats/transport-layout/written-deletions.js'
import type {WorkEvent} from '../../../src/model/events.js'
import {parseLayerPath as at, type LayerPath} from '../../../src/model/layer-path.js'

describe('deletions that are written', () => {
  const list = (
    deletions: WrittenDeletions,
    {
      folders = [],
      files = [],
      kept,
      isDelta = true,
    }: {folders?: readonly string[]; files?: readonly string[]; kept?: Uint8Array | null; isDelta?: boolean},
  ) =>
    deletions.encode(
      {isFolder: (entry) => folders.includes(entry), isFile: (entry) => files.includes(entry)},
      kept,
      isDelta,
    )
  const of = (...paths: readonly string[]) => {
    const deletions = new WrittenDeletions()
    for (const each of paths)
      assert.equal(
        deletions.add({kind: 'tombstone', path: at(each.replace('*', '')), isDerived: each.endsWith('*')}),
        true,
      )
    return deletions
  }
  const pathsOf = (bytes: Uint8Array | undefined) => (bytes === undefined ? undefined : decodeTombstones(bytes))

  it('can only name what lies below Files', () => {
    const deletions = new WrittenDeletions()
    assert.equal(deletions.add({kind: 'tombstone', path: at('Hives/x')}), false)
    assert.equal(deletions.add({kind: 'tombstone', path: at('Files')}), false)
    assert.deepEqual(pathsOf(list(deletions, {})), [])
  })

  for (const [note, paths, given, expected] of [
    ['all', ['Files/b', 'Files/a'], {}, ['Files/b', 'Files/a']],
    ['not a file that was made again', ['Files/a', 'Files/b'], {files: ['Files/a']}, ['Files/b']],
    ['not a folder that was made again', ['Files/a', 'Files/b'], {folders: ['Files/a']}, ['Files/b']],
    ['not what is below a file', ['Files/a/b/c', 'Files/x'], {files: ['Files/a']}, ['Files/x']],
    [
      'what is below a folder, whatever lies above that',
      ['Files/a/b/c'],
      {folders: ['Files/a/b'], files: ['Files/a']},
      ['Files/a/b/c'],
    ],
    [
      'not what is below something that an opaque folder hides',
      ['Files/a*', 'Files/A/b', 'Files/ab'],
      {},
      ['Files/a', 'Files/ab'],
    ],
    ['what hides nothing', ['Files/a', 'Files/a/b'], {}, ['Files/a', 'Files/a/b']],
    ['none, of a delta', [], {}, []],
    ['none, of a base', [], {isDelta: false}, undefined],
    ['some, of a base', ['Files/a'], {isDelta: false}, ['Files/a']],
    ['none, where there was no list', [], {kept: null}, undefined],
    ['some, where there was no list', ['Files/a'], {kept: null}, ['Files/a']],
    ['all that are gone again, of a base', ['Files/a'], {isDelta: false, files: ['Files/a']}, undefined],
  ] as const)
    it(`are in the list: ${note}`, () => {
      assert.deepEqual(pathsOf(list(of(...paths), given)), expected)
    })

  it('are spelt as they were where the list says the same', () => {
    const kept = Buffer.concat([encodeTombstones([at('Files/B'), at('Files/a')]), Buffer.from('\\b')])
    assert.equal(list(of('Files/a', 'Files/b'), {kept}), kept)
    assert.equal(list(of('Files/a', 'Files/b'), {kept, isDelta: false, files: ['Files/a']}), kept)
    assert.deepEqual(pathsOf(list(of('Files/a'), {kept})), ['Files/a'])
    assert.deepEqual(pathsOf(list(of('Files/a', 'Files/c'), {kept})), ['Files/a', 'Files/c'])
    assert.deepEqual(pathsOf(list(of('Files/a', 'Files/b', 'Files/c'), {kept})), ['Files/a', 'Files/b', 'Files/c'])
  })
})

describe('names that Windows does not have', () => {
  const told = (...paths: readonly string[]) => {
    const events: WorkEvent[] = []
    const names = new ForeignNames()
    for (const each of paths) names.meet(each as LayerPath)
    names.tell({onEvent: (event) => events.push(event)})
    return events.map((event) =>
      event.kind === 'note' ? [event.code, event.subject, /(\d+) more/.exec(event.message)?.[1]] : [],
    )
  }
  it('are told once, by the first of them', () => {
    assert.deepEqual(told('Files/a', 'Files/b'), [])
    for (const sign of ['<', '>', '|', '?', '*', '"'])
      assert.deepEqual(told(`Files/${sign}`), [['name-not-on-windows', `Files/${sign}`, undefined]])
    assert.deepEqual(told('Files/a', 'Files/b?', 'Files/c*'), [['name-not-on-windows', 'Files/b?', '1']])
    assert.deepEqual(told('Files/b?', 'Files/c*', 'Files/d|'), [['name-not-on-windows', 'Files/b?', '2']])
  })
})
