import {Flags} from '@oclif/core'

/** The environment keeps a password out of the list of processes. */
export const QUEUE_PASSWORD = 'TRANSSHIP_QUEUE_PASSWORD'

/** What `--queue` takes. */
export const QUEUE_DESCRIPTION =
  'redis://[USER:PASSWORD@]HOST[:PORT][/DATABASE][?name=QUEUE], rediss:// for TLS, or unix:///SOCKET. ' +
  `The password is better given by the environment variable ${QUEUE_PASSWORD}.`

/** `--root DIR`, of both sides of a queue. */
export function rootFlag(options: {readonly dependsOn?: string[]} = {}) {
  return Flags.string({
    summary: 'The folder that all machines share, as this one sees it; default: all see the same paths.',
    helpValue: 'DIR',
    ...options,
  })
}

/** Where the queue is, with the password of the environment. */
export function queueOptions(queue: string): {readonly queue: string; readonly queuePassword?: string} {
  const queuePassword = process.env[QUEUE_PASSWORD]
  return {queue, ...(queuePassword === undefined || queuePassword === '' ? {} : {queuePassword})}
}
