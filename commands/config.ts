import {defaultableFlags, findConfigPlace, readConfig} from '../src/terminal/config-file.js'
import {formatConfig, reportConfig, type ConfigReport} from '../src/terminal/config-report.js'
import {findDefaults} from '../src/terminal/flag-defaults.js'
import {BaseCommand} from '../src/terminal/base-command.js'
import {wholeFlag} from '../src/terminal/table-flags.js'

export default class Config extends BaseCommand {
  static override summary = 'Show the defaults of flags, from the environment and the configuration file.'
  static override description =
    'Every flag has a variable: TRANSSHIP_TLS_VERIFY is --tls-verify. The configuration file is YAML with a line for each ' +
    'flag, such as `tls-verify: "false"`. A flag on the command line wins over a variable, and a variable over the file. ' +
    'TRANSSHIP_CONFIG names another file; set it to nothing, or pass --no-config, to use none.'
  static override examples = [
    {
      description: 'Show where the file belongs and which defaults hold:',
      command: '<%= config.bin %> <%= command.id %>',
    },
    {
      description: 'Try a file before it is installed:',
      command: 'TRANSSHIP_CONFIG=./config.yaml <%= config.bin %> <%= command.id %>',
    },
  ]
  static override flags = {...wholeFlag}

  async run(): Promise<ConfigReport> {
    const {flags} = await this.parse(Config)
    const {env} = process
    const known = defaultableFlags(this.config)
    const place = flags['no-config'] ? undefined : findConfigPlace(env)
    const config = await readConfig(place, known)
    for (const command of this.config.commands) {
      if (command.pluginName === 'transship') findDefaults(command.flags, [], {env, config})
    }
    const report = reportConfig(place, config, {flags: known, env})
    this.print(formatConfig(report, this.view))
    return report
  }
}
