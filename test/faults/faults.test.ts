import assert from 'node:assert/strict'
import {skipLoudly} from '../helpers/tools.js'
import {KINDS} from './kinds.js'
import {closeBench, openBench, runFaults} from './run-faults.js'
import type {Bench} from './trial.js'

/** In this sample, one moment of each kind; the directions take turns. `npm run faults` tries all of them. */
const DIRECTIONS = [
  'archive to an existing OCI layout',
  'archive to a package that is replaced',
  'repository to an archive that is replaced',
]
/** These make many runs each. */
const LONG = ['writers', 'full disk']

describe('a fault of the disk, the system or the user', function () {
  this.timeout(120_000)
  let bench: Bench | undefined

  before(async function () {
    const made = await openBench(64)
    if ('why' in made) skipLoudly(this, made.why)
    bench = made
  })
  after(() => {
    if (bench !== undefined) closeBench(bench)
  })

  for (const [index, kind] of KINDS.filter(({name}) => !LONG.includes(name)).entries()) {
    it(`leaves the destination whole: ${kind.name}`, async () => {
      assert.ok(bench !== undefined)
      // Not every direction makes every kind of call: the first from the turn's on that does.
      for (let turn = 0; turn < DIRECTIONS.length; turn++) {
        const direction = DIRECTIONS[(index + turn) % DIRECTIONS.length] ?? ''
        const options = {kinds: [kind.name], directions: [direction], each: 1, kills: 2, seed: 7}
        const {trials} = await runFaults(bench, options)
        const wrong = trials.filter((trial) => trial.wrong.length > 0)
        assert.deepEqual(wrong, [])
        if (trials.length > 0) return
      }
      assert.fail('nothing was tried')
    })
  }

  it('that is two writers of one OCI layout leaves what each of them wrote', async () => {
    assert.ok(bench !== undefined)
    const options = {kinds: ['writers'], directions: ['archive to an existing OCI layout'], each: 1, kills: 1, seed: 7}
    const {trials} = await runFaults(bench, options)
    assert.deepEqual(
      trials.map(({at, wrong}) => [at, wrong]),
      [['2 writers', []]],
    )
  })
})
