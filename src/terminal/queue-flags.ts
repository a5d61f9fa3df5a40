import {Flags} from '@oclif/core'
import {UsageError} from '../model/errors.js'

/** The environment keeps a password out of the list of processes. */
export const QUEUE_PASSWORD = 'TRANSSHIP_QUEUE_PASSWORD'

/** What `--queue` takes. */
export const QUEUE_DESCRIPTION =
  'redis://[USER:PASSWORD@]HOST[:PORT][/DATABASE][?name=QUEUE], rediss:// for TLS, or unix:///SOCKET. To trust a ' +
  'private certificate authority, set NODE_EXTRA_CA_CERTS to the file with its certificate. ' +
  `Pass the password in the environment variable ${QUEUE_PASSWORD} rather than in the URL.`

/** `--root DIR`, of both sides of a queue. */
export function rootFlag(options: {readonly dependsOn?: string[]} = {}) {
  return Flags.string({
    summary: 'Path of the shared folder on this machine; default: the same paths on all machines.',
    helpValue: 'DIR',
    ...options,
  })
}

/** Throws `BAD_OPTION` for flags that need someone to wait. */
export function requireUnwatched(flags: {readonly report?: string | undefined; readonly 'fail-fast': boolean}): void {
  const flag = flags.report === undefined ? (flags['fail-fast'] ? '--fail-fast' : undefined) : '--report'
  if (flag === undefined) return
  throw new UsageError('BAD_OPTION', {
    what: `${flag} and --detach cannot be used together.`,
    why:
      flag === '--report'
        ? 'With --detach the command returns before any item is done, so it has nothing to report.'
        : 'With --detach nothing watches the items, so nothing could stop the others after a failure.',
    suggestions: [
      `Leave out ${flag} now. Then run the same command with ${flag} instead of --detach to wait for the items.`,
    ],
  })
}

/** Where the queue is, with the password from the environment. */
export function queueOptions(queue: string): {readonly queue: string; readonly queuePassword?: string} {
  const queuePassword = process.env[QUEUE_PASSWORD]
  return {queue, ...(queuePassword === undefined || queuePassword === '' ? {} : {queuePassword})}
}
