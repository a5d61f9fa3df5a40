import assert from 'node:assert/strict'
import {mkdirSync} from 'node:fs'
import path from 'node:path'
import {temporaryFolder} from '../helpers/temporary-folder.js'
import {MAX_SECONDS, type Find} from './fuzz/judge.js'
import {added, nextParser, readRotation, rechecked, writeRotation, type Rotation} from './fuzz/rotation.js'
import type {ParserCount} from './fuzz/run-parser.js'
import {MAX_IDLE_SECONDS, MAX_WAIT_SECONDS, Stopwatch, type Usage} from './fuzz/stopwatch.js'

describe('what watches over fuzzing', () => {
  /** What is told after so many seconds of one mutant, looked at twice a second. */
  function toldAfter(seconds: number, usageAt: (seconds: number) => Usage, caseAt = (_: number) => 0) {
    const stopwatch = new Stopwatch()
    for (let at = 0; at <= seconds; at += 0.5) {
      const told = stopwatch.tick(caseAt(at), at, usageAt(at))
      if (told !== undefined) return told
    }
    return undefined
  }

  for (const {title, seconds, usageAt, caseAt, told} of [
    {
      title: 'a loop without end',
      seconds: MAX_SECONDS + 1,
      usageAt: (at: number) => ({cpuSeconds: at, isSleeping: false}),
      told: /works for more/,
    },
    {
      title: 'a wait without end',
      seconds: MAX_IDLE_SECONDS + 1,
      usageAt: () => ({cpuSeconds: 3, isSleeping: true}),
      told: /waits for more/,
    },
    {
      title: 'a process that the machine starves',
      seconds: MAX_WAIT_SECONDS - 1,
      usageAt: () => ({cpuSeconds: 3, isSleeping: false}),
      told: undefined,
    },
    {
      title: 'one that does not end by any measure',
      seconds: MAX_WAIT_SECONDS + 1,
      usageAt: () => ({cpuSeconds: 3, isSleeping: false}),
      told: /takes more/,
    },
    {
      title: 'work in small pieces between waits',
      seconds: MAX_WAIT_SECONDS - 1,
      usageAt: (at: number) => ({cpuSeconds: at / 1000, isSleeping: true}),
      told: undefined,
    },
    {
      title: 'many mutants, none of which takes long',
      seconds: 10 * MAX_SECONDS,
      usageAt: (at: number) => ({cpuSeconds: at, isSleeping: true}),
      caseAt: (at: number) => Math.floor(at / 5),
      told: undefined,
    },
  ])
    it(`tells ${told === undefined ? 'no ' : 'a '}hang of ${title}`, () => {
      const found = toldAfter(seconds, usageAt, caseAt)
      if (told === undefined) assert.equal(found, undefined)
      else assert.match(found ?? '', told)
    })

  it('does not count a pause of its own as a wait of the mutant', () => {
    const stopwatch = new Stopwatch()
    const usage = {cpuSeconds: 1, isSleeping: true}
    assert.equal(stopwatch.tick(0, 0, usage), undefined)
    assert.equal(stopwatch.tick(0, 2 * MAX_IDLE_SECONDS, usage), undefined)
  })
})

describe('a rotation over parsers', () => {
  const folder = temporaryFolder()
  const find: Find = {parser: 'a', seed: 1, number: 3, kind: 'crash', what: 'x'}
  const count = (parser: string, cases: number, cpuSeconds: number, next: number, finds: readonly Find[] = []) =>
    ({
      parser,
      cases,
      accepted: cases - 1,
      refused: 1,
      seconds: 2 * cpuSeconds,
      cpuSeconds,
      finds,
      next,
    }) satisfies ParserCount

  it('takes the parser with the least time, and adds up what the runs came to', () => {
    let rotation: Rotation = {seed: 1, sums: {}}
    const turns: string[] = []
    for (const [cases, cpuSeconds] of [
      [10, 5],
      [20, 1],
      [30, 1],
      [40, 9],
    ] as const) {
      const name = nextParser(rotation, ['a', 'b'])
      turns.push(name)
      const before = rotation.sums[name]?.next ?? 0
      rotation = added(
        rotation,
        count(name, cases, cpuSeconds, before + cases, name === 'a' ? [find] : []),
        String(cases),
      )
    }
    assert.deepEqual(turns, ['a', 'b', 'b', 'b'])
    assert.deepEqual(rotation.sums['a'], {...count('a', 10, 5, 10, [find]), commit: '10'})
    assert.deepEqual(rotation.sums['b'], {...count('b', 90, 11, 90), accepted: 87, refused: 3, commit: '40'})
  })

  it('counts finds that are none any more, and keeps the others', async () => {
    const rotation = added({seed: 1, sums: {}}, count('a', 10, 5, 10, [find]), 'c')
    const open = await rechecked(rotation, () => Promise.resolve(false))
    assert.deepEqual(open, rotation)
    const mended = await rechecked(rotation, () => Promise.resolve(true))
    assert.deepEqual([mended.sums['a']!.finds, mended.sums['a']!.mended], [[], 1])
    const again = added(mended, count('a', 10, 5, 20, [find]), 'd')
    assert.deepEqual([again.sums['a']!.finds, again.sums['a']!.mended], [[find], 1])
  })

  it('is kept in a file, for one seed', () => {
    mkdirSync(folder.path, {recursive: true})
    const file = path.join(folder.path, 'state.json')
    assert.deepEqual(readRotation(file, 7), {seed: 7, sums: {}})
    const rotation = added({seed: 7, sums: {}}, count('a', 10, 5, 10, [find]), 'c')
    writeRotation(file, rotation)
    assert.deepEqual(readRotation(file, 7), rotation)
    assert.throws(() => readRotation(file, 8), /--seed 7/)
  })
})
