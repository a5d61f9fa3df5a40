import assert from 'node:assert/strict'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import {encodeDocument} from '../../../src/formats/package/metadata.js'
import {renameWritten, writePackage} from '../../../src/formats/package/write-package.js'
import {layerOfPackage} from '../../../src/formats/package/stored-layer.js'
import {digestOf} from '../../../src/model/digest.js'
import type {LayerEntry} from '../../../src/model/layer-entry.js'
import {collect} from '../../helpers/bytes.js'
import {directoryEntry, fileEntry, linkEntry, tombstone} from '../../helpers/file-system-model.js'
import {openBelow} from '../../helpers/open-files.js'
import {digest, identityOf} from '../../helpers/stored-packages.js'
import {temporaryFolder} from '../../helpers/temporary-folder.js'
import {CONFIG, draftWith, IMAGE, MANIFEST, pinOf, writeDraft} from '../../helpers/written-packages.js'

const NAME = 'CN=Contoso_App_1.0.0.0'
const FILES = [fileEntry('Files/a.txt', 'a'), fileEntry('Files/b.txt', 'bb')]
const LARGE = 'large '.repeat(200_000)
const VERSION = Buffer.from('BuildNumber=1\r\n')
const OS = {isOsImage: true, osVersion: '10.0.20348.5'}

