import {EnvironmentError, InputError} from '../../model/errors.js'
import type {WorkOptions} from '../../model/events.js'
import type {Descriptor} from '../../model/image.js'
import {isForeignType} from '../../formats/image-documents/media-types.js'
import {asNetworkError, discard, header, isBusy, isPassing, Patience, type HttpAnswer} from './http.js'
import type {Pace} from './pace.js'
import type {Registry} from './registry.js'

/** Asks for a blob from an offset on. */
type Ask = (range: string | undefined, pace: Pace) => Promise<HttpAnswer>

/** A blob's bytes, unchecked; where the connection breaks, the rest is asked for. Throws `NOT_FOUND`, `NETWORK_FAILED`. */
export function downloadBlob(
  registry: Registry,
  {digest, size}: Descriptor,
  {signal}: WorkOptions,
): AsyncIterable<Uint8Array> {
  const ask: Ask = (range, pace) =>
    registry.exchange({
      pace,
      method: 'GET',
      url: registry.path(`blobs/${digest}`),
      what: `blob ${digest}`,
      scopes: [registry.pullScope],
      takes: range === undefined ? [200] : [200, 206, 416],
      // Compression on the way would make ranges mean something else.
      headers: {'accept-encoding': 'identity', ...(range === undefined ? {} : {range})},
      signal,
    })
  return resumed(ask, {
    size,
    title: `blob ${digest}`,
    host: registry.place.host,
    signal,
    pace: registry.paceOf(undefined),
  })
}

/** True when the registry holds the blob. */
export async function hasBlob(
  registry: Registry,
  {digest}: Descriptor,
  scope: string,
  {signal}: WorkOptions,
): Promise<boolean> {
  const answer = await registry.exchange({
    method: 'HEAD',
    url: registry.path(`blobs/${digest}`),
    what: `blob ${digest}`,
    scopes: [scope],
    takes: [200, 404],
    signal,
  })
  await discard(answer)
  return answer.statusCode === 200
}

/** A foreign layer from where its descriptor says it is, without credentials; undefined when it is nowhere to be had. */
export async function findForeign(
  registry: Registry,
  {mediaType, urls, size, digest}: Descriptor,
  {signal}: WorkOptions,
): Promise<((options: WorkOptions) => AsyncIterable<Uint8Array>) | undefined> {
  if (!isForeignType(mediaType)) return undefined
  for (const text of urls ?? []) {
    const url = URL.parse(text)
    if (url === null || !(await registry.mayFetch(url))) continue
    try {
      const answer = await registry.fetchElsewhere(url, {signal, range: 'bytes=0-0'})
      await discard(answer)
      if (answer.statusCode !== 200 && answer.statusCode !== 206) continue
    } catch (error) {
      if (signal?.aborted === true) throw error
      continue
    }
    return (options) =>
      resumed((range, pace) => registry.fetchElsewhere(url, {signal: options.signal, range, pace}), {
        pace: registry.paceOf(url),
        size,
        title: `foreign layer ${digest}`,
        host: url.host,
        signal: options.signal,
      })
  }
  return undefined
}

interface Download {
  readonly size: number
  readonly title: string
  readonly host: string
  readonly signal: AbortSignal | undefined
  readonly pace: Pace
}

async function* resumed(ask: Ask, {size, title, host, signal, pace}: Download): AsyncGenerator<Uint8Array> {
  const patience = new Patience(signal, undefined, pace)
  for (let done = 0; ;) {
    let failure: unknown
    let retryAfter: string | undefined
    try {
      const answer = await ask(done === 0 ? undefined : `bytes=${done}-`, pace)
      retryAfter = header(answer, 'retry-after')
      // What came ended well, and nothing follows.
      if (answer.statusCode === 416) {
        await discard(answer)
        throw tooShort(title, size, done)
      }
      if (answer.statusCode !== 200 && answer.statusCode !== 206) {
        await discard(answer)
        throw new StatusFailure(answer.statusCode, title, host)
      }
      if (claimedSize(answer) < size) {
        await discard(answer)
        throw tooShort(title, size, claimedSize(answer))
      }
      // A server without ranges begins anew; what is had already is left out.
      let skip = answer.statusCode === 206 ? 0 : done
      if (answer.statusCode === 206) requireRange(header(answer, 'content-range'), done, title)
      for await (const chunk of pace.paced(answer.body as AsyncIterable<Uint8Array>)) {
        const rest = chunk.subarray(Math.min(skip, chunk.byteLength))
        skip -= chunk.byteLength - rest.byteLength
        if (rest.byteLength === 0) continue
        done += rest.byteLength
        patience.progress()
        yield rest
      }
      if (done >= size) return
      failure = new EnvironmentError('NETWORK_FAILED', {
        what: `${title} ended too early.`,
        why: `Expected ${size} bytes, got ${done}.`,
      })
    } catch (error) {
      if (signal?.aborted === true) throw error
      const isRetried = error instanceof StatusFailure ? isBusy(error.status) : isPassing(error)
      if (!isRetried) throw asNetworkError(error, host)
      failure = error
    }
    if (done >= size) return
    if (!(await patience.again(retryAfter))) throw asNetworkError(failure, host)
  }
}

/** How long the whole blob is by the answer's headers; infinite when they do not say. */
function claimedSize(answer: HttpAnswer): number {
  if (answer.statusCode === 206) {
    const total = /\/(\d+)$/.exec(header(answer, 'content-range') ?? '')?.[1]
    return total === undefined ? Infinity : Number(total)
  }
  return Number(header(answer, 'content-length') ?? Infinity)
}

function tooShort(title: string, size: number, done: number): InputError {
  return new InputError('SIZE_MISMATCH', {
    what: `The image registry has less of ${title} than its manifest states.`,
    why: `Expected ${size} bytes, found ${done}.`,
    suggestions: ['Push the image again from a complete copy.'],
  })
}

class StatusFailure extends EnvironmentError {
  readonly status: number

  constructor(status: number, title: string, host: string) {
    super('NETWORK_FAILED', {what: `${host} refused ${title}.`, why: `It answered ${status}.`})
    this.status = status
  }
}

function requireRange(range: string | undefined, from: number, title: string): void {
  if (range?.startsWith(`bytes ${from}-`) === true) return
  throw new InputError('SIZE_MISMATCH', {
    what: `The image registry sent the wrong part of ${title}.`,
    why: `Expected bytes from ${from} on, got '${range ?? 'no range'}'.`,
  })
}
