import {Args} from '@oclif/core'
import type {PlanDocument} from '../../src/batch/plan-schema.js'
import {planFromSource} from '../../src/batch/plan-from-source.js'
import {BaseCommand} from '../../src/terminal/base-command.js'
import {readingFlags} from '../../src/terminal/reading-flags.js'
import {unpackFlagOptions, unpackFlags} from '../../src/terminal/unpack-flags.js'
import {networkOfEnvironment} from '../../src/terminal/network-flags.js'

export default class BatchPlan extends BaseCommand {
  static override summary = 'Write a batch plan for an archive, repository or folder.'
  static override description =
    'Prints a plan with one item for each image or package in SOURCE, or in the archives and repositories of a folder. ' +
    'Edit the plan and run it with batch. DESTINATION may contain {publisher}, {name}, {version}, {fullName}, ' +
    '{repository}, {tag}, {imageId} and {file}. Paths are relative to the current folder, so save the plan there.'
  static override examples = [
    {
      description: 'Plan to convert a folder of saved images to one inbox repository:',
      command: '<%= config.bin %> <%= command.id %> ./images inbox:./repository > plan.yaml',
    },
    {
      description: 'Plan to convert each package of a repository to its own archive:',
      command:
        '<%= config.bin %> <%= command.id %> inbox:./repository "docker-archive:out/{name}-{version}.tar" > plan.yaml',
    },
  ]
  static override args = {
    source: Args.string({required: true, description: 'What to convert: TRANSPORT:LOCATION, a path, or a folder.'}),
    destination: Args.string({required: true, description: 'Where to write it: TRANSPORT:LOCATION, with {fields}.'}),
  }

  static override flags = {platform: readingFlags.platform, ...unpackFlags}

  async run(): Promise<PlanDocument> {
    const {args, flags} = await this.parse(BatchPlan)
    const {plan, yaml} = await this.showing(`Listing ${args.source}`, (run) =>
      planFromSource(args.source, args.destination, {
        ...run,
        ...networkOfEnvironment(),
        ...unpackFlagOptions(flags),
        ...(flags.platform === undefined ? {} : {platform: flags.platform}),
        folder: '.',
      }),
    )
    this.print(yaml.trimEnd())
    return plan
  }
}
