import {EnvironmentError} from '../../model/errors.js'
import type {Digest} from '../../model/digest.js'
import type {WorkOptions} from '../../model/events.js'
import {hasBlob} from './download.js'
import {asNetworkError, discard, header, isBusy, isPassing, Patience, type HttpAnswer} from './http.js'
import type {Answered, Registry} from './registry.js'

/** Sent at a time: what is held in memory so that it can be sent again, while the next is read. */
const CHUNK_BYTES = 8 * 2 ** 20
/** A registry that wants longer chunks gets them up to this. */
const MAX_CHUNK_BYTES = 64 * 2 ** 20

/** A registry that does not answer is not asked longer to forget an upload. */
const CANCEL_MS = 5000

/**
 * Uploads a blob whose digest is known at its end: in chunks, one after the other, each of which can be sent again.
 * Source: distribution-spec, "Pushing a blob in chunks".
 */
export class Upload {
  readonly #registry: Registry
  readonly #scopes: readonly string[]
  readonly #signal: AbortSignal | undefined
  #location: URL | undefined
  #chunkBytes = CHUNK_BYTES
  /** Bytes that the registry has. */
  #done = 0

  constructor(registry: Registry, {signal}: WorkOptions) {
    this.#registry = registry
    this.#scopes = [registry.pushScope]
    this.#signal = signal
  }

  /** Bytes sent. Throws `UNAUTHORIZED`, `NETWORK_FAILED`, `TIMED_OUT`; the body's own errors pass. */
  async send(body: AsyncIterable<Uint8Array>, digest: () => Digest): Promise<number> {
    await this.#begin()
    let sending: Promise<void> | undefined
    try {
      // What has been sent and answered is not needed again, so two take turns: one is filled while the other is on its way.
      let held = Buffer.allocUnsafeSlow(this.#chunkBytes)
      let spare: typeof held | undefined
      let length = 0
      for await (const chunk of body) {
        this.#signal?.throwIfAborted()
        for (let at = 0; at < chunk.byteLength;) {
          if (length === held.byteLength) {
            await sending
            sending = this.#patch(held)
            // Thrown where it is awaited.
            sending.catch(() => undefined)
            if (this.#chunkBytes > CHUNK_BYTES) await sending
            else [held, spare] = [spare ?? Buffer.allocUnsafeSlow(held.byteLength), held]
            length = 0
          }
          const piece = chunk.subarray(at, at + held.byteLength - length)
          held.set(piece, length)
          length += piece.byteLength
          at += piece.byteLength
        }
      }
      await sending
      await this.#finish(held.subarray(0, length), digest())
      return this.#done
    } catch (error) {
      await sending?.catch(() => undefined)
      await this.#cancel()
      throw error
    }
  }

  async #begin(): Promise<void> {
    const answered = await this.#registry.exchangeAt({
      method: 'POST',
      url: this.#registry.path('blobs/uploads/'),
      what: 'an upload',
      scopes: this.#scopes,
      takes: [202],
      headers: {'content-length': '0'},
      signal: this.#signal,
    })
    const least = Number(header(answered.answer, 'oci-chunk-min-length'))
    if (least > this.#chunkBytes) this.#chunkBytes = Math.min(least, MAX_CHUNK_BYTES)
    await this.#follow(answered)
  }

