import type {ClientRequest, IncomingMessage} from 'node:http'

/** An answer as it came: several JSON documents, one a line, are one answer here. */
export interface UploadAnswer {
  readonly status: number
  readonly text: string
}

interface UploadOptions {
  readonly signal: AbortSignal | undefined
  readonly read: (response: IncomingMessage) => Promise<string>
  /** What a failure of the connection becomes. */
  readonly failure: (error: unknown) => Error
}

/** How long an answer is still waited for after an interrupt, once everything has been sent: the engine goes on then. */
const GRACE_MS = 10_000

/** What a writer waits for: room, an early answer, or the end of the connection. */
const WAKING = ['drain', 'response', 'close'] as const

/**
 * A body on its way to an engine, as fast as the engine reads it. An engine that has had enough answers before the end:
 * what is written after that is dropped, and `finish` tells what it said.
 */
export class EngineUpload {
  readonly #request: ClientRequest
  readonly #options: UploadOptions
  readonly #settled: Promise<UploadAnswer>
  #isAnswered = false
  #isEnded = false

  constructor(request: ClientRequest, options: UploadOptions) {
    this.#request = request
    this.#options = options
    const {signal, read, failure} = options
    const onAbort = () => {
      // Past the end of the body the engine works on whether or not somebody listens: `finish` waits a little then.
      if (!this.#isEnded) request.destroy(new Error('interrupted'))
    }
    signal?.addEventListener('abort', onAbort, {once: true})
    this.#settled = new Promise<UploadAnswer>((resolve, reject) => {
      request.once('response', (response) => {
        this.#isAnswered = true
        read(response).then((text) => {
          resolve({status: response.statusCode ?? 0, text})
        }, reject)
      })
      // Stays attached: a connection may fail more than once, and after its answer, which is the better story.
      request.on('error', (error) => {
        if (!this.#isAnswered) reject(error)
      })
    })
      .catch((error: unknown) => {
        throw failure(error)
      })
      .finally(() => {
        signal?.removeEventListener('abort', onAbort)
        request.destroy()
      })
    // Whoever writes meets the failure too; nobody may be waiting for the answer yet.
    this.#settled.catch(() => undefined)
  }

  /** Takes a chunk; settles when the engine can take another. */
  async write(chunk: Uint8Array): Promise<void> {
    this.#options.signal?.throwIfAborted()
    if (this.#isAnswered) return
    if (!this.#request.destroyed && this.#request.write(chunk)) return
    await new Promise<void>((resolve) => {
      const wake = () => {
        for (const event of WAKING) this.#request.off(event, wake)
        resolve()
      }
      for (const event of WAKING) this.#request.on(event, wake)
      if (this.#request.destroyed) wake()
    })
    if (this.#request.destroyed) await this.#settled
  }

  /** Ends the body and gives the engine's answer, of whatever status. Throws what the connection throws. */
  async finish(): Promise<UploadAnswer> {
    const {signal} = this.#options
    this.#isEnded = true
    this.#request.end()
    let timer: NodeJS.Timeout | undefined
    const listening = new AbortController()
    const late = new Promise<never>((_, reject) => {
      const begin = () => {
        timer = setTimeout(() => {
          reject(this.#options.failure(new Error(`The engine did not answer within ${GRACE_MS / 1000} s.`)))
        }, GRACE_MS)
      }
      if (signal?.aborted === true) begin()
      else signal?.addEventListener('abort', begin, {once: true, signal: listening.signal})
    })
    try {
      return await Promise.race([this.#settled, late])
    } finally {
      clearTimeout(timer)
      listening.abort()
    }
  }

  /** Breaks the connection: the engine drops what it has of a body that did not end. */
  abort(): void {
    this.#request.destroy(new Error('aborted'))
  }
}
