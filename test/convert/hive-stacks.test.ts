import assert from 'node:assert/strict'
import fc from 'fast-check'
import {baseBlockChecksum} from '../../src/codecs/registry-hive/base-block.js'
import {keyOf, valueOf, type HiveKey} from '../../src/codecs/registry-hive/hive-key.js'
import {requireSound} from '../../src/codecs/registry-hive/require-sound.js'
import {squashLayers} from '../../src/convert/squash.js'
import type {WorkEvent} from '../../src/model/events.js'
import {contentOf} from '../../src/model/content.js'
import type {Layer} from '../../src/model/image.js'
import type {FileEntry, LayerEntry} from '../../src/model/layer-entry.js'
import {parseLayerPath} from '../../src/model/layer-path.js'
import {FUZZ_RUNS} from '../helpers/fuzz.js'
import {directoryEntry, fileEntry, layerOf, linkEntry} from '../helpers/file-system-model.js'
import {deltaOf, deltaTree, descriptorOf, hiveOf, openHive, plainTree, text} from '../helpers/hives.js'
import {seenInStack} from '../helpers/layer-stack.js'

const CONFIG = 'Files/Windows/System32/config'

function file(path: string, bytes: Uint8Array, mark = 0x20): LayerEntry {
  return {...fileEntry(path, '', mark), content: contentOf(bytes)} as FileEntry
}

function osLayer(entries: readonly LayerEntry[]): Layer {
  const folders = ['Files', 'Files/Windows', 'Files/Windows/System32', CONFIG].map((path) => directoryEntry(path))
  return layerOf('os', [...folders, ...entries])
}

function deltaLayer(title: string, entries: readonly LayerEntry[]): Layer {
  return layerOf(title, [directoryEntry('Files'), directoryEntry('Hives'), ...entries])
}

interface Squashed {
  readonly entries: LayerEntry[]
  readonly notes: string[]
  hive(path: string): Buffer | undefined
}

async function squash(layers: readonly Layer[], from = 0): Promise<Squashed> {
  const notes: string[] = []
  const onEvent = (event: WorkEvent): void => {
    if (event.kind === 'note') notes.push(event.code)
  }
  const range = {from, to: layers.length - 1, title: 'squashed', standsAlone: from === 0}
  const entries: LayerEntry[] = []
  for await (const entry of squashLayers(layers, range).entries({onEvent})) entries.push(entry)
  return {
    entries,
    notes,
    hive: (path) => {
      const found = entries.find((entry) => entry.kind === 'file' && entry.path === path) as FileEntry | undefined
      return found?.content?.bytes === undefined ? undefined : Buffer.from(found.content.bytes)
    },
  }
}

function read(bytes: Uint8Array | undefined): HiveKey {
  assert.ok(bytes, 'there is no such hive')
  const hive = openHive(bytes)
  requireSound(hive)
  return hive.root
}

const root = (draft: Partial<Parameters<typeof keyOf>[0]> = {}): HiveKey =>
  keyOf({name: 'ROOT', security: descriptorOf(18), ...draft})
const setting = (name: string, value: string): HiveKey => root({values: [valueOf(name, 1, text(value))]})

