import {Args, Flags} from '@oclif/core'
import {inspect, type InspectReport} from '../src/convert/inspect.js'
import {BaseCommand} from '../src/terminal/base-command.js'
import {documentBytes} from '../src/terminal/document.js'
import {formatInspect, formatLayerTree} from '../src/terminal/inspect-text.js'
import {formatFlag} from '../src/terminal/format-rows.js'
import {readingFlags, readingOptions} from '../src/terminal/reading-flags.js'
import {wholeFlag} from '../src/terminal/table-flags.js'

export default class Inspect extends BaseCommand {
  static override summary = 'Show the metadata, layers, dependencies and warnings of an image or package.'
  static override description = 'Reads only metadata, never the content of a layer.'
  static override examples = [
    {
      description: 'Show what a saved image consists of:',
      command: '<%= config.bin %> <%= command.id %> docker-archive:shop.tar',
    },
    {
      description: 'Show what a package builds on:',
      command: '<%= config.bin %> <%= command.id %> inbox:./repository:CN=Contoso_Shop_1.2.0.0 --tree',
    },
    {
      description: 'Print the digest of each layer:',
      command: "<%= config.bin %> <%= command.id %> oci:shop --format '{{range .Layers}}{{.Digest}}\\n{{end}}'",
    },
    {
      description: 'Hash the exact configuration bytes; their digest is the image ID:',
      command: '<%= config.bin %> <%= command.id %> docker-archive:shop.tar --config | sha256sum',
    },
  ]
  static override args = {
    ref: Args.string({required: true, description: 'TRANSPORT:LOCATION, or an existing path.'}),
  }
  static override flags = {
    ...readingFlags,
    ...wholeFlag,
    format: formatFlag('config', 'manifest', 'tree'),
    config: Flags.boolean({
      summary: 'Write the configuration to stdout, byte for byte.',
      exclusive: ['manifest', 'tree', 'json'],
    }),
    manifest: Flags.boolean({
      summary: 'Write the manifest to stdout, byte for byte.',
      exclusive: ['config', 'tree', 'json'],
    }),
    tree: Flags.boolean({summary: 'Show the dependencies as a tree.', exclusive: ['config', 'manifest']}),
  }

  async run(): Promise<InspectReport | undefined> {
    const {args, flags} = await this.parse(Inspect)
    const options = await readingOptions(flags)
    if (flags.config || flags.manifest) {
      const which = flags.config ? 'config' : 'manifest'
      await this.streaming((run) => documentBytes(args.ref, which, {...options, ...run}))
      return undefined
    }
    const report = await this.showing(`Reading ${args.ref}`, (run) => inspect(args.ref, {...options, ...run}))
    this.print(flags.tree ? formatLayerTree(report) : formatInspect(report, this.view, flags.format))
    return report
  }
}
