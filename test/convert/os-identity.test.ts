import assert from 'node:assert/strict'
import path from 'node:path'
import {convert, planConversion, verify, type ConvertOptions} from '../../src/index.js'
import {keyOf} from '../../src/codecs/registry-hive/hive-key.js'
import type {LayerEntry} from '../../src/model/layer-entry.js'
import {hiveOf} from '../helpers/hives.js'
import {CONFIG, fileOf, saveImage} from '../helpers/layer-archives.js'
import {osLayer, servicingLayer, softwareTree} from '../helpers/os-layers.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'

const APP = [fileOf('Files/app.txt', 'app')]
const EMPTY = hiveOf(keyOf({name: 'ROOT'}))

interface Row {
  readonly note: string
  readonly layers: readonly (readonly LayerEntry[])[]
  readonly config?: object
  readonly options?: ConvertOptions
  readonly tag?: string
  readonly identity: string
  readonly notes?: readonly string[]
  /** Of what the source itself has wrong. */
  readonly faults?: readonly string[]
}

const CORE = osLayer({type: 'Server Core', mark: 'x'})
const NANO = osLayer({type: 'Nano Server', mark: 'x'})
const SILENT = [fileOf(`${CONFIG}/SYSTEM`, EMPTY), fileOf('Hives/System_Base', EMPTY)]
const features = (...list: string[]) => ({'os.version': '10.0.17763.1', 'os.features': list})

