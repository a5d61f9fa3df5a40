import {Args, Flags} from '@oclif/core'
import {compare, DIFF_PARTS, type DiffReport} from '../src/convert/diff.js'
import {BaseCommand} from '../src/terminal/base-command.js'
import {formatDiff} from '../src/terminal/diff-text.js'
import {readingFlags, readingOptions} from '../src/terminal/reading-flags.js'
import {wholeFlag} from '../src/terminal/table-flags.js'

export default class Diff extends BaseCommand {
  static override summary = 'Compare two images or packages, across stacks: digests, metadata, files and registry.'
  static override description =
    'Files and registry are compared as a container would see them, however they are cut into layers: attributes, times, ' +
    'security descriptors, links, streams and the digests of contents; keys and values. Metadata, and the digests of manifest, ' +
    'configuration and layers, are compared as far as both sides have them; give --only files --only registry to compare ' +
    'what differently cut layers hold. Exits with 1 when there are differences. In lists, - is only left, + only right, ~ on both sides.'
  static override examples = [
    {
      description: 'Is the package what the image was?',
      command: '<%= config.bin %> <%= command.id %> docker-archive:shop.tar inbox:./repository:Shop',
    },
    {
      description: 'What a new version changes, but for times:',
      command: '<%= config.bin %> <%= command.id %> docker-archive:shop-1.tar docker-archive:shop-2.tar --ignore-times',
    },
    {
      description: 'Only the registry, for a script:',
      command: "<%= config.bin %> <%= command.id %> a.tar b.tar --only registry --json | jq -r '.registry[].path'",
    },
  ]
  static override args = {
    left: Args.string({required: true, description: 'TRANSPORT:LOCATION, or an existing path.'}),
    right: Args.string({required: true, description: 'What to compare it with.'}),
  }
  static override flags = {
    ...wholeFlag,
    ...readingFlags,
    only: Flags.option({
      summary: 'Compare only this part; may be repeated.',
      options: DIFF_PARTS,
      multiple: true,
      multipleNonGreedy: true,
    })(),
    'ignore-times': Flags.boolean({summary: 'Do not compare times: of files, of keys, of creation.'}),
  }

  async run(): Promise<DiffReport> {
    const {args, flags} = await this.parse(Diff)
    const options = {
      ...(await readingOptions(flags)),
      ...(flags.only === undefined ? {} : {parts: flags.only}),
      ignoreTimes: flags['ignore-times'],
    }
    const title = `Comparing ${args.left} and ${args.right}`
    const report = await this.showing(title, (run) => compare(args.left, args.right, {...options, ...run}))
    this.print(formatDiff(report, this.view))
    if (!report.same) this.found()
    return report
  }
}
