import {request as requestHttp, type ClientRequest, type IncomingMessage, type OutgoingHttpHeaders} from 'node:http'
import {request as requestHttps} from 'node:https'
import {hidePasswords} from '../model/hidden-password.js'
import {traceExchange} from '../model/trace.js'
import {EnvironmentError, InputError} from '../model/errors.js'
import {asConnectionError} from './connection-error.js'
import {formatEngineEndpoint, type EngineEndpoint} from './endpoint.js'
import {EngineUpload} from './engine-upload.js'

/** Longest answer taken into memory: a list of 10,000 containers with long labels stays below it. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024

export interface EngineAnswer {
  readonly status: number
  /** Parsed JSON; undefined for an empty body. */
  readonly body: unknown
}

type Method = 'GET' | 'POST' | 'DELETE'

/** Speaks HTTP to an engine and parses its JSON. One connection a request: none is left open behind. */
export class EngineClient {
  readonly endpoint: EngineEndpoint
  readonly name: string

  constructor(endpoint: EngineEndpoint, name: string) {
    this.endpoint = endpoint
    this.name = name
  }

  /**
   * Answer of whatever status. Throws `ENGINE_UNAVAILABLE`, `NO_ACCESS`, `TIMED_OUT`, and `LIMIT_EXCEEDED` or
   * `MANIFEST_INVALID` for an answer that is no JSON of an engine.
   */
  async request(method: Method, path: string, signal?: AbortSignal): Promise<EngineAnswer> {
    try {
      const response = await this.#send(method, path, signal)
      return await this.#answer(response)
    } catch (error) {
      throw asConnectionError(error, this.#where, signal)
    }
  }

  /** Body of an answer that must be a success; the engine's own words become the error otherwise. */
  async get(path: string, signal?: AbortSignal): Promise<unknown> {
    const {status, body} = await this.request('GET', path, signal)
    if (status !== 200) throw this.refusal(status, body, `GET ${path}`)
    return body
  }

  /**
   * The body of a successful answer as it comes, of any length. Throws as `get` does, and `NETWORK_FAILED` when the
   * engine ends the connection before the body.
   */
  async *stream(path: string, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    let response: IncomingMessage
    try {
      response = await this.#send('GET', path, signal)
      if (response.statusCode !== 200) {
        const {status, body} = await this.#answer(response)
        throw this.refusal(status, body, `GET ${path}`)
      }
    } catch (error) {
      throw asConnectionError(error, this.#where, signal)
    }
    try {
      for await (const chunk of response as AsyncIterable<Uint8Array>) yield chunk
    } catch (error) {
      if (signal?.aborted === true) throw asConnectionError(error, this.#where, signal)
      throw new EnvironmentError('NETWORK_FAILED', {
        what: `${this.name} broke off its answer to 'GET ${path}'.`,
        why: error instanceof Error ? error.message : String(error),
        suggestions: ["Check the engine's log for an error, or whether it was stopped."],
        at: {reference: this.#where.endpoint},
        cause: error,
      })
    } finally {
      response.destroy()
    }
  }

  /** Begins to send a body whose length is not known; the answer comes when it has been sent. */
  upload(path: string, type: string, signal?: AbortSignal): EngineUpload {
    const request = this.#begin('POST', path, {'Content-Type': type})
    return new EngineUpload(request, {
      signal,
      read: (response) => this.#read(response),
      failure: (error) => asConnectionError(error, this.#where, signal),
    })
  }

  /** Error for a status that means failure: `NOT_FOUND`, `NO_ACCESS`, else `ENGINE_UNAVAILABLE`. */
  refusal(status: number, body: unknown, request: string): EnvironmentError | InputError {
    const message = messageOf(body)
    const details = {
      what: `${this.name} refused '${request}'.`,
      why: `It answered ${status}${message === undefined ? '' : `: ${message}`}.`,
      at: {reference: this.#where.endpoint},
    }
    if (status === 404) return new InputError('NOT_FOUND', details)
    if (status === 401 || status === 403) return new EnvironmentError('NO_ACCESS', details)
    return new EnvironmentError('ENGINE_UNAVAILABLE', details)
  }

  get #where(): {readonly name: string; readonly endpoint: string} {
    return {name: this.name, endpoint: formatEngineEndpoint(this.endpoint)}
  }

  #begin(method: Method, path: string, headers: OutgoingHttpHeaders = {}, signal?: AbortSignal): ClientRequest {
    const endpoint = this.endpoint
    const common = {
      method,
      path,
      agent: false,
      headers: {Accept: '*/*', ...headers},
      ...(signal === undefined ? {} : {signal}),
    }
    // Only a socket has no name of its own; where there is one, the engine's certificate is held against it.
    if (endpoint.kind === 'socket') {
      return requestHttp({...common, headers: {...common.headers, Host: 'localhost'}, socketPath: endpoint.path})
    }
    const {host, port, tls} = endpoint
    return tls === undefined ? requestHttp({...common, host, port}) : requestHttps({...common, host, port, ...tls})
  }

  #send(method: Method, path: string, signal?: AbortSignal): Promise<IncomingMessage> {
    const exchange = () =>
      new Promise<IncomingMessage>((resolve, reject) => {
        const request = this.#begin(method, path, {}, signal)
        request.once('response', resolve)
        request.once('error', reject)
        request.end()
      })
    const where = hidePasswords(formatEngineEndpoint(this.endpoint))
    return traceExchange(
      () => `${method} ${path} of ${this.name} at ${where}`,
      exchange,
      ({statusCode}) => String(statusCode),
    )
  }

  async #answer(response: IncomingMessage): Promise<EngineAnswer> {
    const text = await this.#read(response)
    return {status: response.statusCode ?? 0, body: this.#parse(text, response.statusCode ?? 0)}
  }

  async #read(response: IncomingMessage): Promise<string> {
    const parts: Uint8Array[] = []
    let size = 0
    for await (const chunk of response as AsyncIterable<Uint8Array>) {
      size += chunk.byteLength
      if (size > MAX_ANSWER_BYTES) {
        throw new InputError('LIMIT_EXCEEDED', {
          what: `The answer of ${this.name} is too long.`,
          why: `It is longer than ${MAX_ANSWER_BYTES} bytes.`,
        })
      }
      parts.push(chunk)
    }
    return Buffer.concat(parts).toString('utf8')
  }

  #parse(text: string, status: number): unknown {
    if (text.trim() === '') return undefined
    try {
      return JSON.parse(text)
    } catch (cause) {
      // A proxy in between answers in HTML: its status tells more than its page.
      if (status >= 400) return undefined
      throw new InputError('MANIFEST_INVALID', {
        what: `${this.name} sent an answer that is not JSON.`,
        why: `It begins with '${text.slice(0, 80)}'.`,
        cause,
      })
    }
  }
}

/** The engine's own words in an answer that means failure: Docker's `message`, old Podman's `cause` behind it. */
export function messageOf(body: unknown): string | undefined {
  if (typeof body !== 'object' || body === null || !('message' in body)) return undefined
  return typeof body.message === 'string' ? body.message.slice(0, 1000) : undefined
}
