import assert from 'node:assert/strict'
import path from 'node:path'
import {keyOf, valueOf, valueTombstone, type HiveKey} from '../../src/codecs/registry-hive/hive-key.js'
import {convert} from '../../src/convert/convert.js'
import {compare, type DiffOptions, type DiffReport} from '../../src/convert/diff.js'
import {contentOf} from '../../src/model/content.js'
import type {AlternateStream, FileEntry, LayerEntry} from '../../src/model/layer-entry.js'
import {formatDiff} from '../../src/terminal/diff-text.js'
import {directoryEntry, linkEntry, tombstone} from '../helpers/file-system-model.js'
import {deltaOf, descriptorOf, hiveOf, text} from '../helpers/hives.js'
import {CONFIG, fileOf, saveImage} from '../helpers/layer-archives.js'
import {runCli, runJson} from '../helpers/run-cli.js'
import {assertSchema} from '../helpers/schemas.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'

const key = (name: string, draft: Partial<Parameters<typeof keyOf>[0]> = {}): HiveKey =>
  keyOf({security: descriptorOf(18), ...draft, name})

const setup = (values: HiveKey): HiveKey => key('ROOT', {subkeys: [values]})
const software = setup(key('Shop', {values: [valueOf('Mode', 1, text('fast')), valueOf('Old', 4, Buffer.alloc(4))]}))
const change = setup(
  key('shop', {inheritsClass: true, values: [valueOf('Mode', 1, text('slow')), valueTombstone('Old')]}),
)
const base: readonly LayerEntry[] = [
  fileOf(`${CONFIG}/SYSTEM`, hiveOf(key('ROOT'))),
  fileOf(`${CONFIG}/SOFTWARE`, hiveOf(software)),
  fileOf(`${CONFIG}/SAM`, hiveOf(setup(key('SAM', {values: [valueOf('C', 1, text('hash'))]})))),
  fileOf('Files/a.txt', 'one'),
  fileOf('Files/gone.txt', 'x'),
]
const upper: readonly LayerEntry[] = [
  fileOf('Hives/Software_Delta', deltaOf(change)),
  tombstone('Files/gone.txt'),
  linkEntry('Files/b.txt', 'Files/c.txt'),
  fileOf('Files/c.txt', 'three'),
]
const top: readonly LayerEntry[] = [fileOf('Files/A.TXT', 'two')]

function withMeta(entry: FileEntry, change: Partial<FileEntry['meta']>): FileEntry {
  return {...entry, meta: {...entry.meta, ...change}}
}

function withStream(entry: FileEntry, name: string, bytes: string): FileEntry {
  // eslint-disable-next-line @typescript-eslint/require-await
  async function* one(): AsyncGenerator<AlternateStream> {
    yield {name, content: contentOf(Buffer.from(bytes))}
  }
  return {...entry, streams: one()}
}

function told(report: DiffReport): string[] {
  return [
    ...report.metadata.map(({field}) => field),
    ...report.files.map((file) => `${file.change} ${file.path} ${(file.fields ?? []).join(',')}`.trim()),
    ...report.registry.map(({change, path: name, value = '(key)', fields = []}) =>
      `${change} ${name} ${value} ${fields.join(',')}`.trim(),
    ),
  ]
}

