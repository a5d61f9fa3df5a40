import {fork, spawn, type ChildProcess} from 'node:child_process'
import {once} from 'node:events'
import {mkdirSync, readFileSync, rmSync} from 'node:fs'
import path from 'node:path'
import type {Answer, Order, TestFact} from './warm-tests.js'
import type {Workshop} from './workshop.js'

const WARM_FILE = path.join('dist', 'warm-tests.js')
const COLD_FILE = path.join('dist', 'run-files.js')
const SETUP = path.join('dist', 'test', 'setup.js')
const OPTIONS = ['--max-old-space-size=1024']
/** A loop without end is stopped after so much time of processors, or so much more than the tests need. */
const LEAST_CPU_SECONDS = 15
/** For what waits for ever. Nobody knows how busy the machine is. */
const WAIT_MS = 600_000
const TICK_MS = 250

export type Trial = 'killed' | 'timed-out' | 'survived'
/** The tests fail a second time without a mutant, in a process that ran nothing else. */
export type WarmTrial = Trial | 'unclear'

/** What the tests of a file come by without a mutant. */
export interface FileFacts {
  readonly file: string
  readonly isPassed: boolean
  /** While the file and what it imports load. */
  readonly atLoad: ReadonlySet<number>
  readonly tests: readonly TestFact[]
}

export interface Slot {
  readonly workshop: Workshop
  readonly number: number
}

function environmentOf({workshop, number}: Slot, env: Readonly<Record<string, string>>) {
  const temporary = path.join(workshop.path, `tmp-${number}`)
  rmSync(temporary, {recursive: true, force: true})
  mkdirSync(temporary, {recursive: true})
  return {...process.env, TMPDIR: temporary, ...env}
}

/** A process that has a test file loaded, and tries mutants with it. It is started anew when a mutant has spoilt it. */
export class TestProcess {
  readonly #slot: Slot
  readonly #file: string
  #child: ChildProcess | undefined
  #facts: FileFacts | undefined

  private constructor(slot: Slot, file: string) {
    this.#slot = slot
    this.#file = file
  }

  static async start(slot: Slot, file: string): Promise<TestProcess> {
    const made = new TestProcess(slot, file)
    await made.#restart()
    return made
  }

  get facts(): FileFacts {
    return this.#facts ?? {file: this.#file, isPassed: false, atLoad: new Set(), tests: []}
  }

  /** Runs the tests with the mutant. What only fails in a process that an earlier mutant has spoilt does not count. */
  async attempt(id: number, tests: readonly TestFact[]): Promise<WarmTrial> {
    const titles = tests.map(({title}) => title)
    const limit = LEAST_CPU_SECONDS + 3 * tests.reduce((sum, {seconds}) => sum + seconds, 0)
    let isFresh = this.#child === undefined
    for (;;) {
      if (this.#child === undefined) await this.#restart()
      if (this.#child === undefined) return 'unclear'
      const said = await this.#ask({id, titles}, limit)
      if (said === undefined) {
        this.stop()
        return 'timed-out'
      }
      if (said.kind !== 'tried' || said.failed === undefined) return 'survived'
      if (said.isClean) return 'killed'
      this.stop()
      if (isFresh) return 'unclear'
      isFresh = true
    }
  }

  stop(): void {
    this.#child?.kill('SIGKILL')
    this.#child = undefined
  }

  async #restart(): Promise<void> {
    const hits = path.join(this.#slot.workshop.path, `hits-${this.#slot.number}`)
    rmSync(hits, {recursive: true, force: true})
    this.#child = fork(path.join(this.#slot.workshop.path, WARM_FILE), [SETUP, this.#file], {
      cwd: this.#slot.workshop.path,
      execArgv: OPTIONS,
      env: environmentOf(this.#slot, {MUTANT_HITS: hits}),
      stdio: ['ignore', 'ignore', process.env['MUTANT_SHOW'] === undefined ? 'ignore' : 'inherit', 'ipc'],
    })
    const said = await this.#answer(600)
    if (said?.kind === 'loaded' && said.isPassed) {
      this.#facts ??= {file: this.#file, isPassed: true, atLoad: new Set(said.atLoad), tests: said.tests}
      return
    }
    this.stop()
  }

  async #ask(order: Order, cpuSeconds: number): Promise<Answer | undefined> {
    this.#child?.send(order)
    return this.#answer(cpuSeconds)
  }

  /** Undefined when it works or waits for too long, or ends. */
  async #answer(cpuSeconds: number): Promise<Answer | undefined> {
    const child = this.#child
    if (child === undefined) return undefined
    const {pid = 0} = child
    const [begin, beginMs] = [cpuSecondsOf(pid), Date.now()]
    let timer: NodeJS.Timeout | undefined
    try {
      return await new Promise<Answer | undefined>((resolve) => {
        timer = setInterval(() => {
          if (cpuSecondsOf(pid) - begin > cpuSeconds || Date.now() - beginMs > WAIT_MS) resolve(undefined)
        }, TICK_MS)
        child.once('message', (message) => {
          resolve(message as Answer)
        })
        child.once('exit', () => {
          resolve(undefined)
        })
        child.once('error', () => {
          resolve(undefined)
        })
      })
    } finally {
      clearInterval(timer)
      child.removeAllListeners()
    }
  }
}

/** Source: proc(5), fields 14 and 15, in ticks of 10 ms. */
function cpuSecondsOf(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(') ') + 2).split(' ')
    return (Number(fields[11]) + Number(fields[12])) / 100
  } catch {
    return 0
  }
}

/** Runs a test file in a process that begins with the mutant. `seconds`: what it takes without. */
export async function attemptFromBegin(slot: Slot, id: number, file: string, seconds: number): Promise<Trial> {
  const limit = String(LEAST_CPU_SECONDS + Math.ceil(3 * seconds))
  const command = [process.execPath, ...OPTIONS, COLD_FILE, SETUP, file]
  const child = spawn('sh', ['-c', 'ulimit -t "$1"; shift; exec "$@"', 'sh', limit, ...command], {
    cwd: slot.workshop.path,
    env: environmentOf(slot, {MUTANT_ACTIVE: String(id)}),
    stdio: ['ignore', 'ignore', process.env['MUTANT_SHOW'] === undefined ? 'ignore' : 'inherit'],
  })
  const timer = setTimeout(() => child.kill('SIGKILL'), WAIT_MS)
  await once(child, 'exit')
  clearTimeout(timer)
  if (child.signalCode !== null) return 'timed-out'
  return child.exitCode === 0 ? 'survived' : 'killed'
}
