import {Args, Errors, Flags} from '@oclif/core'
import {convert, planConversion} from '../src/convert/convert.js'
import type {ConversionPlan} from '../src/convert/plan.js'
import type {ConvertReport} from '../src/convert/report.js'
import {splitReference} from '../src/model/reference.js'
import {BaseCommand} from '../src/terminal/base-command.js'
import {convertFlags, convertOptions} from '../src/terminal/convert-flags.js'
import {formatConvert, formatPlan} from '../src/terminal/convert-text.js'
import {isPipe} from '../src/terminal/is-pipe.js'
import {convertReporting, reportFlag, reportTitleFlag} from '../src/terminal/report-flag.js'
import {wholeFlag} from '../src/terminal/table-flags.js'
import {keepHeapTight} from '../src/workers/tight-heap.js'

const JSON_INTO_PIPE =
  '--json and the archive would both go to stdout. Write the archive to a file, or leave out --json.'

export default class Convert extends BaseCommand {
  static override summary = 'Convert an image or package to another form.'
  static override description =
    'Converts SOURCE to DESTINATION: a Docker image to inbox packages, packages to an image, or either to another form of ' +
    'the same stack. Nothing appears at the destination until everything is written and verified. Anything the ' +
    'destination cannot store is reported as a loss; --strict refuses losses.'
  static override examples = [
    {
      description: 'Turn a saved image into one inbox package on top of its OS package:',
      command: '<%= config.bin %> <%= command.id %> docker-archive:shop.tar inbox:./repository',
    },
    {
      description: 'Keep the layers, one package each:',
      command: '<%= config.bin %> <%= command.id %> docker-archive:shop.tar inbox:./repository --layers chain',
    },
    {
      description: 'Convert it back, byte for byte:',
      command: '<%= config.bin %> <%= command.id %> inbox:./repository:Shop docker-archive:again.tar',
    },
    {
      description: 'Squash the layers above the OS into one, registry included:',
      command: '<%= config.bin %> <%= command.id %> docker-archive:shop.tar docker-archive:small.tar --layers squash',
    },
    {
      description: 'See what would happen, and which layers count as the operating system:',
      command: '<%= config.bin %> <%= command.id %> shop.tar inbox:./repository --dry-run',
    },
    {
      description: 'Name the package, and refuse any loss:',
      command:
        '<%= config.bin %> <%= command.id %> docker-archive:shop.tar inbox:./repository --publisher CN=Contoso --name Shop --package-version 1.2.0.0 --strict',
    },
    {
      description: 'Write a report that opens in a browser:',
      command: '<%= config.bin %> <%= command.id %> docker-archive:shop.tar inbox:./repository --report shop.html',
    },
    {
      description: 'Read an image from a pipe:',
      command: 'docker save shop:1.2 | <%= config.bin %> <%= command.id %> docker-archive:- layout:./shop',
    },
    {
      description: 'Write an image to a pipe:',
      command: '<%= config.bin %> <%= command.id %> inbox:./repository:Shop docker-archive:- | docker load',
    },
  ]
  static override args = {
    source: Args.string({required: true, description: 'What to convert: TRANSPORT:LOCATION, or an existing path.'}),
    destination: Args.string({required: true, description: 'Where to write it: TRANSPORT:LOCATION.'}),
  }
  static override flags = {
    ...wholeFlag,
    ...convertFlags,
    'dry-run': Flags.boolean({
      summary: 'Show what would happen without writing anything; exit with 1 if it would be refused.',
      exclusive: ['report'],
    }),
    report: reportFlag,
    'report-title': reportTitleFlag,
  }

  async run(): Promise<ConvertReport | ConversionPlan> {
    const {args, flags} = await this.parse(Convert)
    const options = convertOptions(flags)
    if (flags['dry-run']) {
      const plan = await this.showing(`Planning ${args.source}`, (run) =>
        planConversion(args.source, args.destination, {...options, ...run}),
      )
      this.print(formatPlan(plan, this.view))
      if (plan.steps.some(({outcome}) => outcome === 'refused')) this.found()
      return plan
    }
    const isPiped = isPipe(args.destination)
    if (isPiped && this.jsonEnabled()) throw new Errors.CLIError(JSON_INTO_PIPE, {exit: 2})
    // The blocks of AppX packages are packed while others are read, which takes the most memory of all.
    if (splitReference(args.destination)?.transport === 'appx') keepHeapTight()
    const work = () =>
      this.showing(`Converting ${args.source}`, (run) => convert(args.source, args.destination, {...options, ...run}))
    const {source, destination} = args
    const report =
      flags.report === undefined
        ? await work()
        : await convertReporting(work, {
            file: flags.report,
            source,
            destination,
            network: options,
            run: this.runFacts(flags['report-title']),
            asFailure: (error) => this.asFailure(error),
          })
    if (isPiped) this.printBeside(formatConvert(report))
    else this.print(formatConvert(report, this.view))
    return report
  }
}
