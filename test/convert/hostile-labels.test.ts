import assert from 'node:assert/strict'
import {writeFileSync} from 'node:fs'
import path from 'node:path'
import fc from 'fast-check'
import {convert, verify} from '../../src/index.js'
import {hybridMembers, partsOf, tarOf} from '../helpers/archives.js'
import {fileOf, layerTarOf} from '../helpers/layer-archives.js'
import {osLayer} from '../helpers/os-layers.js'
import {FUZZ_RUNS} from '../helpers/fuzz.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'

const OS = 'CN=Microsoft_WindowsServerCore_10.0.17763.1'
const APP = 'CN=Contoso_Shop_1.2.0.0'

type Item = Record<string, unknown>

function itemOf(fullName: string, diffId: string, below?: string): Item {
  return {
    FullName: fullName,
    FriendlyName: 'A package',
    Architecture: 'x64',
    IsOSImage: below === undefined,
    CreatedTime: '2016-10-12T08:30:00.0000000Z',
    Dependencies: below === undefined ? [] : [below],
    Form: below === undefined ? 'base' : 'delta',
    DiffID: diffId,
  }
}

const base64 = (text: string) => Buffer.from(text).toString('base64')

/** What a hostile image makes of the label; each gives one note, or several. */
const FORMS: readonly {note: string; spoil: (os: Item, app: Item) => void}[] = [
  {note: 'depends on itself', spoil: (_, app) => (app['Dependencies'] = [APP])},
  {
    note: 'depends on itself, in other case',
    spoil: (_, app) => (app['Dependencies'] = [APP.toUpperCase().replace('SHOP', 'shop')]),
  },
  {note: 'the base depends on itself', spoil: (os) => (os['Dependencies'] = [OS])},
  {note: 'a circle of two', spoil: (os) => (os['Dependencies'] = [APP])},
  {note: 'depends on what is nowhere', spoil: (_, app) => (app['Dependencies'] = ['CN=Evil_Elsewhere_1.0.0.0'])},
  {note: 'depends on nothing', spoil: (_, app) => (app['Dependencies'] = [])},
  {note: 'two dependencies', spoil: (_, app) => (app['Dependencies'] = [OS, OS])},
  {note: 'one name twice', spoil: (_, app) => (app['FullName'] = OS)},
  {note: 'half of a surrogate pair as publisher', spoil: (_, app) => (app['FullName'] = 'CN=A\ud800_Shop_1.2.0.0')},
  {note: 'half of a surrogate pair as friendly name', spoil: (_, app) => (app['FriendlyName'] = 'x\udc00')},
  {note: 'a publisher that leads out', spoil: (_, app) => (app['FullName'] = 'CN=../../x_Shop_1.2.0.0')},
  {note: 'a publisher with a line break', spoil: (_, app) => (app['FullName'] = 'CN=a\nb_Shop_1.2.0.0')},
  {
    note: 'a publisher that no folder can be named after',
    spoil: (_, app) => (app['FullName'] = `CN=${'x'.repeat(300)}_Shop_1.2.0.0`),
  },
  {note: 'a name of a device', spoil: (_, app) => (app['FullName'] = 'CN=Contoso_nul.x_1.2.0.0')},
  {note: 'a version out of range', spoil: (_, app) => (app['FullName'] = 'CN=Contoso_Shop_1.2.0.65536')},
  {note: 'no friendly name', spoil: (_, app) => (app['FriendlyName'] = '')},
  {note: 'a friendly name without end', spoil: (_, app) => (app['FriendlyName'] = 'x'.repeat(257))},
  {note: 'a description without end', spoil: (_, app) => (app['Description'] = 'x'.repeat(2049))},
  {note: 'an architecture that is none', spoil: (_, app) => (app['Architecture'] = 'riscv')},
  {note: 'a version of the OS that is none', spoil: (_, app) => (app['OSVersion'] = 'ten')},
  {note: 'a time that is none', spoil: (_, app) => (app['CreatedTime'] = 'yesterday')},
  {note: 'a day that does not exist', spoil: (_, app) => (app['CreatedTime'] = '2016-99-99T08:30:00.0000000Z')},
  {note: 'an OS on an OS', spoil: (_, app) => (app['IsOSImage'] = true)},
  {note: 'an OS that is a delta', spoil: (os) => (os['Form'] = 'delta')},
  {note: 'a base on a base', spoil: (_, app) => (app['Form'] = 'base')},
  ...[
    'metadata.json',
    'METADATA.JSON',
    'payload-index.jsonl',
    'docker',
    'Docker',
    'Files',
    'hives',
    'tombstones.txt',
    'Files.$wcidirs$',
    'blank.vhdx',
    'AppxManifest.xml',
    'appxblockmap.XML',
    '[Content_Types].xml',
    'AppxSignature.p7x',
    'Assets',
    'Escaped',
    '../out.txt',
    'a/b',
    'a\\b',
    'C:x',
    'NUL',
    'x.',
    'x ',
    '',
    '..',
    'a\u0001',
    'x'.repeat(256),
    'é'.repeat(200),
    'x\ud800',
  ].map((name) => ({
    note: `an attachment called ${JSON.stringify(name.slice(0, 20))}`,
    spoil: (_: Item, app: Item) => {
      app['Attachments'] = JSON.parse(`{${JSON.stringify(name)}: ${JSON.stringify(base64('evil'))}}`) as object
    },
  })),
  {
    note: 'attachments that differ in case',
    spoil: (_, app) => (app['Attachments'] = {'a.txt': base64('1'), 'A.TXT': base64('2')}),
  },
  {note: 'an attachment that is no base64', spoil: (_, app) => (app['Attachments'] = {'a.txt': '!!!'})},
  {note: 'an attachment without end', spoil: (_, app) => (app['Attachments'] = {'a.txt': base64('x'.repeat(70_000))})},
  ...[
    '{',
    'null',
    '[]',
    '{}',
    '\ufeff{}',
    JSON.stringify({
      Name: 'Shop',
      Version: '1.2.0.0',
      Path: 'x',
      Size: 1,
      CreatedTime: '2016-10-12T08:30:00Z',
      Package: {},
    }),
    documentOf({Publisher: 'CN=Other'}),
    documentOf({Dependencies: []}),
    documentOf({Dependencies: [{Publisher: 'CN=Contoso', Name: 'Shop', Version: '1.2.0.0'}]}),
    documentOf({Architecture: 'arm'}),
    documentOf({IsOSImage: true}),
    documentOf({FriendlyName: ''}),
    documentOf({Extensions: {'docker/1': {ConfigFile: '../../x', ConfigDigest: `sha256:${'0'.repeat(64)}`}}}),
    documentOf({Description: 'x\ud800'}),
  ].map((document, index) => ({
    note: `broken document ${index}: ${document.slice(0, 40)}`,
    spoil: (_: Item, app: Item) => (app['Document'] = document),
  })),
]

