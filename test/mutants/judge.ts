import {spawn} from 'node:child_process'
import {once} from 'node:events'
import {mkdirSync, readdirSync, readFileSync, rmSync} from 'node:fs'
import path from 'node:path'
import type {Mutant} from './find-mutants.js'
import type {Workshop} from './workshop.js'

/** What became of a mutant: a test failed, a test ran out of time, every test passed, or no test came by. */
export type Fate = 'killed' | 'timed-out' | 'survived' | 'not-covered'

export interface Verdict {
  readonly mutant: Mutant
  readonly fate: Fate
  /** The test files that were tried, in that order. */
  readonly tried: readonly string[]
}

export interface JudgeOptions {
  /** Paths of compiled test files, from the project. */
  readonly tests: readonly string[]
  readonly jobs: number
  /** Test files that one mutant is tried with cost at most so much without it. */
  readonly budgetSeconds: number
  readonly onProgress?: (text: string) => void
}

interface TestFile {
  readonly file: string
  readonly seconds: number
  readonly hits: ReadonlySet<number>
}

interface Run {
  readonly isPassed: boolean
  readonly isTimedOut: boolean
  readonly seconds: number
}

const RUN_FILE = path.join('dist', 'run-files.js')
const SETUP = path.join('dist', 'test', 'setup.js')
/** A loop without end is stopped after so much time of a processor, or so much more than the tests need. */
const LEAST_CPU_SECONDS = 15
/** For what waits for ever. Nobody knows how busy the machine is. */
const WAIT_MS = 300_000

/** Tries each mutant with the test files that come by it, the nearest first, until one fails. */
export async function judge(workshop: Workshop, options: JudgeOptions): Promise<Verdict[]> {
  const say = options.onProgress ?? (() => undefined)
  const tests: TestFile[] = []
  await inParallel(options.tests, options.jobs, async (file, slot) => {
    const hits = path.join(workshop.path, `hits-${slot}`)
    rmSync(hits, {recursive: true, force: true})
    const run = await runFiles(workshop, [file], {slot, cpuSeconds: 600, env: {MUTANT_HITS: hits}})
    if (run.isPassed) tests.push({file, seconds: run.seconds, hits: readHits(hits)})
    else say(`left out, since it fails without a mutant: ${file}`)
  })
  say(`${tests.length} test files, ${Math.round(tests.reduce((sum, {seconds}) => sum + seconds, 0))} s`)

  const verdicts: Verdict[] = []
  await inParallel([...workshop.mutants], options.jobs, async ([id, mutant], slot) => {
    const chosen = chooseTests(mutant, id, tests, options.budgetSeconds)
    const verdict = {mutant, fate: await fateOf(id, chosen, slot), tried: chosen.map(({file}) => file)}
    verdicts.push(verdict)
    if (verdict.fate === 'survived' || verdict.fate === 'not-covered') say(`${verdict.fate}: ${textOf(mutant)}`)
    if (verdicts.length % 50 === 0) say(`${verdicts.length} of ${workshop.mutants.size}`)
  })
  return verdicts.sort(({mutant: left}, {mutant: right}) => (keyOf(left) < keyOf(right) ? -1 : 1))

  async function fateOf(id: number, chosen: readonly TestFile[], slot: number): Promise<Fate> {
    if (chosen.length === 0) return 'not-covered'
    const seconds = chosen.reduce((sum, each) => sum + each.seconds, 0)
    const run = await runFiles(
      workshop,
      chosen.map(({file}) => file),
      {slot, cpuSeconds: LEAST_CPU_SECONDS + Math.ceil(3 * seconds), env: {MUTANT_ACTIVE: String(id)}},
    )
    if (run.isTimedOut) return 'timed-out'
    return run.isPassed ? 'survived' : 'killed'
  }
}

export function textOf({file, line, operator, original, replacement}: Mutant): string {
  const short = (code: string) => (code.length > 90 ? `${code.slice(0, 87)}...` : code)
  return `${file}:${line} ${operator} ${short(original)} -> ${replacement === '' ? 'nothing' : short(replacement)}`
}

function keyOf({file, line, start}: Mutant): string {
  return `${file}:${String(line).padStart(6, '0')}:${String(start).padStart(8, '0')}`
}

/** Of the mirrored folder first, then the quick ones, as many as the budget allows. */
function chooseTests(mutant: Mutant, id: number, tests: readonly TestFile[], budgetSeconds: number): TestFile[] {
  const near = path.join('dist', 'test', path.dirname(mutant.file).replace(/^src[\\/]/, '')) + path.sep
  const rank = ({file, seconds}: TestFile) => seconds + (file.startsWith(near) ? 0 : 10_000)
  const found = tests.filter(({hits}) => hits.has(id)).sort((left, right) => rank(left) - rank(right))
  let left = budgetSeconds
  return found.filter(({seconds}, index) => {
    if (index > 0 && seconds > left) return false
    left -= seconds
    return true
  })
}

function readHits(folder: string): ReadonlySet<number> {
  mkdirSync(folder, {recursive: true})
  return new Set(
    readdirSync(folder).flatMap((name) => JSON.parse(readFileSync(path.join(folder, name), 'utf8')) as number[]),
  )
}

interface RunOptions {
  readonly slot: number
  readonly cpuSeconds: number
  readonly env: Readonly<Record<string, string>>
}

async function runFiles(workshop: Workshop, files: readonly string[], options: RunOptions): Promise<Run> {
  const temporary = path.join(workshop.path, `tmp-${options.slot}`)
  mkdirSync(temporary, {recursive: true})
  const begin = process.hrtime.bigint()
  const limited = 'ulimit -t "$1"; shift; exec "$@"'
  const command = [process.execPath, '--max-old-space-size=1024', RUN_FILE, SETUP, ...files]
  const child = spawn('sh', ['-c', limited, 'sh', String(options.cpuSeconds), ...command], {
    cwd: workshop.path,
    env: {...process.env, TMPDIR: temporary, ...options.env},
    stdio: ['ignore', 'ignore', process.env['MUTANT_SHOW'] === undefined ? 'ignore' : 'inherit'],
  })
  const timer = setTimeout(() => child.kill('SIGKILL'), WAIT_MS)
  await once(child, 'exit')
  clearTimeout(timer)
  rmSync(temporary, {recursive: true, force: true})
  const seconds = Number(process.hrtime.bigint() - begin) / 1e9
  return {isPassed: child.exitCode === 0, isTimedOut: child.signalCode !== null, seconds}
}

async function inParallel<T>(
  items: readonly T[],
  jobs: number,
  work: (item: T, slot: number) => Promise<void>,
): Promise<void> {
  const rest = [...items]
  const worker = async (slot: number) => {
    for (let item = rest.shift(); item !== undefined; item = rest.shift()) await work(item, slot)
  }
  await Promise.all(Array.from({length: jobs}, (_, slot) => worker(slot)))
}
