import {Flags} from '@oclif/core'
import {concurrencyFlag} from '../../src/terminal/concurrency-flag.js'
import type {BatchWorkOptions} from '../../src/batch/batch-event.js'
import {loadWorker} from '../../src/batch/queue/load-queue.js'
import type {WorkerReport} from '../../src/batch/queue/run-worker.js'
import {BaseCommand} from '../../src/terminal/base-command.js'
import {formatWorker} from '../../src/terminal/batch-text.js'
import {networkOfEnvironment} from '../../src/terminal/network-flags.js'
import {QUEUE_DESCRIPTION, queueOptions, rootFlag} from '../../src/terminal/queue-flags.js'

export default class BatchWorker extends BaseCommand {
  static override summary = 'Convert items from a queue that batch --queue fills.'
  static override description =
    'Runs until you stop it. Any number of workers may share a queue. Each must see the same files as the machine that ' +
    'queued the plan, at the same paths or below the folder given with --root. Ctrl-C or SIGTERM returns unfinished items ' +
    'to the queue, and another worker starts them at once. When a worker is killed, another starts its items after ' +
    '--lost-after. An item that starts twice still gives one result.'
  static override examples = [
    {
      description: 'Run a worker that converts two items at once:',
      command: '<%= config.bin %> <%= command.id %> --queue redis://queue.example --concurrency 2',
    },
    {
      description: 'Work until the queue is empty, with the shared folder mounted elsewhere:',
      command: '<%= config.bin %> <%= command.id %> --queue redis://queue.example --root /mnt/share --until-empty',
    },
  ]
  static override flags = {
    queue: Flags.string({
      summary: 'Queue to take items from, in Redis or Valkey.',
      description: QUEUE_DESCRIPTION,
      helpValue: 'URL',
      required: true,
      env: 'TRANSSHIP_QUEUE',
    }),
    concurrency: concurrencyFlag,
    'until-empty': Flags.boolean({summary: 'Exit when no item is waiting and no worker is busy.'}),
    'lost-after': Flags.integer({
      summary: 'Restart the items of a worker that has been silent for this many seconds.',
      description: 'Use the same value for all workers of a queue.',
      helpValue: 'SECONDS',
      default: 30,
      min: 2,
      max: 3600,
    }),
    root: rootFlag(),
  }

  async run(): Promise<WorkerReport> {
    const {flags} = await this.parse(BatchWorker)
    const {concurrency, root} = flags
    const {runWorker} = await loadWorker()
    const work = (run: Required<BatchWorkOptions>) =>
      runWorker({
        ...run,
        ...queueOptions(flags.queue),
        network: networkOfEnvironment(),
        untilEmpty: flags['until-empty'],
        lostAfterMs: flags['lost-after'] * 1000,
        ...(concurrency === undefined ? {} : {concurrency}),
        ...(root === undefined ? {} : {root}),
      })
    this.endsWhenStopped()
    const report = await this.showingBatch(work, {isEndless: true})
    this.print(formatWorker(report))
    return report
  }
}