const ROWS: readonly Row[] = [
  {note: 'Server Core', layers: [CORE, APP], identity: 'WindowsServerCore_10.0.17763.1'},
  {note: 'Nano Server', layers: [NANO, APP], identity: 'NanoServer_10.0.17763.1'},
  {
    note: 'the whole server',
    layers: [osLayer({type: 'Server', mark: 'x'}), APP],
    identity: 'WindowsServer_10.0.17763.1',
  },
  {note: 'a client', layers: [osLayer({type: 'Client', mark: 'x'}), APP], identity: 'WindowsBase_10.0.17763.1'},
  {
    note: 'other case',
    layers: [osLayer({type: 'SERVER CORE', mark: 'x'}), APP],
    identity: 'WindowsServerCore_10.0.17763.1',
  },
  {
    note: 'an edition that only Nano Server has',
    layers: [osLayer({edition: 'ServerDatacenterNano', mark: 'x'}), APP],
    identity: 'NanoServer_10.0.17763.1',
  },
  {
    note: 'an edition that tells nothing, and no features',
    layers: [osLayer({edition: 'ServerDatacenter', product: 'Windows Server 2019 Datacenter', mark: 'x'}), APP],
    identity: 'WindowsBase_10.0.17763.1',
    notes: ['os-name-guessed'],
  },
  {
    note: 'an edition that tells nothing, with features',
    layers: [osLayer({edition: 'ServerDatacenter', mark: 'x'}), APP],
    config: features('win32k'),
    identity: 'WindowsServerCore_10.0.17763.1',
  },
  {
    note: 'a name of another OS',
    layers: [CORE, APP],
    tag: 'contoso/nanoserver-monitor:1',
    identity: 'WindowsServerCore_10.0.17763.1',
  },
  {
    note: 'labels, history and environment of another OS',
    layers: [CORE, APP],
    config: {
      'os.version': '10.0.17763.1',
      config: {
        Labels: {base: 'nanoserver', 'org.opencontainers.image.base.name': 'nanoserver'},
        Env: ['OS=nanoserver'],
      },
      history: [{created_by: 'Apply image nanoserver'}, {created_by: 'COPY servercore'}],
    },
    identity: 'WindowsServerCore_10.0.17763.1',
  },
  {
    note: 'a name that is all there is, and not believed',
    layers: [SILENT, APP],
    tag: 'microsoft/nanoserver:1',
    identity: 'WindowsBase_10.0.17763.1',
    notes: ['os-name-guessed'],
  },
  {
    note: 'no hive, win32k',
    layers: [SILENT, APP],
    config: features('win32k'),
    identity: 'WindowsServerCore_10.0.17763.1',
  },
  {
    note: 'an empty list of features',
    layers: [SILENT, APP],
    config: features(),
    identity: 'WindowsBase_10.0.17763.1',
    notes: ['os-name-guessed'],
  },
  {
    note: 'features that contradict',
    layers: [NANO, APP],
    config: features('win32k'),
    identity: 'NanoServer_10.0.17763.1',
    notes: ['os-evidence-contradicts'],
  },
  {
    note: 'features without win32k',
    layers: [CORE, APP],
    config: features('other'),
    identity: 'WindowsServerCore_10.0.17763.1',
    notes: ['os-evidence-contradicts'],
  },
  {
    note: 'a version that contradicts',
    layers: [CORE, APP],
    config: {'os.version': '10.0.14393.206'},
    identity: 'WindowsServerCore_10.0.17763.1',
    notes: ['os-evidence-contradicts'],
  },
  {
    note: 'an edition that contradicts the installation',
    layers: [osLayer({type: 'Server Core', edition: 'ServerDatacenterNano', mark: 'x'}), APP],
    identity: 'WindowsServerCore_10.0.17763.1',
    notes: ['os-evidence-contradicts'],
  },
  {
    note: 'a lab of another build',
    layers: [osLayer({type: 'Server Core', lab: '14393.1.amd64fre.rs1', mark: 'x'}), APP],
    identity: 'WindowsServerCore_10.0.17763.1',
    notes: ['os-evidence-contradicts'],
  },
  {
    note: 'a version of the hive alone',
    layers: [osLayer({type: 'Server Core', revision: 379, mark: 'x'}), APP],
    config: {'os.version': undefined},
    identity: 'WindowsServerCore_10.0.17763.379',
  },
  {
    note: 'a lab in place of build and UBR',
    layers: [
      osLayer({type: 'Server Core', build: null, revision: null, lab: '14393.206.amd64fre.rs1', mark: 'x'}),
      APP,
    ],
    config: {'os.version': '10.0.14393.206'},
    identity: 'WindowsServerCore_10.0.14393.206',
  },
  {
    note: 'no UBR: the configuration tells the revision of the same build',
    layers: [osLayer({type: 'Server Core', revision: null, mark: 'x'}), APP],
    config: {'os.version': '10.0.17763.500'},
    identity: 'WindowsServerCore_10.0.17763.500',
  },
  {
    note: 'no version anywhere',
    layers: [SILENT, APP],
    config: {'os.version': undefined, 'os.features': ['win32k']},
    identity: 'WindowsServerCore_10.0.0.0',
    notes: ['os-version-unknown'],
  },
  {
    note: 'a build that is no number',
    layers: [osLayer({type: 'Server Core', build: 'x', mark: 'x'}), APP],
    identity: 'WindowsServerCore_10.0.17763.1',
  },
  {
    note: 'a build that no version holds',
    layers: [osLayer({type: 'Server Core', build: '99999', mark: 'x'}), APP],
    identity: 'WindowsServerCore_10.0.17763.1',
  },
  {
    note: 'a base hive alone',
    layers: [[...SILENT, fileOf('Hives/Software_Base', hiveOf(softwareTree({type: 'Nano Server'})))], APP],
    identity: 'NanoServer_10.0.17763.1',
  },
  {
    note: 'a hive of no bytes beside a whole one',
    layers: [
      [
        ...SILENT,
        fileOf(`${CONFIG}/SOFTWARE`, ''),
        fileOf('Hives/Software_Base', hiveOf(softwareTree({type: 'Server'}))),
      ],
      APP,
    ],
    identity: 'WindowsServer_10.0.17763.1',
  },
  {
    note: 'a hive that is none',
    layers: [[...SILENT, fileOf(`${CONFIG}/SOFTWARE`, 'no hive')], APP],
    config: features('win32k'),
    identity: 'WindowsServerCore_10.0.17763.1',
    notes: ['os-hive-unusable'],
    faults: ['HIVE_CORRUPT'],
  },
  {
    note: 'the hive of an application, which speaks of something else',
    layers: [SILENT, [fileOf('Files/Windows/System32/config/SOFTWARE', hiveOf(softwareTree({type: 'Nano Server'})))]],
    config: features('win32k'),
    identity: 'WindowsServerCore_10.0.17763.1',
  },
  {
    note: 'a name that is given',
    layers: [CORE, APP],
    options: {osName: 'MyServer'},
    identity: 'MyServer_10.0.17763.1',
  },
  {
    note: 'a version that is given',
    layers: [CORE, APP],
    options: {osVersion: '10.0.1'},
    identity: 'WindowsServerCore_10.0.1.0',
  },
  {
    note: 'both, and nothing is read',
    layers: [[...SILENT, fileOf(`${CONFIG}/SOFTWARE`, 'no hive')], APP],
    options: {osName: 'MyServer', osVersion: '1.2.3.4'},
    identity: 'MyServer_1.2.3.4',
    faults: ['HIVE_CORRUPT'],
  },
]

