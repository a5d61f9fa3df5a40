import {Args} from '@oclif/core'
import {verify, type VerifyReport} from '../src/convert/verify.js'
import {BaseCommand} from '../src/terminal/base-command.js'
import {readingFlags, readingOptions} from '../src/terminal/reading-flags.js'
import {wholeFlag} from '../src/terminal/table-flags.js'
import {formatVerify} from '../src/terminal/verify-text.js'

export default class Verify extends BaseCommand {
  static override summary = 'Check every digest, size, name, link, hive, dependency and rule.'
  static override description =
    'Reports every fault, not only the first. Exits with 1 when it finds any. A reference to one image of an archive or OCI ' +
    'layout checks that image; without a name, blobs that belong to no image are checked as well.'
  static override examples = [
    {
      description: 'Check an archive:',
      command: '<%= config.bin %> <%= command.id %> docker-archive:shop.tar',
    },
    {
      description: 'Print the codes of all faults in a repository:',
      command: "<%= config.bin %> <%= command.id %> inbox:./repository --json | jq -r '.faults[].code'",
    },
  ]
  static override args = {
    ref: Args.string({required: true, description: 'TRANSPORT:LOCATION, or an existing path.'}),
  }
  static override flags = {...readingFlags, ...wholeFlag}

  async run(): Promise<VerifyReport> {
    const {args, flags} = await this.parse(Verify)
    const options = await readingOptions(flags)
    const report = await this.showing(`Verifying ${args.ref}`, (run) => verify(args.ref, {...options, ...run}))
    this.print(formatVerify(report, this.view))
    if (!report.ok) this.found()
    return report
  }
}
