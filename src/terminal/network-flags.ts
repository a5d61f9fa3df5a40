import {Flags} from '@oclif/core'
import {parseSize} from '../convert/option-text.js'
import type {EnginePlaces} from '../model/engine-places.js'
import type {NetworkOptions} from '../model/transport.js'
import {flagText} from './flag-text.js'
import {certificateFolder, proxySettings, set, type Environment} from './docker-environment.js'

/** Flags of every command that may reach an image registry. */
export const networkFlags = {
  'tls-verify': Flags.option({
    options: ['true', 'false'] as const,
    summary: 'false: accept any certificate from an image registry, and plain HTTP.',
    description: 'For tests only: anyone on the network can then read and change the data.',
  })(),
  'docker-config': Flags.directory({
    summary: "Folder with Docker's config.json and its image registry credentials; default: ~/.docker.",
    helpValue: 'DIR',
    env: 'DOCKER_CONFIG',
  }),
  authfile: Flags.string({
    summary: 'Login file of podman and skopeo; read before the one of Docker.',
    helpValue: 'FILE',
    env: 'REGISTRY_AUTH_FILE',
  }),
  'certs-dir': Flags.directory({
    summary: 'Folder with HOST[:PORT] subfolders of *.crt, *.cert and *.key files; default: /etc/docker/certs.d.',
    helpValue: 'DIR',
  }),
  'allow-private-hosts': Flags.boolean({
    summary: 'Allow addresses from an image or image registry that lead to this host or a private network.',
    description:
      'Images name the addresses of foreign layers, registries those of token servers. By default they may only lead to the network of the registry itself.',
  }),
  'least-rate': Flags.custom<number>({
    parse: flagText(parseSize),
    summary:
      'Give up on an image registry that sends fewer bytes a second than this over 30 s (default: 1KiB; 0: never).',
    helpValue: 'SIZE',
  })(),
  'max-request-time': Flags.integer({
    summary: 'Seconds that one request or download may take, new attempts included (default: 86400).',
    helpValue: 'SECONDS',
    min: 1,
  }),
  engine: Flags.string({
    aliases: ['host'],
    summary: 'Container engine for docker-daemon: references; default: the one the docker command uses.',
    description:
      'Docker or Podman at unix:///PATH, npipe:////./pipe/NAME or tcp://HOST:PORT. Without this flag, transship tries ' +
      'DOCKER_HOST, the Docker context and the usual sockets.',
    helpValue: 'URL',
  }),
  'engine-certs': Flags.directory({
    summary: 'Folder with ca.pem, cert.pem and key.pem for an engine that uses TLS; default: DOCKER_CERT_PATH.',
    helpValue: 'DIR',
  }),
  'engine-context': Flags.string({
    summary: 'Docker context of the engine; default: DOCKER_CONTEXT, else the current context.',
    helpValue: 'NAME',
    exclusive: ['engine'],
  }),
}

/** What those flags parse to. */
export interface NetworkFlags {
  readonly 'tls-verify': 'true' | 'false' | undefined
  readonly 'docker-config': string | undefined
  readonly authfile: string | undefined
  readonly 'certs-dir': string | undefined
  readonly 'allow-private-hosts'?: boolean | undefined
  readonly 'least-rate'?: number | undefined
  readonly 'max-request-time'?: number | undefined
  readonly engine: string | undefined
  readonly 'engine-certs': string | undefined
  readonly 'engine-context': string | undefined
}

/** The library options for these flags and the proxies; Docker's variables fill in for flags not given. */
export function networkOptions(flags: NetworkFlags, env: Environment = process.env): NetworkOptions {
  const folder = flags['docker-config']
  const certs = flags['certs-dir']
  const {'least-rate': leastRate, 'max-request-time': requestTime} = flags
  return {
    ...(flags['tls-verify'] === 'false' ? {tlsVerify: false} : {}),
    ...(folder === undefined ? {} : {dockerConfig: folder}),
    ...(flags.authfile === undefined ? {} : {authFile: flags.authfile}),
    ...(certs === undefined ? {} : {certsFolder: certs}),
    ...(flags['allow-private-hosts'] === true ? {allowPrivateHosts: true} : {}),
    ...(leastRate === undefined ? {} : {leastBytesPerSecond: leastRate}),
    ...(requestTime === undefined ? {} : {maxRequestSeconds: requestTime}),
    proxies: proxySettings(env),
    engine: enginePlaces(flags, env),
    ...containerdPlaces(env),
  }
}

/** How this machine reaches image registries and engines without flags: as the environment says. */
export function networkOfEnvironment(env: Environment = process.env): NetworkOptions {
  const flags: NetworkFlags = {
    'tls-verify': undefined,
    'docker-config': set(env['DOCKER_CONFIG']),
    authfile: set(env['REGISTRY_AUTH_FILE']),
    'certs-dir': undefined,
    engine: undefined,
    'engine-certs': undefined,
    'engine-context': undefined,
  }
  return networkOptions(flags, env)
}

/** The variables that ctr and nerdctl read. */
function containerdPlaces(env: Environment): Pick<NetworkOptions, 'containerd'> {
  const address = set(env['CONTAINERD_ADDRESS'])
  const namespace = set(env['CONTAINERD_NAMESPACE'])
  if (address === undefined && namespace === undefined) return {}
  return {
    containerd: {...(address === undefined ? {} : {address}), ...(namespace === undefined ? {} : {namespace})},
  }
}

/** In the order of Docker's client: what was given, DOCKER_HOST, DOCKER_CONTEXT; contexts have their own certificates. */
function enginePlaces(flags: NetworkFlags, env: Environment): EnginePlaces {
  const context = flags['engine-context']
  const host = flags.engine ?? (context === undefined ? set(env['DOCKER_HOST']) : undefined)
  const certificates = flags['engine-certs'] ?? certificateFolder({...env, DOCKER_CONFIG: flags['docker-config']})
  const given = {
    host,
    certificates: host === undefined ? undefined : certificates,
    context: host === undefined ? (context ?? set(env['DOCKER_CONTEXT'])) : undefined,
    runtimeFolder: set(env['XDG_RUNTIME_DIR']),
  }
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
}
