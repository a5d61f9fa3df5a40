import assert from 'node:assert/strict'
import {renameSync, rmSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {LayerProofs} from '../../../src/formats/package/layer-proofs.js'
import {recipeOf} from '../../../src/formats/package/package-entries.js'
import {isRebuilt, rebuildLayer} from '../../../src/formats/package/rebuild-layer.js'
import {layerOfPackage} from '../../../src/formats/package/stored-layer.js'
import {InterruptedError} from '../../../src/model/errors.js'
import type {Layer} from '../../../src/model/image.js'
import type {PackageDraft} from '../../../src/model/transport.js'
import {Crew} from '../../../src/workers/crew.js'
import {directoryEntry, fileEntry} from '../../helpers/file-system-model.js'
import {carrierOf} from '../../helpers/layout-folders.js'
import {openBelow} from '../../helpers/open-files.js'
import {digest, identityOf} from '../../helpers/stored-packages.js'
import {temporaryFolder} from '../../helpers/temporary-folder.js'
import {draftWith, pinOf, tarLayer, writeDraft} from '../../helpers/written-packages.js'

const ENTRIES = [
  directoryEntry('Files'),
  fileEntry('Files/a', 'text'),
  fileEntry('Files/b', 'more'),
  directoryEntry('Hives'),
]
const APP = 'CN=Contoso_App_1.0.0.0'

describe('a package as a layer', () => {
  const folder = temporaryFolder()
  const made = async (more: Partial<PackageDraft> = {}, metadata = {}) =>
    writeDraft(folder.path, await draftWith('App', ENTRIES, more, metadata))
  async function drain(layer: Layer): Promise<number> {
    let count = 0
    for await (const entry of layer.entries({})) if (entry.kind !== 'frame') count++
    return count
  }

  it('tells all that its package does', async () => {
    const {stored, payload} = await made({}, {attachments: {'notes.txt': Buffer.from('n')}})
    const layer = layerOfPackage(stored)
    const {diffId} = await tarLayer(ENTRIES)
    assert.deepEqual(
      [layer.title, layer.diffId, layer.payloadDigest, layer.form, layer.hasContent, layer.sizeBytes],
      [APP, diffId, payload?.digest, 'delta', true, payload?.bytes],
    )
    assert.deepEqual(
      [layer.package?.identity, Object.keys(layer.package?.attachments ?? {})],
      [identityOf('App'), ['notes.txt']],
    )
    assert.deepEqual(
      [layer.findChange, layer.pins, layer.isUntouched, await drain(layer)],
      [undefined, undefined, undefined, 4],
    )
    const plain = layerOfPackage((await made({keepRecipe: false})).stored)
    assert.deepEqual(
      [plain.diffId, plain.findChange === undefined, plain.package?.attachments],
      [undefined, false, undefined],
    )
    assert.equal(await plain.findChange?.({}), undefined)
  })

  it('has a form where it is a stub too, and no look for changes', async () => {
    const stub = async (metadata: object, payload: object = {}) => {
      const {stored} = await writeDraft(folder.path, await draftWith('App', undefined, {}, metadata))
      const {form, hasContent, findChange, sizeBytes} = layerOfPackage({
        ...stored,
        payload: {...stored.payload, ...payload},
      })
      return [form, hasContent, findChange, sizeBytes]
    }
    assert.deepEqual(await stub({isOsImage: true}), ['base', false, undefined, undefined])
    assert.deepEqual(await stub({isOsImage: false}, {Digest: digest('a')}), ['delta', false, undefined, undefined])
    assert.equal(layerOfPackage((await made({form: 'base'})).stored).form, 'base')
  })

  it('takes along files beside its payload that are theirs, up to a size', async () => {
    const written = await made({keepRecipe: false})
    for (const [name, bytes] of [
      ['small.txt', 64 * 1024],
      ['large.txt', 64 * 1024 + 1],
      ['disk.vhdx', 1],
    ] as const)
      writeFileSync(path.join(written.folder, name), Buffer.alloc(bytes))
    assert.deepEqual(
      Object.entries(layerOfPackage(written.stored).package?.attachments ?? {}).map(([name, {byteLength}]) => [
        name,
        byteLength,
      ]),
      [['small.txt', 64 * 1024]],
    )
  })

  it('has the forms of its tar, which it is as long as that comes back', async () => {
    const pin = pinOf('another form')
    const draft = await draftWith('App', ENTRIES, {pins: 'keep'})
    const written = await writeDraft(folder.path, {...draft, layer: {...draft.layer!, pins: [pin]}})
    const layer = layerOfPackage(written.stored)
    assert.deepEqual(
      [layer.pins?.map(({descriptor}) => descriptor.digest), await layer.isUntouched?.({})],
      [[pin.descriptor.digest], true],
    )
    writeFileSync(path.join(written.folder, 'Files/a'), carrierOf('TEXT'))
    assert.equal(await layer.isUntouched?.({}), false)
    const {docker} = written.stored
    const unmade = layerOfPackage({
      ...written.stored,
      docker: {...docker, Layers: [{DiffID: docker!.Layers![0]!.DiffID, Pins: docker!.Layers![0]!.Pins!}]},
    })
    assert.deepEqual([unmade.pins, unmade.isUntouched, unmade.diffId], [undefined, undefined, undefined])
  })

  it('gives back its tar, or another, or none', async () => {
    const written = await made()
    const {diffId} = await tarLayer(ENTRIES)
    for (const isFromTar of [true, false]) assert.equal(await rebuildLayer(written.stored, {isFromTar}), diffId)
    assert.deepEqual(
      [await isRebuilt(written.stored, diffId!, {}), await isRebuilt(written.stored, digest('a'), {})],
      [true, false],
    )
    const ended = {signal: AbortSignal.abort(new InterruptedError('INTERRUPTED', {what: 'Ended.'}))}
    await assert.rejects(isRebuilt(written.stored, diffId!, ended), {code: 'INTERRUPTED'})
    const seen: string[] = []
    await rebuildLayer(written.stored, {
      async *through(entries) {
        for await (const entry of entries) {
          if (entry.kind !== 'frame') seen.push(entry.path)
          yield entry
        }
      },
    })
    assert.deepEqual(seen.slice(0, 3), ['Files', 'Files/a', 'Files/b'])
    const stop = AbortSignal.abort(new Error('Enough.'))
    await assert.rejects(isRebuilt(written.stored, diffId!, {signal: stop}), /Enough/)
    writeFileSync(path.join(written.folder, 'Files/a'), 'x')
    assert.equal(await isRebuilt(written.stored, diffId!, {}), false)
    assert.deepEqual(openBelow(folder.path), [])
  })

  it('is proven once to come back, and remembered where it does not change', async () => {
    const written = await made()
    const {diffId} = await tarLayer(ENTRIES)
    const draft = await draftWith('App', ENTRIES)
    const proofs = new LayerProofs(new Crew(1))
    const key = `it ${written.folder}`
    for (const how of [{isNew: true}, {isNew: false}, {isNew: false, key}])
      assert.equal(await proofs.begin(written.stored, {draft, ...how}), true)
    const stop = AbortSignal.abort(new Error('It is read.'))
    assert.equal(await proofs.begin(written.stored, {draft, isNew: false, key, signal: stop}), true, 'it is remembered')
    for (const other of [{key: `${key} other`}, {}])
      await assert.rejects(proofs.begin(written.stored, {draft, isNew: false, signal: stop, ...other})!)
    await proofs.settle()
    const plain = (await made({keepRecipe: false})).stored
    assert.equal(proofs.begin(plain, {draft: {}, isNew: true}), undefined)
    assert.equal(
      await proofs.begin(plain, {draft: {layer: {...draft.layer!, diffId: digest('a')}}, isNew: true}),
      false,
    )
    assert.equal(await proofs.begin(plain, {draft: {layer: {...draft.layer!, diffId: diffId!}}, isNew: true}), true)
    const {place: _, ...nowhere} = plain
    assert.equal(await proofs.begin(nowhere, {draft: {layer: draft.layer!}, isNew: true}), true)
    await proofs.stop()
    await assert.rejects(proofs.begin(plain, {draft, isNew: true})!)
  })

  for (const [title, change] of [
    [
      'a file was written to',
      (root: string) => {
        writeFileSync(path.join(root, 'Files/a'), carrierOf('TEXT'))
      },
    ],
    [
      'another file is in its place',
      (root: string) => {
        writeFileSync(path.join(root, 'x'), carrierOf('TEXT'))
        renameSync(path.join(root, 'x'), path.join(root, 'Files/a'))
      },
    ],
    [
      'a file is gone',
      (root: string) => {
        rmSync(path.join(root, 'Files/a'))
      },
    ],
    [
      'there is one more',
      (root: string) => {
        writeFileSync(path.join(root, 'Files/new'), carrierOf(''))
      },
    ],
    [
      'the index is gone',
      (root: string) => {
        rmSync(path.join(root, 'payload-index.jsonl'))
      },
    ],
    [
      'the recipe is another',
      (root: string) => {
        writeFileSync(path.join(root, 'docker/recipe-0.gz'), 'x')
      },
    ],
  ] as const)
    it(`is proven anew where the package may have changed: ${title}`, async () => {
      const written = await made()
      const draft = await draftWith('App', ENTRIES)
      const proofs = new LayerProofs(new Crew(1))
      const how = {draft, isNew: false, key: `it ${written.folder}`}
      const began = () => proofs.begin(written.stored, how)
      assert.deepEqual([await began(), await began()], [true, true])
      change(written.folder)
      assert.equal(await began(), await isRebuilt(written.stored, recipeOf(written.stored)!.diffId, {}))
    })
})
