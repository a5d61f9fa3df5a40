import assert from 'node:assert/strict'
import {findPackageTime, packageTimeOfSeconds} from '../../src/convert/created-time.js'
import {makeImageConfig, parseImageConfig} from '../../src/convert/image-config.js'
import {findPackageLabel, formatPackageLabel, PACKAGE_LABEL} from '../../src/convert/package-label.js'
import {planImage} from '../../src/convert/to-image.js'
import {planPackages} from '../../src/convert/to-packages.js'
import {digestOf, type Digest} from '../../src/model/digest.js'
import type {Image, Layer, PackageMetadata} from '../../src/model/image.js'
import type {LayerEntry} from '../../src/model/layer-entry.js'
import {formatFullName, parseFullName} from '../../src/model/package-identity.js'
import {directoryEntry, fileEntry, layerOf} from '../helpers/file-system-model.js'

const BASE: LayerEntry[] = [
  directoryEntry('Files'),
  directoryEntry('Files/Windows'),
  directoryEntry('Files/Windows/System32'),
  directoryEntry('Files/Windows/System32/config'),
  fileEntry('Files/Windows/System32/config/SYSTEM', 'a whole hive'),
]
const DELTA: LayerEntry[] = [
  directoryEntry('Files'),
  directoryEntry('Hives'),
  fileEntry('Hives/System_Delta', 'changes'),
]

function layerWithId(title: string, entries: readonly LayerEntry[]): Layer {
  return {...layerOf(title, entries), diffId: digestOf(Buffer.from(title))}
}

function diffIdsOf(layers: readonly Layer[]): Digest[] {
  return layers.map((layer) => layer.diffId!)
}

/** An image as a Docker-side transport opens it. */
function imageOf(layers: readonly Layer[], more: Partial<Image> = {}, labels: Record<string, string> = {}): Image {
  const platform = {os: 'windows', architecture: 'amd64', osVersion: '10.0.17763.1', osFeatures: ['win32k']}
  return {
    names: ['contoso/shop.web:1.2.0.0'],
    platform,
    layers,
    config: makeImageConfig({
      platform,
      created: '2020-01-02T03:04:05.123456789Z',
      labels,
      diffIds: diffIdsOf(layers),
      history: layers.map((layer) => ({created_by: layer.title})),
    }),
    warnings: [],
    close: () => Promise.resolve(),
    ...more,
  }
}

const THREE = [layerWithId('os', BASE), layerWithId('first', DELTA), layerWithId('second', DELTA)]

