import {Args, Flags} from '@oclif/core'
import {explain, type ExplainReport} from '../src/convert/explain.js'
import {drawExplain} from '../src/report/explain-drawing.js'
import {requirePlace, writeWhole} from '../src/report/write-whole.js'
import {BaseCommand} from '../src/terminal/base-command.js'
import {formatExplain} from '../src/terminal/explain-text.js'
import {readingFlags, readingOptions} from '../src/terminal/reading-flags.js'
import {wholeFlag} from '../src/terminal/table-flags.js'

export default class Explain extends BaseCommand {
  static override summary =
    'Explain what an image or package runs, contains and needs, and what a conversion would change.'
  static override description =
    'Shows how it starts, the command and size of each layer, the Windows version and isolation it needs, the services, ' +
    'scheduled tasks and programs that layers add, the largest folders, and what would be lost in the other stack. Reads ' +
    'every layer; inspect reads only metadata.'
  static override examples = [
    {
      description: 'Understand an image that you did not build:',
      command: '<%= config.bin %> <%= command.id %> docker-archive:shop.tar',
    },
    {
      description: 'Draw its layers and what becomes of each:',
      command: '<%= config.bin %> <%= command.id %> docker-archive:shop.tar --svg shop.svg',
    },
    {
      description: 'List the services that each layer adds:',
      command:
        "<%= config.bin %> <%= command.id %> inbox:./repository:CN=Contoso_Shop_1.2.0.0 --json | jq '.layers[].payload.services'",
    },
  ]
  static override args = {
    ref: Args.string({required: true, description: 'TRANSPORT:LOCATION, or an existing path.'}),
  }
  static override flags = {
    ...readingFlags,
    ...wholeFlag,
    svg: Flags.string({
      summary: 'Also draw the layers, their sizes and what becomes of each as an SVG image.',
      helpValue: 'FILE',
    }),
  }

  async run(): Promise<ExplainReport> {
    const {args, flags} = await this.parse(Explain)
    const options = await readingOptions(flags)
    if (flags.svg !== undefined) await requirePlace(flags.svg)
    const report = await this.showing(`Reading ${args.ref}`, (run) => explain(args.ref, {...options, ...run}))
    if (flags.svg !== undefined) await writeWhole(drawExplain(report), flags.svg)
    this.print(formatExplain(report, this.view))
    return report
  }
}
