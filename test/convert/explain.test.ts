import assert from 'node:assert/strict'
import {readdir} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import path from 'node:path'
import stringWidth from 'string-width'
import {keyOf, valueOf, type HiveKey} from '../../src/codecs/registry-hive/hive-key.js'
import {explain} from '../../src/convert/explain.js'
import {FolderSizes} from '../../src/convert/explain-payload.js'
import {windowsNeed} from '../../src/convert/explain-windows.js'
import {formatExplain} from '../../src/terminal/explain-text.js'
import {tombstone} from '../helpers/file-system-model.js'
import {deltaOf, hiveOf, text} from '../helpers/hives.js'
import {CONFIG, fileOf, saveImage} from '../helpers/layer-archives.js'
import {softwareTree} from '../helpers/os-layers.js'
import {runCli, runJson} from '../helpers/run-cli.js'
import {assertSchema} from '../helpers/schemas.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'

const key = (name: string, subkeys: HiveKey[] = [], values: Record<string, string> = {}, more: Partial<HiveKey> = {}) =>
  keyOf({
    ...more,
    name,
    subkeys,
    values: Object.entries(values).map(([title, value]) => valueOf(title, 1, text(value))),
  })
const below = (names: readonly string[], leaf: HiveKey) => names.reduceRight((child, name) => key(name, [child]), leaf)
const services = (...own: HiveKey[]) => key('ROOT', [key('ControlSet001', [key('Services', own)])])
const programs = (...own: HiveKey[]) =>
  key('ROOT', [below(['Microsoft', 'Windows', 'CurrentVersion'], key('Uninstall', own))])
const gone = {disposition: 'tombstone'} as const

const TASKS = 'Files/Windows/System32/Tasks'
const LAYERS = [
  [
    fileOf(`${CONFIG}/SYSTEM`, hiveOf(services(key('Spooler', [], {ImagePath: 'spool.exe'})))),
    fileOf(`${CONFIG}/SOFTWARE`, hiveOf(softwareTree({type: 'Server Core', build: '20348'}))),
    fileOf(`${TASKS}/Microsoft/Own`, 'x'),
    fileOf('Files/Windows/old.bin', 'x'.repeat(5000)),
  ],
  [
    fileOf(
      'Hives/System_Delta',
      deltaOf(
        services(
          key('Shop', [], {ImagePath: 'C:\\shop\\svc.exe'}),
          key('Spooler', [], {ImagePath: 'other.exe'}),
          key('OnlyLeads', [key('Parameters', [], {a: 'b'})]),
        ),
      ),
    ),
    fileOf(
      'Hives/Software_Delta',
      deltaOf(
        programs(key('{1}', [], {DisplayName: 'Shop Suite', DisplayVersion: '1.2', Publisher: 'Contoso'}), key('{2}')),
      ),
    ),
    fileOf(`${TASKS}/Contoso/Nightly`, '<Task/>'),
    fileOf('Files/shop/big.bin', 'y'.repeat(3000)),
    tombstone('Files/Windows/old.bin'),
  ],
  [fileOf('Hives/System_Delta', deltaOf(services(key('Shop', [], {}, gone)))), tombstone(`${TASKS}/Contoso/Nightly`)],
]