describe('diff', () => {
  const folder = temporaryFolder()
  let image = ''

  before(async () => {
    image = await saveImage(path.join(folder.path, 'image.tar'), [base, upper, top])
  })

  for (const layers of ['chain', 'squash'] as const)
    it(`finds no difference between an image and what it becomes as packages with --layers ${layers}`, async () => {
      const repository = `inbox:${path.join(folder.path, layers)}`
      const report = await convert(image, repository, {layers, name: 'Shop', publisher: 'CN=Contoso'})
      const found = await compare(image, report.artifacts.at(-1)!.reference)
      assert.deepEqual(told(found), [], JSON.stringify(found.files))
      assert.ok(found.same)
      assert.deepEqual(found.notCompared, ['Only the right side has a known package.'])
    })

  it('finds no difference between layers and all of them in one, the OS included', async () => {
    const flat = `docker-archive:${path.join(folder.path, 'flat.tar')}`
    await convert(image, flat, {layers: 'squash', osLayers: 0})
    assert.deepEqual(told(await compare(image, flat)), [])
  })

  it('looks at what a container sees: names of any case, deletions, merged hives, links', async () => {
    const left = await saveImage(path.join(folder.path, 'base-only.tar'), [base])
    const found = await compare(left, image, {parts: ['files', 'registry']})
    assert.deepEqual(told(found), [
      'changed Files/a.txt name,content',
      'added Files/b.txt',
      'added Files/c.txt',
      'removed Files/gone.txt',
      String.raw`changed HKEY_LOCAL_MACHINE\SOFTWARE\Shop (key) name`,
      String.raw`changed HKEY_LOCAL_MACHINE\SOFTWARE\Shop Mode data`,
      String.raw`removed HKEY_LOCAL_MACHINE\SOFTWARE\Shop Old`,
    ])
    const mode = found.registry.find(({value}) => value === 'Mode')
    assert.deepEqual([mode?.left?.text, mode?.right?.text], ['fast', 'slow'])
    assert.match(formatDiff(found), /^~ +Files\/a\.txt +name, content$/m)
    assert.match(formatDiff(found), /\(files 4, registry 3\)\.$/)
  })

  const plain = (): FileEntry => fileOf('Files/f', 'x')
  const {times} = plain().meta
  const changed: readonly {field: string; entry: () => LayerEntry; options?: DiffOptions}[] = [
    {field: 'attributes', entry: () => fileOf('Files/f', 'x', 0x21)},
    {field: 'content', entry: () => fileOf('Files/f', 'y')},
    {field: 'size,content', entry: () => fileOf('Files/f', 'xx')},
    {field: 'times', entry: () => withMeta(plain(), {times: {...times, lastWrite: times.lastWrite + 10_000_000n}})},
    {field: 'securityDescriptor', entry: () => withMeta(plain(), {securityDescriptor: descriptorOf(18)})},
    {
      field: 'extendedAttributes',
      entry: () => withMeta(plain(), {extendedAttributes: [{name: 'A', flags: 0, value: Buffer.from('v')}]}),
    },
    {field: 'streams', entry: () => withStream(plain(), 'Zone.Identifier', 'z')},
    {field: 'name', entry: () => fileOf('Files/F', 'x')},
    {field: 'kind,size,content', entry: () => directoryEntry('Files/f')},
  ]
  for (const [index, {field, entry}] of changed.entries())
    it(`tells that a file differs in its ${field.replaceAll(',', ' and ')}`, async () => {
      const system = fileOf(`${CONFIG}/SYSTEM`, hiveOf(key('ROOT')))
      const left = await saveImage(path.join(folder.path, `${index}-left.tar`), [[system, plain()]])
      const right = await saveImage(path.join(folder.path, `${index}-right.tar`), [[system, entry()]])
      const [found] = (await compare(left, right)).files
      const fields = (found?.fields ?? []).filter((name) => (field.startsWith('kind') ? name !== 'attributes' : true))
      assert.equal(fields.join(','), field)
      const timeless = await compare(left, right, {ignoreTimes: true})
      assert.equal(timeless.same, field === 'times')
    })

  it('tells which names are no longer one file', async () => {
    const files = [fileOf('Files/a', 'x'), fileOf('Files/c', 'x')]
    const left = await saveImage(path.join(folder.path, 'links-left.tar'), [
      [...files, linkEntry('Files/b', 'Files/a')],
    ])
    const right = await saveImage(path.join(folder.path, 'links-right.tar'), [
      [...files, linkEntry('Files/b', 'Files/c')],
    ])
    assert.deepEqual(told(await compare(left, right)), [
      'changed Files/a links',
      'changed Files/b links',
      'changed Files/c links',
    ])
  })

  it('compares configurations field by field, without what follows from the layers', async () => {
    const left = await saveImage(path.join(folder.path, 'config-left.tar'), [top], {
      config: {Cmd: ['cmd'], Labels: {a: '1', 'io.transship.x': '1'}},
    })
    const right = await saveImage(path.join(folder.path, 'config-right.tar'), [top], {
      'os.version': '10.0.1.2',
      config: {Cmd: ['ps'], Env: null, Labels: {a: '2'}},
    })
    const found = await compare(left, right, {parts: ['metadata']})
    assert.deepEqual(told(found), ['platform.osVersion', 'config.Cmd', 'config.Labels.a', 'os.version'])
  })

  it('never shows data of SAM and SECURITY', async () => {
    const other = base.map((entry) =>
      entry.kind === 'file' && entry.path.endsWith('/SAM')
        ? fileOf(entry.path, hiveOf(setup(key('SAM', {values: [valueOf('C', 1, text('other'))]}))))
        : entry,
    )
    const left = await saveImage(path.join(folder.path, 'sam-left.tar'), [base])
    const right = await saveImage(path.join(folder.path, 'sam-right.tar'), [other])
    const report = await compare(left, right)
    assert.deepEqual(told(report), [String.raw`changed HKEY_LOCAL_MACHINE\SAM\SAM C data`])
    assert.doesNotMatch(JSON.stringify(report) + formatDiff(report), /hash|other/)
  })

  it('exits with 1 when different and 0 when not, and prints one document of its schema with --json', async () => {
    const left = await saveImage(path.join(folder.path, 'cli.tar'), [base])
    const different = await runJson(['diff', left, image])
    assert.deepEqual([different.code, different.stderr], [1, ''])
    await assertSchema('diff', different.json)
    const same = await runJson(['diff', left, left])
    assert.equal(same.code, 0)
    await assertSchema('diff', same.json)
    const text = await runCli(['diff', left, image, '--only', 'metadata', '--ignore-times'])
    assert.equal(text.code, 0, text.stderr)
    assert.match(text.stdout.toString(), /^No differences between .* \(metadata 0\)\.$/m)
  })
})
