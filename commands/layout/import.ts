import {Args, Flags} from '@oclif/core'
import {importRuntimeLayer, type LayerMove} from '../../src/runtime/storage/runtime-layers.js'
import {BaseCommand} from '../../src/terminal/base-command.js'
import {formatMove} from '../../src/terminal/layer-text.js'

export default class LayoutImport extends BaseCommand {
  static override summary = "Turn a transport layout into a manager's runtime layer (Windows only)."
  static override description =
    'Windows does the work: run this in an elevated terminal on the container host. A layer without parents becomes the base layer of an operating system.'
  static override examples = [
    {
      description: 'Import a layer on top of two others:',
      command:
        '<%= config.bin %> <%= command.id %> D:\\layouts\\shop D:\\layers\\shop --parent D:\\layers\\iis --parent D:\\layers\\servercore',
    },
    {
      description: 'Import a base layer:',
      command: '<%= config.bin %> <%= command.id %> D:\\layouts\\servercore D:\\layers\\servercore',
    },
  ]
  static override args = {
    dir: Args.string({required: true, description: 'Folder of the transport layout.'}),
    runtime: Args.string({required: true, description: 'Folder for the runtime layer; Windows creates it.'}),
  }
  static override flags = {
    parent: Flags.string({
      summary: 'Folder of a parent layer (repeatable, nearest first).',
      helpValue: 'DIR',
      multiple: true,
      multipleNonGreedy: true,
    }),
  }

  async run(): Promise<LayerMove> {
    const {args, flags} = await this.parse(LayoutImport)
    const parents = flags.parent === undefined ? {} : {parents: flags.parent}
    const move = await this.showing(`Importing ${args.dir}`, (run) =>
      importRuntimeLayer(args.dir, args.runtime, {...parents, ...run}),
    )
    this.print(formatMove(move))
    return move
  }
}