describe('explain', () => {
  const folder = temporaryFolder()

  it('tells what layers add, change and delete, and what the image needs', async () => {
    const reference = await saveImage(path.join(folder.path, 'a.tar'), LAYERS, {
      os: 'windows',
      architecture: 'amd64',
      'os.version': '10.0.20348.1',
      config: {
        Entrypoint: ['shop.exe'],
        Env: ['A=b'],
        User: 'ContainerUser',
        ExposedPorts: {'80/tcp': {}},
        Labels: {x: 'y'},
      },
      history: [
        {created_by: 'base'},
        {created_by: 'ENTRYPOINT', empty_layer: true},
        {created_by: 'RUN setup'},
        {created_by: 'RUN clean'},
      ],
    })
    const report = await explain(reference)
    await assertSchema('explain', report)
    const [base, setup, clean] = report.layers
    assert.deepEqual([base?.payload?.services, base?.payload?.tasks, base?.payload?.programs], [[], [], []])
    assert.deepEqual(setup?.payload?.services, [
      {name: 'Shop', change: 'added', detail: 'C:\\shop\\svc.exe'},
      {name: 'Spooler', change: 'changed', detail: 'other.exe'},
    ])
    assert.deepEqual(setup.payload.programs, [{name: 'Shop Suite', change: 'added', detail: '1.2, Contoso'}])
    assert.deepEqual(setup.payload.tasks, [{name: 'Contoso/Nightly', change: 'added'}])
    assert.deepEqual([setup.command, setup.payload.deletions], ['RUN setup', 1])
    assert.deepEqual(clean?.payload?.services, [{name: 'Shop', change: 'deleted'}])
    assert.deepEqual(clean.payload.tasks, [{name: 'Contoso/Nightly', change: 'deleted'}])
    assert.equal(report.windows?.edition, 'Server Core')
    assert.equal(report.windows.release, 'Windows Server 2022')
    assert.match(report.windows.processIsolation ?? '', /build 20348 or later/)
    assert.deepEqual(report.start, {
      entrypoint: ['shop.exe'],
      user: 'ContainerUser',
      env: ['A=b'],
      ports: ['80/tcp'],
      volumes: [],
      labels: {x: 'y'},
    })
    assert.equal(report.history.filter(({isEmpty}) => isEmpty).length, 1)
    assert.deepEqual(
      report.folders.find((each) => each.path === 'Files/shop'),
      {path: 'Files/shop', bytes: 3000},
    )
    assert.equal(report.towards.to, 'package')
    assert.equal(report.towards.error, undefined)
    assert.ok(report.towards.steps.length > 0)
    assert.deepEqual(
      (await readdir(tmpdir())).filter((name) => name.startsWith('transship-explain-')),
      [],
    )
    for (const width of [80, 60, undefined])
      for (const line of formatExplain(report, width === undefined ? {} : {width}).split('\n'))
        assert.ok(stringWidth(line) <= (width ?? 80), line)
  })

  for (const ref of ['docker-archive:samples/shop.tar', 'inbox:samples/repository:CN=Contoso_Shop_1.2.0.0'])
    it(`explains ${ref} as text of 80 columns and as JSON`, async () => {
      const {json, code} = await runJson(['explain', ref])
      assert.equal(code, 0)
      await assertSchema('explain', json)
      const told = await runCli(['explain', ref])
      const text = told.stdout.toString()
      for (const line of text.split('\n')) assert.ok(stringWidth(line) <= 80, line)
      for (const part of [/^Layers$/m, /^Windows$/m, /^Largest folders$/m, /^As (?:a Docker image|an inbox package)$/m])
        assert.match(text, part)
    })

  for (const {build, own, hyperV} of [
    {
      build: 14393,
      own: 'Only hosts of build 14393, with the same revision. All others need Hyper-V isolation.',
      hyperV: 14393,
    },
    {build: 17763, own: 'Only hosts of build 17763. All others need Hyper-V isolation.', hyperV: 17763},
    {build: 20348, own: 'Hosts of build 20348 or later, up to the next long-term release.', hyperV: 20348},
    {build: 26100, own: 'Hosts of build 26100 or later, up to the next long-term release.', hyperV: 26100},
  ])
    it(`knows which hosts run build ${String(build)}`, () => {
      const need = windowsNeed({os: 'windows', architecture: 'amd64', osVersion: `10.0.${String(build)}.1`}, undefined)
      assert.equal(need?.processIsolation, own)
      assert.equal(need.hyperVIsolation, `Hosts of build ${String(hyperV)} or later.`)
    })

  it('asks no Windows for another system, and says nothing where no version is known', () => {
    assert.equal(windowsNeed({os: 'linux', architecture: 'amd64'}, undefined), undefined)
    assert.deepEqual(windowsNeed({os: 'windows', architecture: 'amd64'}, undefined), {})
  })

  it('sums folders as the layers show them', () => {
    const sizes = new FolderSizes()
    sizes.set('Files/a/x', 5)
    sizes.set('Files/A/X', 7)
    sizes.set('Files/b/c/d', 3)
    assert.deepEqual(sizes.largest(9, 2), [
      {path: 'Files', bytes: 10},
      {path: 'Files/a', bytes: 7},
      {path: 'Files/b', bytes: 3},
    ])
    sizes.remove('Files/b', true)
    sizes.remove('Files/none/x', false)
    assert.deepEqual(sizes.largest(1, 2), [{path: 'Files/a', bytes: 7}])
  })
})
