import {Args, Flags} from '@oclif/core'
import type {BatchReport} from '../src/batch/batch-report.js'
import {dryRunBatch, type DryRunReport} from '../src/batch/dry-run.js'
import {journalOf} from '../src/batch/journal.js'
import type {EnqueueReport} from '../src/batch/queue/fleet.js'
import {runBatch} from '../src/batch/run-batch.js'
import {formatShard, parseShard} from '../src/batch/shard.js'
import {BaseCommand} from '../src/terminal/base-command.js'
import {formatBatch, formatDryRun, formatEnqueued} from '../src/terminal/batch-text.js'
import {networkOfEnvironment} from '../src/terminal/network-flags.js'
import {QUEUE_DESCRIPTION, queueOptions, requireUnwatched, rootFlag} from '../src/terminal/queue-flags.js'
import {batchReporting, reportFlag} from '../src/terminal/report-flag.js'
import {wholeFlag} from '../src/terminal/table-flags.js'

export default class Batch extends BaseCommand {
  static override summary = 'Convert everything that a plan names.'
  static override description =
    'PLAN is YAML or JSON: items with a source, a destination and the options of convert. What an item depends on is ' +
    'converted before it, several items at once, and a failure does not stop the rest. A journal beside the plan ' +
    '(PLAN.journal) makes the same command go on where a stopped run ended; what is done and still there is not done ' +
    'again. Exit 1 when any item failed. Relative paths in the plan are relative to it.'
  static override examples = [
    {
      description: 'Write a plan from a folder of saved images, look at what it would do, and run it:',
      command:
        '<%= config.bin %> batch plan ./images inbox:./repository > plan.yaml && <%= config.bin %> <%= command.id %> plan.yaml --dry-run && <%= config.bin %> <%= command.id %> plan.yaml',
    },
    {
      description: 'Go on after a failure or an interrupt: the same command again:',
      command: '<%= config.bin %> <%= command.id %> plan.yaml',
    },
    {
      description: 'Keep a record, as a page for a browser:',
      command: '<%= config.bin %> <%= command.id %> plan.yaml --report plan.html',
    },
    {
      description: 'Four items at once, and read every byte again of what was done before:',
      command: '<%= config.bin %> <%= command.id %> plan.yaml --concurrency 4 --verify',
    },
    {
      description: 'Let the workers of a queue do it, on as many machines as run batch worker:',
      command: '<%= config.bin %> <%= command.id %> plan.yaml --queue redis://queue.example',
    },
    {
      description: 'One of four equal parts, each on a machine of its own:',
      command: '<%= config.bin %> <%= command.id %> plan.yaml --shard 0/4',
    },
  ]
  static override args = {
    plan: Args.string({required: true, description: 'File of the plan, YAML or JSON.'}),
  }
  static override flags = {
    ...wholeFlag,
    'dry-run': Flags.boolean({
      summary: 'Tell what would be done, with sizes and the disk space needed, and write nothing.',
      exclusive: ['report'],
    }),
    concurrency: Flags.integer({
      summary: 'How many items are converted at once.',
      description: 'Default: as many as there are cores and as fit into free memory, 256 MiB each.',
      helpValue: 'N',
      min: 1,
      max: 256,
    }),
    'fail-fast': Flags.boolean({summary: 'Start nothing more once an item has failed.'}),
    retries: Flags.integer({
      summary: 'How often an item is tried again after a failure of the network, each time after twice the wait.',
      description: 'Default: 4, after 1, 2, 4 and 8 seconds.',
      helpValue: 'N',
      min: 0,
      max: 20,
    }),
    journal: Flags.string({summary: 'Where what is done is written down; default: PLAN.journal.', helpValue: 'FILE'}),
    verify: Flags.boolean({
      summary: 'Read every byte of what an earlier run did, and do it again where it is damaged.',
    }),
    'check-space': Flags.boolean({
      summary: 'Refuse to start when a disk has too little room.',
      description: 'On by default.',
      default: true,
      allowNo: true,
    }),
    report: reportFlag,
    queue: Flags.string({
      summary: 'Let the workers of a queue convert: Redis or Valkey, where batch worker takes the items from.',
      description: QUEUE_DESCRIPTION,
      helpValue: 'URL',
      exclusive: ['shard', 'concurrency', 'dry-run'],
    }),
    detach: Flags.boolean({
      summary: 'Put the items into the queue and leave; the same command without it attaches to them.',
      description:
        'Without it, Ctrl-C takes out of the queue what no worker has begun. Not with --report and --fail-fast: nobody waits.',
      dependsOn: ['queue'],
    }),
    root: rootFlag({dependsOn: ['queue']}),
    shard: Flags.string({
      summary: 'Convert one of N equal parts of the plan, I from 0; what depends on each other is in one part.',
      description:
        'Items with one local destination are in one part too. Every part has a journal of its own: PLAN.I-of-N.journal.',
      helpValue: 'I/N',
    }),
  }

  async run(): Promise<BatchReport | DryRunReport | EnqueueReport> {
    const {args, flags} = await this.parse(Batch)
    const {concurrency, retries, queue, root} = flags
    const shard = flags.shard === undefined ? undefined : parseShard(flags.shard)
    const journal = flags.journal ?? (shard === undefined ? undefined : journalOf(`${args.plan}.${formatShard(shard)}`))
    const options = {
      environment: process.env,
      network: networkOfEnvironment(),
      failFast: flags['fail-fast'],
      verify: flags.verify,
      checkSpace: flags['check-space'],
      ...(concurrency === undefined ? {} : {concurrency}),
      ...(retries === undefined ? {} : {retries}),
      ...(journal === undefined ? {} : {journal}),
      ...(shard === undefined ? {} : {shard}),
      ...(root === undefined ? {} : {root}),
    }
    if (flags['dry-run']) {
      const report = await this.showingBatch((run) => dryRunBatch(args.plan, {...options, ...run}))
      this.print(formatDryRun(report, this.view))
      return report
    }
    if (queue !== undefined && flags.detach) {
      requireUnwatched(flags)
      const {enqueueBatch} = await import('../src/batch/queue/run-fleet.js')
      const report = await this.showingBatch((run) =>
        enqueueBatch(args.plan, {...options, ...run, ...queueOptions(queue)}),
      )
      this.print(formatEnqueued(report))
      return report
    }
    const work = () =>
      this.showingBatch(async (run) => {
        if (queue === undefined) return runBatch(args.plan, {...options, ...run})
        // Loaded when a queue is asked for: it would make every start slower.
        const {runFleet} = await import('../src/batch/queue/run-fleet.js')
        return runFleet(args.plan, {...options, ...run, ...queueOptions(queue)})
      })
    const report = await batchReporting(work, {
      file: flags.report,
      title: args.plan,
      asFailure: (error) => this.asFailure(error),
    })
    this.print(formatBatch(report))
    // The items say what was done until then; the exit code says that it was not all.
    this.requireUninterrupted()
    if (report.totals.failed > 0 && !this.signal.aborted) this.found()
    return report
  }
}
