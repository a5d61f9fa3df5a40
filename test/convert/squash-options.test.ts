import assert from 'node:assert/strict'
import path from 'node:path'
import {keyOf, valueOf, valueTombstone, type HiveKey} from '../../src/codecs/registry-hive/hive-key.js'
import {convert} from '../../src/convert/convert.js'
import {compare} from '../../src/convert/diff.js'
import {files} from '../../src/convert/files.js'
import {inspect} from '../../src/convert/inspect.js'
import type {ConvertOptions} from '../../src/convert/options.js'
import {verify} from '../../src/convert/verify.js'
import type {LayerEntry} from '../../src/model/layer-entry.js'
import {directoryEntry, linkEntry, opaque, tombstone} from '../helpers/file-system-model.js'
import {deltaOf, descriptorOf, hiveOf, text} from '../helpers/hives.js'
import {runJson} from '../helpers/run-cli.js'
import {CONFIG, fileOf, saveImage} from '../helpers/layer-archives.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'
import {requireTool, runTool} from '../helpers/tools.js'

const key = (name: string, draft: Partial<Parameters<typeof keyOf>[0]> = {}): HiveKey =>
  keyOf({security: descriptorOf(18), ...draft, name})
const root = (...subkeys: HiveKey[]): HiveKey => key('ROOT', {subkeys})
const mode = (value: string, inheritsClass = true): HiveKey =>
  key('Shop', {inheritsClass, values: [valueOf('Mode', 1, text(value))]})
const system = (delta: HiveKey): LayerEntry => fileOf('Hives/System_Delta', deltaOf(delta))

/** Twelve layers: deletions, names made again, changes of type, links across layers, and edits of the registry. */
const LAYERS: readonly (readonly LayerEntry[])[] = [
  [
    fileOf(`${CONFIG}/SYSTEM`, hiveOf(root(key('Select', {values: [valueOf('Current', 4, Buffer.alloc(4, 1))]})))),
    fileOf(`${CONFIG}/SOFTWARE`, hiveOf(root(mode('base', false)))),
    fileOf('Files/keep.txt', 'kept'),
    fileOf('Files/gone.txt', 'deleted in 3'),
    fileOf('Files/dir/one', '1'),
    fileOf('Files/dir/two', '2'),
    fileOf('Files/to-dir', 'a file that becomes a directory'),
  ],
  [fileOf('Files/shared', 'linked to from above'), system(root(mode('one'))), tombstone('Files/dir/two')],
  [linkEntry('Files/link', 'Files/shared'), fileOf('Files/dir/two', 'made again')],
  [tombstone('Files/gone.txt'), system(root(key('Shop', {disposition: 'tombstone'})))],
  [fileOf('Files/shared', 'replaced: the link keeps the old content')],
  [directoryEntry('Files/to-dir'), fileOf('Files/to-dir/inside', 'x')],
  [directoryEntry('Files/dir'), opaque('Files/dir'), fileOf('Files/dir/three', '3')],
  [system(root(key('Shop', {disposition: 'supersede-tree', values: [valueOf('Mode', 1, text('new'))]})))],
  [tombstone('Files/dir'), fileOf('Files/gone.txt', 'and back')],
  [fileOf('Files/dir', 'a directory that became a file')],
  [system(root(key('Select', {inheritsClass: true, values: [valueTombstone('Current')]})))],
  [fileOf('Hives/Software_Delta', deltaOf(root(mode('top')))), fileOf('Files/KEEP.TXT', 'kept, renamed')],
]

