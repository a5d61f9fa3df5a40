import assert from 'node:assert/strict'
import {existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import type {LayerEntry} from '../../../src/model/layer-entry.js'
import {fileEntry} from '../../helpers/file-system-model.js'
import {openBelow} from '../../helpers/open-files.js'
import {openPlace, putPackages, visibleIn} from '../../helpers/package-place.js'
import {digest, identityOf} from '../../helpers/stored-packages.js'
import {lookAt} from '../../helpers/refusals.js'
import {temporaryFolder} from '../../helpers/temporary-folder.js'
import {draftWith} from '../../helpers/written-packages.js'

const APP = 'CN=Contoso_App_1.0.0.0'
const one = [fileEntry('Files/a', 'one')]
const other = [fileEntry('Files/a', 'other')]
const CONFIG = {mediaType: 'a/c', bytes: Buffer.from('{}')}
const OS = {isOsImage: true}

describe('packages that are put into a place', () => {
  const folder = temporaryFolder()
  const fresh = () => path.join(mkdtempSync(path.join(folder.path, 'place-')), 'repository')
  const imageOf = (text: string) => ({names: [text], config: {mediaType: 'a/c', bytes: Buffer.from(text)}})

  it('are told with all that was written, and are there once all is done', async () => {
    const root = fresh()
    const destination = await openPlace(root, {concurrency: 1})
    const base = await draftWith('Core', one, {form: 'base'}, OS)
    const draft = await draftWith('App', other, {}, {dependencies: [identityOf('Core')]})
    assert.equal(existsSync(root), false)
    await destination.write(base, {})
    const {proof, layers, keeps, ...artifact} = await destination.write(draft, {})
    assert.deepEqual([keeps?.layer().title, keeps?.platform.os, keeps?.configDigest], [APP, 'windows', undefined])
    assert.deepEqual(visibleIn(root), [])
    await destination.commit({})
    assert.deepEqual(
      [visibleIn(root), readdirSync(root).length],
      [[APP, 'CN=Contoso_Core_1.0.0.0', 'repository.json'], 3],
    )
    const bytes = readFileSync(path.join(root, APP, 'metadata.json'))
    const {
      Package: {Payload, Dependencies},
    } = JSON.parse(bytes.toString()) as {
      Package: {Payload: {Bytes: number; Digest: string; Entries: number}; Dependencies: unknown[]}
    }
    const dependency = {
      ...identityOf('Core'),
      diffId: base.layer?.diffId,
      payloadDigest: (
        JSON.parse(readFileSync(path.join(root, 'CN=Contoso_Core_1.0.0.0/metadata.json'), 'utf8')) as {
          Package: {Payload: {Digest: string}}
        }
      ).Package.Payload.Digest,
    }
    assert.deepEqual(artifact, {
      kind: 'package',
      reference: `inbox:${root}:${APP}`,
      identity: identityOf('App'),
      dependencies: [dependency],
      unchanged: false,
      bytesWritten: Payload.Bytes + bytes.byteLength,
    })
    assert.deepEqual(Dependencies, [
      {
        Publisher: 'CN=Contoso',
        Name: 'Core',
        Version: '1.0.0.0',
        PayloadDigest: dependency.payloadDigest,
        DiffID: dependency.diffId,
      },
    ])
    assert.deepEqual(layers, [
      {
        diffId: draft.layer?.diffId,
        digest: Payload.Digest,
        mediaType: 'application/vnd.transship.transport-layout.v1',
        size: Payload.Bytes,
        entries: Payload.Entries,
      },
    ])
    assert.equal(await proof, true)
    assert.deepEqual(openBelow(root), [])
    const found = await openPlace(root)
    assert.deepEqual(
      [(await found.findPackage(identityOf('APP')))?.reference, await found.findPackage(identityOf('None'))],
      [`inbox:${root}:${APP}`, undefined],
    )
    assert.deepEqual(
      [
        found.findOsPackage?.(base.layer!.diffId!, undefined),
        found.findOsPackage?.(draft.layer!.diffId!, identityOf('Core')),
        found.findOsPackage?.(digest('a'), undefined),
      ],
      [identityOf('Core'), identityOf('App'), undefined],
    )
    await found.abort()
  })

  it('stay as they are where they are the same, in one work or in the next', async () => {
    const root = fresh()
    const draft = await draftWith('App', one)
    const first = await putPackages(root, [draft, draft])
    assert.deepEqual(
      first.artifacts.map(({unchanged, bytesWritten}) => [unchanged, bytesWritten > 0]),
      [
        [false, true],
        [true, false],
      ],
    )
    const before = lookAt(root)
    for (const options of [{}, {replace: true}]) {
      const {artifacts} = await putPackages(root, [draft], options)
      assert.deepEqual(
        artifacts.map(({unchanged, bytesWritten, layers}) => [unchanged, bytesWritten, layers.length]),
        [[true, 0, 1]],
      )
      assert.deepEqual(lookAt(root), before)
    }
    const {diffId: _, ...unknown} = draft.layer!
    // What cannot be known without it is written and found to be the same.
    assert.deepEqual((await putPackages(root, [{...draft, layer: unknown}])).artifacts[0]?.unchanged, true)
    assert.deepEqual(lookAt(root), before)
  })

  it('are mended where they are to be replaced and are damaged', async () => {
    const root = fresh()
    const draft = await draftWith('App', one)
    await putPackages(root, [draft])
    const sound = lookAt(root)
    writeFileSync(path.join(root, APP, 'Files/a'), 'spoilt')
    assert.equal((await putPackages(root, [draft])).artifacts[0]?.unchanged, true)
    assert.equal((await putPackages(root, [draft], {replace: true})).artifacts[0]?.unchanged, false)
    assert.equal(lookAt(root)[`${APP}/Files/a`], sound[`${APP}/Files/a`])
  })

  it('are refused where another has the identity, and replace it where that is asked for', async () => {
    const root = fresh()
    await putPackages(root, [await draftWith('App', one)])
    const before = lookAt(root)
    const draft = await draftWith('APP', other)
    await assert.rejects(putPackages(root, [draft]), {code: 'IDENTITY_CLASH', at: {reference: `inbox:${root}:${APP}`}})
    assert.deepEqual(lookAt(root), before)
    assert.equal((await putPackages(root, [draft], {replace: true})).artifacts[0]?.unchanged, false)
    assert.deepEqual(visibleIn(root), ['CN=Contoso_APP_1.0.0.0', 'repository.json'])
  })

  it('lie beside another of their name where nobody chose it, and are found there', async () => {
    const root = fresh()
    await putPackages(root, [await draftWith('App', one)])
    const draft = await draftWith('App', other, {mayBeRenamed: true})
    const {artifacts, events} = await putPackages(root, [draft])
    const [{identity, layers}] = artifacts as [(typeof artifacts)[number]]
    assert.equal(identity.name, `App-${layers[0]!.digest.slice(7, 15)}`)
    assert.deepEqual(
      events
        .map((event) => (event.kind === 'note' ? [event.code, event.subject] : [event.kind]))
        .filter(([code]) => code === 'identity-taken'),
      [['identity-taken', APP]],
    )
    assert.equal(visibleIn(root).length, 3)
    assert.deepEqual(
      (await putPackages(root, [draft])).artifacts.map((again) => [again.unchanged, again.identity]),
      [[true, identity]],
    )
    const stub = await draftWith('App', undefined, {mayBeRenamed: true, stubOf: digest('c')})
    assert.equal((await putPackages(root, [stub])).artifacts[0]?.identity.name, 'App-cccccccc')
  })

  it('are not two of one identity in one work', async () => {
    const root = fresh()
    for (const replace of [false, true])
      await assert.rejects(putPackages(root, [await draftWith('App', one), await draftWith('app', other)], {replace}), {
        code: 'IDENTITY_CLASH',
      })
    assert.equal(existsSync(root), false)
    const {artifacts} = await putPackages(root, [
      await draftWith('App', one),
      await draftWith('app', other, {mayBeRenamed: true}),
    ])
    assert.equal(new Set(artifacts.map(({identity}) => identity.name)).size, 2)
  })

  it('take in the image that they are the top of, also of one that was begun', async () => {
    const root = fresh()
    const draft = await draftWith('App', one)
    const withImage = {...draft, image: {names: ['app:1'], config: CONFIG}}
    const {artifacts} = await putPackages(root, [draft, withImage])
    assert.deepEqual(
      artifacts.map(({unchanged}) => unchanged),
      [false, false],
    )
    assert.ok(readFileSync(path.join(root, APP, 'docker/config.json')).equals(CONFIG.bytes))
    await assert.rejects(putPackages(root, [{...draft, image: imageOf('other')}]), {code: 'IDENTITY_CLASH'})
    assert.equal((await putPackages(root, [draft])).artifacts[0]?.unchanged, true)
    assert.deepEqual(visibleIn(root), [APP, 'repository.json'])
  })

  it('do not go from below what was made on them, unless that is replaced as well', async () => {
    const root = fresh()
    const on = {dependencies: [identityOf('Core')]}
    await putPackages(root, [await draftWith('Core', one, {}, OS), await draftWith('App', one, {}, on)])
    const before = lookAt(root)
    const [core, app] = [await draftWith('Core', other, {}, OS), await draftWith('App', other, {}, on)]
    await assert.rejects(
      putPackages(root, [core], {replace: true}),
      (error: Error & {code?: string}) => error.code === 'IDENTITY_CLASH' && error.message.includes(APP),
    )
    assert.deepEqual(lookAt(root), before)
    assert.equal((await putPackages(root, [core, app], {replace: true})).artifacts.length, 2)
  })

  it('are made on what is there, or on what is accepted', async () => {
    const root = fresh()
    await putPackages(root, [await draftWith('Core', one, {}, OS)])
    const draft = await draftWith('App', one, {}, {dependencies: [{...identityOf('Core'), diffId: digest('a')}]})
    await assert.rejects(putPackages(root, [draft]), {code: 'DEPENDENCY_MISMATCH'})
    const {artifacts} = await putPackages(root, [draft], {acceptBaseMismatch: true})
    assert.deepEqual(artifacts[0]?.dependencies, [{...identityOf('Core'), diffId: digest('a')}])
    // What the same work has found to be there is what it builds on, but for a stub that stands for nothing.
    const core = await draftWith('Core', one, {}, OS)
    const found = await putPackages(root, [core, draft], {replace: true})
    assert.deepEqual(
      found.artifacts.map(({unchanged, dependencies}) => [
        unchanged,
        dependencies.map((each) => 'diffId' in each && each.diffId),
      ]),
      [
        [true, []],
        [false, [core.layer?.diffId]],
      ],
    )
    await assert.rejects(putPackages(root, [await draftWith('Core', undefined), draft]), {code: 'DEPENDENCY_MISMATCH'})
  })

  it('are foreseen by what is there', async () => {
    const root = fresh()
    const draft = await draftWith('App', one)
    await putPackages(root, [draft])
    const destination = await openPlace(root)
    assert.deepEqual(
      [draft, await draftWith('App', other), await draftWith('New', one)].map(
        (each) => destination.foresee?.(each).there,
      ),
      ['same', 'other', 'none'],
    )
    await destination.abort()
  })

  it('do not take the place of what is no package, unless that is asked for', async () => {
    const root = fresh()
    mkdirSync(path.join(root, APP), {recursive: true})
    writeFileSync(path.join(root, APP, 'mine'), '')
    const draft = await draftWith('App', one)
    await assert.rejects(putPackages(root, [draft]), {code: 'DESTINATION_EXISTS', at: {reference: `inbox:${root}`}})
    assert.deepEqual(readdirSync(path.join(root, APP)), ['mine'])
    await putPackages(root, [draft], {replace: true})
    assert.equal(existsSync(path.join(root, APP, 'metadata.json')), true)
  })

  it('are gone again where the work is given up, with the folders that were made for it', async () => {
    const root = path.join(fresh(), 'deep', 'er')
    const destination = await openPlace(root)
    await destination.write(await draftWith('App', one), {})
    await destination.abort()
    assert.equal(existsSync(path.dirname(path.dirname(root))), false)
    async function* broken(): AsyncGenerator<LayerEntry> {
      yield* one
      await Promise.resolve()
      throw new Error('The source breaks.')
    }
    const draft = await draftWith('App', one)
    await assert.rejects(
      putPackages(root, [await draftWith('Core', one), {...draft, layer: {...draft.layer!, entries: broken}}]),
      /The source breaks/,
    )
    assert.equal(existsSync(root), false)
    assert.deepEqual(openBelow(folder.path), [])
  })

  it('are of no use where nothing is written: nothing is made, and what a killed work left is brought in order', async () => {
    const root = fresh()
    const nothing = await openPlace(root)
    await nothing.commit({})
    assert.equal(existsSync(root), false)
    const draft = await draftWith('App', one)
    await putPackages(root, [draft])
    for (const left of ['.tmp-0123456789ab', '.tmp-0123456789ac/replaced'])
      mkdirSync(path.join(root, left), {recursive: true})
    const {artifacts} = await putPackages(root, [draft])
    assert.deepEqual([artifacts[0]?.unchanged, readdirSync(root).sort()], [true, [APP, 'repository.json']])
  })

  it('of a stub ask for nothing but what they stand for', async () => {
    const root = fresh()
    const draft = await draftWith('App', one)
    const {artifacts} = await putPackages(root, [await draftWith('App', undefined, {stubOf: draft.layer!.diffId!})])
    assert.deepEqual([artifacts[0]?.layers, artifacts[0]?.proof], [[], undefined])
    assert.equal((await putPackages(root, [draft])).artifacts[0]?.unchanged, false)
    assert.equal(
      (await putPackages(root, [await draftWith('App', undefined, {stubOf: draft.layer!.diffId!})])).artifacts[0]
        ?.unchanged,
      true,
    )
    await assert.rejects(putPackages(root, [await draftWith('App', undefined, {stubOf: digest('a')})]), {
      code: 'IDENTITY_CLASH',
    })
  })
})
