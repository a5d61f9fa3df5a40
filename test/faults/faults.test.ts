import assert from 'node:assert/strict'
import {constants} from 'node:os'
import path from 'node:path'
import {skipLoudly} from '../helpers/tools.js'
import {DIRECTIONS as DIRECTION_LIST} from './directions.js'
import {CALL_FAULTS, faultAt, KINDS, type Trial} from './kinds.js'
import {closeBench, openBench, runFaults, trialsOf} from './run-faults.js'
import {doneState, faultsAfter, runWithFault, stateOf, withRoot, type Bench} from './trial.js'

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
        const {pairs} = await runFaults(bench, options)
        assert.deepEqual(
          pairs.flatMap(({wrong}) => wrong),
          [],
        )
        if (trialsOf(pairs) > 0) return
      }
      assert.fail('nothing was tried')
    })
  }

  for (const name of ['archive to an OCI archive', 'repository to an archive that is replaced'])
    it(`leaves nothing when the first writes fail: ${name}`, async () => {
      assert.ok(bench !== undefined)
      const direction = DIRECTION_LIST.find((each) => each.name === name)
      assert.ok(direction !== undefined)
      await doneState(bench, direction)
      for (const at of [1, 2, 3]) {
        const wrong: string[] = await withRoot(bench, direction, async (root) => {
          assert.ok(bench !== undefined)
          const before = stateOf(path.join(root, 'to'), {withWork: false})
          const fault = {calls: ['write'], errno: constants.errno.EIO, at} as const
          const outcome = await runWithFault(bench, direction, root, fault, 'to')
          return faultsAfter(bench, direction, root, outcome, before, {exits: [4], codes: ['IO_FAILED']})
        })
        assert.deepEqual(wrong, [], `write ${at}`)
      }
    })

  for (const [kind, name, ...moments] of [
    ['write: ENOSPC', 'repository to a new OCI layout', 4, 5],
    ['fsync: EIO', 'archive to a new repository', 11],
    ['rename: EACCES', 'archive to a new repository', 5],
    ['rename: EACCES', 'archive to a transport layout', 2],
    ['open: EIO', 'archive to an existing OCI layout', 12],
    ['mkdir: EACCES', 'archive to a transport layout', 5],
    ['remove: EIO', 'archive to a new repository', 1],
    ['read-only', 'archive to a new repository', 4],
    ['source: EIO', 'repository to a new OCI layout', 3],
    ['source: short', 'repository to a new OCI layout', 71, 111],
  ] as const)
    it(`leaves the destination whole where it once did not: ${kind}, ${name}`, async () => {
      assert.ok(bench !== undefined)
      const direction = DIRECTION_LIST.find((each) => each.name === name)
      const fault = CALL_FAULTS.find((each) => each.name === kind)
      assert.ok(direction !== undefined && fault !== undefined)
      await doneState(bench, direction)
      for (const at of moments)
        assert.deepEqual(await faultAt(bench, direction, fault, at), {wrong: [], isMet: true}, `call ${at}`)
    })

  it('that is two writers of one OCI layout leaves what each of them wrote', async () => {
    assert.ok(bench !== undefined)
    const options = {kinds: ['writers'], directions: ['archive to an existing OCI layout'], each: 1, kills: 1, seed: 7}
    const tried: Trial[] = []
    await runFaults(bench, {...options, onTrial: (trial) => tried.push(trial)})
    assert.deepEqual(
      tried.map(({at, wrong}) => [at, wrong]),
      [['2 writers', []]],
    )
  })
})
