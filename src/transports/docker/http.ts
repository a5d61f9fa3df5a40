import {setTimeout as pause} from 'node:timers/promises'
import {Agent, errors, request, type Dispatcher} from 'undici'
import {EnvironmentError, findSystemCode, InputError, TransshipError} from '../../model/errors.js'
import type {WorkOptions} from '../../model/events.js'
import type {ProxyChoice, WebProxy} from '../../model/proxies.js'
import {isCertificateFault, type Certificates} from './certificates.js'
import {shownAddress, traceExchange, traceSecret} from '../../model/trace.js'
import {LIMITS} from '../../model/limits.js'
import type {HostGuard} from './host-guard.js'
import {Pace, type PaceOptions} from './pace.js'
import {ProxyFailure, refusedBy} from './proxy-failure.js'
import {asForwardFailure, authorizationFor, proxyConnector, tunnelConnector} from './tunnel.js'

export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly url: URL
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Uint8Array | string | undefined
  readonly signal?: AbortSignal | undefined
  /** Of a request that is one of several attempts; else one of its own is begun. */
  readonly pace?: Pace | undefined
  /** The address comes from outside: a name must not lead into this host or its networks. */
  readonly isGuarded?: boolean
}

/** An answer, and the watch over how long it takes. */
export type HttpAnswer = Dispatcher.ResponseData & {readonly pace: Pace}

/** Of answers that are taken into memory, but for manifests, which have a limit of their own. */
const MAX_ANSWER_BYTES = LIMITS.answer.value
const FIRST_PAUSE_MS = 200
/** A registry that says when to come back is believed up to this. */
const MAX_PAUSE_MS = 60_000

export interface ReachOptions extends PaceOptions {
  readonly guard: HostGuard
  readonly tlsVerify: boolean
  readonly certificates: Certificates
  readonly proxies: ProxyChoice
  /** Of proxies that are spoken to by TLS, beside those that are trusted anyway. */
  readonly proxyAuthorities: Certificates['ca']
}

interface Forwarded {
  readonly method: HttpRequest['method']
  readonly headers: Readonly<Record<string, string>>
  readonly headersTimeout: number
  readonly body?: Uint8Array | string
  readonly signal?: AbortSignal
}

/** Slower than this, a connection counts as broken off. */
const LEAST_BYTES_PER_SECOND = 8 * 1024

/** How long to wait for the head of an answer: what is sent before it takes its time on a narrow line. */
export function headersTimeoutMs(body: HttpRequest['body']): number {
  const bytes = body === undefined ? 0 : Buffer.byteLength(body)
  return TIMEOUTS.headersTimeout + (bytes / LEAST_BYTES_PER_SECOND) * 1000
}

const TIMEOUTS = {headersTimeout: LIMITS.headSilence.value * 1000, bodyTimeout: LIMITS.silence.value * 1000}
const CONNECT_TIMEOUT_MS = 20_000
/** A proxy has to find and reach the host before it answers. */
const PROXY_TIMEOUT_MS = 60_000

/** HTTP with connections kept and certificates checked, unless the user says otherwise. Redirects are the caller's. */
export class Http {
  readonly #host: string
  readonly #proxies: ProxyChoice
  readonly #pace: PaceOptions
  readonly #direct: Agent
  /** For addresses that come from outside. */
  readonly #guarded: Agent
  /** With the registry's own certificates, which no other host is shown. */
  readonly #own: Agent
  /** To proxies, whose certificates are checked in any case: they are given passwords. */
  readonly #toProxy: Agent
  /** The same two as for direct connections, through the proxy for TLS if there is one. */
  readonly #tunnelled: {readonly other: Agent; readonly own: Agent} | undefined

  /** `host` is the registry's, with its port where that is not the usual one. */
  constructor(host: string, {tlsVerify, certificates, proxies, proxyAuthorities, guard, ...pace}: ReachOptions) {
    const connect = {rejectUnauthorized: tlsVerify, timeout: CONNECT_TIMEOUT_MS}
    const own = {...connect, ...tlsOf(certificates)}
    this.#host = host
    this.#proxies = proxies
    this.#pace = pace
    this.#direct = new Agent({...TIMEOUTS, connect})
    this.#guarded = new Agent({...TIMEOUTS, connect: {...connect, lookup: guard.lookup}})
    this.#own = new Agent({...TIMEOUTS, connect: own})
    const toProxy = proxyConnector({timeout: CONNECT_TIMEOUT_MS, ...tlsOf({ca: proxyAuthorities})})
    const agent = new Agent({...TIMEOUTS, headersTimeout: PROXY_TIMEOUT_MS, connect: toProxy})
    const through = (proxy: WebProxy, tls: object) =>
      new Agent({...TIMEOUTS, connect: tunnelConnector(proxy, {agent, tls})})
    const {https} = proxies
    this.#toProxy = agent
    this.#tunnelled = https === undefined ? undefined : {other: through(https, connect), own: through(https, own)}
  }

