import {Flags} from '@oclif/core'
import type {BatchWorkOptions} from '../../src/batch/batch-event.js'
import type {WorkerReport} from '../../src/batch/queue/run-worker.js'
import {BaseCommand} from '../../src/terminal/base-command.js'
import {formatWorker} from '../../src/terminal/batch-text.js'
import {networkOfEnvironment} from '../../src/terminal/network-flags.js'
import {QUEUE_DESCRIPTION, queueOptions, rootFlag} from '../../src/terminal/queue-flags.js'

export default class BatchWorker extends BaseCommand {
  static override summary = 'Convert what batch --queue puts into a queue, on this machine.'
  static override description =
    'Runs until it is stopped. Any number of workers may share a queue; each needs the same files as the machine that put ' +
    'the plan there, under the same paths or with --root below another folder. Ctrl-C or SIGTERM gives back what is being ' +
    'converted, and another worker begins it at once; what a worker leaves that was killed, another begins after ' +
    '--lost-after. An item that is begun twice is there once.'
  static override examples = [
    {
      description: 'A worker, two items at once:',
      command: '<%= config.bin %> <%= command.id %> --queue redis://queue.example --concurrency 2',
    },
    {
      description: 'Help until all is done, on a machine where the shared folder is elsewhere:',
      command: '<%= config.bin %> <%= command.id %> --queue redis://queue.example --root /mnt/share --until-empty',
    },
  ]
  static override flags = {
    queue: Flags.string({
      summary: 'The queue, in Redis or Valkey.',
      description: QUEUE_DESCRIPTION,
      helpValue: 'URL',
      required: true,
      env: 'TRANSSHIP_QUEUE',
    }),
    concurrency: Flags.integer({
      summary: 'How many items are converted at once.',
      description: 'Default: as many as there are cores and as fit into free memory, 256 MiB each.',
      helpValue: 'N',
      min: 1,
      max: 256,
    }),
    'until-empty': Flags.boolean({summary: 'End when nothing waits and no worker works on anything.'}),
    'lost-after': Flags.integer({
      summary: 'Seconds without a sign of life after which a worker counts as lost; its items are begun again.',
      description: 'Default: 30. The same for all workers of a queue.',
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
    // Loaded when it is run: it would make the start of the other commands slower.
    const {runWorker} = await import('../../src/batch/queue/run-worker.js')
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
