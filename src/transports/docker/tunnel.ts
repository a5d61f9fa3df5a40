import {Socket} from 'node:net'
import {buildConnector, type Agent} from 'undici'
import {findSystemCode} from '../../model/errors.js'
import type {WebProxy} from '../../model/proxies.js'
import {isCertificateFault} from './certificates.js'
import {refusedBy, unreachable} from './proxy-failure.js'

export interface TunnelOptions {
  /** Connects to proxies. */
  readonly agent: Agent
  /** Of what is behind the proxy. */
  readonly tls: buildConnector.BuildOptions
}

/**
 * Connects to hosts through tunnels that a proxy opens, and speaks TLS with them inside of those. Not undici's ProxyAgent:
 * of its errors one cannot tell whose they are, and where a proxy hangs up it asks again without end. Source: RFC 9110,
 * 9.3.6 (CONNECT).
 */
export function tunnelConnector(proxy: WebProxy, {agent, tls}: TunnelOptions): buildConnector.connector {
  const secure = buildConnector(tls)
  return (options, callback) => {
    openTunnel(proxy, agent, placeOf(options)).then(
      (socket) => {
        secure({...options, httpSocket: socket}, callback)
      },
      (error: unknown) => {
        callback(error instanceof Error ? error : new Error('no tunnel'), null)
      },
    )
  }
}

/** Connects to proxies, and takes only their own certificates: undici goes by the `Host` of a request, which is another. */
export function proxyConnector(tls: buildConnector.BuildOptions): buildConnector.connector {
  const connect = buildConnector(tls)
  return ({servername: _, ...options}, callback) => {
    connect(options, callback)
  }
}

/** `HOST:PORT`, always with its port. */
function placeOf({hostname, port}: buildConnector.Options): string {
  const host = hostname.includes(':') ? `[${hostname}]` : hostname
  return `${host}:${port === '' ? '443' : port}`
}

/** Throws `ProxyFailure`. */
async function openTunnel(proxy: WebProxy, agent: Agent, host: string): Promise<Socket> {
  const headers = {host, 'user-agent': 'transship', ...authorizationFor(proxy)}
  const {
    socket,
    statusCode,
    headers: answered,
  } = await agent.connect({origin: proxy.origin, path: host, headers}).catch((error: unknown) => {
    throw unreachable(proxy, error)
  })
  if (statusCode >= 200 && statusCode < 300 && socket instanceof Socket) return socket
  socket.on('error', () => undefined).destroy()
  const asks = answered['proxy-authenticate']
  throw refusedBy(proxy, {status: statusCode, host, asks: Array.isArray(asks) ? asks.join(', ') : asks})
}

/** What a proxy is told to know its user. */
export function authorizationFor({authorization}: WebProxy): Readonly<Record<string, string>> {
  return authorization === undefined ? {} : {'proxy-authorization': authorization}
}

const UNCONNECTED = /^(?:ECONNREFUSED|ENOTFOUND|EAI_AGAIN|ENETUNREACH|EHOSTUNREACH|UND_ERR_CONNECT_TIMEOUT)$/

/** A failure of a request that a proxy was to pass on: the proxy's own, where it was not even reached. */
export function asForwardFailure(proxy: WebProxy, error: unknown): unknown {
  const isUnconnected = UNCONNECTED.test(findSystemCode(error) ?? '') || isCertificateFault(error)
  return isUnconnected ? unreachable(proxy, error) : error
}
