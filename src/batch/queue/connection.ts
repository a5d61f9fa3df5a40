import {setTimeout as sleep} from 'node:timers/promises'
import {Queue, type RedisOptions} from 'bullmq'
import {EnvironmentError, findSystemCode, type ErrorDetails, type TransshipError} from '../../model/errors.js'
import type {BatchWorkOptions} from '../batch-event.js'
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
/** Who is told to stop does not wait longer for a server that says nothing. */
const ANSWER_TIMEOUT_MS = 3000

/** A client of BullMQ: a queue, a worker, a listener. */
interface QueueClient {
  readonly client: Promise<RawClient>
  on(event: 'error', listener: (error: Error) => void): unknown
  waitUntilReady(): Promise<RawClient>
  close(): Promise<void>
}

type RawClient = Awaited<UnitQueue['client']>

/**
 * A connection to a queue. The first is made once: a server that is not there is told at once. One that was there is
 * waited for, two minutes long; then `lost` is aborted with the error to tell. That it is waited for is told once.
 */
export class QueueConnection {
  readonly place: QueuePlace
  readonly #options: BatchWorkOptions
  readonly #lost = new AbortController()
  readonly #gone = new AbortController()
  readonly #raw = new Set<RawClient>()
  #isUp = false
  #isStopping = false
  #downSince: number | undefined

  /** From when the signal is aborted, a server that is away is no longer waited for. */
  constructor(place: QueuePlace, options: BatchWorkOptions = {}) {
    this.place = place
    this.#options = options
    options.signal?.addEventListener('abort', () => {
      this.stopWaiting()
    })
  }

  /** Aborted when the server is given up. */
  get lost(): AbortSignal {
    return this.#lost.signal
  }

  /** Aborted when the server is away and nobody waits for it any more: what was asked of it fails. */
  get gone(): AbortSignal {
    return this.#gone.signal
  }

  /** The work ends: should the server be away, now or later, it is not waited for. */
  stopWaiting(): void {
    if (this.#isStopping) return
    this.#isStopping = true
    if (this.#downSince !== undefined) this.#leave()
    else void this.#requireAnswer()
  }

  /** A server that was cut off from us is silent, and no connection to it breaks. */
  async #requireAnswer(): Promise<void> {
    const [raw] = this.#raw
    const answered = new AbortController()
    const silence = sleep(ANSWER_TIMEOUT_MS, true, {ref: false, signal: answered.signal}).catch(() => false)
    const isSilent = await Promise.race([
      silence,
      raw?.info().then(
        () => false,
        () => true,
      ) ?? false,
    ])
    answered.abort()
    if (isSilent) this.#leave()
  }

  #leave(): void {
    if (this.#gone.signal.aborted) return
    this.#gone.abort()
    // Workers have turned away by then: they would ask ended clients again and again.
    setImmediate(() => {
      for (const raw of this.#raw) end(raw)
    })
  }

  /** Closes a client; one whose server does not let it go is cut off. */
  async close(client: QueueClient): Promise<void> {
    const isClosed = new AbortController()
    const closed = client.close().catch(() => undefined)
    await Promise.race([closed, sleep(ANSWER_TIMEOUT_MS, undefined, {signal: isClosed.signal}).catch(() => undefined)])
    isClosed.abort()
    for (const promise of [client.client, client.waitUntilReady()]) {
      promise.then(
        (raw) => {
          if (raw.status !== 'end') end(raw)
        },
        () => undefined,
      )
    }
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
  async watch(client: Omit<QueueClient, 'close'>): Promise<void> {
    const failed = new Promise<never>((_, reject) => {
      client.on('error', (error) => {
        reject(this.asError(error))
      })
    })
    // After the start nobody waits for it: a client that has lost its server connects again by itself.
    failed.catch(() => undefined)
    try {
      for (const raw of await Promise.race([Promise.all([client.client, client.waitUntilReady()]), failed])) {
        if (this.#raw.has(raw)) continue
        this.#raw.add(raw)
        raw.on('ready', () => {
          this.#onBack()
        })
      }
    } catch (error) {
      throw this.asError(error)
    }
  }

  /** Turns a client error into one of ours, without the password. */
  asError(error: unknown): TransshipError {
    if (error instanceof EnvironmentError) return error
    const at = {reference: this.place.told}
    // The cause is left out: ioredis keeps the command with its arguments in it, and AUTH has the password.
    const said = error instanceof Error ? this.#clean(error.message) : 'unknown'
    const distrust = distrustOf(error)
    if (distrust !== undefined)
      return new EnvironmentError('NETWORK_FAILED', {...distrust, why: `TLS reported: ${said}`, at})
    if (/\b(?:WRONGPASS|NOAUTH|NOPERM|AUTH)\b|invalid password/.test(said)) {
      return new EnvironmentError('UNAUTHORIZED', {
        what: 'The queue server refused to let transship in.',
        why: `It answered: ${said}`,
        suggestions: ['Put user and password into the URL, with special characters %-escaped.'],
        at,
      })
    }
    const isLate = findSystemCode(error) === 'ETIMEDOUT'
    return new EnvironmentError(isLate ? 'TIMED_OUT' : 'NETWORK_FAILED', {
      what: isLate ? 'The queue server does not answer.' : 'transship cannot use the queue server.',
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
    if (this.#isStopping) {
      this.#leave()
      return null
    }
    if (this.#downSince === undefined) {
      this.#downSince = performance.now()
      this.#tell('away', `The queue server (${this.place.told}) does not answer. transship waits up to two minutes.`)
    }
    if (performance.now() - this.#downSince > GIVE_UP_AFTER_MS) {
      this.#lost.abort(this.asError(new Error('The connection was lost and did not come back within two minutes.')))
      this.#leave()
      return null
    }
    return Math.min(times * 200, LONGEST_WAIT_MS)
  }

  #onBack(): void {
    if (this.#downSince === undefined) return
    this.#downSince = undefined
    this.#tell('back', `The queue server (${this.place.told}) is back.`)
  }

  #tell(state: 'away' | 'back', title: string): void {
    this.#options.onEvent?.({kind: 'queue', state, title})
  }
}

/** Ends a client, so that what it was asked for fails. */
function end(raw: RawClient): void {
  // One that waits for its next try does not end by itself, and would keep what it was asked for ever after.
  if (raw.status === 'reconnecting' || raw.status === 'end') raw.connect().catch(() => undefined)
  raw.disconnect()
}

/** The message about a certificate that one side does not trust; undefined for other errors. */
function distrustOf(error: unknown): Pick<ErrorDetails, 'what' | 'suggestions'> | undefined {
  const code = findSystemCode(error) ?? ''
  if (/ALERT_(?:CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE|BAD_CERTIFICATE)/.test(code)) {
    return {
      what: 'The queue server requires client certificates.',
      suggestions: [
        'Use a server that asks only for a password (tls-auth-clients no), or a TLS proxy such as stunnel.',
      ],
    }
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return {
      what: 'The certificate of the queue server is for another name.',
      suggestions: ['Use a host name from the certificate.'],
    }
  }
  if (!/CERT|SELF_SIGNED|UNABLE_TO/.test(code)) return undefined
  return {
    what: 'The certificate of the queue server is not trusted.',
    suggestions: [
      'For a private authority, set the environment variable NODE_EXTRA_CA_CERTS to a file with its certificate (PEM).',
    ],
  }
}
