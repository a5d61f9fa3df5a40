import path from 'node:path'
import {Flags} from '@oclif/core'
import {cleanFolder, type CleanReport} from '../src/disk/clean-folder.js'
import {diagnoseHost, type HostReport} from '../src/runtime/diagnose-host.js'
import {BaseCommand} from '../src/terminal/base-command.js'
import {formatCleaning, formatDiagnosis} from '../src/terminal/doctor-text.js'
import {dockerFolder, proxySettings} from '../src/terminal/docker-environment.js'
import {withManagers} from '../src/terminal/host-managers.js'

export default class Doctor extends BaseCommand {
  static override summary = 'Check what works on this machine, and explain how to fix the rest.'
  static override description =
    'Checks engines, proxies, credentials, privileges, disk space and long paths. Changes nothing and reads no secrets. ' +
    'With --clean it only removes from a folder what interrupted runs left there, and exits with 1 if something cannot be removed.'
  static override examples = [
    {description: 'Check this machine before the first conversion:', command: '<%= config.bin %> <%= command.id %>'},
    {
      description: 'List the problems as JSON:',
      command: '<%= config.bin %> <%= command.id %> --json | jq \'.checks[] | select(.state != "ok")\'',
    },
    {
      description: 'After a conversion into a repository was killed:',
      command: '<%= config.bin %> <%= command.id %> --clean /srv/packages',
    },
  ]

  static override flags = {
    clean: Flags.string({
      summary: 'Remove what interrupted runs left in this folder. Leaves everything in use alone and follows no links.',
      helpValue: 'FOLDER',
    }),
  }

  async run(): Promise<HostReport | CleanReport> {
    const {flags} = await this.parse(Doctor)
    return flags.clean === undefined ? this.#diagnose() : this.#clean(flags.clean)
  }

  async #clean(folder: string): Promise<CleanReport> {
    const report = await this.showing(`Cleaning ${folder}`, (run) => cleanFolder(folder, run))
    this.print(formatCleaning(report))
    if (report.items.some(({outcome}) => outcome === 'kept')) this.found()
    return report
  }

  async #diagnose(): Promise<HostReport> {
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
