import {Args, Flags} from '@oclif/core'
import {killContainers, type EndResult} from '../../src/runtime/stop-containers.js'
import {BaseCommand} from '../../src/terminal/base-command.js'
import {formatEnded} from '../../src/terminal/containers-text.js'
import {confirm} from '../../src/terminal/confirm.js'
import {withManagers} from '../../src/terminal/host-managers.js'

export default class ContainersKill extends BaseCommand {
  static override summary = 'End containers at once, whoever started them.'
  static override description =
    'Goes through the manager that made a container, and when that does not answer, through the Host Compute Service (Windows) or containerd below it. One that has ended already is a success. Exits with 0 when all ended, 2 for an ambiguous id, 3 for an unknown one, 4 when nobody could end it.'
  static override examples = [
    {description: 'End one, by its name:', command: '<%= config.bin %> <%= command.id %> web'},
    {
      description: 'End one whose manager hangs, without being asked:',
      command: '<%= config.bin %> <%= command.id %> 3f2a --yes',
    },
  ]
  static override strict = false
  static override args = {
    id: Args.string({required: true, description: 'Id, start of an id, or name; NAMESPACE/ID for one namespace.'}),
  }
  static override flags = {
    yes: Flags.boolean({char: 'y', summary: 'Do not ask.'}),
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
