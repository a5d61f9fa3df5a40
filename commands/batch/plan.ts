import {Args} from '@oclif/core'
import type {PlanDocument} from '../../src/batch/plan-schema.js'
import {planFromSource} from '../../src/batch/plan-from-source.js'
import {BaseCommand} from '../../src/terminal/base-command.js'
import {readingFlags} from '../../src/terminal/reading-flags.js'
import {networkOfEnvironment} from '../../src/terminal/network-flags.js'

export default class BatchPlan extends BaseCommand {
  static override summary = 'Write a plan for batch from what is there.'
  static override description =
    'Lists what SOURCE holds, or the archives and repositories in it if it is a folder, and prints a plan with an item ' +
    'for each, to be edited and run with batch. DESTINATION may hold {publisher}, {name}, {version}, {fullName}, ' +
    '{repository}, {tag}, {imageId} and {file}. Paths are relative to the current folder: put the plan there.'
  static override examples = [
    {
      description: 'All saved images of a folder into one repository of packages:',
      command: '<%= config.bin %> <%= command.id %> ./images inbox:./repository > plan.yaml',
    },
    {
      description: 'Each package of a repository as an archive of its own:',
      command:
        '<%= config.bin %> <%= command.id %> inbox:./repository "docker-archive:out/{name}-{version}.tar" > plan.yaml',
    },
  ]
  static override args = {
    source: Args.string({required: true, description: 'What to convert: TRANSPORT:LOCATION, a path, or a folder.'}),
    destination: Args.string({required: true, description: 'Where to: TRANSPORT:LOCATION, with {fields}.'}),
  }

  static override flags = {platform: readingFlags.platform}

  async run(): Promise<PlanDocument> {
    const {args, flags} = await this.parse(BatchPlan)
    const {plan, yaml} = await this.showing(`Listing ${args.source}`, (run) =>
      planFromSource(args.source, args.destination, {
        ...run,
        ...networkOfEnvironment(),
        ...(flags.platform === undefined ? {} : {platform: flags.platform}),
        folder: '.',
      }),
    )
    this.print(yaml.trimEnd())
    return plan
  }
}