  /** Each answer says where the next chunk goes, as seen from where it came from. Source: RFC 9110, 10.2.2. */
  async #follow({answer, url}: Answered): Promise<void> {
    const location = header(answer, 'location')
    await discard(answer)
    const next = location === undefined || location === '' ? null : URL.parse(location, url.href)
    if (next === null) return
    const isBare = this.#registry.origin.startsWith('https:') && next.protocol !== 'https:'
    if (isBare && next.hostname !== new URL(this.#registry.origin).hostname) throw this.#unsafe()
    // A registry behind a proxy that ends TLS may not know of it.
    this.#location = isBare ? new URL(`${next.pathname}${next.search}`, this.#registry.origin) : next
  }

  async #patch(chunk: Uint8Array): Promise<void> {
    const end = this.#done + chunk.byteLength
    await this.#persist(chunk, end, async (rest) => {
      const answered = await this.#exchange('PATCH', this.#where(), [202, 201, 204], {
        body: rest,
        headers: {
          'content-type': 'application/octet-stream',
          'content-range': `${this.#done}-${end - 1}`,
        },
      })
      await this.#follow(answered)
    })
    this.#done = end
  }

  async #finish(chunk: Uint8Array, digest: Digest): Promise<void> {
    const end = this.#done + chunk.byteLength
    // What is held goes first: a closing request that broke off could not be told from one that was carried out.
    if (this.#done > 0 && chunk.byteLength > 0) {
      await this.#patch(chunk)
      chunk = chunk.subarray(0, 0)
    }
    try {
      await this.#persist(chunk, end, async (rest) => {
        const {answer} = await this.#exchange('PUT', withDigest(this.#where(), digest), [201, 204, 202], {
          body: rest,
          headers: {'content-type': 'application/octet-stream'},
        })
        await discard(answer)
      })
    } catch (error) {
      // An upload that is gone may have ended well, and only the word of it been lost.
      if (!(error instanceof UploadLost) || !(await this.#isThere(digest, end))) throw error
    }
    this.#done = end
  }

  #isThere(digest: Digest, size: number): Promise<boolean> {
    const signal = this.#signal === undefined ? {} : {signal: this.#signal}
    return hasBlob(this.#registry, {digest, size, mediaType: ''}, this.#registry.pushScope, signal)
  }

  /** Sends, and where the connection breaks, asks how far it came and sends the rest. */
  async #persist(chunk: Uint8Array, end: number, send: (rest: Uint8Array) => Promise<void>): Promise<void> {
    const patience = new Patience(this.#signal, this.#registry.tellWait)
    const start = end - chunk.byteLength
    for (;;) {
      try {
        await send(chunk.subarray(this.#done - start))
        return
      } catch (error) {
        if (this.#signal?.aborted === true) throw error
        const status = error instanceof Busy ? error.status : undefined
        const isRetried = status === undefined ? isPassing(error) : isBusy(status) || status === 416
        const retryAfter = error instanceof Busy ? error.retryAfter : undefined
        if (!isRetried || !(await patience.again(retryAfter))) throw this.#explained(error)
      }
      const reached = await this.#reached()
      if (reached === undefined) continue
      if (reached < start || reached > end) throw this.#lost(reached)
      if (reached > this.#done) patience.progress()
      this.#done = reached
    }
  }

  /** How many bytes the registry has, of a new upload where it cannot be told; undefined when it does not say. */
  async #reached(): Promise<number | undefined> {
    const answered = await this.#registry.exchangeAt({
      method: 'GET',
      url: this.#where(),
      what: 'the state of an upload',
      scopes: this.#scopes,
      takes: [204, 202, 200, 404],
      signal: this.#signal,
    })
    if (answered.answer.statusCode === 404) {
      await discard(answered.answer)
      throw this.#lost(0)
    }
    const end = /^(?:bytes=)?0-(\d+)$/.exec(header(answered.answer, 'range') ?? '')?.[1]
    await this.#follow(answered)
    if (end === undefined) return undefined
    if (end !== '0') return Number(end) + 1
    // Of an empty upload registries say 0-0, as of one with a single byte: a new one is empty for certain.
    await this.#cancel()
    await this.#begin()
    return 0
  }

  async #exchange(
    method: 'PATCH' | 'PUT',
    url: URL,
    takes: readonly number[],
    {body, headers}: {readonly body: Uint8Array; readonly headers: Readonly<Record<string, string>>},
  ): Promise<Answered> {
    const answered = await this.#registry.exchangeAt({
      method,
      url,
      what: 'an upload',
      scopes: this.#scopes,
      takes: [...takes, 408, 416, 429, 500, 502, 503, 504],
      headers: {...headers, 'content-length': String(body.byteLength)},
      body,
      signal: this.#signal,
      mayRepeat: false,
    })
    const {answer} = answered
    if (takes.includes(answer.statusCode)) return answered
    await discard(answer)
    throw new Busy(answer, this.#registry.place.host)
  }

  #where(): URL {
    if (this.#location !== undefined) return this.#location
    throw new EnvironmentError('NETWORK_FAILED', {
      what: `${this.#registry.place.host} does not say where to send an upload.`,
      why: 'Its answer has no Location header.',
    })
  }

  #unsafe(): EnvironmentError {
    return new EnvironmentError('NETWORK_FAILED', {
      what: `${this.#registry.place.host} sends uploads to another host without TLS.`,
      why: 'Anyone on the network could read and change them.',
    })
  }

  #lost(reached: number): UploadLost {
    return new UploadLost('NETWORK_FAILED', {
      what: `${this.#registry.place.host} lost an upload in progress.`,
      why: `It has ${reached} bytes of it; it had ${this.#done} before.`,
      suggestions: ['Try again. Complete layers are not sent again.'],
    })
  }

  #explained(error: unknown): unknown {
    return asNetworkError(error, this.#registry.place.host)
  }

  /** A courtesy; a registry that forgets it cleans up by itself. */
  async #cancel(): Promise<void> {
    if (this.#location === undefined || this.#signal?.aborted === true) return
    const limit = AbortSignal.timeout(CANCEL_MS)
    const signal = this.#signal === undefined ? limit : AbortSignal.any([limit, this.#signal])
    try {
      const takes = [200, 202, 204, 404, 405]
      const scopes = this.#scopes
      const what = 'the end of an upload'
      const url = this.#location
      await discard(
        await this.#registry.exchange({method: 'DELETE', url, what, scopes, takes, mayRepeat: false, signal}),
      )
    } catch {
      // The first error is the one to tell.
    }
  }
}

/** What the address has already stays as it is spelt: it may be signed. */
function withDigest(url: URL, digest: Digest): URL {
  const whole = new URL(url)
  whole.search += `${whole.search === '' ? '?' : '&'}digest=${encodeURIComponent(digest)}`
  return whole
}

/** The registry does not have what it has been sent: docker-registry drops what a broken connection leaves unfinished. */
export class UploadLost extends EnvironmentError {}

/** An answer that another attempt may not get. */
class Busy extends EnvironmentError {
  readonly status: number
  /** The header of that name. */
  readonly retryAfter: string | undefined

  constructor(answer: HttpAnswer, host: string) {
    super('NETWORK_FAILED', {what: `${host} refused an upload.`, why: `It answered ${answer.statusCode}.`})
    this.status = answer.statusCode
    this.retryAfter = header(answer, 'retry-after')
  }
}
