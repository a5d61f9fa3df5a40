import {setTimeout as sleep} from 'node:timers/promises'
import {Queue, type RedisOptions} from 'bullmq'
import {EnvironmentError, findSystemCode, type ErrorDetails, type TransshipError} from '../../model/errors.js'
import type {UnitJobData, UnitJobResult} from './unit-job.js'
import type {QueuePlace} from './redis-url.js'

/** A queue of units; what its jobs carry is checked when they are taken. */
export type UnitQueue = Queue<UnitJobData, UnitJobResult, 'convert'>

/** Before every key of ours; the braces keep all of them in one slot of a cluster. */
export const KEY_PREFIX = '{transship}'

const CONNECT_TIMEOUT_MS = 10_000
const LONGEST_WAIT_MS = 5000
/** A server that is restarted or moved is back by then. */
const GIVE_UP_AFTER_MS = 120_000

/**
 * A connection to a queue. The first is made once: a server that is not there is told at once. One that was there is
 * waited for, two minutes long; then `lost` is aborted with the error to tell.
 */
export class QueueConnection {
  readonly place: QueuePlace
  readonly #lost = new AbortController()
  #isUp = false
  #downSince: number | undefined

  constructor(place: QueuePlace) {
    this.place = place
  }

  /** Aborted when the server is given up. */
  get lost(): AbortSignal {
    return this.#lost.signal
  }

  /** What every client of this queue connects with. */
  get options(): RedisOptions {
    return {
      ...this.place.options,
      connectTimeout: CONNECT_TIMEOUT_MS,
      // Of a client that waits for jobs, BullMQ demands it.
      maxRetriesPerRequest: null,
      retryStrategy: (times) => this.#retryAfter(times),
    }
  }

  /** Opens the queue. Throws `NETWORK_FAILED`, `UNAUTHORIZED`, `TIMED_OUT`. */
  async open(): Promise<UnitQueue> {
    const queue: UnitQueue = new Queue(this.place.name, {connection: this.options, prefix: KEY_PREFIX})
    try {
      await this.watch(queue)
    } catch (error) {
      // BullMQ tells a failed start once more to listeners that closing takes away, which would end the process.
      await Promise.race([
        queue.waitUntilReady().catch(() => undefined),
        sleep(CONNECT_TIMEOUT_MS, undefined, {ref: false}),
      ])
      await queue.close().catch(() => undefined)
      throw error
    }
    this.#isUp = true
    return queue
  }

  /** Waits until a queue, worker or listener is connected, and keeps its later errors from ending the process. */
  async watch(client: {
    on(event: 'error', listener: (error: Error) => void): unknown
    waitUntilReady(): Promise<unknown>
  }): Promise<void> {
    const failed = new Promise<never>((_, reject) => {
      client.on('error', (error) => {
        reject(this.asError(error))
      })
    })
    // After the start nobody waits for it: a client that has lost its server connects again by itself.
    failed.catch(() => undefined)
    try {
      await Promise.race([client.waitUntilReady(), failed])
    } catch (error) {
      throw this.asError(error)
    }
  }

  /** What a client reports as an error of ours, without the password. */
  asError(error: unknown): TransshipError {
    if (error instanceof EnvironmentError) return error
    const at = {reference: this.place.told}
    // The cause is left out: ioredis keeps the command with its arguments in it, and AUTH has the password.
    const said = error instanceof Error ? this.#clean(error.message) : 'unknown'
    const distrust = distrustOf(error)
    if (distrust !== undefined)
      return new EnvironmentError('NETWORK_FAILED', {...distrust, why: `TLS says: ${said}`, at})
    if (/\b(?:WRONGPASS|NOAUTH|NOPERM|AUTH)\b|invalid password/.test(said)) {
      return new EnvironmentError('UNAUTHORIZED', {
        what: 'The server of the queue does not let us in.',
        why: `It says: ${said}`,
        suggestions: ['Give user and password in the URL; a name or password with special characters is %-escaped.'],
        at,
      })
    }
    const isLate = findSystemCode(error) === 'ETIMEDOUT'
    return new EnvironmentError(isLate ? 'TIMED_OUT' : 'NETWORK_FAILED', {
      what: isLate ? 'The server of the queue does not answer.' : 'The server of the queue cannot be used.',
      why: said,
      suggestions: ['Check host, port and scheme (rediss:// for TLS), and that Redis or Valkey runs there.'],
      at,
    })
  }

  #clean(text: string): string {
    const {password} = this.place.options
    return typeof password === 'string' && password !== '' ? text.replaceAll(password, '***') : text
  }

  #retryAfter(times: number): number | null {
    if (!this.#isUp) return null
    if (times === 1) this.#downSince = performance.now()
    if (performance.now() - (this.#downSince ?? 0) > GIVE_UP_AFTER_MS) {
      this.#lost.abort(this.asError(new Error('The connection was lost and did not come back in two minutes.')))
      return null
    }
    return Math.min(times * 200, LONGEST_WAIT_MS)
  }
}

/** What is told of a certificate that one side does not trust; undefined of other errors. */
function distrustOf(error: unknown): Pick<ErrorDetails, 'what' | 'suggestions'> | undefined {
  const code = findSystemCode(error) ?? ''
  if (/ALERT_(?:CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE|BAD_CERTIFICATE)/.test(code)) {
    return {
      what: 'The server of the queue wants a certificate of its clients.',
      suggestions: ['Use one that asks for a password only (tls-auth-clients no), or a TLS proxy such as stunnel.'],
    }
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return {
      what: 'The certificate of the server of the queue is for another name.',
      suggestions: ['Use a host name that stands in the certificate.'],
    }
  }
  if (!/CERT|SELF_SIGNED|UNABLE_TO/.test(code)) return undefined
  return {
    what: 'The certificate of the server of the queue is not trusted.',
    suggestions: [
      'Of a private authority: set the environment variable NODE_EXTRA_CA_CERTS to a file with its certificate (PEM).',
    ],
  }
}
