import assert from 'node:assert/strict'
import {spawn} from 'node:child_process'
import {once} from 'node:events'
import {mkdirSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {writeManyPackages} from '../helpers/many-packages.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'

const SCRIPT = path.resolve(import.meta.dirname, '../helpers/run-plan.js')
/** On every machine that guards the project; at a desk a part of them. */
const PACKAGES = process.env['CI'] === undefined ? 100 : 500
const LIMIT_BYTES = 300 * 2 ** 20

describe('a batch of many items', function () {
  this.timeout(300_000)
  const folder = temporaryFolder()

  it(`keeps below 300 MiB with ${PACKAGES} packages, in its first run and in one that finds all done`, async () => {
    writeManyPackages(path.join(folder.path, 'packages'), PACKAGES)
    mkdirSync(path.join(folder.path, 'out'))
    const plan = path.join(folder.path, 'plan.json')
    const item = {source: 'inbox:packages', exclude: 'CN=Microsoft*', destination: 'docker-archive:out/{name}.tar'}
    writeFileSync(plan, JSON.stringify({items: [item]}))
    for (const state of ['converted', 'already-done']) {
      const child = spawn(process.execPath, [SCRIPT, plan, '2'], {stdio: ['ignore', 'pipe', 'inherit']})
      let said = ''
      child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()))
      await once(child, 'close')
      assert.equal(child.exitCode, 0)
      const ended = said.split('\n').filter((line) => line.startsWith('converted ')).length
      assert.equal(ended, state === 'converted' ? PACKAGES : 0)
      const peak = Number(/^peak (\d+)$/m.exec(said)?.[1])
      assert.ok(peak > 0 && peak < LIMIT_BYTES, `${Math.round(peak / 2 ** 20)} MiB`)
    }
  })
})
