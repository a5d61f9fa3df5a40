import assert from 'node:assert/strict'
import {execFileSync} from 'node:child_process'
import {chmodSync, existsSync, mkdirSync, readdirSync, renameSync, statSync, symlinkSync} from 'node:fs'
import path from 'node:path'
import {otherNode} from '../helpers/other-node.js'
import {MAIN} from '../helpers/run-cli.js'
import {PROJECT} from '../helpers/snapshot.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'
import {skipLoudly} from '../helpers/tools.js'

describe('what Node compiles of the command line', () => {
  const folder = temporaryFolder()
  const node = otherNode(24)

  before(function () {
    if (!existsSync(node)) skipLoudly(this, 'Node 24 is not there: run .ci/prepare-node')
  })

  /** Runs a short command, and gives the folder where its code is kept. */
  function run(name: string, env: NodeJS.ProcessEnv = {}, program = node): string {
    const cache = path.join(folder.path, name)
    const output = execFileSync(program, [MAIN, 'list', 'docker-archive:samples/shop.tar', '--json'], {
      cwd: PROJECT,
      encoding: 'utf8',
      env: {PATH: process.env['PATH'], HOME: folder.path, XDG_CACHE_HOME: cache, ...env},
    })
    assert.match(output, /shop/)
    return path.join(cache, 'transship-code')
  }

  it('is kept in a folder that nobody else reads or writes', () => {
    const cache = run('kept')
    assert.equal(statSync(cache).mode & 0o777, 0o700)
    const [version = ''] = readdirSync(cache)
    const before = readdirSync(path.join(cache, version))
    assert.ok(before.length > 20, `${before.length} files`)
    run('kept')
    assert.deepEqual(readdirSync(path.join(cache, version)), before)
  })

  const unsafe: readonly (readonly [title: string, change: (cache: string) => void])[] = [
    [
      'others may write to it',
      (cache) => {
        chmodSync(cache, 0o777)
      },
    ],
    [
      'others may put another in its place',
      (cache) => {
        chmodSync(path.dirname(cache), 0o777)
      },
    ],
    [
      'it is a link',
      (cache) => {
        renameSync(cache, `${cache}-elsewhere`)
        symlinkSync(`${cache}-elsewhere`, cache)
      },
    ],
  ]
  for (const [index, [title, change]] of unsafe.entries())
    it(`is not kept where ${title}`, () => {
      const name = `unsafe-${index}`
      const cache = path.join(folder.path, name, 'transship-code')
      mkdirSync(cache, {recursive: true, mode: 0o700})
      change(cache)
      assert.deepEqual(readdirSync(run(name)), [])
    })

  it('is not kept against the wish of the user, nor by a Node that cannot', () => {
    assert.deepEqual(readdirSync(run('forbidden', {NODE_DISABLE_COMPILE_CACHE: '1'})), [])
    const elsewhere = path.join(folder.path, 'elsewhere')
    assert.ok(!existsSync(run('named', {NODE_COMPILE_CACHE: elsewhere})))
    assert.equal(readdirSync(elsewhere).length, 1)
    if (process.version.startsWith('v20.')) assert.ok(!existsSync(run('old', {}, process.execPath)))
  })
})
