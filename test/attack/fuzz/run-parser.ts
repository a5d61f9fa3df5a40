import {fork, type ChildProcess} from 'node:child_process'
import {existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import path from 'node:path'
import type {Find} from './judge.js'
import {Stopwatch, type Usage} from './stopwatch.js'
import type {Order, Progress} from './worker.js'

export interface RunOptions {
  readonly seed: number
  readonly from?: number
  readonly cases?: number
  /** Of processors; by the clock up to ten times as many, for what waits for others. */
  readonly minutes?: number
  readonly onFind?: (find: Find) => void
}

export interface ParserCount {
  readonly parser: string
  readonly cases: number
  readonly accepted: number
  readonly refused: number
  /** By the clock. */
  readonly seconds: number
  /** Of processors: what is left of the clock on a machine that has much else to do. */
  readonly cpuSeconds: number
  readonly finds: readonly Find[]
  /** Number of the mutant that comes next. */
  readonly next: number
}

const WORKER = path.join(import.meta.dirname, 'worker.js')
/** Of V8; buffers come on top. A process that reaches it dies, which is a find. */
const HEAP_MIB = 384
/** How many times its share of a processor a run may take by the clock. */
const MOST_WAIT = 10
/** Between two looks at the process. */
const TICK_MS = 500
/** Beyond this the process is ended before the machine suffers. */
const MAX_RSS_MIB = 1024
/** More of a kind than this tell nothing new. */
const MAX_FINDS = 25
/** A memory file system where there is one: thousands of inputs go through files. */
const ROOT = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()

/** Runs one parser's mutants until the time or the cases are over; goes on behind one that ends its process. */
export async function runParser(parser: string, options: RunOptions): Promise<ParserCount> {
  const {seed, from = 0, cases = Infinity, minutes = Infinity, onFind} = options
  const startMs = Date.now()
  const untilMs = minutes === Infinity ? Number.MAX_SAFE_INTEGER : startMs + minutes * 60_000 * MOST_WAIT
  const end = cases === Infinity ? Number.MAX_SAFE_INTEGER : from + cases
  const finds: Find[] = []
  const counts = {accepted: 0, refused: 0, cpuSeconds: 0}
  let next = from
  const leftSeconds = () => (minutes === Infinity ? Number.MAX_SAFE_INTEGER : minutes * 60 - counts.cpuSeconds)
  while (next < end && leftSeconds() > 0 && Date.now() < untilMs && finds.length < MAX_FINDS) {
    const scratch = mkdtempSync(path.join(ROOT, 'transship-fuzz-'))
    try {
      const ended = await runProcess(
        {parser, seed, from: next, end, cpuSeconds: leftSeconds(), untilMs, scratch},
        (find) => {
          finds.push(find)
          onFind?.(find)
          return finds.length < MAX_FINDS
        },
      )
      counts.accepted += ended.accepted
      counts.refused += ended.refused
      counts.cpuSeconds += ended.cpuSeconds
      next = ended.next
    } finally {
      rmSync(scratch, {recursive: true, force: true, maxRetries: 3})
    }
  }
  return {parser, cases: next - from, ...counts, seconds: (Date.now() - startMs) / 1000, finds, next}
}

function runProcess(
  order: Order,
  onFind: (find: Find) => boolean,
): Promise<Pick<Progress, 'accepted' | 'refused' | 'next' | 'cpuSeconds'>> {
  const temporary = path.join(order.scratch, 'tmp')
  mkdirSync(temporary)
  const child = fork(WORKER, [], {
    execArgv: [`--max-old-space-size=${HEAP_MIB}`],
    env: {...process.env, TMPDIR: temporary, TRANSSHIP_CONFIG: '', DOCKER_CONFIG: temporary},
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  let said = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-4000)
  })
  let last = {accepted: 0, refused: 0, next: order.from, cpuSeconds: 0}
  let isDone = false
  let isTold = false
  const found = (kind: Find['kind'], what: string, number: number) => {
    last = {...last, next: number + 1, cpuSeconds: Math.max(last.cpuSeconds, usageOf(child).cpuSeconds)}
    isTold = true
    onFind({parser: order.parser, seed: order.seed, number, kind, what})
  }
  return new Promise((resolve, reject) => {
    child.on('message', ({kind, find, ...counts}: Progress) => {
      last = counts
      if (kind === 'done') isDone = true
      else if (find !== undefined) {
        isTold = find.what.startsWith('not caught')
        if (!onFind(find)) child.kill('SIGKILL')
      }
    })
    const stop = watch(child, order, found)
    child.on('error', reject)
    child.on('close', (code, signal) => {
      stop()
      if (!isDone && !isTold && !child.killed) {
        const number = caseAt(order)
        if (number === undefined) {
          reject(new Error(`${order.parser} does not get ready: ${said}`))
          return
        }
        found('died', `its process ended with ${signal ?? String(code)}: ${said.slice(-800)}`, number)
      }
      resolve(last)
    })
    child.send(order)
  })
}

function caseAt({scratch}: Order): number | undefined {
  const file = path.join(scratch, 'at')
  if (!existsSync(file)) return undefined
  const bytes = readFileSync(file)
  return bytes.byteLength === 8 ? bytes.readDoubleLE(0) : undefined
}

/** Ends a process whose case takes too long, by its own work or by waiting, or too much memory. */
function watch(
  child: ChildProcess,
  order: Order,
  found: (kind: Find['kind'], what: string, number: number) => void,
): () => void {
  const stopwatch = new Stopwatch()
  const timer = setInterval(() => {
    const number = caseAt(order)
    if (number === undefined) return
    const hang = stopwatch.tick(number, Date.now() / 1000, usageOf(child))
    if (hang !== undefined) {
      found('hang', hang, number)
      child.kill('SIGKILL')
    } else if (rssMiB(child) > MAX_RSS_MIB) {
      found('memory', `its process has more than ${MAX_RSS_MIB} MiB`, number)
      child.kill('SIGKILL')
    }
  }, TICK_MS)
  return () => {
    clearInterval(timer)
  }
}

/** Of all its threads, in user mode and in the system's. Source: proc(5), fields 3, 14 and 15, in ticks of 10 ms. */
function usageOf({pid}: ChildProcess): Usage {
  try {
    const stat = readFileSync(`/proc/${pid ?? 0}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(') ') + 2).split(' ')
    return {cpuSeconds: (Number(fields[11]) + Number(fields[12])) / 100, isSleeping: fields[0] === 'S'}
  } catch {
    return {cpuSeconds: 0, isSleeping: false}
  }
}

function rssMiB({pid}: ChildProcess): number {
  try {
    const status = readFileSync(`/proc/${pid ?? 0}/status`, 'utf8')
    return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024
  } catch {
    return 0
  }
}
