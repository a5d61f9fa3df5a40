import {Args} from '@oclif/core'
import {readOwnFile} from '../src/model/own-files.js'
import {BaseCommand} from '../src/terminal/base-command.js'
import {SHELLS, type Shell} from '../src/terminal/completion/answer-shell.js'

/** What `completion` prints with `--json`. Schema: `src/schemas/completion.schema.json`. */
interface CompletionScript {
  readonly shell: Shell
  readonly script: string
}

export default class Completion extends BaseCommand {
  static override summary = 'Print the completion script for a shell.'
  static override description =
    'Completes commands, flags and their values, transports, files, the images in an archive or OCI layout, the packages ' +
    'of a repository, and what engines hold. It never asks an image registry. Load the script in the profile of the shell.'
  static override examples = [
    {
      description: 'bash, in ~/.bashrc:',
      command: 'eval "$(<%= config.bin %> <%= command.id %> bash)"',
    },
    {
      description: 'zsh, in ~/.zshrc after compinit:',
      command: 'eval "$(<%= config.bin %> <%= command.id %> zsh)"',
    },
    {
      description: 'fish, once:',
      command: '<%= config.bin %> <%= command.id %> fish > ~/.config/fish/completions/transship.fish',
    },
    {
      description: 'PowerShell, in $PROFILE:',
      command: '<%= config.bin %> <%= command.id %> powershell | Out-String | Invoke-Expression',
    },
  ]
  static override args = {
    shell: Args.string({required: true, description: 'bash, zsh, fish or powershell.', options: SHELLS}),
  }

  async run(): Promise<CompletionScript> {
    const {args} = await this.parse(Completion)
    const shell = args.shell as Shell
    const script = readOwnFile(`completion/transship.${shell === 'powershell' ? 'ps1' : shell}`)
    this.print(script.trimEnd())
    return {shell, script}
  }
}
