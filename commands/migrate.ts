import {createHash} from 'node:crypto'
import path from 'node:path'
import {Args} from '@oclif/core'
import type {BatchReport} from '../src/batch/batch-report.js'
import type {MigrateReport} from '../src/batch/migrate/migration-report.js'
import {prepareMigration, type Migration} from '../src/batch/migrate/prepare-migration.js'
import {migrated, runMigration, verifyMigrated} from '../src/batch/migrate/run-migration.js'
import {BaseCommand} from '../src/terminal/base-command.js'
import {countOf} from '../src/terminal/batch-text.js'
import {ask, canAsk} from '../src/terminal/confirm.js'
import {labelled} from '../src/terminal/item-text.js'
import {migrateFlags, migrateItemOptions, type MigrateFlags} from '../src/terminal/migrate-flags.js'
import {formatMigrated, formatMigration} from '../src/terminal/migrate-text.js'
import {networkOptions} from '../src/terminal/network-flags.js'
import {batchReporting} from '../src/terminal/report-flag.js'
import {findStatePlace} from '../src/terminal/state-place.js'
import {wholeFlag} from '../src/terminal/table-flags.js'
import {unpackFlagOptions, unpackFlags} from '../src/terminal/unpack-flags.js'

export default class Migrate extends BaseCommand {
  static override summary = 'Move everything from one stack to the other, checked before and after.'
  static override description =
    'Lists SOURCE, opens every image and package in it, and shows what would happen. Asks, then converts, and verifies ' +
    'what it wrote. Run the same command again after a stop, and it continues. Packages are kept layer by layer, so ' +
    'that every tag and digest comes back. Of packages that come back, it first shows which are unchanged, which were ' +
    'edited and in which files, and which are new. Writes nothing if an item cannot be converted, except with ' +
    '--keep-going. Exits with 1 when an item was refused or failed, or when what was written has faults.'
  static override examples = [
    {
      description: 'Move a folder of saved images into an inbox repository:',
      command: '<%= config.bin %> <%= command.id %> ./images inbox:./repository',
    },
    {
      description: 'Move a repository to an image registry, each package under the tags it came with:',
      command: '<%= config.bin %> <%= command.id %> inbox:./repository docker://registry.example:5000/',
    },
    {
      description: 'See what would happen:',
      command: '<%= config.bin %> <%= command.id %> ./images inbox:./repository --dry-run',
    },
    {
      description: 'Migrate from a script, with a report that opens in a browser:',
      command: '<%= config.bin %> <%= command.id %> ./images inbox:./repository --yes --report migration.html',
    },
  ]
  static override args = {
    source: Args.string({required: true, description: 'What to migrate: TRANSPORT:LOCATION, a path, or a folder.'}),
    destination: Args.string({
      required: true,
      description: 'Where to write it: TRANSPORT:LOCATION, a registry or a folder, or with {fields} as in batch plan.',
    }),
  }
  static override flags = {...wholeFlag, ...migrateFlags, ...unpackFlags}

  async run(): Promise<MigrateReport> {
    const {args, flags} = await this.parse(Migrate)
    const prepared = await this.#prepare(args, flags)
    const {report} = prepared
    this.print(formatMigration(report, this.view))
    if (flags['dry-run']) {
      this.print('\nNothing was written (--dry-run).')
      return this.#ended(report)
    }
    if (report.state === 'refused' && !flags['keep-going']) {
      this.print(`\n${labelled('', REFUSED, this.view)}`)
      return this.#ended(report)
    }
    const left = report.items.filter(({state}) => state === 'to-do').length
    if (left > 0 && !flags.yes) {
      if (this.jsonEnabled() || !canAsk()) return this.#unconfirmed(report)
      if (!(await ask(`Convert ${countOf(left, 'item')}?`, this))) {
        this.print('\nNothing was written.')
        return this.#ended(report)
      }
    }
    return this.#carryOut(prepared, flags)
  }

  #prepare({source, destination}: {source: string; destination: string}, flags: MigrateFlags): Promise<Migration> {
    const {platform} = flags
    const journal = flags.journal ?? journalFor(source, destination)
    return this.showing(`Listing ${source}`, (run) =>
      prepareMigration(source, destination, {
        ...run,
        ...unpackFlagOptions(flags),
        ...(platform === undefined ? {} : {platform}),
        folder: '.',
        journal,
        environment: process.env,
        network: networkOptions(flags),
        options: migrateItemOptions(flags),
      }),
    )
  }

  async #carryOut(prepared: Migration, flags: MigrateFlags): Promise<MigrateReport> {
    const {concurrency} = flags
    const network = networkOptions(flags)
    const work = (): Promise<BatchReport> =>
      this.showingBatch((run) =>
        runMigration(prepared, {
          ...run,
          ...unpackFlagOptions(flags),
          network,
          environment: process.env,
          checkSpace: flags['check-space'],
          ...(concurrency === undefined ? {} : {concurrency}),
        }),
      )
    const batch = await batchReporting(work, {
      file: flags.report,
      title: prepared.loaded.title,
      run: this.runFacts(flags['report-title']),
      asFailure: (error) => this.asFailure(error),
    })
    const isVerified = flags.verify && !this.signal.aborted
    const verified = isVerified
      ? await this.showing('Verifying', (run) => verifyMigrated(batch, {...run, ...unpackFlagOptions(flags), network}))
      : undefined
    const report = migrated(prepared, batch, verified)
    this.print(`\n${formatMigrated(report, this.view)}`)
    this.requireUninterrupted()
    return this.#ended(report)
  }

  #ended(report: MigrateReport): MigrateReport {
    if ((report.state === 'refused' || report.state === 'incomplete') && !this.signal.aborted) this.found()
    return report
  }

  /** A script that forgot to confirm must not take the dry run for the migration. */
  #unconfirmed(report: MigrateReport): MigrateReport {
    process.stderr.write(
      'Nothing was written: there is no terminal to ask on. Pass --yes to start, or --dry-run to stop here.\n',
    )
    process.exitCode = 2
    return report
  }
}

const REFUSED = 'Nothing was written. Correct what is refused, or pass --keep-going to convert the rest.'

/** The same migration, typed in the same folder, finds what an earlier run wrote down. */
function journalFor(source: string, destination: string): string {
  const key = createHash('sha256')
    .update(JSON.stringify([process.cwd(), source, destination]))
    .digest('hex')
    .slice(0, 16)
  return path.join(findStatePlace(process.env), `migrate-${key}.journal`)
}
