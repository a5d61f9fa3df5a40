import {Flags} from '@oclif/core'
import {listHostContainers, type ContainerList} from '../../src/runtime/list-containers.js'
import {BaseCommand} from '../../src/terminal/base-command.js'
import {formatContainers} from '../../src/terminal/containers-text.js'
import {withManagers} from '../../src/terminal/host-managers.js'
import {repeatedly} from '../../src/terminal/repeatedly.js'
import {tableFlags} from '../../src/terminal/table-flags.js'

export default class ContainersList extends BaseCommand {
  static override summary = 'List the containers of this host, whoever started them.'
  static override description =
    'Asks Docker, Podman, containerd in all its namespaces and, on Windows, the Host Compute Service, and shows each container once with the manager that made it. A manager that hangs or refuses is told beside the answers of the others. DOCKER_HOST, CONTAINER_HOST and CONTAINERD_ADDRESS say where to ask.'
  static override examples = [
    {description: 'What runs here:', command: '<%= config.bin %> <%= command.id %>'},
    {
      description: 'Everything that Kubernetes made, also what does not run:',
      command: '<%= config.bin %> <%= command.id %> --all --manager kubernetes',
    },
    {
      description: 'Who made what, for a script:',
      command: "<%= config.bin %> <%= command.id %> --json | jq -r '.containers[] | [.id, .manager] | @tsv'",
    },
  ]
  static override flags = {
    ...tableFlags,
    all: Flags.boolean({char: 'a', summary: 'Also show containers that do not run.'}),
    manager: Flags.string({summary: 'Show only the containers that this manager made.', helpValue: 'NAME'}),
    watch: Flags.boolean({
      char: 'w',
      summary: 'Show the list anew every 2 seconds, until Ctrl-C.',
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
          this.print(formatContainers(list, this.view))
          return list
        },
        this.signal,
      ),
    )
  }
}
