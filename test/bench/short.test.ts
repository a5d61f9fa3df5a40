import assert from 'node:assert/strict'
import {execFileSync} from 'node:child_process'
import {readFileSync} from 'node:fs'
import path from 'node:path'
import {temporaryFolder} from '../helpers/temporary-folder.js'
import type {BenchResults} from './results.js'
import {rowOf, worsened} from './results.js'

describe('the benchmark', function () {
  this.timeout(300_000)
  const folder = temporaryFolder()

  it('runs every command beside the tools, within the bounds of memory', function () {
    if (process.platform !== 'linux') this.skip()
    const json = path.join(folder.path, 'bench.json')
    // It ends with 1 when a command takes more memory than is promised.
    const script = path.join(import.meta.dirname, 'bench.js')
    const output = execFileSync(process.execPath, [script, '--short', '--only', 'mix', '--json', json], {
      encoding: 'utf8',
    })
    const results = JSON.parse(readFileSync(json, 'utf8')) as BenchResults
    assert.deepEqual(results.overMemory, [])
    const names = results.rows.map(({name}) => name)
    for (const what of [
      'inbox, chain',
      'inbox, squash',
      'back to an archive',
      'verify of the archive',
      'appx',
      'OCI layout',
    ])
      assert.ok(
        names.some((name) => name.startsWith('transship') && name.includes(what)),
        what,
      )
    for (const {name, seconds, cpuSeconds, peakMebibytes} of results.rows) {
      assert.ok(seconds.median > 0 && cpuSeconds.median > 0, name)
      if (name.startsWith('transship')) assert.ok(peakMebibytes > 20, name)
      assert.ok(output.includes(`| ${name} `), name)
    }
  })
})

describe('results of the benchmark', () => {
  const run = (seconds: number, mebibytes = 100) => ({seconds, cpuSeconds: seconds, peakBytes: mebibytes * 2 ** 20})
  const named = {fixture: 'mix', place: 'memory', name: 'transship verify'}
  const of = (seconds: number, mebibytes?: number): BenchResults => ({
    node: '',
    cpus: 2,
    rounds: 1,
    fixtures: [],
    rows: [rowOf(named, [run(seconds, mebibytes)], [])],
    scaling: [],
    overMemory: [],
  })

  it('are medians of the ratios of each round to the sum of what they are measured against', () => {
    const row = rowOf(
      named,
      [run(2), run(6), run(3)],
      [
        [run(1), run(1), run(1)],
        [run(1), run(2), run(2)],
      ],
    )
    assert.deepEqual(row.ratio, {median: 1, least: 1, most: 2})
    assert.deepEqual(row.seconds, {median: 3, least: 2, most: 6})
  })

  for (const [seconds, mebibytes, told] of [
    [1.05, 100, []],
    [0.5, 100, []],
    [1.2, 100, ['mix, memory: transship verify: CPU 1.00 s -> 1.20 s']],
    [1, 120, ['mix, memory: transship verify: memory 100 MiB -> 120 MiB']],
  ] as const)
    it(`tell what got worse by more than a tenth: ${seconds} s, ${mebibytes} MiB after 1 s, 100 MiB`, () => {
      assert.deepEqual(worsened(of(seconds, mebibytes), of(1)), told)
    })

  it('are compared by name: what is new is not worse', () => {
    assert.deepEqual(worsened(of(9), {...of(1), rows: []}), [])
  })
})
