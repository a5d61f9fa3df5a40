import {once} from 'node:events'
import {setTimeout as sleep} from 'node:timers/promises'
import {hostname} from 'node:os'
import {Worker} from 'bullmq'
import type {TransshipError} from '../../model/errors.js'
import type {BatchEvent, BatchWorkOptions} from '../batch-event.js'
import type {NetworkOptions} from '../../model/transport.js'
import {defaultConcurrency} from '../concurrency.js'
import {waitBefore} from '../run-unit.js'
import {KEY_PREFIX, QueueConnection, type UnitQueue} from './connection.js'
import {reportOf, type UnitJob} from './job-report.js'
import {isPromoted, Lanes} from './lanes.js'
import {parseRedisUrl} from './redis-url.js'
import {workJob, type WorkJobOptions} from './work-job.js'

export interface WorkerOptions extends BatchWorkOptions {
  /** `redis://…`; may hold a password. */
  readonly queue: string
  /** Used where the URL has none. */
  readonly queuePassword?: string
  readonly concurrency?: number
  /** The folder below which rooted units lie, on this machine. */
  readonly root?: string
  /** How this machine reaches registries and engines, where a plan says nothing. */
  readonly network?: NetworkOptions
  /** End when nothing waits and nothing runs anywhere. */
  readonly untilEmpty?: boolean
  /** After how long without a sign of life a worker counts as lost, and its units are begun again. Default 30 s. */
  readonly lostAfterMs?: number
}

/** What a worker did. Schema: `src/schemas/batch-worker.schema.json`. */
export interface WorkerReport {
  /** The queue, without the password. */
  readonly queue: string
  /** `host:pid`. */
  readonly worker: string
  readonly converted: number
  readonly failed: number
  /** Started here and returned to the queue, because the worker was stopped. */
  readonly givenBack: number
  readonly seconds: number
}

export const DEFAULT_LOST_AFTER_MS = 30_000
/** A unit that has killed so many workers is left. */
const MOST_LOST = 3
const POLL_MS = 500

/**
 * Works on the units of a queue until it is interrupted, or with `untilEmpty` until there are none. An interrupt stops what
 * runs and gives it back: another worker begins it at once. Throws `NETWORK_FAILED`, `UNAUTHORIZED`, and `NO_ACCESS` on a
 * machine that does not see what the units name.
 */
export async function runWorker(options: WorkerOptions): Promise<WorkerReport> {
  const connection = new QueueConnection(parseRedisUrl(options.queue, options.queuePassword), options)
  const queue = await connection.open()
  try {
    return await new UnitWorker(connection, queue, options).run()
  } finally {
    await connection.close(queue)
  }
}

/** Of BullMQ, with a way to let go of a server that is away: what it was doing there is not tried again and again. */
class JobWorker extends Worker<UnitJob['data'], UnitJob['returnvalue'], 'convert'> {
  cut(): Promise<void> {
    return this.connection.close(true)
  }
}

/** What is stopped has cleaned up by then. */
const CLEAN_UP_MS = 5000

class UnitWorker {
  readonly #connection: QueueConnection
  readonly #queue: UnitQueue
  readonly #options: WorkerOptions
  readonly #stop = new AbortController()
  #unfit: TransshipError | undefined
  #converted = 0
  #failed = 0
  #givenBack = 0

  constructor(connection: QueueConnection, queue: UnitQueue, options: WorkerOptions) {
    this.#connection = connection
    this.#queue = queue
    this.#options = options
  }

