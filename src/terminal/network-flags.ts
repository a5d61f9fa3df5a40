import {Flags} from '@oclif/core'
import type {NetworkOptions} from '../transports/transport.js'

/** Flags of every command that may reach an image registry. */
export const networkFlags = {
  'tls-verify': Flags.option({
    options: ['true', 'false'] as const,
    summary: 'false: accept any certificate of a registry, and plain HTTP.',
    description: 'For tests: whoever is in between can then read and change what is sent.',
  })(),
  'docker-config': Flags.directory({
    summary: "Folder of Docker's config.json, with the credentials of registries; default: ~/.docker.",
    helpValue: 'DIR',
    env: 'DOCKER_CONFIG',
  }),
}

interface NetworkFlags {
  readonly 'tls-verify': 'true' | 'false' | undefined
  readonly 'docker-config': string | undefined
}

/** The library's options that these flags stand for. */
export function networkOptions(flags: NetworkFlags): NetworkOptions {
  const folder = flags['docker-config']
  return {
    ...(flags['tls-verify'] === 'false' ? {tlsVerify: false} : {}),
    ...(folder === undefined ? {} : {dockerConfig: folder}),
  }
}
