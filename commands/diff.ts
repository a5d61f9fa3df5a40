import {Args, Flags} from '@oclif/core'
import {compare, DIFF_PARTS, type DiffReport} from '../src/convert/diff.js'
import {BaseCommand} from '../src/terminal/base-command.js'
import {formatDiff} from '../src/terminal/diff-text.js'
import {readingFlags, readingOptions} from '../src/terminal/reading-flags.js'
import {wholeFlag} from '../src/terminal/table-flags.js'

export default class Diff extends BaseCommand {
  static override summary = 'Compare the digests, metadata, files and registry of two images or packages.'
  static override description =
    'Works across the two stacks. Compares files and registry as a container would see them, no matter how they are split ' +
    'into layers: attributes, times, security descriptors, links, streams and content digests; keys and values. Compares ' +
    'metadata and the digests of manifest, configuration and layers where both sides have them. To compare only the ' +
    'content of layers that were split differently, pass --only files --only registry. Exits with 1 when it finds ' +
    'differences. In lists, - means only on the left, + only on the right, ~ different on both sides.'
  static override examples = [
    {
      description: 'Check that a package matches the image it came from:',
      command: '<%= config.bin %> <%= command.id %> docker-archive:shop.tar inbox:./repository:Shop',
    },
    {
      description: 'Show what a new version changes, ignoring times:',
      command: '<%= config.bin %> <%= command.id %> docker-archive:shop-1.tar docker-archive:shop-2.tar --ignore-times',
    },
    {
      description: 'Compare only the registry, as JSON:',
      command: "<%= config.bin %> <%= command.id %> a.tar b.tar --only registry --json | jq -r '.registry[].path'",
    },
  ]
  static override args = {
    left: Args.string({required: true, description: 'TRANSPORT:LOCATION, or an existing path.'}),
    right: Args.string({required: true, description: 'The other side: TRANSPORT:LOCATION, or an existing path.'}),
  }
  static override flags = {
    ...wholeFlag,
    ...readingFlags,
    only: Flags.option({
      summary: 'Compare only this part (repeatable).',
      options: DIFF_PARTS,
      multiple: true,
      multipleNonGreedy: true,
    })(),
    'ignore-times': Flags.boolean({summary: 'Ignore the times of files and registry keys, and creation times.'}),
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