  async run(): Promise<WorkerReport> {
    const started = performance.now()
    const {signal, root, network, lostAfterMs = DEFAULT_LOST_AFTER_MS} = this.#options
    const lanes = await Lanes.open(this.#queue, {lifeMs: lostAfterMs})
    const stopped = AbortSignal.any([
      this.#stop.signal,
      this.#connection.lost,
      ...(signal === undefined ? [] : [signal]),
    ])
    const work: WorkJobOptions = {
      queue: this.#queue,
      lanes,
      signal: stopped,
      ...(root === undefined ? {} : {root}),
      network,
      onBegun: ({unit}) => {
        this.#tell({kind: 'item-begun', id: unit.id, destination: unit.destination})
      },
      onEvent: ({unit}, event) => {
        if (event.kind === 'loss' || event.kind === 'note') this.#tell({kind: 'item-told', id: unit.id, event})
      },
      onGivenBack: () => {
        this.#givenBack++
      },
      onUnfit: (error) => {
        this.#unfit ??= error
        this.#stop.abort(error)
      },
    }
    const {gone} = this.#connection
    const worker = new JobWorker(this.#queue.name, (job, token, lost) => workJob(job, token, lost, work), {
      connection: this.#connection.options,
      prefix: KEY_PREFIX,
      autorun: false,
      concurrency: this.#options.concurrency ?? defaultConcurrency(),
      lockDuration: lostAfterMs,
      stalledInterval: lostAfterMs / 2,
      maxStalledCount: MOST_LOST,
      settings: {backoffStrategy: (attempts) => waitBefore(attempts)},
    })
    worker.on('completed', (job) => {
      this.#converted++
      this.#ended(job)
    })
    worker.on('failed', (job) => {
      if (job !== undefined) this.#onFailed(job)
    })
    worker.on('lockRenewalFailed', (ids) => {
      for (const id of ids) worker.cancelJob(id, 'lost')
    })
    gone.addEventListener('abort', () => {
      void worker.cut().catch(() => undefined)
    })
    stopped.addEventListener('abort', () => {
      this.#connection.stopWaiting()
    })
    try {
      await this.#connection.watch(worker)
      const running = worker.run()
      running.catch(() => undefined)
      await this.#untilStopped(stopped)
    } finally {
      this.#connection.stopWaiting()
      // Gives back what runs: the units see the signal, which is aborted but for an empty queue, where nothing runs.
      await Promise.race([worker.close().catch(() => undefined), cleanedUp(gone)])
    }
    if (this.#unfit !== undefined) throw this.#unfit
    if (this.#connection.lost.aborted) throw this.#connection.lost.reason
    return {
      queue: this.#connection.place.told,
      worker: `${hostname()}:${process.pid}`,
      converted: this.#converted,
      failed: this.#failed,
      givenBack: this.#givenBack,
      seconds: (performance.now() - started) / 1000,
    }
  }

  async #untilStopped(stopped: AbortSignal): Promise<void> {
    while (!stopped.aborted) {
      if (this.#options.untilEmpty === true && (await this.#isEmpty(stopped))) return
      await sleep(POLL_MS, undefined, {signal: stopped}).catch(() => undefined)
    }
  }

  async #isEmpty(stopped: AbortSignal): Promise<boolean> {
    const counts = await this.#queue
      .getJobCounts('waiting', 'active', 'delayed', 'prioritized', 'paused')
      .catch((error: unknown) => {
        // What is asked of a server that nobody waits for any more fails.
        if (!stopped.aborted) throw error
        return {}
      })
    return Object.values(counts).every((count) => count === 0)
  }

  #onFailed(job: UnitJob): void {
    const {outcome} = job.data
    if (job.finishedOn === undefined) return
    if (outcome?.state !== 'blocked') this.#failed++
    this.#ended(job)
  }

  /** Tells of a unit, and calls those that waited for it. */
  #ended(job: UnitJob): void {
    this.#tell({kind: 'item-ended', item: reportOf(job), bytes: 0})
    // What is not called by a worker that dies here comes by itself a little later.
    void this.#callNext(job).catch(() => undefined)
  }

  async #callNext({data: {next}}: UnitJob): Promise<void> {
    for (const id of next) {
      const waiting = await this.#queue.getJob(id)
      if (waiting !== undefined) await isPromoted(waiting)
    }
  }

  #tell(event: BatchEvent): void {
    this.#options.onEvent?.(event)
  }
}

/** Some time after the signal. */
async function cleanedUp(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort')
  await sleep(CLEAN_UP_MS, undefined, {ref: false})
}
