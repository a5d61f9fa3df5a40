import path from 'node:path'
import type {Mutant} from './find-mutants.js'
import {attemptFromBegin, TestProcess, type FileFacts, type Slot} from './test-process.js'
import type {TestFact} from './warm-tests.js'
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

/** A process that begins takes this long before its tests do. */
const STARTING_SECONDS = 1

/** What is known of a mutant while it is tried. */
interface Case {
  readonly id: number
  readonly mutant: Mutant
  fate: Fate
  readonly tried: string[]
  leftSeconds: number
  /** Files that come by it, while they load or later: a process that begins with it has the last word. */
  readonly files: {readonly file: string; readonly seconds: number; readonly rank: number}[]
}

/**
 * Tries each mutant with the tests that come by it, one test file after the other, until one fails: each file is loaded
 * once, and mutants are switched on in it in turn. What survives that gets processes of its own: it may be met while files
 * load, or hide behind what was reckoned and kept without it.
 */
export async function judge(workshop: Workshop, options: JudgeOptions): Promise<Verdict[]> {
  const say = options.onProgress ?? (() => undefined)
  const cases = [...workshop.mutants].map(([id, mutant]): Case => ({
    id,
    mutant,
    fate: 'not-covered',
    tried: [],
    leftSeconds: options.budgetSeconds,
    files: [],
  }))
  const isAlive = ({fate}: Case) => fate === 'not-covered' || fate === 'survived'
  const alive = () => cases.filter(isAlive)

  await inParallel(options.tests, options.jobs, async (file, number) => {
    const slot = {workshop, number}
    const tests = await TestProcess.start(slot, file)
    try {
      const {facts} = tests
      if (facts.isPassed) await tryAll(slot, tests)
      else say(`left out, since it fails without a mutant: ${file}`)
    } finally {
      tests.stop()
    }
    say(`${file}: ${alive().length} of ${cases.length} are left`)
  })
  await inParallel(alive(), options.jobs, async (each, number) => {
    await tryFromBegin({workshop, number}, each)
    // At once: who stops the run for want of time knows what has been found.
    say(`${each.fate}: ${textOf(each.mutant)}`)
  })
  return cases
    .map(({mutant, fate, tried}) => ({mutant, fate, tried}))
    .sort(({mutant: left}, {mutant: right}) => (keyOf(left) < keyOf(right) ? -1 : 1))

  async function tryAll(slot: Slot, tests: TestProcess): Promise<void> {
    const {facts} = tests
    const whole = secondsOf(facts.tests)
    for (const each of alive()) {
      const {id} = each
      const chosen = withinBudget(facts.tests, each)
      if (facts.atLoad.has(id) || chosen.length > 0)
        each.files.push({file: facts.file, seconds: whole, rank: rankOf(each.mutant, facts)})
      if (chosen.length === 0) continue
      each.tried.push(facts.file)
      each.leftSeconds -= secondsOf(chosen)
      const trial = await tests.attempt(id, chosen)
      const certain = trial === 'unclear' ? await attemptFromBegin(slot, id, facts.file, whole) : trial
      if (isAlive(each)) each.fate = certain
    }
  }

  /** Whether tests of the file run code of the mutant's source file at all; those of its own folder first. */
  function rankOf(mutant: Mutant, {file, tests}: FileFacts): number {
    const hits = new Set(tests.flatMap((test) => test.hits))
    const isRun = cases.some((each) => each.mutant.file === mutant.file && hits.has(each.id))
    return (isNear(mutant, file) ? 0 : 2) + (isRun ? 0 : 1)
  }

  async function tryFromBegin(slot: Slot, each: Case): Promise<void> {
    each.leftSeconds = options.budgetSeconds
    const files = each.files.sort((left, right) => left.rank - right.rank || left.seconds - right.seconds)
    for (const [index, {file, seconds}] of files.entries()) {
      if (!isAlive(each)) return
      if (index > 0 && seconds > each.leftSeconds) continue
      each.leftSeconds -= seconds + STARTING_SECONDS
      if (!each.tried.includes(file)) each.tried.push(file)
      each.fate = await attemptFromBegin(slot, each.id, file, seconds)
    }
  }
}

function secondsOf(tests: readonly TestFact[]): number {
  return tests.reduce((sum, {seconds}) => sum + seconds, 0)
}

/** The tests that come by a mutant, the quick ones first. */
function withinBudget(tests: readonly TestFact[], {id, leftSeconds}: Case): TestFact[] {
  let left = leftSeconds
  return tests
    .filter(({hits}) => hits.includes(id))
    .sort((one, other) => one.seconds - other.seconds)
    .filter(({seconds}) => {
      left -= seconds
      return left >= 0
    })
}

function isNear(mutant: Mutant, file: string): boolean {
  return file.startsWith(path.join('dist', 'test', path.dirname(mutant.file).replace(/^src[\\/]/, '')) + path.sep)
}

export function textOf({file, line, operator, original, replacement}: Mutant): string {
  const short = (code: string) => (code.length > 90 ? `${code.slice(0, 87)}...` : code)
  return `${file}:${line} ${operator} ${short(original)} -> ${replacement === '' ? 'nothing' : short(replacement)}`
}

function keyOf({file, line, start}: Mutant): string {
  return `${file}:${String(line).padStart(6, '0')}:${String(start).padStart(8, '0')}`
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
