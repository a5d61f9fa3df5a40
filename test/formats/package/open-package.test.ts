import assert from 'node:assert/strict'
import {mkdirSync, mkdtempSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {
  listItemOf,
  listPackages,
  openPackage,
  readManifest,
  readVerified,
} from '../../../src/formats/package/open-package.js'
import type {Repository, StoredPackage} from '../../../src/formats/package/repository.js'
import type {DockerJson} from '../../../src/formats/package/schema.js'
import {FolderFiles} from '../../../src/formats/transport-layout/folder-files.js'
import {digestOf} from '../../../src/model/digest.js'
import {EnvironmentError, InputError, type TransshipError} from '../../../src/model/errors.js'
import type {WorkEvent} from '../../../src/model/events.js'
import type {PackageDependency} from '../../../src/model/image.js'
import type {OpenOptions} from '../../../src/model/transport.js'
import {
  digest,
  identityOf,
  keyOfName,
  repositoryWith,
  storedOf,
  type StoredOptions,
} from '../../helpers/stored-packages.js'
import {temporaryFolder} from '../../helpers/temporary-folder.js'

const [A, B] = [digest('a'), digest('b')]
const PAYLOAD = {Digest: A, Bytes: 7, Entries: 2}

describe('the packages that are listed', () => {
  const list = (packages: readonly StoredPackage[], selector?: string, more: Partial<Repository> = {}) => {
    const events: WorkEvent[] = []
    const found = listPackages(repositoryWith(packages, more), selector, {onEvent: (event) => events.push(event)})
    return {
      names: found.map(({names}) => names[0]),
      notes: events.map((event) => (event.kind === 'note' ? [event.code, event.subject] : [])),
    }
  }
  const [APP, GONE] = [storedOf('App'), storedOf('Gone', {metadata: {isDeleted: true}})]

  it('are all but those that are deleted, or the one that is selected', () => {
    assert.deepEqual(list([APP, GONE, storedOf('Kept', {metadata: {isDeleted: false}})]).names, [
      'CN=Contoso_App_1.0.0.0',
      'CN=Contoso_Kept_1.0.0.0',
    ])
    assert.deepEqual(
      [list([APP, storedOf('Other')], 'App').names, list([APP, GONE], 'Gone').names],
      [['CN=Contoso_App_1.0.0.0'], []],
    )
  })

  it('are told with what is left out, where all are asked for', () => {
    const fault = (code: string, subject: string) => ({code, message: 'x', subject})
    const faults = [
      fault('METADATA_INVALID', 'any'),
      fault('PACKAGE_INCOMPLETE', 'any'),
      fault('PACKAGE_INCOMPLETE', 'CN=Contoso_Half_1.0.0.0'),
    ]
    assert.deepEqual(list([APP], undefined, {faults}).notes, [
      ['package-unreadable', 'any'],
      ['no-package', 'any'],
      ['package-unreadable', 'CN=Contoso_Half_1.0.0.0'],
    ])
    assert.deepEqual(list([APP], 'App', {faults}).notes, [])
  })

  for (const [note, options, expected] of [
    ['the least', {}, {layers: 1}],
    ['a stub', {payload: {Kind: 'none'}}, {layers: 0}],
    ['what its payload says', {payload: PAYLOAD}, {layers: 1, payloadDigest: A, sizeBytes: 7}],
    [
      'what it came from',
      {docker: {ConfigDigest: B, References: ['app:1']}},
      {layers: 1, imageId: B, names: ['CN=Contoso_App_1.0.0.0', 'app:1']},
    ],
    ['digests that are none', {payload: {Digest: 'x'}, docker: {ConfigDigest: 'y'}}, {layers: 1}],
    [
      'its dependency',
      {metadata: {dependencies: [{...identityOf('Base'), diffId: A}]}},
      {layers: 1, dependencies: [{...identityOf('Base'), diffId: A}]},
    ],
  ] as const satisfies readonly (readonly [string, StoredOptions, object])[])
    it(`are told by all that is known: ${note}`, () => {
      const stored = storedOf('App', options)
      assert.deepEqual(listItemOf(repositoryWith([stored]), stored), {
        kind: 'package',
        reference: 'inbox:/repository:CN=Contoso_App_1.0.0.0',
        names: ['CN=Contoso_App_1.0.0.0'],
        identity: identityOf('App'),
        dependencies: [],
        platform: {os: 'windows', architecture: 'amd64'},
        createdTime: '2024-01-02T03:04:05.0000000Z',
        ...expected,
      })
    })
})

describe('a package as an image', () => {
  const folder = temporaryFolder()
  const filesOf = (files: Readonly<Record<string, string>> = {}) => {
    const root = mkdtempSync(path.join(folder.path, 'package-'))
    mkdirSync(path.join(root, 'docker'))
    for (const [name, text] of Object.entries(files)) writeFileSync(path.join(root, name), text)
    return new FolderFiles(root, 'it')
  }
  const made = (
    text: string,
    options: StoredOptions & {below?: PackageDependency; texts?: Readonly<Record<string, string>>} = {},
  ) => {
    const {below, texts, metadata, ...rest} = options
    return storedOf(text, {
      ...rest,
      files: filesOf(texts),
      metadata: {...metadata, dependencies: below === undefined ? [] : [below]},
    })
  }
  function opened(
    packages: readonly StoredPackage[],
    selector: string,
    options: OpenOptions = {},
    more: Partial<Repository> = {},
  ) {
    const events: WorkEvent[] = []
    const image = openPackage(repositoryWith(packages, more), selector, {
      onEvent: (event) => events.push(event),
      ...options,
    })
    return {image, events}
  }
  const on = (text: string, mark: object = {}): PackageDependency => ({...identityOf(text), ...mark})

  it('has its own name, and those of the image that it was', async () => {
    let closed = 0
    const {image} = opened([made('App')], 'App', {}, {close: () => closed++})
    assert.deepEqual(
      [image.names, image.platform, image.warnings, Object.keys(image).sort()],
      [
        ['CN=Contoso_App_1.0.0.0'],
        {os: 'windows', architecture: 'amd64'},
        [],
        ['close', 'layers', 'names', 'platform', 'warnings'],
      ],
    )
    await image.close()
    assert.equal(closed, 1)
    const config = {ConfigFile: 'docker/c', ConfigDigest: digestOf(Buffer.from('{}'))}
    const docker: DockerJson = {...config, References: ['app:1', 'app:2']}
    const texts = {'docker/c': '{}'}
    assert.deepEqual(opened([made('App', {docker, texts})], 'App').image.names, ['app:1', 'app:2'])
    assert.deepEqual(opened([made('App', {docker: config, texts})], 'App').image.names, [])
    assert.deepEqual(opened([made('App', {docker: {References: ['app:1']}})], 'App').image.names, [
      'CN=Contoso_App_1.0.0.0',
    ])
  })

  it('has the configuration and the manifest that are kept, of the types that are stated', () => {
    const texts = {
      'docker/c': '{}',
      'docker/m': '{"schemaVersion":2,"config":{"mediaType":"a","digest":"' + A + '","size":1},"layers":[]}',
    }
    const docker: DockerJson = {
      ConfigFile: 'docker/c',
      ConfigDigest: digestOf(Buffer.from('{}')),
      ManifestFile: 'docker/m',
      ManifestDigest: digestOf(Buffer.from(texts['docker/m'])),
    }
    const {config, manifest} = opened([made('App', {docker, texts})], 'App').image
    assert.deepEqual(
      [config?.mediaType, manifest?.mediaType],
      ['application/vnd.docker.container.image.v1+json', 'application/vnd.docker.distribution.manifest.v2+json'],
    )
    assert.deepEqual(
      [Buffer.from(config!.bytes).toString(), Buffer.from(manifest!.bytes).toString(), manifest?.digest],
      ['{}', texts['docker/m'], docker.ManifestDigest],
    )
    const typed = opened(
      [made('App', {docker: {...docker, ConfigMediaType: 'a/c', ManifestMediaType: 'a/m'}, texts})],
      'App',
    ).image
    assert.deepEqual([typed.config?.mediaType, typed.manifest?.mediaType], ['a/c', 'a/m'])
  })

  it('has a manifest of the type that it says itself, and none of two', () => {
    const text = JSON.stringify({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: {mediaType: 'a', digest: A, size: 1},
      layers: [],
    })
    const docker = (more: DockerJson = {}): DockerJson => ({
      ManifestFile: 'docker/m',
      ManifestDigest: digestOf(Buffer.from(text)),
      ...more,
    })
    const stored = (more?: DockerJson) => made('App', {docker: docker(more), texts: {'docker/m': text}})
    assert.equal(readManifest(stored())?.mediaType, 'application/vnd.oci.image.manifest.v1+json')
    assert.equal(
      readManifest(stored({ManifestMediaType: 'application/vnd.oci.image.manifest.v1+json'}))?.digest,
      digestOf(Buffer.from(text)),
    )
    assert.throws(() => readManifest(stored({ManifestMediaType: 'other'})), {
      code: 'METADATA_INVALID',
      at: {path: 'CN=Contoso_App_1.0.0.0/metadata.json'},
    })
    assert.equal(readManifest(made('App')), undefined)
  })

  it('has documents that are what is stated', () => {
    const stored = made('App', {texts: {'docker/c': '{}'}})
    assert.equal(readVerified(stored, undefined, A), undefined)
    assert.equal(Buffer.from(readVerified(stored, 'docker/c', digestOf(Buffer.from('{}')))!).toString(), '{}')
    assert.throws(() => readVerified(stored, 'docker/c', A), {
      code: 'DIGEST_MISMATCH',
      at: {path: 'CN=Contoso_App_1.0.0.0/docker/c'},
    })
    assert.throws(() => readVerified(stored, 'docker/c', undefined), {code: 'DIGEST_MISMATCH'})
    assert.throws(() => readVerified(stored, 'docker/none', A), {
      code: 'CONFIG_MISSING',
      at: {path: 'CN=Contoso_App_1.0.0.0/docker/none'},
    })
  })

  it('finds what belongs to it, where that is kept', async () => {
    const {image} = opened([made('App', {docker: {Companions: {Documents: [], Blobs: [], Referrers: []}}})], 'App')
    assert.deepEqual(await image.findCompanions?.({}), {
      content: {documents: [], blobs: [], absent: []},
      referrers: [],
      lacking: [],
    })
  })

  it('has a layer for each package, and one without content for what is missing', async () => {
    const {image} = opened(
      [made('App', {below: on('Web')}), made('Web', {below: on('Base', {diffId: A, payloadDigest: B})})],
      'App',
    )
    assert.deepEqual(
      image.layers.map(({title, hasContent}) => [title, hasContent]),
      [
        ['CN=Contoso_Base_1.0.0.0', false],
        ['CN=Contoso_Web_1.0.0.0', true],
        ['CN=Contoso_App_1.0.0.0', true],
      ],
    )
    const [missing] = image.layers
    assert.deepEqual(
      [
        missing?.diffId,
        missing?.payloadDigest,
        missing?.isMismatch,
        missing?.package?.identity,
        missing?.package?.isOsImage,
      ],
      [A, B, undefined, identityOf('Base'), false],
    )
    assert.deepEqual(
      [missing?.package?.architecture, missing?.package?.dependencies, missing?.package?.createdTime],
      ['neutral', [], '1970-01-01T00:00:00.0000000Z'],
    )
    await assert.rejects(
      async () => {
        for await (const _ of missing!.entries());
      },
      (error: TransshipError) =>
        error.code === 'DEPENDENCY_MISSING' &&
        error.at.path === 'CN=Contoso_Base_1.0.0.0' &&
        error.why === missing?.absence,
    )
  })

  for (const [publisher, isOsImage] of [
    ['CN=Microsoft', true],
    ['cn=microsoft, O=Microsoft', true],
    ['CN=Microsofter', false],
    ['CN=a, O=CN=Microsoft', false],
  ] as const)
    it(`takes what is missing for an operating system of ${publisher}: ${String(isOsImage)}`, () => {
      const {image} = opened([made('App', {below: {...identityOf('Base'), publisher}})], 'App')
      assert.equal(image.layers[0]?.package?.isOsImage, isOsImage)
    })

  it('has a layer without content for another payload, unless that is accepted, which is told', async () => {
    const packages = [made('App', {below: on('Base', {payloadDigest: B})}), made('Base', {payload: PAYLOAD})]
    const {image, events} = opened(packages, 'App')
    assert.deepEqual(
      [image.layers.map(({hasContent, isMismatch}) => [hasContent, isMismatch]), events],
      [
        [
          [false, true],
          [true, undefined],
        ],
        [],
      ],
    )
    await assert.rejects(
      async () => {
        for await (const _ of image.layers[0]!.entries());
      },
      {code: 'DEPENDENCY_MISMATCH'},
    )
    const accepted = opened(packages, 'App', {acceptBaseMismatch: true})
    assert.deepEqual(
      accepted.image.layers.map(({hasContent}) => hasContent),
      [true, true],
    )
    assert.deepEqual(
      accepted.events.map((event) => (event.kind === 'note' ? [event.code, event.subject] : [])),
      [['base-mismatch', 'CN=Contoso_App_1.0.0.0']],
    )
  })

  it('has what was built on as it is recorded: held against that, or standing for it', () => {
    const packages = (below: PackageDependency, payload: NonNullable<StoredOptions['payload']> = PAYLOAD) => [
      made('App', {below}),
      made('Base', {payload}),
    ]
    const base = (of: readonly StoredPackage[], options: OpenOptions = {}) =>
      opened(of, 'App', options).image.layers[0]!
    // Only what is not held against a record has to be looked at for changes.
    assert.equal(base(packages(on('Base', {payloadDigest: A}))).findChange, undefined)
    assert.ok(base(packages(on('Base'))).findChange !== undefined)
    assert.ok(base(packages(on('Base', {payloadDigest: A})), {acceptBaseMismatch: true}).findChange !== undefined)
    const stub = base(packages(on('Base', {payloadDigest: A, diffId: B}), {Kind: 'none'}))
    assert.deepEqual([stub.hasContent, stub.payloadDigest, stub.diffId], [false, A, B])
  })

  it('tells what is wrong beside it, and does not take a failing disk for a missing package', () => {
    const faults = [{code: 'NOT_FOUND', message: 'lost', subject: 'x'}]
    const warned = made('Base', {more: {warnings: [{code: 'odd', message: 'kept oddly'}]}})
    assert.deepEqual(opened([made('App', {below: on('Base')}), warned], 'App', {}, {faults}).image.warnings, [
      {code: 'NOT_FOUND', message: 'lost'},
      {code: 'odd', message: 'kept oddly'},
    ])
    const packages = [made('App', {below: on('Base')})]
    const unreadable = (error: TransshipError) => ({
      unreadable: new Map([[keyOfName('CN=Contoso_Base_1.0.0.0'), error]]),
    })
    const failure = new EnvironmentError('IO_FAILED', {what: 'The disk.'})
    assert.throws(() => opened(packages, 'App', {}, unreadable(failure)), failure)
    assert.equal(
      opened(packages, 'App', {}, unreadable(new InputError('METADATA_INVALID', {what: 'x'}))).image.layers[0]
        ?.hasContent,
      false,
    )
  })
})
