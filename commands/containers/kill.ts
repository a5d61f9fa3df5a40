import {Args, Flags} from '@oclif/core'
import {killContainers, type EndResult} from '../../src/runtime/stop-containers.js'
import {BaseCommand} from '../../src/terminal/base-command.js'
import {formatEnded} from '../../src/terminal/containers-text.js'
import {confirm} from '../../src/terminal/confirm.js'
import {withManagers} from '../../src/terminal/host-managers.js'

export default class ContainersKill extends BaseCommand {
  static override summary = 'Kill containers at once, whoever started them.'
  static override description =
    'Asks the manager that created each container. If that manager does not answer, asks the Host Compute Service (Windows) or containerd below it. A container that has already ended counts as a success. Exits with 0 when all ended, 2 for an ambiguous id, 3 for an unknown one, 4 when no manager could end one.'
  static override examples = [
    {description: 'Kill a container by name:', command: '<%= config.bin %> <%= command.id %> web'},
    {
      description: 'Kill a container whose manager hangs, without a prompt:',
      command: '<%= config.bin %> <%= command.id %> 3f2a --yes',
    },
  ]
  static override strict = false
  static override args = {
    id: Args.string({
      required: true,
      description: 'Id, start of an id, or name; NAMESPACE/ID picks one containerd namespace.',
    }),
  }
  static override flags = {
    yes: Flags.boolean({char: 'y', summary: 'Do not ask for confirmation.'}),
  }

  async run(): Promise<EndResult> {
    const {argv, flags} = await this.parse(ContainersKill)
    const ids = argv.map(String)
    if (!flags.yes && !this.jsonEnabled()) await confirm(`Kill ${ids.join(', ')}?`, this)
    const result = await withManagers((managers) =>
      this.showing('Killing', (run) => killContainers(managers, ids, run)),
    )
    this.print(formatEnded(result))
    process.exitCode = result.exitCode
    return result
  }
}
