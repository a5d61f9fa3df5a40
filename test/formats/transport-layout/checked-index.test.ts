import assert from 'node:assert/strict'
import {appendFileSync, cpSync, linkSync, mkdirSync, mkdtempSync, renameSync, unlinkSync} from 'node:fs'
import path from 'node:path'
import {decodeIndexLine, encodeIndexLine, type IndexLine} from '../../../src/formats/transport-layout/index-line.js'
import {findUnusualLine} from '../../../src/formats/transport-layout/unusual-index.js'
import {verifyIndex} from '../../../src/formats/transport-layout/verify-layout.js'
import {directoryEntry, fileEntry, linkEntry, tombstone} from '../../helpers/file-system-model.js'
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

const ENTRIES = [
  directoryEntry('Files'),
  directoryEntry('Files/d'),
  fileEntry('Files/d/a', 'text'),
  linkEntry('Files/d/b', 'Files/d/a'),
  directoryEntry('Hives'),
  fileEntry('Hives/Sam_Delta', 'hive'),
  directoryEntry('UtilityVM'),
  fileEntry('UtilityVM/Files/x', 'x'),
  tombstone('Files/gone'),
]

describe('a layout and its index', () => {
  const folder = temporaryFolder()
  let sound: Awaited<ReturnType<typeof layoutWith>>
  before(async () => {
    sound = await layoutWith(folder.path, ENTRIES)
  })
  const copied = (change: LayoutChange = () => undefined) => {
    const root = mkdtempSync(path.join(folder.path, 'copy-'))
    cpSync(sound.root, root, {recursive: true, preserveTimestamps: true})
    // A copy has lost its links.
    unlinkSync(path.join(root, 'Files/d/b'))
    linkSync(path.join(root, 'Files/d/a'), path.join(root, 'Files/d/b'))
    change(root)
    return root
  }
  /** The index with a line changed, or left out. */
  const changed = (change: (line: IndexLine) => IndexLine | undefined, ...more: readonly IndexLine[]) => {
    const lines = sound.indexText
      .split('\n')
      .filter(Boolean)
      .map((text) => change(decodeIndexLine(text, 1)))
    return indexOfText(
      [...lines, ...more].map((line) => (line === undefined ? '' : `${encodeIndexLine(line)}\n`)).join(''),
    )
  }

  for (const [note, change, faults, edits] of [
    ['sound', () => undefined, [], []],
    [
      'a file changed',
      writing('Files/d/a', carrierOf('TEXT')),
      [
        ['DIGEST_MISMATCH', 'Files/d/a'],
        ['DIGEST_MISMATCH', 'Files/d/b'],
      ],
      [
        ['Files/d/a', 'changed'],
        ['Files/d/b', 'changed'],
      ],
    ],
    [
      'a file grown',
      changing('Hives/Sam_Delta', (file) => {
        appendFileSync(file, 'x')
      }),
      [['SIZE_MISMATCH', 'Hives/Sam_Delta']],
      [['Hives/Sam_Delta', 'changed']],
    ],
    ['a file removed', removing('Files/d/b'), [['NOT_FOUND', 'Files/d/b']], [['Files/d/b', 'removed']]],
    [
      'a file renamed',
      (root) => {
        renameSync(path.join(root, 'Files/d/b'), path.join(root, 'Files/d/B'))
      },
      [['NOT_FOUND', 'Files/d/b']],
      [['Files/d/b', 'changed']],
    ],
    [
      'a file added',
      writing('Files/d/c', carrierOf('')),
      [['ARCHIVE_CONTRADICTORY', 'Files/d/c']],
      [['Files/d/c', 'added']],
    ],
    [
      'a folder added',
      (root) => {
        writing('Files/new.$wcidirs$', SIDECAR)(root)
        mkdirSync(path.join(root, 'Files/new'))
      },
      [['ARCHIVE_CONTRADICTORY', 'Files/new.$wcidirs$']],
      [['Files/new', 'added']],
    ],
    [
      'a plain folder added',
      changing('UtilityVM/new', (file) => {
        mkdirSync(file)
      }),
      [],
      [],
    ],
    [
      'a sidecar removed',
      removing('Files/d.$wcidirs$'),
      [['NOT_FOUND', 'Files/d.$wcidirs$']],
      [['Files/d', 'changed']],
    ],
    [
      'a folder removed with its sidecar',
      (root) => {
        removing('Files/d')(root)
        removing('Files/d.$wcidirs$')(root)
      },
      [
        ['NOT_FOUND', 'Files/d/a'],
        ['NOT_FOUND', 'Files/d/b'],
        ['NOT_FOUND', 'Files/d.$wcidirs$'],
      ],
      [
        ['Files/d/a', 'removed'],
        ['Files/d/b', 'removed'],
        ['Files/d', 'removed'],
      ],
    ],
    [
      'the list of deletions removed',
      removing('tombstones.txt'),
      [['NOT_FOUND', 'tombstones.txt']],
      [['tombstones.txt', 'removed']],
    ],
  ] as const satisfies readonly (readonly [
    string,
    LayoutChange,
    readonly (readonly [string, string])[],
    readonly (readonly [string, string])[],
  ])[])
    it(`are held against each other: ${note}`, async () => {
      const {layout} = layoutIn(copied(change))
      const verdict = await verifyIndex(layout, indexOfText(sound.indexText), {})
      assert.deepEqual(
        verdict.faults.map(({code, subject}) => [code, subject]),
        faults,
      )
      assert.deepEqual(verdict.edits.files.map(({file, kind}) => [file, kind]).sort(), [...edits].sort())
      assert.equal(verdict.edits.total, edits.length)
      if (note === 'sound')
        assert.equal(
          verdict.bytes,
          [...indexOfText(sound.indexText).lines()].reduce((sum, {sizeBytes = 0}) => sum + sizeBytes, 0),
        )
      assert.deepEqual(openBelow(folder.path), [])
    })

  for (const [note, change, expected] of [
    [
      'no size',
      (line: IndexLine) => {
        const {sizeBytes: _, ...rest} = line
        return line.path === 'Files/d/a' ? rest : line
      },
      [],
    ],
    [
      'no digest',
      (line: IndexLine) => {
        const {sha256: _, ...rest} = line
        return line.path === 'Files/d/a' ? rest : line
      },
      [],
    ],
    [
      'no list of deletions',
      (line: IndexLine) => (line.path === 'tombstones.txt' ? undefined : line),
      ['tombstones.txt'],
    ],
    [
      'no sidecar',
      (line: IndexLine) => (line.path === 'Files/d.$wcidirs$' ? {...line, path: 'Files/d'} : line),
      ['Files/d', 'Files/d.$wcidirs$'],
    ],
    [
      'a folder in place of its sidecar',
      (line: IndexLine) => (line.path === 'Files.$wcidirs$' ? undefined : line),
      ['Files.$wcidirs$'],
    ],
  ] as const)
    it(`are held against each other where the index tells less: ${note}`, async () => {
      const {layout} = layoutIn(copied())
      assert.deepEqual(
        (await verifyIndex(layout, changed(change), {})).faults.map(({subject}) => subject),
        expected,
      )
    })

  it('are held against each other until that is enough', async () => {
    const {layout} = layoutIn(copied())
    await assert.rejects(
      verifyIndex(layout, indexOfText(sound.indexText), {signal: AbortSignal.abort(new Error('Enough.'))}),
      /Enough/,
    )
    const unusual = () =>
      findUnusualLine(layout, indexOfText(sound.indexText), {
        isPlain: false,
        signal: AbortSignal.abort(new Error('Enough.')),
      })
    assert.throws(unusual, /Enough/)
  })

  const only = (name: string, change: (line: IndexLine) => IndexLine | undefined) => (line: IndexLine) =>
    line.path === name ? change(line) : line
  const without = (name: string, ...keys: readonly (keyof IndexLine)[]) =>
    only(
      name,
      (line) =>
        Object.fromEntries(
          Object.entries(line).filter(([key]) => !keys.includes(key as keyof IndexLine)),
        ) as unknown as IndexLine,
    )
  const meta = {attributes: 0x10}
  for (const [note, change, expected] of [
    ['nothing', (line: IndexLine) => line, undefined],
    ['a file without a line', only('Files/d/a', () => undefined), 'Files/d/a'],
    ['a file without a size', without('Files/d/a', 'sizeBytes'), 'Files/d/a'],
    ['a file without a digest', without('Hives/Sam_Delta', 'sha256'), 'Hives/Sam_Delta'],
    ['a file without times', without('Hives/Sam_Delta', 'times'), 'Hives/Sam_Delta'],
    ['a carrier with attributes', only('Files/d/a', (line) => ({...line, attributes: 0x20})), 'Files/d/a'],
    ['a plain file without attributes', without('Hives/Sam_Delta', 'attributes'), 'Hives/Sam_Delta'],
    [
      'a plain file with those of a folder',
      only('Hives/Sam_Delta', (line) => ({...line, attributes: 0x30})),
      'Hives/Sam_Delta',
    ],
    ['a link that is not told', without('Files/d/b', 'link'), 'Files/d/b'],
    ['a link that is none', only('Hives/Sam_Delta', (line) => ({...line, link: 'Files/d/a'})), 'Hives/Sam_Delta'],
    ['the first name told as a link', only('Files/d/a', (line) => ({...line, link: 'Files/d/b'})), 'Files/d/a'],
    ['a sidecar without a line', only('Files/d.$wcidirs$', () => undefined), 'Files/d'],
    ['a sidecar without times', without('Files/d.$wcidirs$', 'times'), 'Files/d'],
    ['a sidecar with attributes', only('Files/d.$wcidirs$', (line) => ({...line, ...meta})), 'Files/d'],
    ['a sidecar of a top with attributes', only('Files.$wcidirs$', (line) => ({...line, ...meta})), 'Files'],
    ['a top with attributes', only('Files', (line) => ({...line, ...meta})), 'Files'],
    ['a top without a line', only('Hives', () => undefined), undefined],
    ['a plain folder without attributes', without('UtilityVM', 'attributes'), 'UtilityVM'],
    ['a plain folder with those of a file', only('UtilityVM', (line) => ({...line, attributes: 0x20})), 'UtilityVM'],
    ['a plain folder without times', without('UtilityVM', 'times'), 'UtilityVM'],
    ['a plain folder with a size', only('UtilityVM', (line) => ({...line, sizeBytes: 0})), 'UtilityVM'],
    ['a plain folder with a digest', only('UtilityVM', (line) => ({...line, sha256: 'a'.repeat(64)})), 'UtilityVM'],
    ['the list of deletions without a digest', without('tombstones.txt', 'sha256'), 'tombstones.txt'],
    [
      'the list of deletions with times',
      only('tombstones.txt', (line) => ({...line, times: {creation: 1n, lastAccess: 1n, lastWrite: 1n, change: 1n}})),
      undefined,
    ],
  ] as const)
    it(`tell where it is more or less than is usual: ${note}`, () => {
      const {layout} = layoutIn(copied())
      // What no entry states, a writer has no line for.
      const more: readonly IndexLine[] = sound.indexText.includes('"UtilityVM/Files"')
        ? []
        : [
            {
              path: 'UtilityVM/Files',
              times: {creation: 1n, lastAccess: 1n, lastWrite: 1n, change: 1n},
              attributes: 0x10,
            },
          ]
      assert.equal(findUnusualLine(layout, changed(change, ...more), {isPlain: false}), expected)
      layout.close()
    })

  it('tell that the index has more lines than there are files, and that a top lacks its sidecar', () => {
    const own = {
      path: 'UtilityVM/Files',
      times: {creation: 1n, lastAccess: 1n, lastWrite: 1n, change: 1n},
      attributes: 0x10,
    }
    const {layout} = layoutIn(copied())
    assert.equal(
      findUnusualLine(
        layout,
        changed((line) => line, own, {path: 'Z', sizeBytes: 1}),
        {isPlain: false},
      ),
      'payload-index.jsonl',
    )
    const bare = layoutIn(copied(removing('Files.$wcidirs$'))).layout
    assert.equal(
      findUnusualLine(
        bare,
        changed(
          only('Files.$wcidirs$', () => undefined),
          own,
        ),
        {isPlain: false},
      ),
      'Files',
    )
    // What no other line could be refused for.
    const stated = changed(
      (line) =>
        line.path === 'Files.$wcidirs$' ? undefined : line.path === 'Files' ? {...line, attributes: 0x10} : line,
      own,
    )
    assert.deepEqual(
      [false, true].map((isPlain) => findUnusualLine(bare, stated, {isPlain})),
      ['Files', undefined],
    )
  })
})
