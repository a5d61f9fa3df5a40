import {Flags, type Interfaces} from '@oclif/core'
import {concurrencyFlag} from './concurrency-flag.js'
import type {PlanOptions} from '../batch/plan-schema.js'
import {networkFlags} from './network-flags.js'
import {readingFlags} from './reading-flags.js'
import {reportFlag, reportTitleFlag} from './report-flag.js'
import type {UnpackFlags} from './unpack-flags.js'

/** Flags of `migrate` beside those that bound unpacking. */
export const migrateFlags = {
  yes: Flags.boolean({char: 'y', summary: 'Start without asking.'}),
  'dry-run': Flags.boolean({
    summary: 'Show what would happen without writing anything.',
    exclusive: ['report', 'yes'],
  }),
  'keep-going': Flags.boolean({summary: 'Convert the rest when some items cannot be converted.'}),
  report: reportFlag,
  'report-title': reportTitleFlag,
  verify: Flags.boolean({
    summary: 'Read back everything that was written, and check every byte.',
    description: 'On by default.',
    default: true,
    allowNo: true,
  }),
  concurrency: concurrencyFlag,
  journal: Flags.string({
    summary: 'Record finished items in this file, to continue after a stop.',
    description:
      'Default: a file for this SOURCE, DESTINATION and current folder, in %LocalAppData%\\transship or ~/.local/state/transship.',
    helpValue: 'FILE',
  }),
  'check-space': Flags.boolean({
    summary: 'Refuse to start when a disk has too little free space.',
    description: 'On by default.',
    default: true,
    allowNo: true,
  }),
  layers: Flags.option({
    options: ['chain', 'squash'] as const,
    summary: 'Keep one package for each layer, or merge the layers above the operating system.',
    description: 'Default: chain, since only that brings every digest back.',
    helpGroup: 'CONTENT',
  })(),
  'without-base': Flags.boolean({
    summary: 'Write OS packages as stubs: their identity without their content.',
    helpGroup: 'CONTENT',
  }),
  replace: Flags.boolean({
    summary: 'Overwrite whatever differs at the destination.',
    description: 'transship never replaces a package that other packages were made on.',
    helpGroup: 'STORAGE',
  }),
  strict: Flags.boolean({summary: 'Let an item fail if anything of it would be lost.'}),
  base: readingFlags.base,
  platform: readingFlags.platform,
  'accept-base-mismatch': readingFlags['accept-base-mismatch'],
  ...networkFlags,
}

export type MigrateFlags = UnpackFlags & Interfaces.InferredFlags<typeof migrateFlags>

/** The options of each item, as a plan spells them. */
export function migrateItemOptions(flags: MigrateFlags): PlanOptions {
  const {layers, base, replace, strict} = flags
  return {
    ...(layers === undefined ? {} : {layers}),
    ...(base === undefined ? {} : {base}),
    ...(flags['without-base'] ? {'without-base': true} : {}),
    ...(flags['accept-base-mismatch'] ? {'accept-base-mismatch': true} : {}),
    ...(replace ? {replace: true} : {}),
    ...(strict ? {strict: true} : {}),
  }
}
