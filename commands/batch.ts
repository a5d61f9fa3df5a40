import {Args, Flags} from '@oclif/core'
import {concurrencyFlag} from '../src/terminal/concurrency-flag.js'
import type {BatchReport} from '../src/batch/batch-report.js'
import {dryRunBatch, type DryRunReport} from '../src/batch/dry-run.js'
import {journalOf} from '../src/batch/journal.js'
import type {EnqueueReport} from '../src/batch/queue/fleet.js'
import {loadFleet} from '../src/batch/queue/load-queue.js'
import {runBatch} from '../src/batch/run-batch.js'
import {formatShard, parseShard} from '../src/batch/shard.js'
import {BaseCommand} from '../src/terminal/base-command.js'
import {formatBatch, formatDryRun, formatEnqueued} from '../src/terminal/batch-text.js'
import {networkOfEnvironment} from '../src/terminal/network-flags.js'
import {QUEUE_DESCRIPTION, queueOptions, requireUnwatched, rootFlag} from '../src/terminal/queue-flags.js'
import {batchReporting, reportFlag, reportTitleFlag} from '../src/terminal/report-flag.js'
import {wholeFlag} from '../src/terminal/table-flags.js'

export default class Batch extends BaseCommand {
  static override summary = 'Convert everything a plan lists.'
  static override description =
    'PLAN is a YAML or JSON file. Each item has a source, a destination and the options of convert. Batch runs several ' +
    'items at once, converts what an item depends on first, and carries on when an item fails. It keeps a journal beside ' +
    'the plan (PLAN.journal): run the same command again after a stop, and it skips every item whose result is still in ' +
    'place. Exits with 1 when any item failed, or would fail (--dry-run). Relative paths in the plan start at the folder of the plan.'
  static override examples = [
    {
      description: 'Write a plan from a folder of saved images, preview it, then run it:',
      command:
        '<%= config.bin %> batch plan ./images inbox:./repository > plan.yaml && <%= config.bin %> <%= command.id %> plan.yaml --dry-run && <%= config.bin %> <%= command.id %> plan.yaml',
    },
    {
      description: 'Continue after a failure or an interrupt with the same command:',
      command: '<%= config.bin %> <%= command.id %> plan.yaml',
    },
    {
      description: 'Write a report that opens in a browser:',
      command: '<%= config.bin %> <%= command.id %> plan.yaml --report plan.html',
    },
    {
      description: 'Convert four items at once, and check every byte of earlier results:',
      command: '<%= config.bin %> <%= command.id %> plan.yaml --concurrency 4 --verify',
    },
    {
      description: 'Leave the work to every machine that runs batch worker:',
      command: '<%= config.bin %> <%= command.id %> plan.yaml --queue redis://queue.example',
    },
    {
      description: 'Split the plan over four machines; this one takes the first part:',
      command: '<%= config.bin %> <%= command.id %> plan.yaml --shard 0/4',
    },
  ]
  static override args = {
    plan: Args.string({required: true, description: 'Plan file, YAML or JSON.'}),
  }
  static override flags = {
    ...wholeFlag,
    'dry-run': Flags.boolean({
      summary: 'Show what would happen, with sizes and disk space needed, without writing anything.',
      exclusive: ['report'],
    }),
    concurrency: concurrencyFlag,
    'fail-fast': Flags.boolean({summary: 'Start no further items after one fails.'}),
    retries: Flags.integer({
      summary: 'Retry an item up to N times after a network failure, doubling the wait each time.',
      description: 'Default: 4 retries, after 1, 2, 4 and 8 seconds.',
      helpValue: 'N',
      min: 0,
      max: 20,
    }),
    journal: Flags.string({summary: 'Record finished items in this file; default: PLAN.journal.', helpValue: 'FILE'}),
    verify: Flags.boolean({
      summary: 'Check every byte of earlier results, and convert damaged ones again.',
    }),
    'check-space': Flags.boolean({
      summary: 'Refuse to start when a disk has too little free space.',
      description: 'On by default.',
      default: true,
      allowNo: true,
    }),
    report: reportFlag,
    'report-title': reportTitleFlag,
    queue: Flags.string({
      summary: 'Put the items into a queue (Redis or Valkey) for batch worker to convert.',
      description: QUEUE_DESCRIPTION,
      helpValue: 'URL',
      exclusive: ['shard', 'concurrency', 'dry-run'],
    }),
    detach: Flags.boolean({
      summary: 'Return once the items are in the queue; run the command without --detach to wait for them.',
      description:
        'Without --detach, Ctrl-C removes the items that no worker has started. Cannot be combined with --report or --fail-fast, which need someone to wait.',
      dependsOn: ['queue'],
    }),
    root: rootFlag({dependsOn: ['queue']}),
    shard: Flags.string({
      summary: 'Convert part I of N equal parts of the plan, counting from 0.',
      description:
        'Items that depend on each other, or share a local destination, stay in one part. Each part has its own journal: PLAN.I-of-N.journal.',
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
      if (report.items.some(({state}) => state === 'refused')) this.found()
      return report
    }
    if (queue !== undefined && flags.detach) {
      requireUnwatched(flags)
      const {enqueueBatch} = await loadFleet()
      const report = await this.showingBatch((run) =>
        enqueueBatch(args.plan, {...options, ...run, ...queueOptions(queue)}),
      )
      this.print(formatEnqueued(report))
      return report
    }
    const work = () =>
      this.showingBatch(async (run) => {
        if (queue === undefined) return runBatch(args.plan, {...options, ...run})
        const {runFleet} = await loadFleet()
        return runFleet(args.plan, {...options, ...run, ...queueOptions(queue)})
      })
    const report = await batchReporting(work, {
      file: flags.report,
      title: args.plan,
      run: this.runFacts(flags['report-title']),
      asFailure: (error) => this.asFailure(error),
    })
    this.print(formatBatch(report, this.view))
    // The items show what was done before the interrupt; the exit code says that work remains.
    this.requireUninterrupted()
    if (report.totals.failed > 0 && !this.signal.aborted) this.found()
    return report
  }
}
