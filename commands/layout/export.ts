import {Args, Flags} from '@oclif/core'
import {exportRuntimeLayer, type LayerMove} from '../../src/runtime/storage/runtime-layers.js'
import {BaseCommand} from '../../src/terminal/base-command.js'
import {formatMove} from '../../src/terminal/layer-text.js'

export default class LayoutExport extends BaseCommand {
  static override summary = "Turn a manager's runtime layer into a transport layout (Windows only)."
  static override description =
    'Windows does the work: run this in an elevated terminal on the container host. Finds the parents in the layerchain.json that Docker keeps in the layer, unless you pass --parent.'
  static override examples = [
    {
      description: "Export one of Docker's layers:",
      command: '<%= config.bin %> <%= command.id %> C:\\ProgramData\\docker\\windowsfilter\\1f8a D:\\layouts\\shop',
    },
    {
      description: 'Export what a container has written as a layer:',
      command:
        '<%= config.bin %> <%= command.id %> C:\\ProgramData\\docker\\windowsfilter\\9c3e D:\\layouts\\state --writable',
    },
  ]
  static override args = {
    runtime: Args.string({required: true, description: 'Folder of the runtime layer.'}),
    dir: Args.string({required: true, description: 'New or empty folder for the transport layout.'}),
  }
  static override flags = {
    parent: Flags.string({
      summary: 'Folder of a parent layer (repeatable, nearest first).',
      helpValue: 'DIR',
      multiple: true,
      multipleNonGreedy: true,
    }),
    writable: Flags.boolean({summary: "Export a container's writable layer instead of an image layer."}),
  }

  async run(): Promise<LayerMove> {
    const {args, flags} = await this.parse(LayoutExport)
    const parents = flags.parent === undefined ? {} : {parents: flags.parent}
    const move = await this.showing(`Exporting ${args.runtime}`, (run) =>
      exportRuntimeLayer(args.runtime, args.dir, {isWritable: flags.writable, ...parents, ...run}),
    )
    this.print(formatMove(move))
    return move
  }
}
