import {Args, Flags} from '@oclif/core'
import {encodeReg, openRegistry, type OpenRegistry} from '../src/convert/hive.js'
import {BaseCommand} from '../src/terminal/base-command.js'
import {hiveDocument, hiveLines} from '../src/terminal/hive-text.js'
import {readingFlags, readingOptions} from '../src/terminal/reading-flags.js'
import {wholeFlag} from '../src/terminal/table-flags.js'

export default class Hive extends BaseCommand {
  static override summary = 'Show the Windows registry of an image or package after merging all layers.'
  static override description =
    'Shows keys and values as a container would see them, or what one layer changes and deletes. hive:FILE reads a bare ' +
    'hive file and its logs beside it. SAM and SECURITY hold password hashes and secrets; --show-secrets shows their data.'
  static override examples = [
    {
      description: 'List the services of an image:',
      command: '<%= config.bin %> <%= command.id %> docker-archive:shop.tar "HKLM\\SYSTEM\\ControlSet001\\Services"',
    },
    {
      description: 'Save what the second layer changes as a .reg file:',
      command: '<%= config.bin %> <%= command.id %> docker-archive:shop.tar --layer 1 --reg > changes.reg',
    },
    {
      description: 'Read a hive file:',
      command: '<%= config.bin %> <%= command.id %> hive:SOFTWARE "Microsoft\\Windows NT\\CurrentVersion"',
    },
  ]
  static override args = {
    ref: Args.string({required: true, description: 'TRANSPORT:LOCATION, an existing path, or hive:FILE.'}),
    key: Args.string({description: 'Key to show, with \\; HKLM and HKU are the roots of an image.'}),
  }
  static override flags = {
    ...wholeFlag,
    ...readingFlags,
    layer: Flags.integer({summary: 'Show only what layer N changes; the base is 0.', helpValue: 'N', min: 0}),
    reg: Flags.boolean({summary: 'Write a .reg file to stdout, in UTF-16 like regedit.', exclusive: ['json']}),
    'ignore-logs': Flags.boolean({
      summary: 'Read a hive that was not closed as it is, without its logs.',
      description: 'The last changes may be missing or incomplete.',
    }),
    'show-secrets': Flags.boolean({summary: 'Also show the data of values in SAM and SECURITY.'}),
  }

  async run(): Promise<void> {
    const {args, flags} = await this.parse(Hive)
    const options = {
      ...(await readingOptions(flags)),
      ...(flags.layer === undefined ? {} : {layer: flags.layer}),
      showSecrets: flags['show-secrets'],
      ignoreLogs: flags['ignore-logs'],
    }
    await this.tellingNotes(async (tell) => {
      const registry = await this.showing(`Reading ${args.ref}`, (run) =>
        openRegistry(args.ref, args.key, {...options, ...run, onEvent: tell(run.onEvent)}),
      )
      try {
        await this.writing(flags.reg ? encodeReg(registry) : this.#text(registry))
      } finally {
        registry.close()
      }
    })
  }

  #text(registry: OpenRegistry): Iterable<string> {
    return this.jsonEnabled() ? hiveDocument(registry) : lines(hiveLines(() => registry.rows(), this.view))
  }
}

function* lines(texts: Iterable<string>): Generator<string> {
  for (const text of texts) yield `${text}\n`
}
