import {runBatch} from '../../src/batch/run-batch.js'
import {peakKibibytes} from './peak.js'

/*
 * Runs the plan that the command line names and prints a line when its work begins and for each item that ends: a process
 * of its own that a test can kill.
 */

const [, , plan = '', concurrency = '2'] = process.argv

const report = await runBatch(plan, {
  environment: {},
  concurrency: Number(concurrency),
  onEvent: (event) => {
    if (event.kind === 'batch') process.stdout.write('begun\n')
    if (event.kind === 'item-ended') process.stdout.write(`${event.item.state} ${event.item.id}\n`)
  },
})
process.exitCode = report.totals.failed === 0 ? 0 : 1
process.stdout.write(`peak ${peakKibibytes() * 1024}\n`)
