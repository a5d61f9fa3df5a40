import assert from 'node:assert/strict'
import {appendFileSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import stringWidth from 'string-width'
import {formatContainers} from '../../src/terminal/containers-text.js'
import {runInTerminal} from '../helpers/pseudo-terminal.js'
import {assertStored} from '../helpers/snapshot.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'
import {testsAtOnce} from '../helpers/tests-at-once.js'
import {requireTool, skipLoudly} from '../helpers/tools.js'

/** Commands whose output tells no times of this run. `--quiet` leaves the results, and errors. */
const SCREENS: readonly {readonly name: string; readonly args: readonly string[]}[] = [
  {name: 'list', args: ['list', 'samples/repository']},
  {name: 'list-archive', args: ['list', 'samples/shop.tar']},
  {name: 'list-columns', args: ['list', 'samples/repository', '--columns', 'name,size,reference', '--sort', '-size']},
  {name: 'inspect', args: ['inspect', 'samples/shop.tar']},
  {name: 'inspect-whole', args: ['inspect', 'samples/shop.tar', '--no-trunc']},
  {name: 'explain', args: ['explain', 'samples/shop.tar']},
  {name: 'files', args: ['files', 'samples/shop.tar', 'C:\\Shop']},
  {name: 'hive', args: ['hive', 'samples/shop.tar', '--layer', '1']},
  {name: 'diff', args: ['diff', 'samples/shop.tar', 'inbox:samples/repository:Shop']},
  {name: 'verify', args: ['verify', 'samples/shop.tar']},
  {name: 'verify-faults', args: ['verify', 'inbox:broken']},
  {name: 'convert-dry-run', args: ['convert', 'samples/shop.tar', 'inbox:r', '--dry-run']},
  {name: 'batch-dry-run', args: ['batch', 'plan.json', '--dry-run', '--no-check-space']},
  {name: 'error', args: ['inspect', 'samples/shp.tar']},
  {name: 'error-reference', args: ['inspect', 'nosuch:place']},
]

/** Runs that write: their order counts, and what they wrote is there for those that follow. */
const RUNS: readonly Run[] = [
  {name: 'convert-run', args: ['convert', 'samples/shop.tar', 'inbox:repository', '--layers', 'chain']},
  {name: 'convert-again', args: ['convert', 'samples/shop.tar', 'inbox:repository', '--layers', 'chain']},
  {name: 'convert-refused', args: ['convert', 'samples/shop.tar', 'docker-archive:other.tar'], before: makeOther},
  {name: 'convert-edited', args: ['convert', 'inbox:edited:shop', 'docker-archive:edited.tar'], before: edit},
  {name: 'batch-run', args: ['batch', 'plan.json']},
  {name: 'batch-again', args: ['batch', 'plan.json']},
  {name: 'batch-failed', args: ['batch', 'failing.json']},
  {name: 'migrate-dry-run', args: ['migrate', 'images', 'inbox:migrated', '--dry-run']},
  {name: 'migrate-question', args: ['migrate', 'images', 'inbox:migrated'], answer: 'n'},
  {name: 'migrate-run', args: ['migrate', 'images', 'inbox:migrated'], answer: 'y'},
  {name: 'migrate-again', args: ['migrate', 'images', 'inbox:migrated']},
  {name: 'migrate-edited', args: ['migrate', 'inbox:edited', 'docker-archive:back/', '--dry-run']},
  {name: 'migrate-refused', args: ['migrate', 'inbox:broken', 'docker-archive:back/', '--yes'], before: breakBase},
]

interface Run {
  readonly name: string
  readonly args: readonly string[]
  /** Typed at the question. */
  readonly answer?: string
  readonly before?: (folder: string) => void
}

function makeOther(folder: string): void {
  writeFileSync(path.join(folder, 'other.tar'), 'something else')
}

/** Edits as an editor does that keeps the form of carriers. */
function edit(folder: string): void {
  const root = path.join(folder, 'edited')
  cpSync(path.join(folder, 'repository'), root, {recursive: true, preserveTimestamps: true})
  const shop = path.join(root, 'CN=contoso_shop_1.2.0.0', 'Files', 'Shop')
  const settings = path.join(shop, 'settings.json')
  writeFileSync(settings, readFileSync(settings, 'latin1').replace('EUR', 'USD'), 'latin1')
  rmSync(path.join(shop, 'empty.log'))
}

/** The package that another is made on. */
function breakBase(folder: string): void {
  const root = path.join(folder, 'broken')
  cpSync(path.join(folder, 'repository'), root, {recursive: true, preserveTimestamps: true})
  appendFileSync(path.join(root, 'CN=contoso_shop-L01_1.2.0.0', 'Hives', 'System_Delta'), 'x')
}

/** What stands on the screen, without what moves the cursor and sets colours. */
function shown(screen: string): string {
  // eslint-disable-next-line no-control-regex
  return screen.replaceAll(/\u001b\[[?\d;]*[A-Za-z]/g, '').replaceAll('\r\n', '\n')
}

describe('screens', () => {
  const folder = temporaryFolder()
  const atOnce = testsAtOnce()

  before(function () {
    if (process.platform === 'win32') skipLoudly(this, 'Windows has no pseudo terminal that Python makes')
    requireTool(this, 'python3')
    cpSync('samples/repository', path.join(folder.path, 'samples/repository'), {
      recursive: true,
      preserveTimestamps: true,
    })
    cpSync('samples/shop.tar', path.join(folder.path, 'samples/shop.tar'))
    cpSync('samples/repository', path.join(folder.path, 'broken'), {recursive: true, preserveTimestamps: true})
    const broken = path.join(folder.path, 'broken', 'CN=Contoso_Shop_1.2.0.0')
    mkdirSync(path.join(broken, 'not-of-a-package'))
    writeFileSync(path.join(broken, 'metadata.json'), '{"version": 1}')
    const items = ['docker-archive:made/a-rather-long-name-for-an-archive.tar', 'oci:made/b', 'inbox:made/c'].map(
      (destination) => ({source: 'docker-archive:samples/shop.tar', destination}),
    )
    writeFileSync(path.join(folder.path, 'plan.json'), JSON.stringify({items}))
  })

  for (const columns of [80, 160])
    for (const {name, args} of SCREENS)
      atOnce(`of ${name} fits a terminal of ${String(columns)} columns`, async () => {
        const {screen, signal} = await runInTerminal([...args, '--quiet'], {columns, cwd: folder.path})
        assert.equal(signal, null)
        // Where the folder is and how much is free there differs from run to run.
        const text = shown(screen).replaceAll(/^Needs about [^]*?(?:free|enough)\.\n/gm, '')
        if (!args.includes('--no-trunc'))
          for (const line of text.split('\n')) assert.ok(stringWidth(line) <= columns, line)
        await assertStored(`test/snapshots/screens/${name}-${String(columns)}.txt`, text)
      })

  describe('of runs', () => {
    const atOnce = testsAtOnce()
    const place = (columns: number) => path.join(folder.path, String(columns))
    /** The run before, of the same width. */
    const last = new Map<number, Promise<void>>()

    before(() => {
      for (const cwd of [80, 160].map(place)) {
        mkdirSync(path.join(cwd, 'images'), {recursive: true})
        for (const to of ['samples', 'images']) cpSync('samples/shop.tar', path.join(cwd, to, 'shop.tar'))
        const source = 'docker-archive:samples/shop.tar'
        const items = ['docker-archive:made/a.tar', 'oci:made/b', 'inbox:made/c'].map((destination) => ({
          source,
          destination,
        }))
        writeFileSync(path.join(cwd, 'plan.json'), JSON.stringify({items}))
        const failing = [
          {source, destination: 'docker-archive:made/d.tar'},
          {source, destination: 'docker-archive:samples/shop.tar', options: {layers: 'squash'}},
        ]
        writeFileSync(path.join(cwd, 'failing.json'), JSON.stringify({items: failing}))
      }
    })

    /** Each width has a folder of its own, and its runs come one after another. */
    function inOrder(columns: number, work: () => Promise<void>): Promise<void> {
      const own = (last.get(columns) ?? Promise.resolve()).catch(() => undefined).then(work)
      last.set(columns, own)
      return own
    }

    async function assertScreen({name, args, answer, before}: Run, columns: number): Promise<void> {
      const cwd = place(columns)
      before?.(cwd)
      const steps = answer === undefined ? [] : [{after: 'y/N', act: 'type', text: `${answer}\r`} as const]
      const env = {XDG_STATE_HOME: path.join(cwd, 'state')}
      const {screen, signal} = await runInTerminal([...args, '--quiet'], {columns, cwd, steps, env})
      assert.equal(signal, null)
      const text = shown(screen)
        .replaceAll(/^Needs about [^]*?(?:free|enough)\.\n/gm, '')
        .replaceAll(/in \d+ s\.$/gm, 'in 1 s.')
      for (const line of text.split('\n')) assert.ok(stringWidth(line) <= columns, line)
      await assertStored(`test/snapshots/screens/${name}-${String(columns)}.txt`, text)
    }

    for (const run of RUNS)
      for (const columns of [80, 160])
        atOnce(`show ${run.name}, ${String(columns)} columns wide`, () =>
          inOrder(columns, () => assertScreen(run, columns)),
        )
  })

  for (const columns of [80, 160])
    it(`of containers list fits ${String(columns)} columns`, async () => {
      const some = {state: 'running', os: 'windows', seenBy: []} as const
      const rows = [
        {
          ...some,
          id: 'a'.repeat(64),
          name: 'shop-frontend-5d8c7b9f4-x2x7k_production_0',
          manager: 'kubernetes',
          namespace: 'k8s.io',
          image: 'registry.contoso.example:5000/shop/frontend:1.2.0-ltsc2022',
          isolation: 'process',
          pid: 4711,
          memoryBytes: 123_456_789,
          cpuSeconds: 4242,
          startedAt: '2026-11-26T10:11:12.123Z',
        },
        {...some, id: 'db', name: 'db', manager: 'docker', image: 'db:1', state: 'exited'},
      ]
      const list = {containers: rows, managers: []} as unknown as Parameters<typeof formatContainers>[0]
      const text = formatContainers(list, {width: columns})
      for (const line of text.split('\n')) assert.ok(stringWidth(line) <= columns, line)
      await assertStored(`test/snapshots/screens/containers-list-${String(columns)}.txt`, `${text}\n`)
    })
})
