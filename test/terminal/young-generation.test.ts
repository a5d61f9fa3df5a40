import assert from 'node:assert/strict'
import {spawnSync} from 'node:child_process'
import path from 'node:path'
import {pathToFileURL} from 'node:url'

const MODULE = pathToFileURL(path.resolve(import.meta.dirname, '../../src/terminal/young-generation.js')).href
/** What V8 takes by itself, at least. */
const UNBOUND_BYTES = 32 * 2 ** 20

/** A program whose objects live just long enough to make V8 want more room for the young ones, also while threads start. */
const CHURN = `
import {getHeapSpaceStatistics} from 'node:v8'
import {Worker} from 'node:worker_threads'
import {setTimeout as wait} from 'node:timers/promises'
const [module, threads] = process.argv.slice(1)
if (module !== '') (await import(module)).boundYoungGeneration()
const ring = new Array(20_000)
let most = 0
for (let turn = 0; turn < 200; turn++) {
  for (let at = 0; at < 50_000; at++) ring[at % ring.length] = {at, list: [at]}
  if (turn === 2) for (let n = 0; n < threads; n++) new Worker('0', {eval: true})
  most = Math.max(most, getHeapSpaceStatistics().find(({space_name}) => space_name === 'new_space').space_size)
  await wait(turn < 20 ? 25 : 1)
}
console.log(most)`

function mostYoungBytes(module: string, threads: number): number {
  const args = ['--input-type=module', '--eval', CHURN, '--', module, String(threads)]
  const {stdout, stderr} = spawnSync(process.execPath, args, {encoding: 'utf8'})
  assert.equal(stderr, '')
  return Number(stdout)
}

describe('the young generation of the command line', () => {
  it('would grow beyond what is promised', () => {
    assert.ok(mostYoungBytes('', 0) >= UNBOUND_BYTES)
  })

  for (const threads of [0, 2]) {
    it(`stays small, with ${threads} threads that start`, () => {
      assert.ok(mostYoungBytes(MODULE, threads) < UNBOUND_BYTES)
    })
  }
})
