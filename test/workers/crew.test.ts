import assert from 'node:assert/strict'
import {availableParallelism} from 'node:os'
import {Crew, MANY_ENTRIES, type Job} from '../../src/workers/crew.js'

/** A job that notes when it runs on this thread, and ends when it is told to. */
function jobOf(name: string, log: string[], options: Partial<Job<never, string>> = {}) {
  let end: () => void = () => undefined
  const ended = new Promise<void>((resolve) => {
    end = resolve
  })
  const job: Job<never, string> = {
    task: {name: 'no such task'},
    input: undefined as never,
    weightBytes: 0,
    signal: new AbortController().signal,
    here: async () => {
      log.push(`${name} begins`)
      await ended
      log.push(`${name} ends`)
      return name
    },
    ...options,
  }
  return {job, end}
}

const turn = () => new Promise((resolve) => setImmediate(resolve))

describe('the crew for long jobs', () => {
  it('works on this thread alone with a concurrency of 1, on one job after the other', async () => {
    const crew = new Crew(1)
    const log: string[] = []
    const [one, two] = [jobOf('one', log), jobOf('two', log)]
    const results = Promise.all([
      crew.run(one.job),
      crew.run(two.job),
      crew.here(() => {
        log.push('three')
        return Promise.resolve('three')
      }),
    ])
    await turn()
    assert.deepEqual(log, ['one begins'])
    two.end()
    one.end()
    assert.deepEqual(await results, ['one', 'two', 'three'])
    assert.deepEqual(log, ['one begins', 'one ends', 'two begins', 'two ends', 'three'])
  })

  it('keeps small jobs on this thread, unless it was told how many threads there are to be', async function () {
    if (availableParallelism() < 2) this.skip()
    const log: string[] = []
    const own = new Crew()
    const [first, second] = [jobOf('first', log), jobOf('second', log)]
    const both = [own.run(first.job), own.run(second.job)]
    first.end()
    second.end()
    await Promise.all(both)
    assert.deepEqual(log, ['first begins', 'first ends', 'second begins', 'second ends'])
    const told = new Crew(2)
    const busy = jobOf('busy', log)
    const running = told.run(busy.job)
    await assert.rejects(told.run(jobOf('elsewhere', log).job), /No worker knows the task 'no such task'/)
    busy.end()
    await running
  })

  it('passes a job that is better elsewhere to another thread though this one is free', async function () {
    if (availableParallelism() < 2) this.skip()
    const log: string[] = []
    const {job} = jobOf('here', log, {isBetterElsewhere: true})
    await assert.rejects(new Crew(2).run(job), /No worker knows/)
    assert.deepEqual(log, [])
  })

  it('does a job of many entries alone and on this thread, and lets none pass', async function () {
    if (availableParallelism() < 2) this.skip()
    const crew = new Crew(2)
    const log: string[] = []
    const [small, many, next, last] = [
      jobOf('small', log, {entries: MANY_ENTRIES - 1}),
      jobOf('many', log, {entries: MANY_ENTRIES, isBetterElsewhere: true}),
      jobOf('next', log),
      jobOf('last', log),
    ]
    const running = [small, many, next].map(({job}) => crew.run(job))
    await turn()
    assert.deepEqual(log, ['small begins'])
    small.end()
    await running[0]
    await turn()
    const behind = assert.rejects(crew.run(last.job), /No worker knows/)
    await turn()
    assert.deepEqual(log, ['small begins', 'small ends', 'many begins'])
    many.end()
    await running[1]
    await turn()
    next.end()
    // It goes to the other thread again.
    await Promise.all([running[2], behind])
    assert.deepEqual(log.slice(3), ['many ends', 'next begins', 'next ends'])
  })

  it('fails a job whose signal is aborted before its turn, and goes on', async () => {
    const crew = new Crew(1)
    const log: string[] = []
    const stop = new AbortController()
    const [first, stopped, last] = [
      jobOf('first', log),
      jobOf('stopped', log, {signal: stop.signal}),
      jobOf('last', log),
    ]
    const running = crew.run(first.job)
    const refused = assert.rejects(crew.run(stopped.job), {name: 'AbortError'})
    const after = crew.run(last.job)
    stop.abort()
    last.end()
    first.end()
    await Promise.all([running, refused, after])
    assert.deepEqual(log, ['first begins', 'first ends', 'last begins', 'last ends'])
  })
})
