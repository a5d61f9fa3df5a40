import {Args, Flags} from '@oclif/core'
import {files, readFile, type FilesReport} from '../src/convert/files.js'
import {UsageError} from '../src/model/errors.js'
import {BaseCommand} from '../src/terminal/base-command.js'
import {formatFiles} from '../src/terminal/files-text.js'
import {formatFlag} from '../src/terminal/format-rows.js'
import {readingFlags, readingOptions} from '../src/terminal/reading-flags.js'
import {tableFlags} from '../src/terminal/table-flags.js'

export default class Files extends BaseCommand {
  static override summary = 'Show the files of an image or package after merging all layers.'
  static override description =
    'Shows attributes, sizes, times, links and alternate streams as Windows would see them. Letters are those of attrib: ' +
    'A archive, S system, H hidden, R read-only, P sparse, L reparse point; d marks a directory, h a hard link.'
  static override examples = [
    {
      description: 'List everything below a folder:',
      command: '<%= config.bin %> <%= command.id %> docker-archive:shop.tar Files/inetpub',
    },
    {
      description: 'List every library of a program, wherever it lies:',
      command: '<%= config.bin %> <%= command.id %> docker-archive:shop.tar "C:\\Shop\\**\\*.dll"',
    },
    {
      description: 'List what the second layer changes and deletes:',
      command: '<%= config.bin %> <%= command.id %> docker-archive:shop.tar --layer 1',
    },
    {
      description: 'Show who owns a file and who may access it:',
      command: '<%= config.bin %> <%= command.id %> docker-archive:shop.tar Files/shop --security',
    },
    {
      description: 'Print the content of one file:',
      command: '<%= config.bin %> <%= command.id %> docker-archive:shop.tar Files/shop/web.config --cat',
    },
  ]
  static override args = {
    ref: Args.string({required: true, description: 'TRANSPORT:LOCATION, or an existing path.'}),
    path: Args.string({
      description:
        'File or folder inside it, with / or \\; * and ? fit any characters, ** any folders, *.exe all such files.',
    }),
  }
  static override flags = {
    ...readingFlags,
    ...tableFlags,
    format: formatFlag('columns', 'cat'),
    layer: Flags.integer({summary: 'Show only layer N; the base is 0.', helpValue: 'N', min: 0}),
    security: Flags.boolean({summary: 'Also show owners and permissions, as SDDL.'}),
    cat: Flags.boolean({summary: "Write the file's content to stdout, byte for byte.", exclusive: ['json']}),
  }

  async run(): Promise<FilesReport | undefined> {
    const {args, flags} = await this.parse(Files)
    const options = {...(await readingOptions(flags)), ...(flags.layer === undefined ? {} : {layer: flags.layer})}
    if (flags.cat) {
      const {path} = args
      if (path === undefined) throw new UsageError('BAD_OPTION', {what: '--cat needs the path of a file.'})
      await this.streaming((run) => readFile(args.ref, path, {...options, ...run}))
      return undefined
    }
    const report = await this.showing(`Reading ${args.ref}`, (run) => files(args.ref, args.path, {...options, ...run}))
    this.print(formatFiles(report, {security: flags.security, view: this.view, format: flags.format}))
    return report
  }
}