describe('squash', () => {
  const folder = temporaryFolder()
  let image = ''

  before(async () => {
    image = await saveImage(path.join(folder.path, 'image.tar'), LAYERS)
  })

  const rows: readonly {title: string; options: ConvertOptions; layers: number}[] = [
    {title: 'onto a kept base', options: {layers: 'squash'}, layers: 2},
    {title: 'with two layers kept as the operating system', options: {layers: 'squash', osLayers: 2}, layers: 3},
    {title: 'base and all with osLayers 0', options: {layers: 'squash', osLayers: 0}, layers: 1},
    {title: 'base and all with withBase', options: {withBase: true}, layers: 1},
    {title: 'a range in the middle', options: {squashRange: {from: 2, to: 8}}, layers: 6},
    {title: 'a range that begins with the base', options: {squashRange: {from: 0, to: 6}}, layers: 6},
    {title: 'a range at the top', options: {squashRange: {from: 5, to: 11}}, layers: 6},
    {title: 'a range of one layer', options: {squashRange: {from: 4, to: 4}}, layers: 12},
  ]
  for (const [index, {title, options, layers}] of rows.entries())
    it(`makes an image in which a container sees the same, ${title}`, async () => {
      const squashed = `docker-archive:${path.join(folder.path, `${index}.tar`)}`
      await convert(image, squashed, options)
      assert.equal((await inspect(squashed)).layers.length, layers)
      const {files, registry} = await compare(image, squashed)
      assert.deepEqual([files, registry], [[], []])
      assert.deepEqual((await verify(squashed)).faults, [])
    })

  for (const [index, {title, options}] of rows.entries())
    it(`makes packages in which a container sees the same, ${title}`, async () => {
      const repository = `inbox:${path.join(folder.path, `repository-${index}`)}`
      const {artifacts} = await convert(image, repository, {...options, name: 'Shop', publisher: 'CN=Contoso'})
      const {files, registry} = await compare(image, artifacts.at(-1)!.reference)
      assert.deepEqual([files, registry], [[], []])
      assert.deepEqual((await verify(repository)).faults, [])
    })

  it('merges a range of packages into the topmost of them, on which those above still depend', async () => {
    const chain = `inbox:${path.join(folder.path, 'chain')}`
    const made = await convert(image, chain, {layers: 'chain', name: 'Shop', publisher: 'CN=Contoso'})
    const merged = `inbox:${path.join(folder.path, 'merged')}`
    const {artifacts} = await convert(made.artifacts.at(-1)!.reference, merged, {squashRange: {from: 3, to: 9}})
    assert.equal(artifacts.length, 6)
    assert.equal(artifacts[3]!.identity, made.artifacts[9]!.identity)
    assert.deepEqual(
      artifacts[3]!.dependencies,
      made.artifacts[2]!.dependencies === undefined ? [] : [made.artifacts[2]!.identity],
    )
    const {files, registry} = await compare(image, artifacts.at(-1)!.reference)
    assert.deepEqual([files, registry], [[], []])
    assert.deepEqual((await verify(merged)).faults, [])
  })

  it('keeps the deletions of an image whose operating system is elsewhere', async () => {
    const above = await saveImage(path.join(folder.path, 'above.tar'), LAYERS.slice(3, 5))
    const squashed = `docker-archive:${path.join(folder.path, 'above-squashed.tar')}`
    await convert(above, squashed, {layers: 'squash'})
    const {entries} = await files(squashed, undefined, {layer: 0})
    assert.deepEqual(
      entries.filter(({kind}) => kind === 'tombstone').map(({path: name}) => name),
      ['Files/gone.txt'],
    )
  })

  for (const {args, why} of [
    {args: ['--layers', 'squash:3..12'], why: 'the image has 12 layers'},
    {args: ['--with-base', '--layers', 'chain'], why: 'chain keeps every layer'},
    {args: ['--with-base', '--layers', 'squash:1..2'], why: 'a range squashes not all'},
    {args: ['--with-base', '--os-layers', '1'], why: 'the two contradict each other'},
    {args: ['--with-base', '--without-base'], why: 'the two contradict each other'},
  ])
    it(`refuses ${args.join(' ')} as wrong usage: ${why}`, async () => {
      const {code} = await runJson(['convert', image, `docker-archive:${path.join(folder.path, 'never.tar')}`, ...args])
      assert.equal(code, 2)
    })

  it('takes a range from the command line, and tells it in the plan', async () => {
    const target = `docker-archive:${path.join(folder.path, 'planned.tar')}`
    const {code, json} = await runJson(['convert', image, target, '--layers', 'squash:1..11', '--dry-run'])
    assert.equal(code, 0)
    assert.equal((json as {mode: string}).mode, 'squash')
  })

  it('makes an archive that skopeo reads', async function () {
    requireTool(this, 'skopeo')
    const file = path.join(folder.path, 'for-skopeo.tar')
    await convert(image, `docker-archive:${file}`, {layers: 'squash'})
    const told = JSON.parse(runTool('skopeo', ['inspect', `docker-archive:${file}`])) as {Layers: string[]}
    assert.equal(told.Layers.length, 2)
  })
})
