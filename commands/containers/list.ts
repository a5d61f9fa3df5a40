import {Flags} from '@oclif/core'
import {listHostContainers, type ContainerList} from '../../src/runtime/list-containers.js'
import {BaseCommand} from '../../src/terminal/base-command.js'
import {formatContainers} from '../../src/terminal/containers-text.js'
import {formatFlag} from '../../src/terminal/format-rows.js'
import {withManagers} from '../../src/terminal/host-managers.js'
import {repeatedly} from '../../src/terminal/repeatedly.js'
import {tableFlags} from '../../src/terminal/table-flags.js'

export default class ContainersList extends BaseCommand {
  static override summary = 'List the containers of this host, whoever started them.'
  static override description =
    'Asks Docker, Podman, containerd (all namespaces) and, on Windows, the Host Compute Service. Shows each container once, with the manager that created it. Reports a manager that hangs or refuses beside the answers of the others. Set DOCKER_HOST, CONTAINER_HOST or CONTAINERD_ADDRESS to ask elsewhere.'
  static override examples = [
    {description: 'List the running containers:', command: '<%= config.bin %> <%= command.id %>'},
    {
      description: 'List all Kubernetes containers, running or not:',
      command: '<%= config.bin %> <%= command.id %> --all --manager kubernetes',
    },
    {
      description: 'Print each id with its manager:',
      command: "<%= config.bin %> <%= command.id %> --format '{{.Id}}\\t{{.Manager}}'",
    },
  ]
  static override flags = {
    ...tableFlags,
    format: formatFlag('columns'),
    all: Flags.boolean({char: 'a', summary: 'Also show containers that are not running.'}),
    manager: Flags.string({summary: 'Show only containers that this manager created.', helpValue: 'NAME'}),
    watch: Flags.boolean({
      char: 'w',
      summary: 'Refresh the list every 2 seconds until Ctrl-C.',
      exclusive: ['json'],
    }),
  }

  async run(): Promise<ContainerList> {
    const {flags} = await this.parse(ContainersList)
    const manager = flags.manager === undefined ? {} : {manager: flags.manager}
    return withManagers((managers) =>
      repeatedly(
        flags.watch,
        async (isAgain) => {
          const list = await this.showing('Asking the managers', (run) =>
            listHostContainers(managers, {all: flags.all, ...manager, ...run}),
          )
          if (isAgain && process.stdout.isTTY) process.stdout.write('\u001b[H\u001b[2J')
          this.print(formatContainers(list, this.view, flags.format))
          return list
        },
        this.signal,
      ),
    )
  }
}
