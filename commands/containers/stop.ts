import {Args, Flags} from '@oclif/core'
import {stopContainers, type EndResult} from '../../src/runtime/stop-containers.js'
import {BaseCommand} from '../../src/terminal/base-command.js'
import {formatEnded} from '../../src/terminal/containers-text.js'
import {confirm} from '../../src/terminal/confirm.js'
import {withManagers} from '../../src/terminal/host-managers.js'

export default class ContainersStop extends BaseCommand {
  static override summary = 'Stop containers, whoever started them.'
  static override description =
    'Asks the manager that created each container. If that manager does not answer, asks the Host Compute Service (Windows) or containerd below it. A container that has already ended counts as a success. Exits with 0 when all ended, 2 for an ambiguous id, 3 for an unknown one, 4 when one still runs or no manager could end it.'
  static override examples = [
    {description: 'Stop a container by the start of its id:', command: '<%= config.bin %> <%= command.id %> 3f2a'},
    {
      description: 'Give two containers a minute, then kill any that still run:',
      command: '<%= config.bin %> <%= command.id %> web db --timeout 60 --kill --yes',
    },
    {
      description: 'Pick one of two containers with the same id in different containerd namespaces:',
      command: '<%= config.bin %> <%= command.id %> k8s.io/web',
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
    timeout: Flags.integer({
      char: 't',
      summary: 'Seconds to wait for a container to end by itself.',
      default: 10,
      min: 0,
      max: 86_400,
      helpValue: 'SECONDS',
    }),
    kill: Flags.boolean({summary: 'Kill containers that have not ended by then.'}),
    yes: Flags.boolean({char: 'y', summary: 'Do not ask for confirmation.'}),
  }

  async run(): Promise<EndResult> {
    const {argv, flags} = await this.parse(ContainersStop)
    const ids = argv.map(String)
    if (!flags.yes && !this.jsonEnabled()) await confirm(`Stop ${ids.join(', ')}?`, this)
    const result = await withManagers((managers) =>
      this.showing('Stopping', (run) =>
        stopContainers(managers, ids, {timeoutSeconds: flags.timeout, kill: flags.kill, ...run}),
      ),
    )
    this.print(formatEnded(result))
    process.exitCode = result.exitCode
    return result
  }
}
