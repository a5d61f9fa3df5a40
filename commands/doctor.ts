import path from 'node:path'
import {diagnoseHost, type HostReport} from '../src/runtime/diagnose-host.js'
import {BaseCommand} from '../src/terminal/base-command.js'
import {formatDiagnosis} from '../src/terminal/doctor-text.js'
import {dockerFolder, proxySettings} from '../src/terminal/docker-environment.js'
import {withManagers} from '../src/terminal/host-managers.js'

export default class Doctor extends BaseCommand {
  static override summary = 'Tell what works on this machine, and what to do about the rest.'
  static override description =
    'Looks at the engines, proxies, credentials, privileges, disk and long paths. Nothing is changed, and no secret is read.'
  static override examples = [
    {description: 'Before the first conversion:', command: '<%= config.bin %> <%= command.id %>'},
    {
      description: 'What is missing, for a script:',
      command: '<%= config.bin %> <%= command.id %> --json | jq \'.checks[] | select(.state != "ok")\'',
    },
  ]

  async run(): Promise<HostReport> {
    await this.parse(Doctor)
    const options = {
      dockerFolder: dockerFolder(),
      proxies: proxySettings(),
      programFolders: (process.env['PATH'] ?? '').split(path.delimiter).filter((folder) => folder !== ''),
    }
    const report = await withManagers((managers) =>
      this.showing('Looking around', (run) => diagnoseHost(managers, {...options, ...run})),
    )
    this.print(formatDiagnosis(report))
    return report
  }
}
