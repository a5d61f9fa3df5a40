import assert from 'node:assert/strict'
import {rm, writeFile} from 'node:fs/promises'
import path from 'node:path'
import {keyOf, valueOf, valueTombstone, type HiveKey} from '../../src/codecs/registry-hive/hive-key.js'
import {readHive, readHiveAsReg, type HiveReport} from '../../src/convert/hive.js'
import type {Layer, LayerForm, PackageMetadata} from '../../src/model/image.js'
import type {LayerEntry} from '../../src/model/layer-entry.js'
import {contentOf} from '../../src/model/content.js'
import {formatHive} from '../../src/terminal/hive-text.js'
import {inbox} from '../../src/transports/inbox/inbox.js'
import {collect} from '../helpers/bytes.js'
import {directoryEntry, fileEntry, layerOf} from '../helpers/file-system-model.js'
import {deltaOf, descriptorOf, hiveOf, openHive, sealed, text} from '../helpers/hives.js'
import {fileOf, saveImage} from '../helpers/layer-archives.js'
import {runCli, runJson} from '../helpers/run-cli.js'
import {assertSchema} from '../helpers/schemas.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'
import {requireTool, runTool} from '../helpers/tools.js'

const key = (name: string, draft: Partial<Parameters<typeof keyOf>[0]> = {}): HiveKey =>
  keyOf({security: descriptorOf(18), ...draft, name})

const system = key('ROOT', {
  subkeys: [
    key('Select', {values: [valueOf('Current', 4, Uint8Array.of(1, 0, 0, 0))]}),
    key('Setup', {values: [valueOf('Type', 1, text('full')), valueOf('', 1, text('default'))], subkeys: [key('Pid')]}),
  ],
})
const change = key('ROOT', {
  subkeys: [
    key('Select', {disposition: 'tombstone'}),
    key('Setup', {inheritsClass: true, values: [valueTombstone('Type'), valueOf('New', 11, Buffer.alloc(8, 1))]}),
    key('Made', {disposition: 'supersede-tree', values: [valueOf('list', 7, text('a\0b\0'))]}),
  ],
})
const sam = key('ROOT', {subkeys: [key('SAM', {values: [valueOf('C', 3, Buffer.from('secret hash'))]})]})

/** A hive of two subkeys, whose names of four letters are replaced where they stand, whatever the order then is. */
function withNames(first: string, second: string): Buffer {
  const bytes = hiveOf(key('ROOT', {subkeys: [key('aaa1'), key('bbb2')]}))
  bytes.write(first, bytes.indexOf('aaa1'), 'latin1')
  bytes.write(second, bytes.indexOf('bbb2'), 'latin1')
  return bytes
}

function file(name: string, bytes: Uint8Array): LayerEntry {
  return {...fileEntry(name, ''), content: contentOf(bytes)} as LayerEntry
}

const CONFIG = 'Files/Windows/System32/config'
const base = layerOf('base', [
  ...['Files', 'Files/Windows', 'Files/Windows/System32', CONFIG].map((name) => directoryEntry(name)),
  file(`${CONFIG}/SAM`, hiveOf(sam)),
  file(`${CONFIG}/SYSTEM`, hiveOf(system)),
])
const delta = layerOf('delta', [
  directoryEntry('Files'),
  directoryEntry('Hives'),
  file('Hives/System_Delta', deltaOf(change)),
])

function metadataOf(name: string, below: PackageMetadata | undefined): PackageMetadata {
  return {
    identity: {publisher: 'CN=Test', name, version: '1.0.0.0'},
    architecture: 'x64',
    isOsImage: below === undefined,
    createdTime: '2020-01-01T00:00:00.0000000Z',
    dependencies: below === undefined ? [] : [below.identity],
  }
}

