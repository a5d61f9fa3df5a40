import {Args} from '@oclif/core'
import {list, type ListReport} from '../src/convert/list.js'
import {BaseCommand} from '../src/terminal/base-command.js'
import {networkFlags, networkOptions} from '../src/terminal/network-flags.js'
import {formatFlag} from '../src/terminal/format-rows.js'
import {readingFlags} from '../src/terminal/reading-flags.js'
import {formatList} from '../src/terminal/list-text.js'
import {tableFlags} from '../src/terminal/table-flags.js'
import {unpackFlagOptions, unpackFlags} from '../src/terminal/unpack-flags.js'

export default class List extends BaseCommand {
  static override summary =
    'List the packages of a repository, the images of an archive, or the repositories of an image registry.'
  static override description =
    'Columns: kind, name, image-id, platform, version, layers, size and created. --columns also offers digest and ' +
    'reference, the text to pass to the other commands. A narrow terminal shows fewer columns.'
  static override examples = [
    {
      description: 'List the packages of an inbox repository:',
      command: '<%= config.bin %> <%= command.id %> inbox:./repository',
    },
    {
      description: 'Print the references of all images in an archive:',
      command: "<%= config.bin %> <%= command.id %> docker-archive:images.tar --format '{{.Reference}}'",
    },
    {
      description: 'Choose the columns and their order:',
      command: "<%= config.bin %> <%= command.id %> inbox:./repository --format 'table {{.Name}}\\t{{.Digest}}'",
    },
  ]
  static override args = {
    ref: Args.string({required: true, description: 'TRANSPORT:LOCATION, or an existing path.'}),
  }

  static override flags = {
    platform: readingFlags.platform,
    ...unpackFlags,
    ...networkFlags,
    ...tableFlags,
    format: formatFlag('columns'),
  }

  async run(): Promise<ListReport> {
    const {args, flags} = await this.parse(List)
    const report = await this.showing(`Reading ${args.ref}`, (run) =>
      list(args.ref, {
        ...run,
        ...networkOptions(flags),
        ...unpackFlagOptions(flags),
        ...(flags.platform === undefined ? {} : {platform: flags.platform}),
      }),
    )
    this.print(formatList(report, this.view, flags.format))
    return report
  }
}
