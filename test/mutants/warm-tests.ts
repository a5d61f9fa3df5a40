import {readdirSync, readFileSync, rmSync} from 'node:fs'
import path from 'node:path'
import Mocha from 'mocha'
import {activate, takeHits} from './mutant-switch.js'

/*
 * `node warm-tests.js SETUP FILE`, as a child with IPC: loads a test file once, tells which mutants its tests come by, and
 * then runs chosen tests with one mutant after the other switched on. What is decided while the file loads cannot be tried
 * like this: such a mutant needs a process that begins with it.
 */

/** What one test came by, without a mutant. */
export interface TestFact {
  readonly title: string
  readonly seconds: number
  readonly hits: readonly number[]
}

export type Answer =
  | {
      readonly kind: 'loaded'
      readonly isPassed: boolean
      readonly atLoad: readonly number[]
      readonly tests: readonly TestFact[]
    }
  | {readonly kind: 'tried'; readonly failed: string | undefined; readonly isClean: boolean}

export interface Order {
  readonly id: number
  /** Full titles of the tests to run. */
  readonly titles: readonly string[]
}

const [setup = '', file = ''] = process.argv.slice(2)
const childrenHits = process.env['MUTANT_HITS'] ?? ''
const chosen = {titles: new Set<string>(), isAll: true}

/** Says nothing: what failed is heard of the runner. */
function Silent(): void {
  return undefined
}

const mocha = new Mocha({bail: true, timeout: 60_000, reporter: Silent as never})
mocha.cleanReferencesAfterRun(false)
mocha.addFile(path.resolve(setup))
mocha.addFile(path.resolve(file))
await mocha.loadFilesAsync()
// A pattern by its one method that mocha calls: titles that are chosen.
mocha.grep({test: (title: string) => chosen.isAll || chosen.titles.has(title)} as RegExp)

const atLoad = takeHits()
const tests: TestFact[] = []
/** Of hooks before all tests of a suite: every test of it needs them. */
const ofHooks = new Set<number>()
const failed = await run((runner) => {
  let begin = process.hrtime.bigint()
  runner.on('hook end', (hook: Mocha.Hook) => {
    if (hook.title.startsWith('"before all"')) for (const id of hitsSoFar()) ofHooks.add(id)
  })
  runner.on('test', () => {
    begin = process.hrtime.bigint()
  })
  runner.on('test end', (test) => {
    if (test.pending) return
    tests.push({title: test.fullTitle(), seconds: Number(process.hrtime.bigint() - begin) / 1e9, hits: hitsSoFar()})
  })
})
answer({
  kind: 'loaded',
  isPassed: failed === undefined && tests.length > 0,
  atLoad,
  tests: tests.map((test) => ({...test, hits: [...new Set([...test.hits, ...ofHooks])]})),
})

process.on('message', ({id, titles}: Order) => {
  void attempt(id, titles).then(answer)
})

async function attempt(id: number, titles: readonly string[]): Promise<Answer> {
  chosen.isAll = false
  chosen.titles = new Set(titles)
  activate(id)
  const title = await run()
  activate(-1)
  if (title === undefined) return {kind: 'tried', failed: undefined, isClean: true}
  // A mutant may leave something behind that lets the next ones fail as well.
  chosen.titles = new Set([title])
  return {kind: 'tried', failed: title, isClean: (await run()) === undefined}
}

/** The title of the first test that failed. */
async function run(listen?: (runner: Mocha.Runner) => void): Promise<string | undefined> {
  let title: string | undefined
  await new Promise<void>((resolve) => {
    const runner = mocha.run(() => {
      resolve()
    })
    runner.on('fail', (test: Mocha.Test | Mocha.Hook) => {
      // Of a hook, the test that it was run for.
      title ??=
        (test as Mocha.Hook & {ctx?: {currentTest?: Mocha.Test}}).ctx?.currentTest?.fullTitle() ?? test.fullTitle()
    })
    listen?.(runner)
  })
  return title
}

function hitsSoFar(): number[] {
  const found = takeHits()
  let names: string[] = []
  try {
    names = readdirSync(childrenHits)
  } catch {
    // Nothing was spawned.
  }
  for (const name of names) {
    found.push(...(JSON.parse(readFileSync(path.join(childrenHits, name), 'utf8')) as number[]))
    rmSync(path.join(childrenHits, name))
  }
  return found
}

function answer(message: Answer): void {
  process.send?.(message)
}