describe('the identity of an OS package', () => {
  const folder = temporaryFolder()
  const at = (name: string) => path.join(folder.path, name)

  for (const [index, row] of ROWS.entries())
    it(`follows the evidence of the payload: ${row.note}`, async () => {
      const config = {'os.version': '10.0.17763.1', created: undefined, ...row.config}
      const image = await saveImage(at(`image-${index}.tar`), row.layers, config)
      const options = {...row.options, tags: [row.tag ?? 'contoso/app:1'], osLayers: 1}
      const plan = await planConversion(image, `inbox:${at(`planned-${index}`)}`, options)
      const report = await convert(image, `inbox:${at(`packages-${index}`)}`, options)
      assert.equal(report.artifacts[0]!.identity, `CN=Microsoft_${row.identity}`)
      assert.equal(plan.steps[0]!.title, report.artifacts[0]!.identity)
      assert.deepEqual(report.artifacts[1]!.dependencies, [report.artifacts[0]!.identity])
      for (const {notes} of [plan, report])
        assert.deepEqual(
          notes.map(({code}) => code).filter((code) => code.startsWith('os-')),
          row.notes ?? [],
        )
      const {faults} = await verify(`inbox:${at(`packages-${index}`)}`)
      assert.deepEqual(
        faults.map(({code}) => code),
        row.faults ?? [],
      )
    })

  it('takes what servicing layers say', async () => {
    const history = ['Apply image 10.0.17763.1', 'Install update 10.0.17763.379', 'COPY'].map((created_by) => ({
      created_by,
    }))
    const layers = [CORE, servicingLayer({type: 'Server Core', revision: 379}), APP]
    const image = await saveImage(at('serviced.tar'), layers, {'os.version': '10.0.17763.379', history})
    const report = await convert(image, `inbox:${at('serviced')}`, {layers: 'chain'})
    assert.deepEqual(report.artifacts.map(({identity}) => identity).slice(0, 2), [
      'CN=Microsoft_WindowsServerCore-L01_10.0.17763.379',
      'CN=Microsoft_WindowsServerCore_10.0.17763.379',
    ])
    assert.deepEqual(report.notes, [])
    const again = await convert(image, `inbox:${at('serviced')}`, {layers: 'chain'})
    assert.ok(again.artifacts.every(({unchanged}) => unchanged === true))
  })

  it('is what the destination, or a base that is given, knows by the digest of the layer', async () => {
    const image = await saveImage(at('known.tar'), [CORE, APP], {'os.version': '10.0.17763.1', created: undefined})
    const named = {tags: ['contoso/app:1'], layers: 'chain'} as const
    await convert(image, `inbox:${at('known')}`, {...named, osName: 'GoldenImage', osVersion: '1.0.0.0'})
    const bases = [`inbox:${at('known')}:GoldenImage`]
    for (const [place, options] of [
      ['known', {}],
      ['other', {bases}],
      ['third', {bases, withoutBase: true}],
    ] as const) {
      const other = await saveImage(at('known-other.tar'), [CORE, [fileOf('Files/b', 'b')]], {created: undefined})
      const report = await convert(other, `inbox:${at(place)}`, {
        ...options,
        tags: ['contoso/other:1'],
        layers: 'chain',
      })
      assert.equal(report.artifacts[0]!.identity, 'CN=Microsoft_GoldenImage_1.0.0.0', place)
    }
  })

  for (const options of [{osName: 'a/b'}, {osName: 'ab'}, {osVersion: '1.2.3.4.5'}, {osVersion: '70000.0'}])
    it(`refuses ${JSON.stringify(options)}`, async () => {
      const image = await saveImage(at('refused.tar'), [CORE, APP], {created: undefined})
      await assert.rejects(convert(image, `inbox:${at('refused')}`, options), {code: 'IDENTITY_INVALID'})
    })
})
