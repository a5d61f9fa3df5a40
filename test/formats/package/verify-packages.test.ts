import assert from 'node:assert/strict'
import {appendFileSync, existsSync, readFileSync, rmSync, statSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import type {Repository, StoredPackage} from '../../../src/formats/package/repository.js'
import {isWhole, verifyPackages, type VerifyPackagesOptions} from '../../../src/formats/package/verify-packages.js'
import {storedIn, type WrittenPackage} from '../../../src/formats/package/write-package.js'
import {digestOf} from '../../../src/model/digest.js'
import type {WorkEvent} from '../../../src/model/events.js'
import type {LayerPin} from '../../../src/model/image.js'
import type {PackageDraft} from '../../../src/model/transport.js'
import {chunked} from '../../helpers/bytes.js'
import {directoryEntry, fileEntry} from '../../helpers/file-system-model.js'
import {carrierOf} from '../../helpers/layout-folders.js'
import {openBelow} from '../../helpers/open-files.js'
import {digest, identityOf, repositoryWith, storedOf} from '../../helpers/stored-packages.js'
import {temporaryFolder} from '../../helpers/temporary-folder.js'
import {draftWith, tarLayer, writeDraft} from '../../helpers/written-packages.js'

const ENTRIES = [
  directoryEntry('Files'),
  fileEntry('Files/a', 'text'),
  fileEntry('Files/b', 'more'),
  directoryEntry('Hives'),
]
const APP = 'CN=Contoso_App_1.0.0.0'
const CONFIG = {mediaType: 'a/c', bytes: Buffer.from('{}')}
const MANIFEST_BYTES = Buffer.from(
  JSON.stringify({schemaVersion: 2, config: {mediaType: 'a', digest: digest('a'), size: 1}, layers: []}),
)
const MANIFEST = {mediaType: 'application/vnd.docker.distribution.manifest.v2+json', bytes: MANIFEST_BYTES}
const IMAGE = {names: ['app:1'], config: CONFIG, manifest: MANIFEST}
/** What is in the folder now, as it would be read anew. */
const again = ({folder}: WrittenPackage) => storedIn(folder, readFileSync(path.join(folder, 'metadata.json')))
const edited = (written: WrittenPackage, change: (text: string) => string) => {
  const file = path.join(written.folder, 'metadata.json')
  const [before, after] = [readFileSync(file, 'utf8'), change(readFileSync(file, 'utf8'))]
  assert.notEqual(after, before)
  writeFileSync(file, after)
  return again(written)
}

describe('packages that are verified', () => {
  const folder = temporaryFolder()
  async function verified<P extends StoredPackage>(
    packages: readonly P[],
    selector?: string,
    options: VerifyPackagesOptions<P> = {},
    more: Partial<Repository<P>> = {},
  ) {
    const events: WorkEvent[] = []
    const repository = repositoryWith(packages, more) as Repository<P>
    const {faults, layers, bytes} = await verifyPackages(repository, selector, {
      ...options,
      onEvent: (event) => events.push(event),
    })
    return {faults: faults.map(({code, subject}) => [code, subject.replace(APP, 'App')]), layers, bytes, events}
  }
  const made = async (more: Partial<PackageDraft> = {}, metadata = {}) =>
    writeDraft(folder.path, await draftWith('App', ENTRIES, {image: IMAGE, ...more}, metadata))

  it('are sound: their files are read, their tar is made again', async () => {
    const {stored, payload} = await made()
    const {diffId} = await tarLayer(ENTRIES)
    assert.deepEqual(await verified([stored]), {
      faults: [],
      layers: [{title: APP, entries: 4, diffId, reproducible: true}],
      bytes: payload?.bytes,
      events: [],
    })
    const plain = await made({keepRecipe: false, image: undefined as never})
    assert.deepEqual((await verified([plain.stored])).layers, [{title: APP, entries: 4}])
  })

  type Change = (written: WrittenPackage) => StoredPackage
  const file =
    (name: string, change: (file: string) => void): Change =>
    (written) => {
      change(path.join(written.folder, name))
      return written.stored
    }
  const spoilt = (name: string) =>
    file(name, (place) => {
      writeFileSync(place, 'spoilt')
    })
  const removed = (name: string) =>
    file(name, (place) => {
      rmSync(place)
    })
  for (const [note, change, faults, edits] of [
    ['a configuration that was edited', spoilt('docker/config.json'), [['DIGEST_MISMATCH', 'App/docker']], undefined],
    ['a configuration that is missing', removed('docker/config.json'), [['CONFIG_MISSING', 'App/docker']], undefined],
    ['a manifest that was edited', spoilt('docker/manifest.json'), [['DIGEST_MISMATCH', 'App/docker']], undefined],
    [
      'a file that was edited',
      file('Files/a', (place) => {
        writeFileSync(place, carrierOf('TEXT'))
      }),
      [
        ['DIGEST_MISMATCH', 'App/Files/a'],
        ['DIGEST_MISMATCH', 'App'],
      ],
      ['Files/a'],
    ],
    [
      'a file that is no carrier',
      spoilt('Files/a'),
      [
        ['SIZE_MISMATCH', 'App/Files/a'],
        ['CARRIER_CORRUPT', 'App'],
      ],
      ['Files/a'],
    ],
    [
      'a file that is missing',
      removed('Files/b'),
      [
        ['NOT_FOUND', 'App/Files/b'],
        ['DIGEST_MISMATCH', 'App'],
      ],
      ['Files/b'],
    ],
    ['an index that is missing', removed('payload-index.jsonl'), [['NOT_FOUND', 'App']], ['payload-index.jsonl']],
    [
      'an index that is none',
      spoilt('payload-index.jsonl'),
      [
        ['METADATA_INVALID', 'App/payload-index.jsonl'],
        ['METADATA_INVALID', 'App'],
      ],
      undefined,
    ],
    [
      'an index that is another',
      file('payload-index.jsonl', (place) => {
        appendFileSync(place, '\n')
      }),
      [['DIGEST_MISMATCH', 'App']],
      ['payload-index.jsonl'],
    ],
    [
      'a recipe that was edited',
      spoilt('docker/recipe-0.gz'),
      [
        ['DIGEST_MISMATCH', 'App/docker/recipe-0.gz'],
        ['RECIPE_CORRUPT', 'App'],
      ],
      undefined,
    ],
    [
      'records that nobody knows',
      (written) => edited(written, (text) => text.replace('"Layers":[{', '"Later":1,"Layers":[{')),
      [['METADATA_INVALID', 'App/metadata.json']],
      undefined,
    ],
  ] as const satisfies readonly (readonly [
    string,
    Change,
    readonly (readonly [string, string])[],
    readonly string[] | undefined,
  ])[])
    it(`are told by all that is wrong with them: ${note}`, async () => {
      const found = await verified([change(await made())])
      assert.deepEqual(found.faults, faults)
      assert.deepEqual(
        found.layers[0]?.edits?.files.map((edit) => edit.file),
        edits,
      )
      assert.deepEqual(openBelow(folder.path), [])
    })

  it('are told to lack what they are made on', async () => {
    const below = {...identityOf('Base'), payloadDigest: digest('a')}
    const {stored} = await made({}, {dependencies: [below]})
    assert.deepEqual((await verified([stored])).faults, [['DEPENDENCY_MISSING', 'App']])
    const other = storedOf('Base', {payload: {Kind: 'none', Digest: digest('b')}})
    assert.deepEqual((await verified([stored, other], 'App')).faults, [['DEPENDENCY_MISMATCH', 'App']])
    const circle = storedOf('Base', {
      payload: {Kind: 'none', Digest: digest('a')},
      metadata: {dependencies: [identityOf('App')]},
    })
    assert.deepEqual((await verified([stored, circle], 'App')).faults, [['DEPENDENCY_CYCLE', 'App/metadata.json']])
    for (const packages of [[stored], [stored, other], [stored, circle]])
      assert.equal(await isWhole(repositoryWith(packages), stored, {}), true)
    assert.equal(await isWhole(repositoryWith([stored], {beside: [other]}), stored, {}), true)
    rmSync(path.join((stored.files as unknown as {root: string}).root, 'Files/a'))
    assert.equal(await isWhole(repositoryWith([stored]), stored, {}), false)
  })

  it('may be stubs, which are told not to be read', async () => {
    const {stored} = await writeDraft(folder.path, await draftWith('App', undefined))
    const {faults, layers, bytes, events} = await verified([stored])
    assert.deepEqual([faults, layers, bytes], [[], [{title: APP, entries: 0}], 0])
    assert.deepEqual(
      events.map((event) => (event.kind === 'note' ? [event.code, event.subject] : [])),
      [['not-read', APP]],
    )
  })

  it('keep forms that are what they are said to be', async () => {
    const draft = await draftWith('App', ENTRIES, {pins: 'keep'})
    const bytes = Buffer.from('no form of it')
    const pin: LayerPin = {
      descriptor: {
        mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
        digest: digestOf(bytes),
        size: bytes.byteLength,
      },
      compression: 'gzip',
      open: () => chunked(bytes),
    }
    const written = await writeDraft(folder.path, {...draft, layer: {...draft.layer!, pins: [pin]}})
    const {faults, bytes: read} = await verified([written.stored])
    assert.deepEqual([faults, read], [[['LAYER_CORRUPT', 'App/docker']], written.payload!.bytes + bytes.byteLength])
    const Layers = [
      {
        ...written.stored.docker!.Layers![0]!,
        Pins: [
          {
            MediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
            Digest: digest('a'),
            Size: 1,
            Compression: 'gzip',
            Encoder: 'gzip:6',
            Header: 'H4sIAAAAAAAAAA==',
          } as const,
        ],
      },
    ]
    const encoded = {...written.stored, docker: {...written.stored.docker, Layers}}
    assert.equal((await verified([encoded])).faults.length, 1)
    // The fault of the tar is told already.
    rmSync(path.join(written.folder, 'Files/b'))
    assert.deepEqual(
      (await verified([encoded])).faults.map(([, subject]) => subject),
      ['App/Files/b', 'App'],
    )
  })

  it('are those that are asked for, by name, platform or list, with those beside', async () => {
    const stub = (name: string, architecture = 'x64') =>
      storedOf(name, {payload: {Kind: 'none'}, metadata: {architecture}})
    const [one, other, beside] = [stub('One'), stub('Other', 'arm64'), stub('Beside')]
    const faults = [{code: 'NOT_FOUND', message: 'x', subject: 'lost'}]
    let closed = 0
    const more = {beside: [beside], faults, close: () => closed++}
    const titles = async (selector?: string, options: VerifyPackagesOptions<StoredPackage> = {}) => {
      closed = 0
      const found = await verified([one, other], selector, options, more)
      return [found.layers.map(({title}) => title.split('_')[1]), found.faults.length, closed]
    }
    assert.deepEqual(await titles(), [['One', 'Other'], 1, 2])
    assert.deepEqual(await titles('Other'), [['Other'], 0, 1])
    assert.deepEqual(await titles(undefined, {platform: 'windows/arm64'}), [['Other'], 1, 1])
    assert.deepEqual(
      await titles(undefined, {only: new Set(['CN=Contoso_One_1.0.0.0', 'CN=Contoso_Beside_1.0.0.0'])}),
      [['One', 'Beside'], 0, 2],
    )
    await assert.rejects(titles('Other', {platform: 'windows/amd64'}), {code: 'PLATFORM_UNSUPPORTED'})
    const wrapped = await verified(
      [one, other],
      undefined,
      {
        verifyContainer: ({entryName}) =>
          Promise.resolve({faults: [{code: 'ARCHIVE_CORRUPT', message: 'x', subject: entryName}], bytes: 5}),
      },
      {},
    )
    assert.deepEqual(
      [wrapped.faults, wrapped.bytes],
      [[one, other].map(({entryName}) => ['ARCHIVE_CORRUPT', entryName]), 10],
    )
  })

  it('leave nothing behind', async () => {
    const {folder: root, stored} = await made()
    const before = statSync(root).mtimeMs
    await verified([stored])
    assert.deepEqual([statSync(root).mtimeMs, existsSync(path.join(root, 'Files/a'))], [before, true])
  })
})
