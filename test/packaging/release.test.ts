import assert from 'node:assert/strict'
import {copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import {fetchInto} from '../../packaging/fetch-package.js'
import {makeRelease} from '../../packaging/release.js'
import {TARGETS} from '../../packaging/targets.js'
import {sha256} from '../helpers/archives.js'
import {makeBareRoot, type BareRoot} from '../helpers/bare-root.js'
import {PROJECT} from '../helpers/snapshot.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'
import {findTool, requireTool, runTool, skipLoudly} from '../helpers/tools.js'
import {startWine, type Wine} from '../helpers/wine.js'

const SAMPLE = path.join(PROJECT, 'samples', 'shop.tar')
const {version} = JSON.parse(readFileSync(path.join(PROJECT, 'package.json'), 'utf8')) as {readonly version: string}
const TOP = 'CN=contoso_shop_1.2.0.0'

describe('a release', function () {
  this.timeout(600_000)
  const folder = temporaryFolder()
  let out = ''

  before(async function () {
    if (process.platform !== 'linux' || process.arch !== 'x64') skipLoudly(this, 'it is tried on Linux on x64 alone')
    requireTool(this, 'bsdtar')
    if (!existsSync(path.join(PROJECT, 'node_modules', 'postject'))) skipLoudly(this, 'postject is not installed')
    out = path.join(folder.path, 'release')
    await makeRelease({
      root: PROJECT,
      out,
      targets: TARGETS.filter(({name}) => name === 'linux-x64' || name === 'win-x64'),
      find: fetchInto(path.join(PROJECT, '.node', 'packages')),
    })
  })

  it('has every file that it promises, each with its checksum', () => {
    const sums = readFileSync(path.join(out, 'SHA256SUMS'), 'utf8').trimEnd().split('\n')
    const named = sums.map((line) => line.split(/ [ *]/)).map(([sum = '', name = '']) => ({sum, name}))
    for (const {sum, name} of named) assert.equal(sha256(readFileSync(path.join(out, name))), sum, name)
    const files = readdirSync(out, {withFileTypes: true}).filter((entry) => entry.isFile())
    assert.deepEqual(
      files.map(({name}) => name).sort(),
      [...named.map(({name}) => name).filter((name) => !name.includes('/')), 'SHA256SUMS'].sort(),
    )
    const stem = `transship-${version}`
    for (const end of ['.tgz', '.cdx.json', '-powershell.zip', '-linux-x64', '-win-x64.exe'])
      assert.ok(existsSync(path.join(out, stem + end)), end)
  })

  describe('on a Linux without Node', () => {
    let root: BareRoot

    before(function () {
      root = makeBareRoot(this, path.join(folder.path, 'root'), path.join(out, `transship-${version}-linux-x64`))
      unpackSample(path.join(out, `transship-${version}-linux-x64.tar.gz`), path.join(root.folder, 'tmp'))
      layOutWork(path.join(root.folder, 'tmp'), '/tmp/')
    })

    const run = (...args: readonly string[]) => root.run(args, {NO_COLOR: '1'})

    it('tells its version', () => {
      const {status, stdout, stderr} = run('--version')
      assert.equal(status, 0, stderr)
      assert.match(stdout, new RegExp(`transship/${version.replaceAll('.', '\\.')} `))
    })

    it('lists, converts, verifies and explains, and gives the same archive back', () => {
      for (const args of [
        ['list', 'docker-archive:/tmp/shop.tar'],
        ['convert', 'docker-archive:/tmp/shop.tar', 'inbox:/tmp/repository', '--layers', 'chain'],
        ['verify', 'inbox:/tmp/repository'],
        ['explain', `inbox:/tmp/repository:${TOP}`],
        ['list', 'inbox:/tmp/repository', '--format', '{{.Name}}'],
        ['convert', `inbox:/tmp/repository:${TOP}`, 'docker-archive:/tmp/back.tar', '--report', '/tmp/report.html'],
      ]) {
        const {status, stdout, stderr} = run(...args)
        assert.equal(status, 0, `${args.join(' ')}: ${stderr}`)
        assert.notEqual(stdout, '')
      }
      const back = readFileSync(path.join(root.folder, 'tmp', 'back.tar'))
      assert.ok(back.equals(readFileSync(SAMPLE)))
      assert.match(readFileSync(path.join(root.folder, 'tmp', 'report.html'), 'utf8'), /<!doctype html>/i)
    })

    it('runs a plan, and migrates there and back', () => {
      for (const args of workOf('/tmp/')) {
        const {status, stdout, stderr} = run(...args)
        assert.equal(status, 0, `${args.join(' ')}: ${stdout}${stderr}`)
      }
      assertMigrated(path.join(root.folder, 'tmp'))
    })

    it('ends with the same code and words for what is wrong', () => {
      const {status, stderr} = run('convert', 'docker-archive:/tmp/nothing.tar', 'inbox:/tmp/other')
      assert.equal(status, 3)
      assert.match(stderr, /NOT_FOUND/)
      assert.equal(run('convrt').status, 2)
    })
  })

  describe('on Windows', () => {
    let wine: Wine
    let program = ''

    before(async function () {
      if (findTool('wine64') === undefined && !existsSync('/usr/lib/wine/wine64'))
        skipLoudly(this, 'Wine is not installed')
      wine = await startWine(this)
      // As it is unpacked from the archive.
      mkdirSync(path.join(wine.folder, 'work'))
      program = path.join(wine.folder, 'work', 'transship.exe')
      copyFileSync(path.join(out, `transship-${version}-win-x64.exe`), program)
      unpackSample(path.join(out, `transship-${version}-win-x64.zip`), path.join(wine.folder, 'work'))
      layOutWork(path.join(wine.folder, 'work'), `${at('')}\\`)
    })

    after(async () => {
      await (wine as Wine | undefined)?.close()
    })

    const at = (name: string) => wine.windowsPath(path.join(wine.folder, 'work', name))

    it('tells its version, converts, verifies, and gives the same archive back', () => {
      for (const args of [
        ['--version'],
        ['list', `docker-archive:${at('shop.tar')}`],
        ['convert', `docker-archive:${at('shop.tar')}`, `inbox:${at('repository')}`, '--layers', 'chain'],
        ['verify', `inbox:${at('repository')}`],
        ['convert', `inbox:${at('repository')}:${TOP}`, `docker-archive:${at('back.tar')}`],
      ]) {
        const {status, stdout, stderr} = wine.program(program, args)
        assert.equal(status, 0, `${args.join(' ')}: ${stderr}`)
        assert.notEqual(stdout, '')
      }
      assert.ok(readFileSync(path.join(wine.folder, 'work', 'back.tar')).equals(readFileSync(SAMPLE)))
    })

    it('runs a plan, and migrates there and back', function () {
      this.timeout(180_000)
      for (const args of workOf(`${at('')}\\`)) {
        const {status, stdout, stderr} = wine.program(program, args)
        assert.equal(status, 0, `${args.join(' ')}: ${stdout}${stderr}`)
      }
      assertMigrated(path.join(wine.folder, 'work'))
    })
  })
})

/** The sample that the tour of the README begins with, out of an archive of the release. */
function unpackSample(archive: string, folder: string): void {
  runTool('bsdtar', ['-xf', archive, '-C', folder, '--strip-components', '1', 'samples/shop.tar'])
  assert.ok(readFileSync(path.join(folder, 'shop.tar')).equals(readFileSync(SAMPLE)))
}

/** What a plan and a migration read; `at` is how the program names the folder, with a separator behind it. */
function layOutWork(folder: string, at: string): void {
  mkdirSync(path.join(folder, 'images'))
  copyFileSync(SAMPLE, path.join(folder, 'images', 'shop.tar'))
  const items = ['oci', 'docker-archive'].map((transport) => ({
    source: `docker-archive:${at}shop.tar`,
    destination: `${transport}:${at}planned-${transport}`,
  }))
  writeFileSync(path.join(folder, 'plan.json'), JSON.stringify({items}))
}

function workOf(at: string): readonly (readonly string[])[] {
  const migrate = (source: string, destination: string, name: string) => [
    ...['migrate', source, destination, '--yes', '--report', `${at}${name}.html`, '--journal', `${at}${name}.journal`],
  ]
  return [
    ['batch', `${at}plan.json`],
    migrate(`${at}images`, `inbox:${at}migrated`, 'there'),
    migrate(`inbox:${at}migrated`, `docker-archive:${at}out${at.at(-1) ?? ''}`, 'back'),
  ]
}

/** The archive is the same again, and the reports are pages. */
function assertMigrated(folder: string): void {
  const [name = '', ...others] = readdirSync(path.join(folder, 'out'))
  assert.deepEqual(others, [])
  assert.ok(readFileSync(path.join(folder, 'out', name)).equals(readFileSync(SAMPLE)), name)
  assert.ok(existsSync(path.join(folder, 'planned-oci', 'index.json')))
  for (const report of ['there.html', 'back.html'])
    assert.match(readFileSync(path.join(folder, report), 'utf8'), /<!doctype html>[^]*Exact/i)
}
