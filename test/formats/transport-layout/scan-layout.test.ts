import assert from 'node:assert/strict'
import {encodeTombstones} from '../../../src/codecs/tombstones/tombstones.js'
import {LayoutLookup} from '../../../src/formats/transport-layout/layout-lookup.js'
import {type ReadLayoutOptions} from '../../../src/formats/transport-layout/read-layout.js'
import {parseLayerPath as at} from '../../../src/model/layer-path.js'
import {carrierOf, folderWith, layoutIn, SIDECAR, TOPS} from '../../helpers/layout-folders.js'
import {temporaryFolder} from '../../helpers/temporary-folder.js'

describe('a layout that is scanned', () => {
  const folder = temporaryFolder()
  const scanned = (files: Readonly<Record<string, string | Uint8Array>>, options: Partial<ReadLayoutOptions> = {}) =>
    layoutIn(folderWith(folder.path, files), options).layout.scanned
  const told = (files: Readonly<Record<string, string | Uint8Array>>, options: Partial<ReadLayoutOptions> = {}) =>
    [...scanned(files, options).nodes].map((node) => {
      if (node.kind === 'tombstone') return `-${node.path}${node.isOrphan ? '?' : ''}`
      return `${node.path}${node.kind === 'directory' ? '/' : ''}${node.isCarrier ? ' carrier' : ''}${node.lacksCarrier === true ? ' lacking' : ''}${node.diskPath === node.path ? '' : ` at ${node.diskPath}`}`
    })

  it('comes depth first, by the bytes of its names, deletions behind their folder', () => {
    const tombstones = encodeTombstones(['Files/b', 'Files/Dir/x', 'Files/B', 'Files/none/y', 'Files/Dir/w'].map(at))
    assert.deepEqual(
      told({
        ...TOPS,
        'tombstones.txt': tombstones,
        'Files/Dir/z': carrierOf(''),
        'Files/Dir.$wcidirs$': SIDECAR,
        'Files/Dir-a': carrierOf(''),
        'Files/a': carrierOf(''),
        'Hives/System_Delta': 'h',
      }),
      [
        'Files/',
        '-Files/b',
        'Files/Dir/ carrier',
        '-Files/Dir/x',
        '-Files/Dir/w',
        'Files/Dir/z carrier',
        'Files/Dir-a carrier',
        'Files/a carrier',
        '-Files/none/y?',
        'Hives/',
        'Hives/System_Delta',
      ],
    )
  })

  for (const [note, files, options, expected] of [
    [
      'a folder without its sidecar',
      {'Files/a/b': carrierOf('')},
      {},
      ['Files/', 'Files/a/ carrier lacking', 'Files/a/b carrier'],
    ],
    ['a sidecar without its folder', {'Files/a.$wcidirs$': SIDECAR}, {}, ['Files/', 'Files/a/ carrier']],
    [
      'a plain tree',
      {'Files/a/b': 'x', 'Files/c': 'y'},
      {isPlain: true},
      ['Files/', 'Files/a/', 'Files/a/b', 'Files/c'],
    ],
    [
      'a utility VM with carriers',
      {'UtilityVM/Files/a': carrierOf(''), 'UtilityVM/Files.$wcidirs$': SIDECAR, 'UtilityVM.$wcidirs$': SIDECAR},
      {},
      ['UtilityVM/ carrier', 'UtilityVM/Files/ carrier', 'UtilityVM/Files/a carrier'],
    ],
    ['a utility VM without', {'UtilityVM/Files/a': ''}, {}, ['UtilityVM/', 'UtilityVM/Files/', 'UtilityVM/Files/a']],
    [
      'a utility VM of the first previews',
      {'BaseOs/a/b': ''},
      {},
      [
        'UtilityVM/ at BaseOs',
        'UtilityVM/Files/ at BaseOs',
        'UtilityVM/Files/a/ at BaseOs/a',
        'UtilityVM/Files/a/b at BaseOs/a/b',
      ],
    ],
    [
      'top folders in another case',
      {'FILES/a': carrierOf(''), 'hives/': ''},
      {},
      ['FILES/', 'FILES/a carrier', 'hives/'],
    ],
    ['nothing', {}, {}, []],
  ] as const)
    it(`has ${note}`, () => {
      assert.deepEqual(told(files, options), expected)
    })

  it('has its deletions where a copy has lost the empty folder Files', () => {
    const tombstones = encodeTombstones([at('Files/gone')])
    assert.deepEqual(told({'Hives/': '', 'tombstones.txt': tombstones}), ['-Files/gone?', 'Hives/'])
  })

  it('tells what of it is no payload', () => {
    assert.deepEqual(scanned({...TOPS, 'other.txt': '', 'Extra/a': '', 'BaseOs/': ''}).strays, ['Extra', 'other.txt'])
    assert.deepEqual(scanned({'UtilityVM/': '', 'BaseOs/': '', 'UtilityVM.$wcidirs$': SIDECAR}).strays, ['BaseOs'])
    assert.deepEqual([scanned(TOPS).tombstones?.byteLength, scanned({'Files/': ''}).tombstones], [15, undefined])
  })

  for (const [note, files, code] of [
    ['a sidecar beside a file', {'Files/a': carrierOf(''), 'Files/a.$wcidirs$': SIDECAR}, 'NAME_COLLISION'],
    ['a sidecar of nothing', {'Files/.$wcidirs$': SIDECAR}, 'NAME_COLLISION'],
    ['a sidecar in another case', {'Files/a/': '', 'Files/a.$WCIDIRS$': SIDECAR}, 'NAME_UNSAFE'],
    ['the sidecar of a top folder in another case', {'Files/': '', 'files.$wcidirs$': SIDECAR}, 'NAME_UNSAFE'],
    ['two names at the top', {'Files/': '', FILES: ''}, 'NAME_COLLISION'],
    ['two names', {'Files/a': carrierOf(''), 'Files/A': carrierOf('')}, 'NAME_COLLISION'],
    ['a list of deletions that is none', {'Files/': '', 'tombstones.txt': 'x'}, 'TOMBSTONES_CORRUPT'],
  ] as const)
    it(`is refused for ${note}`, () => {
      assert.throws(
        () => scanned(files),
        (error: {code?: string; at?: {path?: string}}) =>
          error.code === code && error.at?.path?.startsWith('it') === true,
      )
    })

  it('has no more names, and none deeper, than may be', () => {
    const files = {'Files/a/b': carrierOf(''), 'Files/c': carrierOf('')}
    assert.equal(told(files, {maxEntries: 3}).length, 4)
    assert.throws(() => scanned(files, {maxEntries: 2}), {code: 'LIMIT_EXCEEDED', at: {path: 'it'}})
    assert.equal(told(files, {maxNameDepth: 3}).length, 4)
    assert.throws(() => scanned(files, {maxNameDepth: 2}), {code: 'LIMIT_EXCEEDED', at: {path: 'it'}})
  })

  it('is known by names in whatever case, and by what it deletes', () => {
    const {layout} = layoutIn(
      folderWith(folder.path, {
        ...TOPS,
        'tombstones.txt': encodeTombstones([at('Files/Gone')]),
        'Files/Dir/a': carrierOf('text'),
        'Files/Dir.$wcidirs$': SIDECAR,
      }),
    )
    const lookup = new LayoutLookup(layout)
    assert.equal(lookup.number(at('FILES/dir/A')), lookup.number(at('Files/Dir/a')))
    assert.deepEqual(
      [lookup.number(at('Files/none')), lookup.node(at('Files/none')), lookup.find(at('Files/none'))],
      [0, undefined, undefined],
    )
    assert.deepEqual(
      [
        lookup.node(at('files/dir'))?.diskPath,
        lookup.find(at('files/dir'))?.kind,
        lookup.find(at('files/dir/a'))?.kind,
      ],
      ['Files/Dir', 'directory', 'file'],
    )
    assert.deepEqual(
      ['Files/gone', 'Files/GONE/below/x', 'Files/gone2', 'Files', 'Files/Dir/a'].map((each) =>
        lookup.isDeleted(at(each)),
      ),
      [true, true, false, false, false],
    )
    lookup.close()
  })
})
