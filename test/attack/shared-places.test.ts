import assert from 'node:assert/strict'
import {spawnSync} from 'node:child_process'
import {createHash} from 'node:crypto'
import {
  chownSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import {runBatch} from '../../src/batch/run-batch.js'
import {convert} from '../../src/convert/convert.js'
import {list} from '../../src/convert/list.js'
import type {ConvertOptions} from '../../src/convert/options.js'
import {verify} from '../../src/convert/verify.js'
import {removeTree} from '../../src/disk/remove-tree.js'
import {ownedWorkName} from '../../src/disk/work-name.js'
import {runJson} from '../helpers/run-cli.js'
import {assertSchema} from '../helpers/schemas.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'

const SHOP = 'docker-archive:samples/shop.tar'
const OTHER = {layers: 'chain', publisher: 'CN=Other', name: 'Other'} as const
const HEX = '0123456789ab'
const NOBODY = 65_534
const LONG_AGO = new Date(Date.now() - 2 * 24 * 3_600_000)

interface Shared {
  readonly title: string
  /** Fills the folder; gives the reference that is read. */
  readonly make: (folder: string) => Promise<string>
  /** Beginnings of the names that work in or beside it has. */
  readonly prefixes: readonly string[]
  /** Where more is written in the folder, the first time and the second. */
  readonly destination: (folder: string, time: number) => string
  readonly options: ConvertOptions
}

const PLACES: readonly Shared[] = [
  {
    title: 'a repository',
    async make(folder) {
      await convert('inbox:samples/repository:Shop', `inbox:${folder}`)
      return `inbox:${folder}`
    },
    prefixes: ['.tmp-'],
    destination: (folder) => `inbox:${folder}`,
    options: OTHER,
  },
  {
    title: 'a folder of AppX packages',
    async make(folder) {
      await convert('inbox:samples/repository:Shop', `appx:${folder}`, {layers: 'chain'})
      return `appx:${folder}`
    },
    prefixes: ['.appx-tmp-', '.CN=Other_Other_1.2.0.0.appx.tmp-'],
    destination: (folder) => `appx:${folder}`,
    options: OTHER,
  },
  {
    title: 'an OCI layout',
    async make(folder) {
      await convert(SHOP, `oci:${folder}:first`)
      return `oci:${folder}`
    },
    prefixes: ['.tmp-'],
    destination: (folder, time) => `oci:${folder}:more-${time}`,
    options: {},
  },
  {
    title: 'a folder of archives',
    async make(folder) {
      await convert(SHOP, `docker-archive:${folder}/first.tar`)
      return `docker-archive:${folder}/first.tar`
    },
    prefixes: ['.more-1.tar.tmp-', '.more-2.tar.tmp-', '.first.tar.tmp-'],
    destination: (folder, time) => `docker-archive:${folder}/more-${time}.tar`,
    options: {},
  },
  {
    title: 'a folder of OCI archives',
    async make(folder) {
      await convert(SHOP, `oci-archive:${folder}/first.tar`)
      return `oci-archive:${folder}/first.tar`
    },
    prefixes: ['.more-1.tar.tmp-', '.more-2.tar.tmp-'],
    destination: (folder, time) => `oci-archive:${folder}/more-${time}.tar`,
    options: {},
  },
  {
    title: 'a folder of transport layouts',
    async make(folder) {
      await convert(SHOP, `layout:${folder}/first`, {layers: 'squash', osLayers: 0})
      return `layout:${folder}/first`
    },
    prefixes: ['.more-1.tmp-', '.more-2.tmp-', '.first.tmp-'],
    destination: (folder, time) => `layout:${folder}/more-${time}`,
    options: {layers: 'squash', osLayers: 0},
  },
]

/** Names of work as this program makes them: under a lock, and of a process that is gone. */
function workNames(prefix: string, count: number): string[] {
  const gone = ownedWorkName(prefix).replace(/-\d+-(\d+-[0-9a-f]{8})$/, '-999999999-$1')
  return [`${prefix}${HEX.slice(0, -1)}${count}`, gone]
}

function digDeep(folder: string): void {
  const script =
    'process.chdir(process.argv[1]); for (let i = 0; i < 2100; i++) { fs.mkdirSync("a"); process.chdir("a") }'
  assert.equal(spawnSync(process.execPath, ['-e', script, folder]).status, 0)
}

/** What another user may put under a name of ours; each gets the name and a folder that is precious to somebody. */
const PLANTS: readonly ((file: string, precious: string) => void)[] = [
  (file, precious) => {
    symlinkSync(precious, file)
  },
  (file, precious) => {
    symlinkSync(path.join(precious, 'file'), file)
  },
  (file) => {
    symlinkSync('/dev/zero', file)
  },
  (file) => {
    assert.equal(spawnSync('mkfifo', [file]).status, 0)
  },
  (file) => {
    mkdirSync(file)
    digDeep(file)
  },
  (file, precious) => {
    mkdirSync(file)
    for (const name of ['replaced', 'next', 'blobs', 'Files']) symlinkSync(precious, path.join(file, name))
  },
  (file, precious) => {
    // A package that was moved out of the way, as if: coming back, it would take the place of another's name.
    mkdirSync(path.join(file, 'replaced'), {recursive: true})
    for (const name of ['repository.json', 'index.json', 'first.tar', '.lock', 'autorun.inf'])
      writeFileSync(path.join(file, 'replaced', name), 'planted')
    symlinkSync(precious, path.join(file, 'replaced', 'CN=Precious_App_1.0.0.0'))
  },
  (file) => {
    writeFileSync(file, 'half')
  },
]

/** Every name below a folder with what it holds; links are not followed. */
function contentOf(folder: string): Record<string, string> {
  const found: Record<string, string> = {}
  for (const name of readdirSync(folder, {recursive: true, encoding: 'utf8'}).sort()) {
    const stats = lstatSync(path.join(folder, name))
    found[name] = stats.isFile()
      ? createHash('sha256')
          .update(readFileSync(path.join(folder, name)))
          .digest('hex')
      : stats.isDirectory()
        ? 'folder'
        : 'other'
  }
  return found
}

describe('places that another user writes to as well', function () {
  if (process.platform === 'win32') return
  this.timeout(120_000)
  const folder = temporaryFolder()
  // What a failure leaves is deeper than Node can remove.
  afterEach(() => {
    for (const name of readdirSync(folder.path)) removeTree(path.join(folder.path, name))
  })
  let count = 0
  const fresh = (): string => {
    const made = path.join(folder.path, String(count++))
    mkdirSync(made)
    return made
  }

  for (const isOthers of process.getuid?.() === 0 ? [false, true] : [false])
    for (const {title, make, prefixes, destination, options} of PLACES)
      it(`are used without harm, and doctor --clean mends them: ${title}${isOthers ? ', things of another user' : ''}`, async () => {
        const root = fresh()
        const precious = fresh()
        writeFileSync(path.join(precious, 'file'), 'data')
        cpSync('samples/repository/CN=Contoso_Shop_1.2.0.0', path.join(precious, 'CN=Precious_App_1.0.0.0'), {
          recursive: true,
        })
        const theirs = contentOf(precious)
        const source = await make(root)
        const own = new Set(readdirSync(root))
        const planted: string[] = []
        for (const prefix of prefixes)
          for (const [index, plant] of PLANTS.entries()) {
            const name = workNames(prefix, index)[index % 2] ?? ''
            plant(path.join(root, name), precious)
            planted.push(name)
            // Work that names no process is given up after a day.
            if (!lstatSync(path.join(root, name)).isSymbolicLink())
              utimesSync(path.join(root, name), LONG_AGO, LONG_AGO)
            if (isOthers && !lstatSync(path.join(root, name)).isSymbolicLink())
              chownSync(path.join(root, name), NOBODY, NOBODY)
          }
        assert.equal(new Set(planted).size, planted.length)

        const use = async (time: number) => {
          assert.ok((await list(source)).items.length > 0)
          assert.deepEqual((await verify(source)).faults, [])
          const to = destination(root, time)
          await convert(SHOP, to, {...options, ...(time === 2 ? {replace: true} : {})})
          const verdict = await verify(to)
          assert.deepEqual(verdict.faults, [])
          const plan = path.join(fresh(), 'plan.json')
          const target = `docker-archive:${path.dirname(plan)}/out.tar`
          const named =
            source.startsWith('inbox') || source.startsWith('appx') ? `${source}:CN=Contoso_Shop_1.2.0.0` : source
          writeFileSync(plan, JSON.stringify({items: [{source: named, destination: target}]}))
          const {items} = await runBatch(plan, {environment: {}, checkSpace: false})
          assert.deepEqual(
            items.map(({state, failure}) => [state, failure?.what]),
            [['converted', undefined]],
          )
          assert.deepEqual(contentOf(precious), theirs)
          assert.equal(existsSync(path.join(root, 'CN=Precious_App_1.0.0.0')), false)
          assert.equal(existsSync(path.join(root, 'autorun.inf')), false)
        }
        await use(1)
        const {code, json} = await runJson(['doctor', '--clean', root])
        assert.equal(code, 0)
        await assertSchema('doctor-clean', json)
        const left = readdirSync(root).filter((name) => name.startsWith('.') && !own.has(name))
        assert.deepEqual(left, [], JSON.stringify(json))
        assert.deepEqual(contentOf(precious), theirs)
        await use(2)
      })
})
