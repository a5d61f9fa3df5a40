import {Flags} from '@oclif/core'
import {UsageError} from '../model/errors.js'

/** The environment keeps a password out of the list of processes. */
export const QUEUE_PASSWORD = 'TRANSSHIP_QUEUE_PASSWORD'

/** What `--queue` takes. */
export const QUEUE_DESCRIPTION =
  'redis://[USER:PASSWORD@]HOST[:PORT][/DATABASE][?name=QUEUE], rediss:// for TLS, or unix:///SOCKET. For a private ' +
  'authority, NODE_EXTRA_CA_CERTS names a file with its certificate. ' +
  `The password is better given by the environment variable ${QUEUE_PASSWORD}.`

/** `--root DIR`, of both sides of a queue. */
export function rootFlag(options: {readonly dependsOn?: string[]} = {}) {
  return Flags.string({
    summary: 'The folder that all machines share, as this one sees it; default: all see the same paths.',
    helpValue: 'DIR',
    ...options,
  })
}

/** Throws `BAD_OPTION` for what somebody would have to wait for. */
export function requireUnwatched(flags: {readonly report?: string | undefined; readonly 'fail-fast': boolean}): void {
  const flag = flags.report === undefined ? (flags['fail-fast'] ? '--fail-fast' : undefined) : '--report'
  if (flag === undefined) return
  throw new UsageError('BAD_OPTION', {
    what: `${flag} and --detach cannot be given together.`,
    why:
      flag === '--report'
        ? 'With --detach nobody waits for the items, so there is nothing to report yet.'
        : 'With --detach nobody watches the items, so nobody would stop the others when one has failed.',
    suggestions: [
      `Leave out ${flag} now, and give it to the same command without --detach, which waits for the items.`,
    ],
  })
}

/** Where the queue is, with the password of the environment. */
export function queueOptions(queue: string): {readonly queue: string; readonly queuePassword?: string} {
  const queuePassword = process.env[QUEUE_PASSWORD]
  return {queue, ...(queuePassword === undefined || queuePassword === '' ? {} : {queuePassword})}
}
