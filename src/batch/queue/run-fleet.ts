import {totalsOf, type BatchReport} from '../batch-report.js'
import {asNoted} from '../batch-event.js'
import {loadPlan, prepareBatch, type LoadedPlan} from '../prepare-batch.js'
import {openJournal} from '../run-batch.js'
import {QueueConnection} from './connection.js'
import {Fleet, type EnqueueReport, type FleetOptions} from './fleet.js'
import {parseRedisUrl} from './redis-url.js'
import {sharedFolder} from './unit-job.js'

/**
 * Runs a plan on the workers of a queue: puts its units there, those that are there already are attached to, waits for all
 * and writes the journal as a local run does. An interrupt takes back what no worker has begun. Throws what `runBatch`
 * throws, and `NETWORK_FAILED` or `UNAUTHORIZED` for the queue.
 */
export async function runFleet(file: string, options: FleetOptions): Promise<BatchReport> {
  const startedTime = new Date().toISOString()
  const started = performance.now()
  return withFleet(file, options, async (fleet, {title}) => {
    const items = await fleet.wait()
    return {title, startedTime, seconds: (performance.now() - started) / 1000, totals: totalsOf(items), items}
  })
}

/** Puts the units of a plan into a queue and leaves; `runFleet` with the same plan attaches to them later. */
export async function enqueueBatch(file: string, options: FleetOptions): Promise<EnqueueReport> {
  return withFleet(file, options, (fleet) => fleet.enqueue())
}

async function withFleet<T>(
  file: string,
  options: FleetOptions,
  work: (fleet: Fleet, loaded: LoadedPlan) => Promise<T>,
): Promise<T> {
  const connection = new QueueConnection(parseRedisUrl(options.queue, options.queuePassword), options)
  const inner = {...options, onEvent: asNoted((event) => options.onEvent?.(event))}
  const loaded = await loadPlan(file, inner)
  const shared = sharedFolder(loaded.folder, options.root)
  const queue = await connection.open()
  try {
    const journal = await openJournal(file, options)
    try {
      const {units} = await prepareBatch(loaded, journal.entries, inner)
      return await work(new Fleet({connection, queue, journal, shared, loaded, units, options}), loaded)
    } finally {
      await journal.close()
    }
  } catch (error) {
    // What was asked of a server that is given up fails as well, and says less.
    if (connection.lost.aborted) throw connection.lost.reason
    throw error
  } finally {
    await connection.close(queue)
  }
}
