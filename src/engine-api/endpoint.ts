import {EnvironmentError, UsageError} from '../model/errors.js'

/** Certificates for an engine that is reached by TLS, PEM. */
export interface EngineTls {
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
  /** False: any certificate of the engine will do. */
  readonly rejectUnauthorized?: boolean
}

/** Where an engine listens. */
export type EngineEndpoint =
  | {readonly kind: 'socket'; /** Unix socket or named pipe. */ readonly path: string}
  | {readonly kind: 'tcp'; readonly host: string; readonly port: number; readonly tls?: EngineTls}

/**
 * Parses what DOCKER_HOST and CONTAINER_HOST hold: `unix://PATH`, `npipe:////./pipe/NAME`, `tcp://HOST[:PORT]`. Throws
 * `BAD_OPTION`, and `ENGINE_UNSUPPORTED` for `ssh://`. With `tls` a tcp endpoint is spoken to by HTTPS. Default ports
 * are those of Docker's client.
 */
export function parseEngineEndpoint(text: string, tls?: EngineTls): EngineEndpoint {
  const [, scheme, rest] = /^([a-z]+):\/\/(.*)$/s.exec(text) ?? []
  if (scheme === 'unix' && rest?.startsWith('/') === true) return {kind: 'socket', path: rest}
  if (scheme === 'npipe' && rest !== undefined && /^[/\\]{2}/.test(rest)) return {kind: 'socket', path: rest}
  if (scheme === 'tcp' || scheme === 'http' || scheme === 'https') {
    const url = URL.parse(`http://${rest ?? ''}`)
    if (url !== null && url.hostname !== '' && url.pathname === '/') {
      const secured = scheme === 'https' ? {...tls} : tls
      return {
        kind: 'tcp',
        host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
        port: portIn(rest ?? '') ?? (secured === undefined ? 2375 : 2376),
        ...(secured === undefined ? {} : {tls: secured}),
      }
    }
  }
  if (scheme === 'ssh') {
    throw new EnvironmentError('ENGINE_UNSUPPORTED', {
      what: `The engine at '${text}' is behind SSH.`,
      why: 'transship does not connect to engines over SSH.',
      suggestions: [
        `Forward the socket first: ssh -L /tmp/engine.sock:/var/run/docker.sock ${rest ?? 'HOST'}`,
        'Then pass --engine unix:///tmp/engine.sock.',
      ],
    })
  }
  throw new UsageError('BAD_OPTION', {
    what: `'${text}' is not a valid engine address.`,
    why: 'Expected unix:///PATH, npipe:////./pipe/NAME or tcp://HOST:PORT.',
    suggestions: ['Check --engine, DOCKER_HOST or the Docker context.'],
  })
}

/** The port as it is written: a URL does not tell one that is usual from none. */
function portIn(authority: string): number | undefined {
  const digits = /:(\d+)\/?$/.exec(authority)?.[1]
  return digits === undefined ? undefined : Number(digits)
}

/** The inverse of parsing. */
export function formatEngineEndpoint(endpoint: EngineEndpoint): string {
  if (endpoint.kind === 'socket') return `${/^[/\\]{2}/.test(endpoint.path) ? 'npipe' : 'unix'}://${endpoint.path}`
  const host = endpoint.host.includes(':') ? `[${endpoint.host}]` : endpoint.host
  return `${endpoint.tls === undefined ? 'tcp' : 'https'}://${host}:${endpoint.port}`
}
