import path from 'node:path'
import {diagnoseHost, type HostReport} from '../src/runtime/diagnose-host.js'
import {BaseCommand} from '../src/terminal/base-command.js'
import {formatDiagnosis} from '../src/terminal/doctor-text.js'
import {dockerFolder, proxySettings} from '../src/terminal/docker-environment.js'
import {withManagers} from '../src/terminal/host-managers.js'

export default class Doctor extends BaseCommand {
  static override summary = 'Check what works on this machine, and explain how to fix the rest.'
  static override description =
    'Checks engines, proxies, credentials, privileges, disk space and long paths. Changes nothing and reads no secrets.'
  static override examples = [
    {description: 'Check this machine before the first conversion:', command: '<%= config.bin %> <%= command.id %>'},
    {
      description: 'List the problems as JSON:',
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