describe('reading the registry', () => {
  const folder = temporaryFolder()
  let reference = ''

  before(async () => {
    const repository = path.join(folder.path, 'repository')
    const destination = await inbox.create(inbox.parse(repository), {})
    assert.ok(destination.holds === 'packages')
    const os = metadataOf('WindowsOs', undefined)
    const write = (metadata: PackageMetadata, form: LayerForm, layer: Layer): Promise<unknown> =>
      destination.write({metadata, form, layer, keepRecipe: false}, {})
    await write(os, 'base', base)
    await write(metadataOf('Application', os), 'delta', delta)
    await destination.commit({})
    reference = `inbox:${repository}:CN=Test_Application_1.0.0.0`
  })

  const told = (report: HiveReport): string[] =>
    report.keys.flatMap((row) => [
      `${row.path}${row.change === undefined ? '' : ` ${row.change}`}`,
      ...row.values.map(
        (value) => `  ${value.name} ${value.deleted ? 'deleted' : (value.text ?? value.data ?? 'hidden')}`,
      ),
    ])

  it('shows what a container sees, without the data of SAM', async () => {
    const report = await readHive(reference, undefined)
    assert.deepEqual(told(report), [
      'HKEY_LOCAL_MACHINE\\SAM',
      'HKEY_LOCAL_MACHINE\\SAM\\SAM',
      '  C hidden',
      'HKEY_LOCAL_MACHINE\\SYSTEM',
      'HKEY_LOCAL_MACHINE\\SYSTEM\\Made',
      '  list a, b',
      'HKEY_LOCAL_MACHINE\\SYSTEM\\Setup',
      '   default',
      '  New 72340172838076673',
      'HKEY_LOCAL_MACHINE\\SYSTEM\\Setup\\Pid',
    ])
    assert.equal(report.hidden, true)
    await assertSchema('hive', report)
  })

  it('tells secrets on request', async () => {
    const report = await readHive(reference, 'HKLM\\SAM', {showSecrets: true})
    assert.deepEqual(told(report).at(-1), `  C ${Buffer.from('secret hash').toString('base64')}`)
    assert.equal(report.hidden, false)
  })

  it('shows what one layer changes, with its deletions', async () => {
    const report = await readHive(reference, undefined, {layer: 1})
    assert.deepEqual(told(report), [
      'HKEY_LOCAL_MACHINE\\SYSTEM',
      'HKEY_LOCAL_MACHINE\\SYSTEM\\Made replaced',
      '  list a, b',
      'HKEY_LOCAL_MACHINE\\SYSTEM\\Select deleted',
      'HKEY_LOCAL_MACHINE\\SYSTEM\\Setup',
      '  Type deleted',
      '  New 72340172838076673',
    ])
    await assertSchema('hive', report)
    assert.match(
      formatHive(report),
      /^KEY +CHANGE +VALUE +TYPE +DATA\n[^]*Select +deleted\n[^]*REG_QWORD +72340172838076673$/,
    )
  })

  for (const {name, count, note} of [
    {name: 'HKLM\\SYSTEM\\setup', count: 2, note: 'a key in any case'},
    {name: '\\HKEY_LOCAL_MACHINE\\SYSTEM\\Setup\\Pid\\', count: 1, note: 'a key with backslashes at its ends'},
    {name: 'HKLM', count: 6, note: 'all hives below a root'},
  ])
    it(`finds ${note}`, async () => {
      assert.equal((await readHive(reference, name)).keys.length, count)
    })

  for (const {name, layer, code, note} of [
    {name: 'HKLM\\SYSTEM\\Select', layer: undefined, code: 'NOT_FOUND', note: 'a key that a layer deletes'},
    {name: 'HKLM\\NoSuch', layer: undefined, code: 'NOT_FOUND', note: 'a hive that is not there'},
    {name: undefined, layer: 2, code: 'BAD_OPTION', note: 'a layer that is not there'},
  ])
    it(`refuses ${note}`, async () => {
      await assert.rejects(readHive(reference, name, layer === undefined ? {} : {layer}), {code})
    })

  it('reads a bare hive by the name of its root or without it', async () => {
    const bare = path.join(folder.path, 'bare')
    await writeFile(bare, hiveOf(system))
    for (const name of ['Setup', 'ROOT\\Setup']) {
      assert.equal((await readHive(`hive:${bare}`, name)).keys[0]?.path, 'ROOT\\Setup')
    }
    await assert.rejects(readHive(`hive:${bare}`, undefined, {layer: 0}), {code: 'BAD_OPTION'})
    await assert.rejects(readHive(`hive:${bare}2`, undefined), {code: 'NOT_FOUND'})
  })

  it('knows a bare SAM by its name and by what it holds', async () => {
    const named = path.join(folder.path, 'SAM')
    await writeFile(named, hiveOf(sam))
    assert.equal((await readHive(`hive:${named}`, undefined)).hidden, true)
    const other = path.join(folder.path, 'other')
    await writeFile(other, hiveOf(key('ROOT', {subkeys: [key('SAM', {subkeys: [key('Domains')]})]})))
    assert.equal((await readHive(`hive:${other}`, undefined)).hidden, true)
  })

  it('writes a .reg file that says what the layer does', async () => {
    const reg = (await collect(readHiveAsReg(reference, undefined, {layer: 1}))).toString('utf16le')
    assert.deepEqual(reg.slice(1).split('\r\n'), [
      'Windows Registry Editor Version 5.00',
      '',
      '[HKEY_LOCAL_MACHINE\\SYSTEM]',
      '',
      '[-HKEY_LOCAL_MACHINE\\SYSTEM\\Made]',
      '',
      '[HKEY_LOCAL_MACHINE\\SYSTEM\\Made]',
      '"list"=hex(7):61,00,00,00,62,00,00,00,00,00',
      '',
      '[-HKEY_LOCAL_MACHINE\\SYSTEM\\Select]',
      '',
      '[HKEY_LOCAL_MACHINE\\SYSTEM\\Setup]',
      '"Type"=-',
      '"New"=hex(b):01,01,01,01,01,01,01,01',
      '',
      '',
    ])
    const hidden = (await collect(readHiveAsReg(reference, 'HKLM\\SAM'))).toString('utf16le')
    assert.match(hidden, /^; "C", type 3, 11 bytes: not shown\r$/m)
  })

  it('writes a .reg file that hivexregedit takes and makes the same keys of', async function () {
    requireTool(this, 'hivexregedit')
    const tree = key('$$$PROTO.HIV', {
      flags: 8,
      values: [valueOf('', 1, text('a "quoted" \\path\\'))],
      subkeys: [
        key('deep', {subkeys: [key('er', {values: [valueOf('long', 3, Buffer.alloc(300, 'long'))]})]}),
        key('types', {
          values: [
            valueOf('number', 4, Uint8Array.of(1, 2, 3, 4)),
            valueOf('no NUL', 1, Buffer.from('text', 'utf16le')),
            valueOf('expand', 2, text('%PATH%')),
            valueOf('empty', 3, new Uint8Array()),
          ],
        }),
      ],
    })
    const source = path.join(folder.path, 'source')
    await writeFile(source, hiveOf(tree))
    const reg = (await collect(readHiveAsReg(`hive:${source}`, undefined))).toString('utf16le').slice(1)
    const regFile = path.join(folder.path, 'source.reg')
    await writeFile(regFile, reg.replaceAll('\r\n', '\n'))
    const target = path.join(folder.path, 'target')
    await writeFile(target, hiveOf(key('$$$PROTO.HIV', {flags: 8})))
    runTool('hivexregedit', ['--merge', '--prefix', '$$$PROTO.HIV', '--encoding', 'utf16le', target, regFile])
    const seen = async (hive: string): Promise<unknown> =>
      (await readHive(`hive:${hive}`, undefined)).keys.map((row) => [row.path, row.values])
    assert.deepEqual(await seen(target), await seen(source))
    assert.equal(openHive(hiveOf(tree)).root.subkeys().length, 2)
  })

  describe('with notes', () => {
    const notesOf = (stderr: string): string[] =>
      stderr.split('\n').flatMap((line) => /^Note: .*?: (.*)$/.exec(line)?.[1] ?? [])
    const dirty = sealed(hiveOf(system), {4: 3, 8: 2})
    const stray = Buffer.from(hiveOf(system))
    stray.writeUInt8(0x80, 4096 + 36 + 13)

    for (const {name, bytes, logs = [], flags = [], codes} of [
      {name: 'a clean hive', bytes: hiveOf(system), codes: []},
      {name: 'a clean hive with a damaged log', bytes: hiveOf(system), logs: [Buffer.alloc(600, 1)], codes: []},
      {name: 'a dirty hive', bytes: dirty, codes: ['hive-dirty']},
      {
        name: 'a dirty hive with a damaged log that is ignored',
        bytes: dirty,
        logs: [Buffer.alloc(600, 1)],
        flags: ['--ignore-logs'],
        codes: ['hive-dirty'],
      },
      {name: 'subkeys that come twice', bytes: withNames('kept', 'kept'), codes: ['hive-duplicate-name']},
      {name: 'subkeys in the wrong order', bytes: withNames('zzzz', 'aaaa'), codes: ['hive-unsorted']},
      {name: 'layer bits in an ordinary hive', bytes: stray, codes: ['hive-stray-layer-bits']},
      {name: 'pending transactions', bytes: sealed(hiveOf(system), {144: 1}), codes: ['hive-pending-transactions']},
    ])
      it(`tells the notes of ${name} in the document and on stderr, whatever the flags`, async () => {
        const file = path.join(folder.path, 'noted')
        await writeFile(file, bytes)
        await Promise.all(logs.map((log, index) => writeFile(`${file}.LOG${index + 1}`, log)))
        try {
          const {json, stderr, code} = await runJson(['hive', `hive:${file}`, ...flags])
          assert.equal(code, 0, stderr)
          await assertSchema('hive', json)
          const {notes} = json as HiveReport
          assert.deepEqual(
            notes.map((note) => note.code),
            codes,
          )
          assert.deepEqual(
            notesOf(stderr),
            notes.map((note) => note.message),
          )
          for (const mode of [[], ['--quiet'], ['--reg'], ['--reg', '--quiet'], ['--json', '--quiet']]) {
            const run = await runCli(['hive', `hive:${file}`, ...flags, ...mode])
            assert.deepEqual(
              notesOf(run.stderr),
              notes.map((note) => note.message),
              mode.join(' '),
            )
          }
        } finally {
          await Promise.all(logs.map((_, index) => rm(`${file}.LOG${index + 1}`)))
        }
      })

    for (const {name, log} of [
      {name: 'damaged', log: Buffer.alloc(600, 1)},
      {name: 'empty', log: Buffer.alloc(0)},
    ])
      it(`refuses a dirty hive whose log is ${name}, and says how to see it`, async () => {
        const file = path.join(folder.path, `dirty-${name}`)
        await writeFile(file, dirty)
        await writeFile(`${file}.LOG1`, log)
        const {code, json} = await runJson(['hive', `hive:${file}`])
        assert.equal(code, 3)
        const {error} = json as {error: {code: string; suggestions: string[]}}
        assert.equal(error.code, 'HIVE_DIRTY')
        assert.ok(error.suggestions.some((text) => text.includes('--ignore-logs')))
      })

    it('reads a dirty hive of an image only when its logs are to be ignored', async () => {
      const archive = path.join(folder.path, 'dirty.tar')
      await saveImage(archive, [
        [fileOf(`${CONFIG}/SYSTEM`, dirty), fileOf(`${CONFIG}/SYSTEM.LOG1`, Buffer.alloc(600, 1))],
      ])
      const refused = await runJson(['hive', `docker-archive:${archive}`])
      assert.equal((refused.json as {error: {code: string}}).error.code, 'HIVE_DIRTY')
      const {code, json} = await runJson(['hive', `docker-archive:${archive}`, '--ignore-logs'])
      assert.equal(code, 0)
      assert.deepEqual(
        (json as HiveReport).notes.map((note) => note.code),
        ['hive-dirty'],
      )
    })
  })

  it('prints the document as a whole would be printed, and the table as a whole would be formatted', async () => {
    for (const name of [undefined, 'HKLM\\SYSTEM', 'HKLM\\SYSTEM\\Setup\\Pid']) {
      const report = await readHive(reference, name)
      const args = ['hive', reference, ...(name === undefined ? [] : [name])]
      assert.equal((await runJson(args)).stdout.toString(), `${JSON.stringify(report, undefined, 2)}\n`)
      assert.equal((await runCli(args)).stdout.toString(), `${formatHive(report)}\n`)
    }
  })

  it('reads only the hives that a key is in', async () => {
    const archive = path.join(folder.path, 'partly.tar')
    const files = [fileOf(`${CONFIG}/SYSTEM`, hiveOf(system)), fileOf(`${CONFIG}/SAM`, Buffer.from('no hive'))]
    await saveImage(archive, [files])
    assert.equal((await readHive(`docker-archive:${archive}`, 'HKLM\\SYSTEM\\Setup')).keys.length, 2)
    await assert.rejects(readHive(`docker-archive:${archive}`, 'HKLM'), {code: 'HIVE_CORRUPT'})
  })

  it('is a command', async () => {
    const {code, json} = await runJson(['hive', reference, 'HKLM\\SYSTEM'])
    assert.equal(code, 0)
    await assertSchema('hive', json)
    const table = await runCli(['hive', reference, 'HKLM\\SYSTEM\\Setup'])
    assert.match(table.stdout.toString(), /\(default\) +REG_SZ +default\n/)
    const reg = await runCli(['hive', reference, '--reg'])
    assert.deepEqual([...reg.stdout.subarray(0, 2)], [0xff, 0xfe])
    assert.equal((await runCli(['hive', reference, 'HKLM\\NoSuch'])).code, 3)
  })
})