describe('planning packages', () => {
  it('makes an OS package and a chain of packages, each depending on the one before', async () => {
    const plan = await planPackages(imageOf(THREE), {layers: 'chain'})
    assert.equal(plan.mode, 'chain')
    assert.equal(plan.osLayers?.count, 1)
    assert.deepEqual(
      plan.packages.map(({draft, layers, role}) => ({
        name: formatFullName(draft.metadata.identity),
        below: draft.metadata.dependencies.map(formatFullName),
        layers,
        role,
        form: draft.form,
      })),
      [
        {name: 'CN=Microsoft_WindowsServerCore_10.0.17763.1', below: [], layers: [0], role: 'os', form: 'base'},
        {
          name: 'CN=contoso_shop.web-L01_1.2.0.0',
          below: ['CN=Microsoft_WindowsServerCore_10.0.17763.1'],
          layers: [1],
          role: 'application',
          form: 'delta',
        },
        {
          name: 'CN=contoso_shop.web_1.2.0.0',
          below: ['CN=contoso_shop.web-L01_1.2.0.0'],
          layers: [2],
          role: 'application',
          form: 'delta',
        },
      ],
    )
    assert.deepEqual(plan.inexact, [])
    const top = plan.packages.at(-1)?.draft
    assert.deepEqual(
      top?.image?.config,
      imageOf(THREE).config,
      'the configuration is kept verbatim with the top package',
    )
    assert.equal(top?.metadata.createdTime, '2020-01-02T03:04:05.1234567Z')
    assert.equal(plan.packages[0]?.draft.image, undefined)
  })

  it('squashes what lies above the OS by default, and says that this cannot be undone', async () => {
    const plan = await planPackages(imageOf(THREE), {})
    assert.deepEqual(
      plan.packages.map(({layers}) => layers),
      [[0], [1, 2]],
    )
    assert.deepEqual(
      plan.inexact.map(({code}) => code),
      ['squashed'],
    )
  })

  it('keeps the servicing layer with the OS it services', async () => {
    const layers = [
      layerWithId('Apply image 1', BASE),
      layerWithId('Install update 2', DELTA),
      layerWithId('app', DELTA),
    ]
    const plan = await planPackages(imageOf(layers), {layers: 'chain'})
    assert.equal(plan.osLayers?.count, 2)
    assert.deepEqual(
      plan.packages.map(({draft}) => draft.metadata.identity.name),
      ['WindowsServerCore-L01', 'WindowsServerCore', 'shop.web'],
    )
  })

  it('writes a stub for an OS layer that is only named, and for one that is left out', async () => {
    const named = {...layerWithId('os', BASE), hasContent: false}
    const plan = await planPackages(imageOf([named, ...THREE.slice(1)]), {layers: 'chain'})
    assert.equal(plan.packages[0]?.draft.layer, undefined)
    assert.equal(plan.packages[0]?.draft.metadata.isOsImage, true)
    const without = await planPackages(imageOf(THREE), {layers: 'chain', withoutBase: true})
    assert.equal(without.packages[0]?.draft.layer, undefined)
    assert.deepEqual(
      without.inexact.map(({code}) => code),
      ['base-left-out'],
    )
  })

  it('depends on the package that an image names as its base and does not hold', async () => {
    const identity = parseFullName('CN=Microsoft_NanoServer_10.0.14393.0')
    const image = imageOf(THREE.slice(1), {namedBase: {name: formatFullName(identity), identity}})
    const plan = await planPackages(image, {layers: 'chain'})
    assert.deepEqual(plan.packages[0]?.draft.metadata.dependencies, [identity])
    assert.equal(plan.packages[0].draft.form, 'delta')
  })

  it('takes the identity that is given', async () => {
    const options = {layers: 'chain', name: 'Other', publisher: 'Fabrikam', packageVersion: '3'} as const
    const plan = await planPackages(imageOf(THREE), options)
    assert.deepEqual(
      plan.packages.slice(1).map(({draft}) => formatFullName(draft.metadata.identity)),
      ['CN=Fabrikam_Other-L01_3.0.0.0', 'CN=Fabrikam_Other_3.0.0.0'],
    )
  })

  for (const {title, image, code} of [
    {
      title: 'a Linux image',
      image: imageOf(THREE, {platform: {os: 'linux', architecture: 'amd64'}}),
      code: 'PLATFORM_UNSUPPORTED',
    },
    {title: 'an image without layers', image: imageOf([]), code: 'LAYER_MISSING'},
    {
      title: 'an upper layer without content',
      image: imageOf([THREE[0]!, {...THREE[1]!, hasContent: false}]),
      code: 'LAYER_MISSING',
    },
    {
      title: 'a named base that is no package',
      image: imageOf(THREE.slice(1), {namedBase: {name: 'windows'}}),
      code: 'DEPENDENCY_MISSING',
    },
  ])
    it(`refuses ${title} with ${code}`, async () => {
      await assert.rejects(planPackages(image, {layers: 'chain'}), {code})
    })

  it('refuses more OS layers than there are layers', async () => {
    await assert.rejects(planPackages(imageOf(THREE), {osLayers: 4}), {code: 'BAD_OPTION'})
  })
})

function packageOf(fullName: string, below: string | undefined): PackageMetadata {
  return {
    identity: parseFullName(fullName),
    friendlyName: `The package ${fullName}`,
    architecture: 'x64',
    osVersion: '10.0.17763.1',
    isOsImage: below === undefined,
    createdTime: '2016-03-26T09:12:44.0000000Z',
    dependencies: below === undefined ? [] : [parseFullName(below)],
    document: {mediaType: 'application/json', bytes: Buffer.from(documentOf(fullName, below))},
    attachments: {'version.wcx': Buffer.from('BuildNumber=17763\r\n')},
  }
}

/** A metadata.json: one that speaks of something else would not be believed. */
function documentOf(fullName: string, below: string | undefined): string {
  const {publisher: Publisher, name: Name, version: Version} = parseFullName(fullName)
  const dependency = below === undefined ? undefined : parseFullName(below)
  const Dependencies =
    dependency === undefined
      ? []
      : [{Publisher: dependency.publisher, Name: dependency.name, Version: dependency.version}]
  const Payload = {Kind: below === undefined ? 'base' : 'delta', Layout: 'transport-1'}
  const facts = {
    FormatVersion: 1,
    Publisher,
    Architecture: 'x64',
    IsOSImage: below === undefined,
    Dependencies,
    Payload,
  }
  return JSON.stringify({Name, Version, Path: fullName, Size: 1, CreatedTime: '2016-03-26T09:12:44Z', Package: facts})
}

const OS = 'CN=Microsoft_WindowsServerCore_10.0.17763.1'
const APP = 'CN=Contoso Ltd_Shop.Web_1.2.0.0'
const PACKAGES: readonly Layer[] = [
  {...layerOf(OS, BASE), package: packageOf(OS, undefined), form: 'base'},
  {...layerOf(APP, DELTA), package: packageOf(APP, OS), form: 'delta'},
]