describe('a package that is written', () => {
  const folder = temporaryFolder()
  const documentIn = (root: string) =>
    JSON.parse(readFileSync(path.join(root, 'metadata.json'), 'utf8')) as {
      Size: number
      Package: {Payload: object; Extensions?: {'docker/1': Record<string, unknown>}}
    }

  it('is what it says: a payload with its index and recipe, and the image', async () => {
    const draft = await draftWith('App', FILES, {image: IMAGE})
    const {folder: root, stored, payload, bytesWritten} = await writeDraft(folder.path, draft)
    const {
      Size,
      Package: {Payload, Extensions},
    } = documentIn(root)
    assert.deepEqual(payload, {
      form: 'delta',
      entries: 3,
      bytes: Size,
      digest: digestOf(readFileSync(path.join(root, 'payload-index.jsonl'))),
    })
    assert.deepEqual(Payload, {Kind: 'delta', Layout: 'transport-1', Entries: 3, Bytes: Size, Digest: payload.digest})
    assert.equal(bytesWritten, Size + statSync(path.join(root, 'metadata.json')).size)
    const recipe = digestOf(readFileSync(path.join(root, 'docker/recipe-0.gz')))
    assert.deepEqual(Extensions?.['docker/1'], {
      References: ['app:1'],
      ConfigFile: 'docker/config.json',
      ConfigDigest: digestOf(CONFIG.bytes),
      ConfigMediaType: 'a/config',
      ManifestFile: 'docker/manifest.json',
      ManifestDigest: digestOf(MANIFEST.bytes),
      ManifestMediaType: 'a/manifest',
      Layers: [{DiffID: draft.layer?.diffId, Recipe: 'docker/recipe-0.gz', RecipeDigest: recipe}],
    })
    assert.deepEqual(readdirSync(path.join(root, 'docker')).sort(), ['config.json', 'manifest.json', 'recipe-0.gz'])
    assert.ok(readFileSync(path.join(root, 'docker/config.json')).equals(CONFIG.bytes))
    assert.deepEqual([stored.entryName, stored.place], [NAME, {kind: 'folder', path: root}])
    assert.deepEqual(openBelow(folder.path), [])
  })

  for (const [note, more, expected] of [
    ['no recipe and no image', {keepRecipe: false}, undefined],
    ['no recipe', {keepRecipe: false, image: {names: ['a'], config: CONFIG}}, ['config.json']],
    ['no image', {}, ['recipe-0.gz']],
    ['an image of names alone', {keepRecipe: false, image: {names: ['a']}}, []],
    [
      'a form of its layer',
      {image: {names: ['a']}, pins: 'keep'},
      ['recipe-0.gz', pinOf('x').descriptor.digest.replace(':', '-') + '.tar.zst'],
    ],
  ] as const)
    it(`keeps of the image what there is: ${note}`, async () => {
      const draft = await draftWith('App', FILES, more)
      const {folder: root} = await writeDraft(folder.path, {...draft, layer: {...draft.layer!, pins: [pinOf('x')]}})
      const docker = path.join(root, 'docker')
      assert.deepEqual(existsSync(docker) ? readdirSync(docker).sort() : undefined, expected)
      assert.equal(documentIn(root).Package.Extensions !== undefined, expected !== undefined)
    })

  it('may be a stub, of a layer or of none', async () => {
    const {
      folder: root,
      payload,
      bytesWritten,
    } = await writeDraft(folder.path, await draftWith('App', undefined, {stubOf: digest('a')}))
    const {
      Size,
      Package: {Payload, Extensions},
    } = documentIn(root)
    assert.deepEqual(
      [payload, Size, Payload, Extensions],
      [undefined, 0, {Kind: 'none', Layout: 'transport-1'}, {'docker/1': {Layers: [{DiffID: digest('a')}]}}],
    )
    assert.equal(bytesWritten, statSync(path.join(root, 'metadata.json')).size)
    assert.deepEqual(readdirSync(root), ['metadata.json'])
    const plain = await writeDraft(folder.path, await draftWith('App', undefined))
    assert.equal(documentIn(plain.folder).Package.Extensions, undefined)
  })

  it('is refused where something is there, and names the package in what the disk says', async () => {
    const draft = await draftWith('App', FILES)
    const root = path.join(mkdtempSync(path.join(folder.path, 'x-')), 'none', NAME)
    await assert.rejects(writePackage(root, draft, {lower: []}), {code: 'NOT_FOUND', at: {path: NAME}})
  })

  for (const [note, metadata, expected] of [
    ['its own', {...OS, attachments: {'version.wcx': VERSION}}, VERSION.toString()],
    ['made of its version', OS, 'BuildNumber=20348\r\nProductName=App\r\n'],
    ['made of its identity', {isOsImage: true}, 'BuildNumber=3\r\nProductName=App\r\n'],
    ['none of what is no system and on none', {}, undefined],
  ] as const)
    it(`of an operating system has version.wcx: ${note}`, async () => {
      const {folder: root} = await writeDraft(folder.path, await draftWith('App 1.2.3.4', FILES, {}, metadata))
      const file = path.join(root, 'version.wcx')
      assert.equal(existsSync(file) ? readFileSync(file, 'latin1') : undefined, expected)
    })

  it('has version.wcx of the system below, as it is or as it would be made', async () => {
    const versionOf = async (lower: Parameters<typeof writeDraft>[2]) => {
      const {folder: root} = await writeDraft(folder.path, await draftWith('App', FILES), lower)
      const file = path.join(root, 'version.wcx')
      return existsSync(file) ? readFileSync(file, 'latin1') : undefined
    }
    const os = await writeDraft(
      folder.path,
      await draftWith('Core 10.0.7.1', FILES, {}, {...OS, attachments: {'version.wcx': VERSION}}),
    )
    const middle = await writeDraft(folder.path, await draftWith('Middle', FILES))
    assert.equal(await versionOf([middle.stored, os.stored]), VERSION.toString())
    assert.equal(await versionOf([middle.stored]), undefined)
    renameSync(path.join(os.folder, 'version.wcx'), path.join(os.folder, 'other.wcx'))
    assert.equal(await versionOf([os.stored]), 'BuildNumber=7\r\nProductName=Core\r\n')
  })

  it('has the files that came beside the payload, but for names that are not theirs', async () => {
    const attachments = {
      'notes.txt': Buffer.from('n'),
      'metadata.json': Buffer.from('evil'),
      Files: Buffer.from('evil'),
      'a/b': Buffer.from('evil'),
      'disk.vhdx': Buffer.from('evil'),
    }
    const {folder: root} = await writeDraft(folder.path, await draftWith('App', FILES, {}, {attachments}))
    assert.equal(readFileSync(path.join(root, 'notes.txt'), 'utf8'), 'n')
    assert.deepEqual(
      ['a', 'disk.vhdx'].map((name) => existsSync(path.join(root, name))),
      [false, false],
    )
    assert.ok(statSync(path.join(root, 'Files')).isDirectory())
    assert.ok(documentIn(root).Size > 0)
  })

  it('keeps the document that it came with, byte for byte, as long as that is true', async () => {
    const draft = await draftWith('App', FILES, {keepRecipe: false})
    const made = await writeDraft(folder.path, draft)
    const bytes = Buffer.from(
      readFileSync(path.join(made.folder, 'metadata.json'), 'utf8').replace('{"Name"', '{ "Mine": 1, "Name"'),
    )
    const withDocument = (document: Buffer, metadata: object = {}) => ({
      ...draft,
      metadata: {...draft.metadata, ...metadata, document: {mediaType: 'application/json', bytes: document}},
    })
    const kept = await writeDraft(folder.path, withDocument(bytes))
    assert.ok(readFileSync(path.join(kept.folder, 'metadata.json')).equals(bytes))
    for (const change of [{dependencies: [identityOf('Base')]}, {identity: identityOf('Other')}]) {
      const written = await writeDraft(folder.path, withDocument(bytes, change))
      assert.ok(!readFileSync(path.join(written.folder, 'metadata.json'), 'utf8').includes('Mine'))
    }
    // Its own recipe is of no use to it: it was no image.
    const recipe = await writeDraft(folder.path, {...withDocument(bytes), keepRecipe: true})
    assert.ok(!existsSync(path.join(recipe.folder, 'docker')))
  })

  it('has links to files of the packages below, the nearest that tells of them', async () => {
    const base = await writeDraft(
      folder.path,
      await draftWith('Base', [
        fileEntry('Files/a.txt', 'base'),
        // Too large to be read at once, so that it stays open.
        fileEntry('Files/b.txt', LARGE),
        fileEntry('Files/gone/c.txt', 'c'),
        directoryEntry('Files/d'),
      ]),
    )
    const middle = await writeDraft(
      folder.path,
      await draftWith('Middle', [fileEntry('Files/a.txt', 'middle'), tombstone('Files/gone')]),
    )
    const stub = await writeDraft(folder.path, await draftWith('Stub', undefined))
    const lower = [stub.stored, middle.stored, base.stored]
    const linked = async (target: string) =>
      writeDraft(folder.path, await draftWith('App', [linkEntry('Files/link', target)]), lower)
    for (const [target, text] of [
      ['Files/a.txt', 'middle'],
      ['Files/b.txt', LARGE],
    ] as const) {
      const {stored} = await linked(target)
      assert.deepEqual(openBelow(folder.path), [])
      const texts: string[] = []
      for await (const entry of layerOfPackage({...stored, docker: {}}).entries({}))
        if (entry.kind === 'file') texts.push((await collect(entry.content!.open())).toString())
      assert.ok(texts.length === 1 && texts[0] === text)
    }
    for (const target of ['Files/gone/c.txt', 'Files/d', 'Files/none'])
      await assert.rejects(linked(target), {code: 'LINK_TARGET_MISSING'})
    assert.deepEqual(openBelow(folder.path), [])
  })

  it('lets go of all that it holds when its layer breaks', async () => {
    const draft = await draftWith('App', FILES, {pins: 'keep'})
    async function* broken(): AsyncGenerator<LayerEntry> {
      yield* FILES
      await Promise.resolve()
      throw new Error('The source breaks.')
    }
    await assert.rejects(
      writeDraft(folder.path, {...draft, layer: {...draft.layer!, entries: broken}}),
      /The source breaks/,
    )
    assert.deepEqual(openBelow(folder.path), [])
  })

  it('may be written alone first, and anew with those below where that cannot be', async () => {
    const draft = await draftWith('App', FILES)
    const checked: unknown[] = []
    const lone = {
      checkNames: (names: unknown) => {
        checked.push(names)
        return Promise.resolve()
      },
    } as never
    const root = path.join(mkdtempSync(path.join(folder.path, 'lone-')), NAME)
    mkdirSync(root)
    writeFileSync(path.join(root, 'half'), '')
    const anew = await writePackage(root, {...draft, lone}, {lower: [], lone: () => Promise.resolve(undefined)})
    assert.deepEqual([existsSync(path.join(root, 'half')), anew.payload?.entries, checked], [false, 3, []])
    const parts = {payload: anew.payload!, layer: {DiffID: digest('a')}, names: 'the names' as never}
    const own = path.join(mkdtempSync(path.join(folder.path, 'lone-')), NAME)
    mkdirSync(own)
    const {payload, stored} = await writePackage(own, {...draft, lone}, {lower: [], lone: () => Promise.resolve(parts)})
    assert.deepEqual([payload, stored.docker?.Layers, checked], [anew.payload, [{DiffID: digest('a')}], ['the names']])
    assert.deepEqual(readdirSync(own), ['metadata.json'])
  })

  it('is renamed with what it says', async () => {
    const draft = await draftWith('App', FILES)
    const written = await writeDraft(folder.path, draft)
    const renamed = renameWritten(written, {...draft, metadata: {...draft.metadata, identity: identityOf('Other')}})
    assert.equal(renamed.folder, path.join(path.dirname(written.folder), 'CN=Contoso_Other_1.0.0.0'))
    assert.deepEqual([existsSync(written.folder), renamed.stored.metadata.identity], [false, identityOf('Other')])
    assert.deepEqual([renamed.stored.docker, renamed.payload], [written.stored.docker, written.payload])
    assert.ok(existsSync(path.join(renamed.folder, 'docker/recipe-0.gz')))
  })
})

