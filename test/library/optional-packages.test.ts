import assert from 'node:assert/strict'
import {spawnSync} from 'node:child_process'
import {cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import {PROJECT} from '../helpers/snapshot.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'

describe('transship without its optional packages', function () {
  this.timeout(120_000)
  const folder = temporaryFolder()
  const {optionalDependencies} = JSON.parse(readFileSync(path.join(PROJECT, 'package.json'), 'utf8')) as {
    readonly optionalDependencies: Readonly<Record<string, string>>
  }

  /** What `npm install --omit=optional` leaves: every other package, at the place where npm puts it. */
  before(() => {
    const modules = path.join(folder.path, 'node_modules')
    const own = path.join(modules, 'transship')
    for (const name of ['dist/src', 'dist/commands', 'dist/commands-shared', 'package.json', 'oclif.manifest.json'])
      cpSync(path.join(PROJECT, name), path.join(own, name), {recursive: true})
    const from = path.join(PROJECT, 'node_modules')
    const names = readdirSync(from).flatMap((name) =>
      name.startsWith('@') ? readdirSync(path.join(from, name)).map((each) => `${name}/${each}`) : [name],
    )
    for (const name of names) {
      if (name in optionalDependencies || name.startsWith('.')) continue
      mkdirSync(path.dirname(path.join(modules, name)), {recursive: true})
      symlinkSync(path.join(from, name), path.join(modules, name), 'junction')
    }
    writeFileSync(path.join(folder.path, 'socket'), '')
  })

  const run = (args: readonly string[], env: Readonly<Record<string, string>> = {}) => {
    const main = path.join(folder.path, 'node_modules', 'transship', 'dist', 'src', 'main.js')
    const {NODE_ENV: _, NODE_PATH: __, ...inherited} = process.env
    return spawnSync(process.execPath, [main, ...args], {
      cwd: folder.path,
      env: {...inherited, NO_COLOR: '1', DOCKER_HOST: 'unix:///nowhere', CONTAINER_HOST: 'unix:///nowhere', ...env},
      encoding: 'utf8',
    })
  }

  it('converts', () => {
    const sample = path.join(PROJECT, 'samples', 'shop.tar')
    const {status, stdout, stderr} = run(['convert', `docker-archive:${sample}`, 'inbox:repo', '--layers', 'chain'])
    assert.equal(status, 0, stderr)
    assert.match(stdout, /Exact: converting back gives the same bytes\./)
  })

  for (const {args, note} of [
    {args: ['batch', 'worker', '--queue', 'redis://127.0.0.1:1'], note: 'a worker'},
    {args: ['batch', 'plan.json', '--queue', 'redis://127.0.0.1:1'], note: 'a plan that waits'},
    {args: ['batch', 'plan.json', '--queue', 'redis://127.0.0.1:1', '--detach'], note: 'a plan that does not wait'},
  ])
    it(`names the package that a queue needs: ${note}`, () => {
      writeFileSync(path.join(folder.path, 'plan.json'), '{"items": [{"source": "oci:a", "destination": "oci:b"}]}')
      const {status, stderr} = run(args)
      assert.equal(status, 4, stderr)
      assert.match(stderr, /A queue of batch items needs the optional package bullmq, which is not installed\./)
      assert.match(stderr, /npm install --include=optional transship/)
      assert.match(stderr, /TOOL_MISSING/)
    })

  it('names the package that containerd needs, where containerd listens', () => {
    const {status, stderr} = run(['containers', 'list'], {CONTAINERD_ADDRESS: path.join(folder.path, 'socket')})
    assert.equal(status, 4)
    assert.match(
      stderr,
      /Asking containerd for its containers needs the optional package @grpc\/\S+, which is not installed\./,
    )
  })

  it('misses nothing where no containerd listens', () => {
    const address = path.join(folder.path, 'no-socket')
    const {stdout} = run(['doctor'], {CONTAINERD_ADDRESS: address})
    assert.match(stdout, /containerd .*connect ENOENT/)
    assert.match(stdout, /native calls\s+limited\s+koffi is not installed/)
  })
})