  /** One exchange; the body of the answer must be read or dumped. Throws what the connection throws, `ProxyFailure`. */
  async send(asked: HttpRequest): Promise<HttpAnswer> {
    const pace = asked.pace ?? this.paceOf(asked.url)
    const {method, url} = asked
    for (const secret of this.#secrets) traceSecret(secret)
    const answer = await traceExchange(
      () => `${method} ${shownAddress(url)}${this.#proxies.find(url) === undefined ? '' : ' through the proxy'}`,
      () => pace.wait(this.#send(asked)),
      ({statusCode}) => String(statusCode),
    )
    return Object.assign(answer, {pace})
  }

  /** Watches over one request or download from its first attempt to its last. */
  paceOf({host}: URL): Pace {
    return new Pace(host, this.#pace)
  }

  #send({method, url, headers, body, signal, isGuarded = false}: HttpRequest): Promise<Dispatcher.ResponseData> {
    const sent = {'user-agent': 'transship', ...headers}
    const timeout = {headersTimeout: headersTimeoutMs(body)}
    const options = {
      method,
      ...timeout,
      ...(body === undefined ? {} : {body}),
      ...(signal === undefined ? {} : {signal}),
    }
    const proxy = this.#proxies.find(url)
    if (proxy !== undefined && url.protocol === 'http:') return this.#forward(proxy, url, {...options, headers: sent})
    const {own, other} =
      proxy !== undefined && this.#tunnelled !== undefined
        ? this.#tunnelled
        : {own: this.#own, other: isGuarded ? this.#guarded : this.#direct}
    return request(url, {...options, headers: sent, dispatcher: url.host === this.#host ? own : other})
  }

  /** Without TLS a proxy is given the whole address and passes the request on. Source: RFC 9112, 3.2.2. */
  async #forward(proxy: WebProxy, url: URL, {headers, ...options}: Forwarded): Promise<Dispatcher.ResponseData> {
    const sent = {...headers, host: url.host, ...authorizationFor(proxy)}
    const path = `${url.origin}${url.pathname}${url.search}`
    let answer: Dispatcher.ResponseData
    try {
      answer = await this.#toProxy.request({...options, headers: sent, origin: proxy.origin, path})
    } catch (error) {
      throw asForwardFailure(proxy, error)
    }
    if (answer.statusCode !== 407) return answer
    await discard(answer)
    throw refusedBy(proxy, {status: 407, host: url.host, asks: header(answer, 'proxy-authenticate')})
  }

  /** A text of the other side's without what a proxy was given. */
  hide(text: string): string {
    return this.#secrets.reduce((hidden, secret) => hidden.replaceAll(secret, '***'), text)
  }

  get #secrets(): readonly string[] {
    return [this.#proxies.http, this.#proxies.https].flatMap((proxy) => proxy?.secrets ?? [])
  }

  async close(): Promise<void> {
    const {own, other} = this.#tunnelled ?? {}
    const agents = [this.#direct, this.#guarded, this.#own, this.#toProxy, own, other]
    await Promise.all(agents.flatMap((agent) => agent?.destroy() ?? []))
  }
}

function tlsOf({ca, ...client}: Certificates) {
  return {...client, ...(ca === undefined ? {} : {ca: [...ca]})}
}

/** The text of a header; undefined when it is not there. */
export function header(answer: Dispatcher.ResponseData, name: string): string | undefined {
  const value = answer.headers[name]
  return Array.isArray(value) ? value.join(', ') : value
}

/** The whole body. Throws `LIMIT_EXCEEDED`. */
export async function bytesOf(answer: HttpAnswer, title: string, limit = MAX_ANSWER_BYTES): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let size = 0
  for await (const chunk of answer.pace.paced(answer.body as AsyncIterable<Uint8Array>)) {
    size += chunk.byteLength
    if (size > limit) {
      throw new InputError('LIMIT_EXCEEDED', {
        what: `${title} is too large.`,
        why: `It is longer than ${limit} bytes.`,
      })
    }
    parts.push(chunk)
  }
  return Buffer.concat(parts)
}

/** Reads the body away, so that the connection can be used again. */
export async function discard(answer: Dispatcher.ResponseData): Promise<void> {
  await answer.body.dump({limit: 64 * 1024}).catch(() => undefined)
}

const RETRIED_CODES = new Set([
  'ECONNRESET',
  'ECONNREFUSED',
  'EPIPE',
  'ETIMEDOUT',
  'EAI_AGAIN',
  'ENETUNREACH',
  'EHOSTUNREACH',
  'UND_ERR_SOCKET',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
])

/** True for a failure of the connection that another attempt may not meet. */
export function isPassing(error: unknown): boolean {
  if (error instanceof ProxyFailure) return error.isPassing
  return RETRIED_CODES.has(findSystemCode(error) ?? '')
}

/** True for answers that another attempt may not get. */
export function isBusy(status: number): boolean {
  return status === 429 || status === 408 || (status >= 500 && status !== 501 && status !== 505)
}

/** Told before a long wait that a host asks for, in milliseconds; what it gives is called when the wait is over. */
export type TellWait = (askedMs: number) => (() => void) | undefined

/** Waits shorter than this are over before anybody wonders. */
const LEAST_TOLD_MS = 1000

/** Tells the first long wait of a host as a step: until it is over, nothing else happens. */
export function waitTeller(host: string, onEvent: WorkOptions['onEvent']): TellWait {
  let isTold = false
  return (askedMs) => {
    if (isTold || askedMs < LEAST_TOLD_MS || onEvent === undefined) return undefined
    isTold = true
    const id = `wait for ${host}`
    const earlier = askedMs > MAX_PAUSE_MS ? `; transship asks again after ${MAX_PAUSE_MS / 1000} s` : ''
    onEvent({kind: 'step', id, title: `${host} asks to wait ${Math.ceil(askedMs / 1000)} s${earlier}`})
    return () => {
      onEvent({kind: 'done', id, summary: 'asking again'})
    }
  }
}

/** Counts attempts and waits between them, longer each time; progress starts the count anew. */
export class Patience {
  #attempts = 0
  readonly #signal: AbortSignal | undefined
  readonly #tellWait: TellWait | undefined
  readonly #pace: Pace | undefined

  constructor(signal: AbortSignal | undefined, tellWait?: TellWait, pace?: Pace) {
    this.#pace = pace
    this.#signal = signal
    this.#tellWait = tellWait
  }

  /** False when it has run out. `retryAfter` is the header of that name. */
  async again(retryAfter?: string): Promise<boolean> {
    this.#attempts++
    if (this.#attempts >= LIMITS.attempts.value) return false
    const asked = askedPauseMs(retryAfter)
    const wait = asked > 0 ? asked : FIRST_PAUSE_MS * 2 ** (this.#attempts - 1)
    const isOver = asked > 0 ? this.#tellWait?.(asked) : undefined
    const pausing = pause(
      Math.min(wait, MAX_PAUSE_MS),
      undefined,
      this.#signal === undefined ? {} : {signal: this.#signal},
    )
    await (this.#pace === undefined ? pausing : this.#pace.wait(pausing))
    isOver?.()
    return true
  }

  progress(): void {
    this.#attempts = 0
  }
}

/** Seconds or a date, as milliseconds from now; NaN for anything else. Source: RFC 9110, 10.2.3. */
function askedPauseMs(retryAfter: string | undefined): number {
  const seconds = Number(retryAfter)
  return Number.isNaN(seconds) ? Date.parse(retryAfter ?? '') - Date.now() : seconds * 1000
}

const SILENCES: Readonly<Record<string, string>> = {
  UND_ERR_BODY_TIMEOUT: `It sent nothing for ${LIMITS.silence.value} s in the middle of an answer.`,
  UND_ERR_HEADERS_TIMEOUT: `It did not begin to answer within ${LIMITS.headSilence.value} s.`,
}

/** What the user is told of a connection that failed: `NETWORK_FAILED`, `TIMED_OUT`. Ours pass unchanged. */
export function asNetworkError(error: unknown, host: string): unknown {
  if (error instanceof ProxyFailure) return error.settled
  // Some of its errors have no code of their own.
  const code = findSystemCode(error) ?? (error instanceof errors.HTTPParserError ? error.name : undefined)
  if (code === undefined || error instanceof TransshipError) return error
  if (isCertificateFault(error)) {
    return new EnvironmentError('NETWORK_FAILED', {
      what: `The certificate of ${host} is not trusted.`,
      why: `TLS reported ${code}.`,
      suggestions: [
        `Put the certificate of its authority into /etc/docker/certs.d/${host}/ca.crt, or pass --certs-dir.`,
        'For tests only, pass --tls-verify=false.',
      ],
      cause: error,
    })
  }
  if (code === 'ABORT_ERR' || code === 'UND_ERR_ABORTED') return error
  const isLate = /TIMEOUT|ETIMEDOUT/.test(code)
  const reason = error instanceof errors.HTTPParserError ? `Its answer breaks HTTP: ${error.message}.` : SILENCES[code]
  return new EnvironmentError(isLate ? 'TIMED_OUT' : 'NETWORK_FAILED', {
    what: `The connection to ${host} failed.`,
    why: reason ?? `The network reported ${code}.`,
    suggestions: ['Check the name and port of the image registry, and the network.'],
    cause: error,
  })
}