describe('the bytes of a metadata.json', () => {
  it('are one line with its end, and the size of nothing for a stub', async () => {
    const {metadata} = await draftWith('App', undefined)
    const text = Buffer.from(encodeDocument(metadata, undefined, undefined)).toString()
    assert.ok(text.startsWith(`{"Name":"App","Version":"1.0.0.0","Path":"${NAME}","Size":0,"CreatedTime":`))
    assert.ok(/^[^\r\n]*\r\n$/.test(text) && text.includes('"IsDeleted":false'))
  })
  it('keep extensions of others that the document has, and not the image of before', async () => {
    const {metadata} = await draftWith('App', undefined)
    const json = JSON.parse(Buffer.from(encodeDocument(metadata, undefined, undefined)).toString()) as {Package: object}
    const bytes = Buffer.from(
      JSON.stringify({
        ...json,
        Package: {...json.Package, Extensions: {'mine/1': {a: 1}, 'docker/1': {References: ['old']}}},
      }),
    )
    const again = (docker: object | undefined) =>
      (
        JSON.parse(
          Buffer.from(encodeDocument({...metadata, document: {mediaType: 'a', bytes}}, undefined, docker)).toString(),
        ) as {Package: {Extensions: object}}
      ).Package.Extensions
    assert.deepEqual(again(undefined), {'mine/1': {a: 1}})
    assert.deepEqual(again({References: ['new']}), {'mine/1': {a: 1}, 'docker/1': {References: ['new']}})
  })
})
