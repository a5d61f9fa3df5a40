import {spawnSync} from 'node:child_process'
import {existsSync, readdirSync, readFileSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {parseArgs} from 'node:util'
import {commitHere} from '../../helpers/commit.js'
import {writeDocument} from './document.js'

const MOCHA = path.resolve('node_modules/mocha/bin/mocha.js')
const CONFIG = '.mocharc.json'
const TESTS = path.resolve(import.meta.dirname, '../..')
/** Of each property. */
const CASES = 20_000
/** Of each turn, where turns are taken. */
const CASES_A_TURN = 1000

/** What the properties of one file came to so far. */
export interface PropertySum {
  /** Of each of its properties. */
  readonly cases: number
  readonly seconds: number
  /** Turns in which one of them did not hold. */
  readonly failures: number
  /** What was checked out in the last turn. */
  readonly commit: string
}

/** By the name of the test file. */
export type PropertySums = Readonly<Record<string, PropertySum>>

/** Runs every file with properties. See `npm run fuzz -- --help`. */
export async function runProperties(args: readonly string[]): Promise<number> {
  const {values} = parseArgs({
    args: [...args],
    options: {
      grep: {type: 'string'},
      resume: {type: 'string'},
      rounds: {type: 'string'},
      write: {type: 'boolean', default: false},
    },
  })
  const files = readdirSync(TESTS, {recursive: true, encoding: 'utf8'})
    .filter((name) => name.endsWith('.test.js'))
    .filter((name) => readFileSync(path.join(TESTS, name), 'utf8').includes('helpers/fuzz.js'))
    .sort()
  const cases = Number(process.env['FUZZ_RUNS'] ?? CASES)
  const chosen = values.grep === undefined ? [] : ['--grep', values.grep]
  if (values.resume === undefined) return runFiles(files, chosen, cases)
  const rounds = Number(values.rounds ?? Number.POSITIVE_INFINITY)
  const sums = inTurns(files, chosen, {state: values.resume, cases, rounds})
  if (values.write) await writeDocument({properties: sums})
  return Object.values(sums).some(({failures}) => failures > 0) ? 1 : 0
}

function runFiles(files: readonly string[], chosen: readonly string[], cases: number): number {
  const {file, reporter} = JSON.parse(readFileSync(CONFIG, 'utf8')) as {file: string[]; reporter: string}
  const setup = file.flatMap((name) => ['--file', name])
  const paths = files.map((name) => path.join(TESTS, name))
  const {status} = spawnSync(
    process.execPath,
    [MOCHA, '--no-config', ...setup, '--reporter', reporter, '--timeout', '0', ...chosen, ...paths],
    {stdio: 'inherit', env: {...process.env, FUZZ_RUNS: String(cases)}},
  )
  return status ?? 1
}

interface Turns {
  /** The file that holds the sums. */
  readonly state: string
  /** Enough for a file. */
  readonly cases: number
  /** Turns at most. */
  readonly rounds: number
}

/** The file with the fewest cases first, each time with other ones; the sums are written after each. */
function inTurns(files: readonly string[], chosen: readonly string[], {state, cases, rounds}: Turns): PropertySums {
  let sums = existsSync(state) ? (JSON.parse(readFileSync(state, 'utf8')) as PropertySums) : {}
  const casesOf = (file: string) => sums[file]?.cases ?? 0
  for (let round = 0; round < rounds; round++) {
    const next = files.reduce((least, file) => (casesOf(file) < casesOf(least) ? file : least))
    if (casesOf(next) >= cases) break
    const begin = Date.now()
    const status = runFiles([next], chosen, CASES_A_TURN)
    const before = sums[next] ?? {cases: 0, seconds: 0, failures: 0}
    const sum = {
      cases: before.cases + CASES_A_TURN,
      seconds: before.seconds + Math.round((Date.now() - begin) / 1000),
      failures: before.failures + (status === 0 ? 0 : 1),
      commit: commitHere(),
    }
    sums = {...sums, [next]: sum}
    writeFileSync(state, `${JSON.stringify(sums, undefined, 2)}\n`)
    console.log(`${next}: ${sum.cases} cases, ${sum.seconds} s, ${sum.failures} failures`)
  }
  return sums
}
