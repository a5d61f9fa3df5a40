import assert from 'node:assert/strict'
import fc from 'fast-check'
import {runSchedule, type Ending} from '../../src/batch/schedule.js'
import {FUZZ_RUNS} from '../helpers/fuzz.js'

interface Unit {
  readonly id: string
  readonly after: readonly string[]
  readonly lane: string
  readonly ending: Ending
}

/** Units in order of their dependencies, of few lanes, of which some fail. */
const UNITS = fc
  .array(fc.record({after: fc.array(fc.nat(20), {maxLength: 3}), lane: fc.nat(5), fails: fc.boolean()}), {
    maxLength: 20,
  })
  .map((units) =>
    units.map(({after, lane, fails}, index): Unit => ({
      id: `u${index}`,
      after: after.filter((each) => each < index).map((each) => `u${each}`),
      lane: `lane ${lane}`,
      ending: fails ? 'failed' : 'ok',
    })),
  )

describe('schedule', () => {
  it('does each once, after what it needs, alone in its lane, within the bound, and blocks what needs a failed one', async () => {
    await fc.assert(
      fc.asyncProperty(UNITS, fc.integer({min: 1, max: 8}), fc.scheduler(), async (units, concurrency, scheduler) => {
        const running = new Set<Unit>()
        const ended = new Map<string, Ending | 'blocked'>()
        const schedule = runSchedule(units, {
          concurrency,
          work: async (unit) => {
            assert.ok(!ended.has(unit.id) && unit.after.every((id) => ended.get(id) === 'ok'))
            assert.ok([...running].every(({lane}) => lane !== unit.lane))
            running.add(unit)
            assert.ok(running.size <= concurrency)
            await scheduler.schedule(Promise.resolve(), unit.id)
            running.delete(unit)
            ended.set(unit.id, unit.ending)
            return unit.ending
          },
          onBlocked: (unit) => {
            assert.ok(unit.after.some((id) => ended.get(id) === 'failed' || ended.get(id) === 'blocked'))
            ended.set(unit.id, 'blocked')
          },
          isStopped: () => false,
        })
        const left = await scheduler.waitFor(schedule)
        assert.deepEqual([left, ended.size], [[], units.length])
      }),
      {numRuns: FUZZ_RUNS},
    )
  })

  it('starts nothing more when it is stopped, and gives what it did not start', async () => {
    let done = 0
    const units = ['a', 'b', 'c'].map((id) => ({id, after: [], lane: id}))
    const left = await runSchedule(units, {
      concurrency: 1,
      work: () => Promise.resolve(done++ < 0 ? 'failed' : 'ok'),
      onBlocked: () => undefined,
      isStopped: () => done > 0,
    })
    assert.deepEqual(
      left.map(({id}) => id),
      ['b', 'c'],
    )
  })

  it('awaits what runs before it throws', async () => {
    let isDone = false
    const slow = async (): Promise<Ending> => {
      await new Promise((resolve) => setTimeout(resolve, 20))
      isDone = true
      return 'ok'
    }
    const units = ['a', 'b'].map((id) => ({id, after: [], lane: id}))
    const work = ({id}: {id: string}) => (id === 'a' ? Promise.reject(new Error('no disk')) : slow())
    const run = runSchedule(units, {concurrency: 2, work, onBlocked: () => undefined, isStopped: () => false})
    await assert.rejects(run, /no disk/)
    assert.ok(isDone)
  })
})
