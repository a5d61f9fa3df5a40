import {request as requestHttp, type IncomingMessage, type RequestOptions} from 'node:http'
import {request as requestHttps} from 'node:https'
import {EnvironmentError, InputError} from '../../model/errors.js'
import {asConnectionError} from '../connection-error.js'
import {formatEngineEndpoint, type EngineEndpoint} from './endpoint.js'

/** Longest answer taken into memory: a list of 10,000 containers with long labels stays below it. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024

export interface EngineAnswer {
  readonly status: number
  /** Parsed JSON; undefined for an empty body. */
  readonly body: unknown
}

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
  async request(method: 'GET' | 'POST', path: string, signal: AbortSignal): Promise<EngineAnswer> {
    const where = {name: this.name, endpoint: formatEngineEndpoint(this.endpoint)}
    try {
      const response = await this.#send(method, path, signal)
      const text = await this.#read(response)
      return {status: response.statusCode ?? 0, body: this.#parse(text, response.statusCode ?? 0)}
    } catch (error) {
      throw asConnectionError(error, where, signal)
    }
  }

  /** Body of an answer that must be a success; the engine's own words become the error otherwise. */
  async get(path: string, signal: AbortSignal): Promise<unknown> {
    const {status, body} = await this.request('GET', path, signal)
    if (status !== 200) throw this.refusal(status, body, `GET ${path}`)
    return body
  }

  /** Error for a status that means failure: `NOT_FOUND`, `NO_ACCESS`, else `ENGINE_UNAVAILABLE`. */
  refusal(status: number, body: unknown, request: string): EnvironmentError | InputError {
    const message = messageOf(body)
    const details = {
      what: `${this.name} refused '${request}'.`,
      why: `It answered ${status}${message === undefined ? '' : `: ${message}`}.`,
      at: {reference: formatEngineEndpoint(this.endpoint)},
    }
    if (status === 404) return new InputError('NOT_FOUND', details)
    if (status === 401 || status === 403) return new EnvironmentError('NO_ACCESS', details)
    return new EnvironmentError('ENGINE_UNAVAILABLE', details)
  }

  #send(method: string, path: string, signal: AbortSignal): Promise<IncomingMessage> {
    const endpoint = this.endpoint
    const common: RequestOptions = {method, path, signal, agent: false, headers: {Host: 'localhost', Accept: '*/*'}}
    return new Promise((resolve, reject) => {
      const request =
        endpoint.kind === 'socket'
          ? requestHttp({...common, socketPath: endpoint.path})
          : endpoint.tls === undefined
            ? requestHttp({...common, host: endpoint.host, port: endpoint.port})
            : requestHttps({...common, host: endpoint.host, port: endpoint.port, ...endpoint.tls})
      request.once('response', resolve)
      request.once('error', reject)
      request.end()
    })
  }

  async #read(response: IncomingMessage): Promise<string> {
    const parts: Uint8Array[] = []
    let size = 0
    for await (const chunk of response as AsyncIterable<Uint8Array>) {
      size += chunk.byteLength
      if (size > MAX_ANSWER_BYTES) {
        throw new InputError('LIMIT_EXCEEDED', {
          what: `The answer of ${this.name} is too long.`,
          why: `It passes ${MAX_ANSWER_BYTES} bytes.`,
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
        what: `${this.name} answered something that is not JSON.`,
        why: `It begins with '${text.slice(0, 80)}'.`,
        cause,
      })
    }
  }
}

function messageOf(body: unknown): string | undefined {
  if (typeof body !== 'object' || body === null || !('message' in body)) return undefined
  return typeof body.message === 'string' ? body.message.slice(0, 1000) : undefined
}
