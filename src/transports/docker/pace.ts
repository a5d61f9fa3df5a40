import {EnvironmentError} from '../../model/errors.js'
import {LIMITS} from '../../model/limits.js'
import {formatBytes, formatSeconds} from '../../model/quantities.js'

/** How slow a registry may be. */
export interface PaceOptions {
  /** Over `WINDOW_MS` of waiting; 0 = any. */
  readonly leastBytesPerSecond?: number | undefined
  /** Of waiting, for one request or download in all. */
  readonly maxRequestSeconds?: number | undefined
}

/** The rate is looked at when so long has been waited, so that a short break on the way does no harm. */
const WINDOW_MS = 30_000

/**
 * Measures how long one request or download has waited for the other side, new attempts included: what the own side takes
 * for what it got does not count. Each chunk alone may come in time and the whole never end.
 */
export class Pace {
  readonly #host: string
  readonly #leastRate: number
  readonly #maxMs: number
  #waitedMs = 0
  #windowMs = 0
  #windowBytes = 0

  constructor(host: string, {leastBytesPerSecond, maxRequestSeconds}: PaceOptions) {
    this.#host = host
    this.#leastRate = leastBytesPerSecond ?? LIMITS.leastRate.value
    this.#maxMs = (maxRequestSeconds ?? LIMITS.requestTime.value) * 1000
  }

  /** Milliseconds that may still be waited. */
  get leftMs(): number {
    return Math.max(0, this.#maxMs - this.#waitedMs)
  }

  /** Waits for something of the other side that has no rate: a connection, the head of an answer, a pause. */
  async wait<T>(waiting: Promise<T>): Promise<T> {
    const begin = performance.now()
    try {
      return await this.#withinTime(waiting)
    } finally {
      this.#waitedMs += performance.now() - begin
    }
  }

  /** Passes the chunks of a body on. Throws `TIMED_OUT` for one that comes too slowly, or takes too long in all. */
  async *paced(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    const iterator = body[Symbol.asyncIterator]()
    let isOver = false
    try {
      for (;;) {
        const begin = performance.now()
        let next: IteratorResult<Uint8Array>
        try {
          next = await this.#withinTime(iterator.next())
        } finally {
          const waited = performance.now() - begin
          this.#waitedMs += waited
          this.#windowMs += waited
        }
        if (next.done === true) {
          isOver = true
          return
        }
        this.#requireRate(next.value.byteLength)
        yield next.value
      }
    } finally {
      if (!isOver) void iterator.return?.().catch(() => undefined)
    }
  }

  #requireRate(bytes: number): void {
    this.#windowBytes += bytes
    if (this.#windowMs < WINDOW_MS) return
    const rate = this.#windowBytes / (this.#windowMs / 1000)
    this.#windowMs = 0
    this.#windowBytes = 0
    if (rate >= this.#leastRate) return
    throw new EnvironmentError('TIMED_OUT', {
      what: `${this.#host} sends too slowly: ${formatBytes(rate)} a second.`,
      why: `The least rate is ${formatBytes(this.#leastRate)} a second, over ${formatSeconds(WINDOW_MS / 1000)} of waiting.`,
      suggestions: ['Try again later.', 'Allow less with --least-rate SIZE; 0 allows any.'],
    })
  }

  async #withinTime<T>(waiting: Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      // Longer than this, timers of Node would end at once.
      timer = setTimeout(
        () => {
          reject(this.#tooLong())
        },
        Math.min(this.leftMs, 2 ** 31 - 1),
      )
      timer.unref()
    })
    try {
      return await Promise.race([waiting, late])
    } finally {
      clearTimeout(timer)
    }
  }

  #tooLong(): EnvironmentError {
    return new EnvironmentError('TIMED_OUT', {
      what: `${this.#host} takes too long.`,
      why: `One request or download was waited for ${formatSeconds(this.#maxMs / 1000)} in all, the most that is allowed.`,
      suggestions: ['Try again later.', 'Allow more with --max-request-time SECONDS.'],
    })
  }
}