describe('planning images', () => {
  const platform = {os: 'windows', architecture: 'amd64', osVersion: '10.0.17763.1'}
  const source: Image = {names: [APP], platform, layers: PACKAGES, warnings: [], close: () => Promise.resolve()}
  const diffIds = [digestOf(Buffer.from('0')), digestOf(Buffer.from('1'))]

  it('carries packages in a label, from which the same packages are planned again', async () => {
    const {draft, inexact} = await planImage(source, {})
    assert.deepEqual(draft.names, ['contoso-ltd/shop.web-3a4hbg:1.2.0.0'])
    const config = draft.config(diffIds)
    assert.deepEqual(inexact, [])
    const layers = PACKAGES.map(({package: _package, form: _form, ...layer}, index) => ({
      ...layer,
      diffId: diffIds[index]!,
    }))
    const back = await planPackages({...source, names: draft.names, layers, config}, {})
    assert.equal(back.mode, 'copy')
    assert.deepEqual(
      back.packages.map(({draft: {metadata}}) => metadata),
      PACKAGES.map((layer) => layer.package),
    )
  })

  it('gives the kept configuration back byte for byte when the layers are what it says', async () => {
    const image = imageOf(THREE)
    const {draft} = await planImage(image, {})
    assert.equal(draft.config(diffIdsOf(THREE)), image.config)
  })

  it('tells which layer is no longer what the configuration says, and describes the new one', async () => {
    const image = imageOf(THREE)
    const {draft, inexact} = await planImage(image, {})
    const changed = digestOf(Buffer.from('edited'))
    const wanted = [...diffIdsOf(THREE).slice(0, 2), changed]
    const config = parseImageConfig(draft.config(wanted))
    assert.deepEqual(config.rootfs?.diff_ids, wanted)
    assert.deepEqual(
      inexact.map(({code, subject}) => [code, subject]),
      [['layer-changed', 'second']],
    )
  })

  it('refuses a stub whose bits are nowhere', async () => {
    const layers = [{...PACKAGES[0]!, hasContent: false}, PACKAGES[1]!]
    await assert.rejects(planImage({...source, layers}, {}), {code: 'DEPENDENCY_MISSING'})
  })
})

describe('the package label', () => {
  const text = formatPackageLabel([{metadata: packageOf(APP, OS), form: 'delta', diffId: digestOf(Buffer.from('x'))}])

  it('is compact JSON that names the identity', () => {
    assert.ok(text.includes(JSON.stringify(APP)))
    assert.equal(text, JSON.stringify(JSON.parse(text)))
  })

  for (const {title, label} of [
    {title: 'no JSON', label: '{'},
    {title: 'another version', label: text.replace('"FormatVersion":1', '"FormatVersion":2')},
    {title: 'a bad identity', label: text.replace(APP, 'CN=a,b_c_1')},
    {title: 'a bad digest', label: text.replace('sha256:', 'md5:')},
    {title: 'another type', label: '[]'},
  ])
    it(`is a hint only: ${title} gives nothing`, () => {
      assert.equal(findPackageLabel(label), undefined)
    })

  it('is noted when malformed, and the image converts by its name', async () => {
    const plan = await planPackages(imageOf(THREE, {}, {[PACKAGE_LABEL]: '{'}), {layers: 'chain'})
    assert.deepEqual(
      plan.notes.map(({code}) => code),
      ['label-malformed'],
    )
    assert.equal(plan.packages.length, 3)
  })

  it('covers the lower layers of an image that was built on top of ours', async () => {
    const labels = {
      [PACKAGE_LABEL]: formatPackageLabel([
        {metadata: packageOf(OS, undefined), form: 'base', diffId: THREE[0]!.diffId!},
      ]),
    }
    const plan = await planPackages(imageOf(THREE, {}, labels), {layers: 'chain'})
    assert.deepEqual(
      plan.packages.map(({draft}) => formatFullName(draft.metadata.identity)),
      [OS, 'CN=contoso_shop.web-L01_1.2.0.0', 'CN=contoso_shop.web_1.2.0.0'],
    )
  })
})

describe('package times', () => {
  for (const {text, time} of [
    {text: '2016-03-26T09:12:44Z', time: '2016-03-26T09:12:44.0000000Z'},
    {text: '2016-03-26T09:12:44.123456789Z', time: '2016-03-26T09:12:44.1234567Z'},
    {text: '2016-03-26T10:12:44.5+01:00', time: '2016-03-26T09:12:44.5000000Z'},
    {text: 'yesterday', time: undefined},
  ])
    it(`reads ${text}`, () => {
      assert.equal(findPackageTime(text), time)
    })

  it('counts seconds since 1970', () => {
    assert.equal(packageTimeOfSeconds(1), '1970-01-01T00:00:01.0000000Z')
  })
})
