import {spawnSync} from 'node:child_process'
import {existsSync, readdirSync, readFileSync, writeFileSync} from 'node:fs'
import path from 'node:path'

const MOCHA = path.resolve('node_modules/mocha/bin/mocha.js')
const CONFIG = '.mocharc.json'
const TESTS = path.resolve(import.meta.dirname, '../..')
/** Of each property. */
const CASES = 20_000
/** Of each turn, where turns are taken. */
const CASES_A_TURN = 1000

/**
 * Every file with properties, with 20,000 cases each (or FUZZ_RUNS). Arguments are mocha's, such as `--grep squashing`.
 * `--resume FILE`: in turns of 1,000 cases, the file with the fewest first, and the sums in FILE.
 */
export function runProperties(args: readonly string[]): number {
  const files = readdirSync(TESTS, {recursive: true, encoding: 'utf8'})
    .filter((name) => name.endsWith('.test.js'))
    .filter((name) => readFileSync(path.join(TESTS, name), 'utf8').includes('helpers/fuzz.js'))
    .sort()
  const at = args.indexOf('--resume')
  const cases = Number(process.env['FUZZ_RUNS'] ?? CASES)
  if (at < 0) return runFiles(files, args, cases)
  return inTurns(files, args.toSpliced(at, 2), args[at + 1] ?? '', cases)
}

function runFiles(files: readonly string[], args: readonly string[], cases: number): number {
  const {file, reporter} = JSON.parse(readFileSync(CONFIG, 'utf8')) as {file: string[]; reporter: string}
  const setup = file.flatMap((name) => ['--file', name])
  const paths = files.map((name) => path.join(TESTS, name))
  const {status} = spawnSync(
    process.execPath,
    [MOCHA, '--no-config', ...setup, '--reporter', reporter, '--timeout', '0', ...args, ...paths],
    {stdio: 'inherit', env: {...process.env, FUZZ_RUNS: String(cases)}},
  )
  return status ?? 1
}

/** Cases and seconds of each file, as far as its properties held; those that failed. */
type Sums = Readonly<Record<string, {readonly cases: number; readonly seconds: number; readonly failures: number}>>

function inTurns(files: readonly string[], args: readonly string[], state: string, cases: number): number {
  let sums = existsSync(state) ? (JSON.parse(readFileSync(state, 'utf8')) as Sums) : {}
  const casesOf = (file: string) => sums[file]?.cases ?? 0
  for (;;) {
    const next = files.reduce((least, file) => (casesOf(file) < casesOf(least) ? file : least))
    if (casesOf(next) >= cases) break
    const begin = Date.now()
    const status = runFiles([next], args, CASES_A_TURN)
    const before = sums[next] ?? {cases: 0, seconds: 0, failures: 0}
    const sum = {
      cases: before.cases + CASES_A_TURN,
      seconds: before.seconds + (Date.now() - begin) / 1000,
      failures: before.failures + (status === 0 ? 0 : 1),
    }
    sums = {...sums, [next]: sum}
    writeFileSync(state, `${JSON.stringify(sums, undefined, 2)}\n`)
    console.log(`${next}: ${sum.cases} cases, ${Math.round(sum.seconds)} s, ${sum.failures} failures`)
  }
  return Object.values(sums).some(({failures}) => failures > 0) ? 1 : 0
}
