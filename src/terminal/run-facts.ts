import {hostname, release, type} from 'node:os'
import type {RunFacts} from '../batch/batch-report.js'
import {hidePasswords} from '../model/hidden-password.js'
import {maskedArgument} from './debug-log.js'

/** What a report says of the run that it is of. Passwords in the command line are masked. */
export function runFacts(
  version: string,
  command: readonly string[],
  {argv, title}: {readonly argv: readonly string[]; readonly title?: string | undefined},
): RunFacts {
  return {
    version,
    host: hostname(),
    system: `${type()} ${release()} ${process.arch}, Node ${process.versions.node}`,
    command: ['transship', ...command, ...argv.map((text) => hidePasswords(maskedArgument(text)))],
    ...(title === undefined ? {} : {title}),
  }
}
