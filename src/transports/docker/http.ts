import {setTimeout as pause} from 'node:timers/promises'
import {Agent, request, type Dispatcher} from 'undici'
import {EnvironmentError, findSystemCode, InputError, TransshipError} from '../../model/errors.js'
import type {Certificates} from './certificates.js'

export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly url: URL
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Uint8Array | string | undefined
  readonly signal?: AbortSignal | undefined
}

export type HttpAnswer = Dispatcher.ResponseData

/** Longest answer that is taken into memory, but for manifests, which have a limit of their own. */
const MAX_ANSWER_BYTES = 20 * 2 ** 20
const MAX_ATTEMPTS = 6
const FIRST_PAUSE_MS = 200
/** A registry that says when to come back is believed up to this. */
const MAX_PAUSE_MS = 60_000

export interface TlsOptions {
  readonly tlsVerify: boolean
  readonly certificates: Certificates
}

/** HTTP with connections kept and certificates checked, unless the user says otherwise. Redirects are the caller's. */
export class Http {
  readonly #agent: Agent
  /** With the registry's own certificates, which no other host is shown. */
  readonly #own: Agent
  readonly #host: string

  /** `host` is the registry's, with its port where that is not the usual one. */
  constructor(host: string, {tlsVerify, certificates}: TlsOptions) {
    const timeouts = {headersTimeout: 120_000, bodyTimeout: 60_000}
    const connect = {rejectUnauthorized: tlsVerify, timeout: 20_000}
    const {ca, ...client} = certificates
    this.#host = host
    this.#agent = new Agent({...timeouts, connect})
    this.#own = new Agent({
      ...timeouts,
      connect: {...connect, ...client, ...(ca === undefined ? {} : {ca: [...ca]})},
    })
  }

  /** One exchange; the body of the answer must be read or dumped. Throws what the connection throws. */
  send({method, url, headers, body, signal}: HttpRequest): Promise<HttpAnswer> {
    return request(url, {
      method,
      dispatcher: url.host === this.#host ? this.#own : this.#agent,
      headers: {'user-agent': 'transship', ...headers},
      ...(body === undefined ? {} : {body}),
      ...(signal === undefined ? {} : {signal}),
    })
  }

  async close(): Promise<void> {
    await Promise.all([this.#agent.destroy(), this.#own.destroy()])
  }
}

/** The text of a header; undefined when it is not there. */
export function header(answer: HttpAnswer, name: string): string | undefined {
  const value = answer.headers[name]
  return Array.isArray(value) ? value.join(', ') : value
}

/** The whole body. Throws `LIMIT_EXCEEDED`. */
export async function bytesOf(answer: HttpAnswer, title: string, limit = MAX_ANSWER_BYTES): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let size = 0
  for await (const chunk of answer.body as AsyncIterable<Uint8Array>) {
    size += chunk.byteLength
    if (size > limit) {
      throw new InputError('LIMIT_EXCEEDED', {
        what: `${title} is too large.`,
        why: `It passes ${limit} bytes.`,
      })
    }
    parts.push(chunk)
  }
  return Buffer.concat(parts)
}

/** Reads the body away, so that the connection can be used again. */
export async function discard(answer: HttpAnswer): Promise<void> {
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
  return RETRIED_CODES.has(findSystemCode(error) ?? '')
}

/** True for answers that another attempt may not get. */
export function isBusy(status: number): boolean {
  return status === 429 || status === 408 || (status >= 500 && status !== 501 && status !== 505)
}

/** Counts attempts and waits between them, longer each time; progress starts the count anew. */
export class Patience {
  #attempts = 0
  readonly #signal: AbortSignal | undefined

  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal
  }

  /** False when it has run out. `retryAfter` is the header of that name. */
  async again(retryAfter?: string): Promise<boolean> {
    this.#attempts++
    if (this.#attempts >= MAX_ATTEMPTS) return false
    const asked = askedPauseMs(retryAfter)
    const wait = asked > 0 ? asked : FIRST_PAUSE_MS * 2 ** (this.#attempts - 1)
    await pause(Math.min(wait, MAX_PAUSE_MS), undefined, this.#signal === undefined ? {} : {signal: this.#signal})
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

const CERTIFICATE = /CERT|SELF_SIGNED|UNABLE_TO|ALTNAME|ERR_TLS/

/** True when the other side's certificate is what is wrong. */
export function isCertificateFault(error: unknown): boolean {
  return CERTIFICATE.test(findSystemCode(error) ?? '')
}

/** What the user is told of a connection that failed: `NETWORK_FAILED`, `TIMED_OUT`. Ours pass unchanged. */
export function asNetworkError(error: unknown, host: string): unknown {
  const code = findSystemCode(error)
  if (code === undefined || error instanceof TransshipError) return error
  if (isCertificateFault(error)) {
    return new EnvironmentError('NETWORK_FAILED', {
      what: `The certificate of ${host} is not trusted.`,
      why: `TLS says ${code}.`,
      suggestions: [
        `Put the certificate of its authority into /etc/docker/certs.d/${host}/ca.crt, or give --certs-dir.`,
        'For a test only: --tls-verify=false.',
      ],
      cause: error,
    })
  }
  if (code === 'ABORT_ERR' || code === 'UND_ERR_ABORTED') return error
  const isLate = /TIMEOUT|ETIMEDOUT/.test(code)
  return new EnvironmentError(isLate ? 'TIMED_OUT' : 'NETWORK_FAILED', {
    what: `The connection to ${host} failed.`,
    why: `The network says ${code}.`,
    suggestions: ['Check the name and the port of the registry, and the network.'],
    cause: error,
  })
}