describe('squashing registry hives', () => {
  it('folds every delta into the hive of the OS', async () => {
    await fc.assert(
      fc.asyncProperty(
        plainTree('ROOT', 2),
        fc.array(deltaTree('ROOT', 2), {minLength: 1, maxLength: 4}),
        async (base, deltas) => {
          const layers = [
            osLayer([file(`${CONFIG}/SYSTEM`, hiveOf(base))]),
            ...deltas.map((delta, index) => deltaLayer(String(index), [file('Hives/System_Delta', deltaOf(delta))])),
          ]
          const squashed = await squash(layers)
          assert.deepEqual(seenInStack([read(squashed.hive(`${CONFIG}/SYSTEM`))]), seenInStack([base, ...deltas]))
          assert.equal(squashed.hive('Hives/System_Delta'), undefined)
        },
      ),
      {numRuns: FUZZ_RUNS},
    )
  })

  it('composes the deltas above a kept OS', async () => {
    await fc.assert(
      fc.asyncProperty(
        plainTree('ROOT', 2),
        fc.array(deltaTree('ROOT', 2), {minLength: 2, maxLength: 4}),
        async (base, deltas) => {
          const layers = [
            osLayer([file(`${CONFIG}/SYSTEM`, hiveOf(base))]),
            ...deltas.map((delta, index) => deltaLayer(String(index), [file('Hives/System_Delta', deltaOf(delta))])),
          ]
          const composed = read((await squash(layers, 1)).hive('Hives/System_Delta'))
          assert.deepEqual(seenInStack([base, composed]), seenInStack([base, ...deltas]))
        },
      ),
      {numRuns: FUZZ_RUNS},
    )
  })

  it('keeps each of the five hives apart', async () => {
    const names = ['DefaultUser', 'Sam', 'Security', 'Software', 'System']
    const files = ['DEFAULT', 'SAM', 'SECURITY', 'SOFTWARE', 'SYSTEM']
    const layers = [
      osLayer(files.map((name) => file(`${CONFIG}/${name}`, hiveOf(setting('os', name))))),
      deltaLayer(
        '1',
        names.map((name) => file(`Hives/${name}_Delta`, deltaOf(setting('delta', name)))),
      ),
    ]
    const squashed = await squash(layers)
    for (const [index, name] of names.entries()) {
      const values = read(squashed.hive(`${CONFIG}/${files[index]!}`)).values()
      assert.deepEqual(
        values.map((value) => Buffer.from(value.data).toString('utf16le')),
        [`${files[index]!}\0`, `${name}\0`],
      )
    }
  })

  it('drops logs of a hive that is written anew, and keeps those of others', async () => {
    const logs = ['SYSTEM.LOG1', 'SYSTEM.LOG2', 'SYSTEM{12}.TM.blf', 'SAM.LOG1', 'BBI.LOG1']
    const layers = [
      osLayer([
        ...['SYSTEM', 'SAM'].map((name) => file(`${CONFIG}/${name}`, hiveOf(root()))),
        ...logs.map((name) => fileEntry(`${CONFIG}/${name}`, '')),
      ]),
      deltaLayer('1', [
        file('Hives/System_Delta', deltaOf(setting('a', '1'))),
        fileEntry('Hives/System_Delta.LOG1', ''),
      ]),
    ]
    const {entries} = await squash(layers)
    const names = entries.flatMap((entry) => (entry.kind === 'file' ? [entry.path.replace(`${CONFIG}/`, '')] : []))
    assert.deepEqual(names.sort(), ['BBI.LOG1', 'SAM', 'SAM.LOG1', 'SYSTEM'])
  })

  it('gives out a hive of the OS before the other names of it', async () => {
    const layers = [
      osLayer([
        file(`${CONFIG}/SYSTEM`, hiveOf(root())),
        directoryEntry('Hives'),
        linkEntry('Hives/System_Base', `${CONFIG}/SYSTEM`),
      ]),
      deltaLayer('1', [file('Hives/System_Delta', deltaOf(setting('a', '1')))]),
    ]
    const {entries} = await squash(layers)
    const position = (kind: string): number => entries.findIndex((entry) => entry.kind === kind)
    assert.ok(position('file') >= 0 && position('file') < position('hard-link'))
  })

  it('folds deltas into the base hive of a layer, which is then as old as its last change', async () => {
    const layers = [
      osLayer([directoryEntry('Hives'), file('Hives/System_Base', hiveOf(setting('a', '1'), 3), 0x21)]),
      deltaLayer('1', [file('Hives/System_Delta', deltaOf(setting('b', '2')), 0x22)]),
      deltaLayer('2', [file('Hives/System_Delta', deltaOf(setting('c', '3')), 0x26)]),
    ]
    const squashed = await squash(layers)
    const hive = openHive(squashed.hive('Hives/System_Base')!)
    assert.deepEqual(
      hive.root.values().map((value) => value.name),
      ['a', 'b', 'c'],
    )
    assert.deepEqual([hive.header.minorVersion, hive.header.flags], [3, 0])
    const entry = squashed.entries.find((each) => each.kind === 'file')
    assert.equal(entry?.kind === 'file' ? entry.meta.attributes : 0, 0x26)
    assert.equal(squashed.entries.filter((each) => each.kind === 'file').length, 1)
  })

  it('leaves the bytes of a hive alone that only one layer changes, or all alike', async () => {
    const bytes = Buffer.concat([deltaOf(setting('a', '1')), Buffer.from('what Windows left behind it')])
    const layers = [
      osLayer([]),
      deltaLayer('1', [file('Hives/System_Delta', bytes), file('Hives/Sam_Delta', bytes)]),
      deltaLayer('2', [file('Hives/System_Delta', bytes), file('Hives/Sam_Delta', Buffer.alloc(0))]),
    ]
    const squashed = await squash(layers, 1)
    assert.ok(squashed.hive('Hives/System_Delta')?.equals(bytes))
    assert.ok(squashed.hive('Hives/Sam_Delta')?.equals(bytes))
  })

  it('passes on what else lies among the hives, of the topmost layer that has it', async () => {
    const layers = [
      osLayer([]),
      deltaLayer('1', [fileEntry('Hives/notes.txt', 'old')]),
      deltaLayer('2', [fileEntry('Hives/NOTES.TXT', 'new')]),
    ]
    assert.equal((await squash(layers, 1)).hive('Hives/NOTES.TXT')?.toString(), 'new')
  })

  it('keeps a delta, and says so, when nothing holds the hive it changes', async () => {
    for (const os of [[], [file(`${CONFIG}/SYSTEM`, Buffer.alloc(0))]]) {
      const layers = [
        osLayer(os),
        deltaLayer('1', [file('Hives/System_Delta', deltaOf(setting('a', '1')))]),
        deltaLayer('2', [file('Hives/System_Delta', deltaOf(setting('b', '2')))]),
      ]
      const squashed = await squash(layers)
      assert.equal(read(squashed.hive('Hives/System_Delta')).values().length, 2)
      assert.deepEqual(squashed.notes, ['hive-without-base'])
    }
  })

  const dirty = (bytes: Buffer): Buffer => {
    bytes.writeUInt32LE(2, 4)
    bytes.writeUInt32LE(baseBlockChecksum(bytes), 508)
    return bytes
  }

  /** An old log that holds all of a hive. */
  const logOf = (logged: Buffer): Buffer => {
    const data = logged.subarray(4096)
    const head = Buffer.from(logged.subarray(0, 512))
    head.writeUInt32LE(1, 28)
    head.writeUInt32LE(baseBlockChecksum(head), 508)
    const bitmap = Buffer.alloc(512)
    bitmap.write('DIRT', 'latin1')
    bitmap.fill(0xff, 4, 4 + data.byteLength / 4096)
    return Buffer.concat([head, bitmap, data])
  }

  it('takes the logs of a hive that was not written to its end', async () => {
    const log = logOf(hiveOf(setting('logged', '1')))
    const layers = [
      osLayer([file(`${CONFIG}/SYSTEM`, dirty(hiveOf(root()))), file(`${CONFIG}/SYSTEM.LOG1`, log)]),
      deltaLayer('1', [file('Hives/System_Delta', deltaOf(setting('a', '1')))]),
    ]
    const squashed = await squash(layers)
    const values = read(squashed.hive(`${CONFIG}/SYSTEM`)).values()
    assert.deepEqual(
      values.map((value) => value.name),
      ['logged', 'a'],
    )
    assert.deepEqual(squashed.notes, ['hive-logs-replayed'])
  })

  for (const [title, isTwice] of [
    ['only one layer changes', false],
    ['all change alike', true],
  ] as const)
    it(`takes the logs of such a delta that ${title}`, async () => {
      const delta = [
        file('Hives/System_Delta', dirty(deltaOf(root()))),
        file('Hives/System_Delta.LOG1', logOf(deltaOf(setting('logged', '1')))),
      ]
      const layers = [osLayer([]), deltaLayer('1', delta), deltaLayer('2', isTwice ? delta : [])]
      const squashed = await squash(layers, 1)
      const names = read(squashed.hive('Hives/System_Delta'))
        .values()
        .map((value) => value.name)
      assert.deepEqual([...new Set(names)], ['logged'])
    })

  it('takes the logs of the base hive of a layer that no layer changes', async () => {
    const layers = [
      osLayer([
        directoryEntry('Hives'),
        file('Hives/System_Base', dirty(hiveOf(root()))),
        file('Hives/System_Base.LOG1', logOf(hiveOf(setting('logged', '1')))),
      ]),
      deltaLayer('1', []),
    ]
    assert.equal(read((await squash(layers)).hive('Hives/System_Base')).values()[0]?.name, 'logged')
  })

  for (const [title, upper, folders] of [
    ['nothing', [], 0],
    ['deltas that are folded', [file('Hives/System_Delta', deltaOf(setting('a', '1')))], 0],
    ['a delta that stays', [file('Hives/Sam_Delta', deltaOf(setting('a', '1')))], 1],
    ['another file', [fileEntry('Hives/notes.txt', 'x')], 1],
    ['a folder', [directoryEntry('Hives/sub'), fileEntry('Hives/sub/x', 'x')], 1],
  ] as const)
    it(`gives a base a folder of hives only for what lies in it, and first: ${title}`, async () => {
      const layers = [osLayer([file(`${CONFIG}/SYSTEM`, hiveOf(root()))]), deltaLayer('1', upper)]
      const paths = (await squash(layers)).entries.flatMap((entry) => (entry.kind === 'frame' ? [] : [entry.path]))
      const hives = paths.filter((path) => /^hives(?:\/|$)/i.test(path))
      assert.deepEqual(
        [hives[0] ?? '', hives.filter((path) => path === 'Hives').length],
        [folders === 0 ? '' : 'Hives', folders],
      )
    })

  const plainOs = osLayer([file(`${CONFIG}/SYSTEM`, hiveOf(root()))])
  const change = deltaLayer('1', [file('Hives/System_Delta', deltaOf(setting('a', '1')))])
  for (const {title, layers, code, path} of [
    {
      title: 'a hive that was not written to its end and has no logs',
      layers: [osLayer([file(`${CONFIG}/SYSTEM`, dirty(hiveOf(root())))]), change],
      code: 'HIVE_DIRTY',
      path: `${CONFIG}/SYSTEM`,
    },
    {
      title: 'a damaged delta',
      layers: [plainOs, change, deltaLayer('2', [fileEntry('Hives/System_Delta', 'not a hive')])],
      code: 'HIVE_CORRUPT',
      path: 'Hives/System_Delta',
    },
    {
      title: 'a delta in the place of the hive of the OS',
      layers: [osLayer([file(`${CONFIG}/SYSTEM`, deltaOf(root()))]), change],
      code: 'HIVE_CONFLICT',
      path: `${CONFIG}/SYSTEM`,
    },
    ...(['System', 'DefaultUser'] as const).map((name) => ({
      title: `a hive of the OS that is a hard link to another, of which ${name} is changed as a hive`,
      layers: [
        osLayer([file(`${CONFIG}/DEFAULT`, hiveOf(root())), linkEntry(`${CONFIG}/SYSTEM`, `${CONFIG}/DEFAULT`)]),
        deltaLayer('1', [file(`Hives/${name}_Delta`, deltaOf(setting('a', '1')))]),
      ],
      code: 'HIVE_CONFLICT',
      path: `${CONFIG}/SYSTEM`,
    })),
    {
      title: 'a hive of the OS replaced by a hard link, and changed as a hive',
      layers: [
        plainOs,
        change,
        layerOf('2', [directoryEntry('Files'), fileEntry('Files/a', 'x'), linkEntry(`${CONFIG}/SYSTEM`, 'Files/a')]),
      ],
      code: 'HIVE_CONFLICT',
      path: `${CONFIG}/SYSTEM`,
    },
    {
      title: 'a hive of the OS replaced as a file, and changed as a hive',
      layers: [plainOs, change, deltaLayer('2', [file(`${CONFIG}/SYSTEM`, hiveOf(root()))])],
      code: 'HIVE_CONFLICT',
      path: `${CONFIG}/SYSTEM`,
    },
  ])
    it(`refuses ${title}`, async () => {
      await assert.rejects(squash(layers), (error: {code?: string; at?: {path?: string}}) => {
        assert.deepEqual([error.code, error.at?.path], [code, parseLayerPath(path)])
        return true
      })
    })
})