function documentOf(change: object): string {
  const [Publisher, Name, Version] = ['CN=Contoso', 'Shop', '1.2.0.0']
  const Dependencies = [{Publisher: 'CN=Microsoft', Name: 'WindowsServerCore', Version: '10.0.17763.1'}]
  const Payload = {Kind: 'delta', Layout: 'transport-1'}
  const Package = {FormatVersion: 1, Publisher, Architecture: 'x64', IsOSImage: false, Dependencies, Payload, ...change}
  return JSON.stringify({Name, Version, Path: APP, Size: 1, CreatedTime: '2016-10-12T08:30:00Z', Package})
}

describe('the label of a hostile image', function () {
  this.timeout(120_000)
  const folder = temporaryFolder()
  const at = (name: string) => path.join(folder.path, name)
  let layers: Buffer[] = []
  let count = 0

  before(async () => {
    layers = await Promise.all([
      layerTarOf(osLayer({type: 'Server Core', mark: 'x'})),
      layerTarOf([fileOf('Files/app.txt', 'app')]),
    ])
  })

  async function imageWith(label: string): Promise<string> {
    const config = {config: {Labels: {'io.transship.package': label}}, created: undefined, 'os.version': '10.0.17763.1'}
    const file = at(`image-${count++}.tar`)
    writeFileSync(file, await tarOf(hybridMembers(partsOf(layers, config))))
    return `docker-archive:${file}`
  }

  function labelWith(spoil: (os: Item, app: Item) => unknown): string {
    const [os, app] = partsOf(layers).diffIds
    const items = [itemOf(OS, os!), itemOf(APP, app!, OS)] as const
    spoil(...items)
    return JSON.stringify({FormatVersion: 1, Packages: items})
  }

  async function assertSound(label: string): Promise<readonly string[]> {
    const image = await imageWith(label)
    let notes: readonly string[] = []
    for (const transport of ['inbox', 'appx']) {
      const place = `${transport}:${at(`packages-${count++}`)}`
      const report = await convert(image, place, {layers: 'chain'})
      notes = report.notes.map(({code}) => code)
      assert.deepEqual((await verify(place)).faults, [], label.slice(0, 2000))
      const back = at(`back-${count++}.tar`)
      const returned = await convert(report.artifacts.at(-1)!.reference, `docker-archive:${back}`)
      assert.equal(returned.artifacts[0]!.layers.map(({diffId}) => diffId).join(), partsOf(layers).diffIds.join())
    }
    return notes
  }

  it('is followed where it is sound', async () => {
    assert.deepEqual(await assertSound(labelWith(() => undefined)), [])
    assert.deepEqual(await assertSound(labelWith((_, app) => (app['Document'] = documentOf({})))), [])
  })

  for (const {note, spoil} of FORMS)
    it(`is noted, and what is written is sound: ${note}`, async () => {
      assert.ok((await assertSound(labelWith(spoil))).includes('label-malformed'))
    })

  it('may hold anything', async () => {
    const keys = [
      'FullName',
      'FriendlyName',
      'Description',
      'Architecture',
      'OSVersion',
      'OSFeatures',
      'IsOSImage',
      'IsDeleted',
      'CreatedTime',
      'Dependencies',
      'Form',
      'DiffID',
      'Document',
      'Attachments',
    ]
    const odd = fc.oneof(
      fc.constantFrom<unknown>(APP, OS, [APP], [OS], [], {}, null, true, 'delta', 'base', 'neutral', documentOf({}), {
        'version.wcx': base64('x'),
      }),
      fc.string({unit: 'binary'}),
      fc.jsonValue(),
    )
    const change = fc.record({isOs: fc.boolean(), key: fc.constantFrom(...keys), value: odd})
    await fc.assert(
      fc.asyncProperty(fc.array(change, {minLength: 1, maxLength: 3}), async (changes) => {
        await assertSound(
          labelWith((os, app) => {
            for (const {isOs, key, value} of changes) (isOs ? os : app)[key] = value
          }),
        )
      }),
      {numRuns: Math.ceil(FUZZ_RUNS / 12)},
    )
  })
})
