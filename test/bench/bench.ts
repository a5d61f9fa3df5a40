import {mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import path from 'node:path'
import {parseArgs} from 'node:util'
import {contendersFor, REPOSITORY} from './contenders.js'
import {writeFixture} from './fixture.js'
import {FIXTURES, shortened, type BenchFixture} from './fixtures.js'
import {LARGE_ARCHIVE, largeArchiveRows} from './large-archive.js'
import type {Measured} from './measured.js'
import {PARTS} from './parts.js'
import {machine, rowOf, toMarkdown, worsened, type BenchResults, type BenchRow} from './results.js'
import {scalingRows} from './scaling.js'

/*
 * What transship costs against what a user would run instead, in one run, as medians of ratios over alternating rounds: a
 * machine is noisy, and seconds of one say nothing of another.
 *   npm run bench -- [--only mix,small,pins] [--rounds 5] [--places memory,disk] [--short] [--huge]
 *                    [--json FILE] [--markdown FILE] [--baseline FILE]
 * Exit 1 when a command takes more memory than is promised.
 */

const {values} = parseArgs({
  options: {
    only: {type: 'string'},
    rounds: {type: 'string'},
    places: {type: 'string', default: 'memory'},
    short: {type: 'boolean', default: false},
    huge: {type: 'boolean', default: false},
    json: {type: 'string'},
    markdown: {type: 'string'},
    baseline: {type: 'string'},
  },
})
const rounds = Number(values.rounds ?? (values.short ? 1 : 5))
const PLACES: Readonly<Record<string, string>> = {memory: '/dev/shm', disk: tmpdir()}

const results: {-readonly [Key in keyof BenchResults]: BenchResults[Key]} & {
  readonly fixtures: BenchResults['fixtures'][number][]
  readonly rows: BenchRow[]
  readonly overMemory: string[]
} = {...machine(rounds), fixtures: [], rows: [], scaling: [], overMemory: []}

async function inFolder(place: string, work: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(path.join(PLACES[place] ?? place, 'transship-bench-'))
  try {
    await work(folder)
  } finally {
    rmSync(folder, {recursive: true, force: true})
  }
}

async function runFixture(
  {name, title, size, maxMebibytes}: BenchFixture,
  place: string,
  folder: string,
): Promise<void> {
  await writeFixture(path.join(folder, 'image.tar'), size)
  if (!results.fixtures.some((known) => known.name === name)) {
    const mebibytes = Math.round(statSync(path.join(folder, 'image.tar')).size / 2 ** 20)
    results.fixtures.push({name, title, mebibytes})
  }
  const contenders = contendersFor(folder)
  const runs = new Map<string, Measured[]>(contenders.map((contender) => [contender.name, []]))
  for (let index = 0; index < rounds; index++) {
    const round = path.join(folder, `round-${index}`)
    mkdirSync(round)
    for (const contender of contenders) {
      runs.get(contender.name)?.push(await contender.run(round))
      // Ten copies of a large image are more than a machine has memory for.
      for (const made of readdirSync(round))
        if (made !== REPOSITORY) rmSync(path.join(round, made), {recursive: true, force: true})
    }
    rmSync(round, {recursive: true, force: true})
  }
  for (const {name: what, against = [], aim} of contenders) {
    const base = against.map((other) => runs.get(other) ?? [])
    const row = rowOf({fixture: name, place, name: what, aim}, runs.get(what) ?? [], base)
    results.rows.push(row)
    if (what.startsWith('transship') && row.peakMebibytes > maxMebibytes)
      results.overMemory.push(`${name}, ${place}: ${what}: ${row.peakMebibytes} MiB, promised ${maxMebibytes} MiB`)
  }
}

const wanted = values.only?.split(',')
const chosen = FIXTURES.filter(({name, isHuge}) =>
  wanted === undefined ? values.huge || values.short || isHuge !== true : wanted.includes(name),
).map((fixture) => (values.short ? shortened(fixture) : fixture))
for (const fixture of chosen)
  for (const place of values.places.split(',')) await inFolder(place, (folder) => runFixture(fixture, place, folder))
await inFolder('memory', async (folder) => {
  const {rows, overMemory} = await largeArchiveRows(folder, rounds)
  results.fixtures.push(LARGE_ARCHIVE)
  results.rows.push(...rows)
  results.overMemory.push(...overMemory)
})
await inFolder('memory', async (folder) => {
  results.scaling = await scalingRows(folder, values.short ? [250, 500] : [1000, 2000, 4000, 8000], Math.min(rounds, 3))
})
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(results, undefined, 2)}\n`)
const markdown = toMarkdown(results)
if (values.markdown !== undefined) writeFileSync(values.markdown, markdown)
console.log(markdown)
if (values.baseline !== undefined) {
  const worse = worsened(results, JSON.parse(readFileSync(values.baseline, 'utf8')) as BenchResults)
  console.log(
    worse.length === 0 ? 'Nothing got worse by more than a tenth.' : `Worse than before:\n${worse.join('\n')}`,
  )
}
for (const {name, isPossible, run} of PARTS)
  if (isPossible() && (wanted === undefined ? !values.short : wanted.includes(name)))
    await inFolder('memory', async (folder) => {
      console.log(`\n${await run(folder, rounds)}`)
    })
if (results.overMemory.length > 0) process.exitCode = 1
