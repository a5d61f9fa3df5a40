import {TransshipError} from '../../model/errors.js'
import type {WorkOptions} from '../../model/events.js'
import {ProxyChoice, type ProxySettings} from '../../model/proxies.js'
import {Authority, isLoopback} from './authority.js'
import {findCertificates, isCertificateFault, type Certificates} from './certificates.js'
import {findCredentials, findInAuthFile, type Credentials} from './credentials.js'
import {
  asNetworkError,
  bytesOf,
  discard,
  header,
  Http,
  isBusy,
  isPassing,
  Patience,
  waitTeller,
  type HttpAnswer,
  type HttpRequest,
  type TellWait,
} from './http.js'
import {LIMITS} from '../../model/limits.js'
import {HostGuard} from './host-guard.js'
import type {Pace} from './pace.js'
import {ProxyFailure} from './proxy-failure.js'
import type {RepositoryPlace} from './reference.js'
import {refusalOf} from './refusal.js'

export interface RegistryOptions extends WorkOptions {
  /** Addresses that come from outside may lead to this host and its networks. */
  readonly allowPrivateHosts?: boolean | undefined
  readonly leastBytesPerSecond?: number | undefined
  readonly maxRequestSeconds?: number | undefined
  /** False: any certificate will do, and plain HTTP as well. */
  readonly tlsVerify?: boolean | undefined
  /** Folder of Docker's config.json. */
  readonly dockerConfig?: string | undefined
  readonly authFile?: string | undefined
  readonly certsFolder?: string | undefined
  readonly proxies?: ProxySettings | undefined
}

export interface Exchange extends Omit<HttpRequest, 'url'> {
  /** From the registry's root, or whole, as registries give locations. */
  readonly url: string | URL
  /** For messages. */
  readonly what: string
  readonly scopes: readonly string[]
  /** Statuses that are given back; others are errors. */
  readonly takes: readonly number[]
  /** False for requests that must not be sent twice; connection failures are then thrown as they are. */
  readonly mayRepeat?: boolean
}

/** An answer, and the address that gave it: redirects may have led to another than was asked. */
export interface Answered {
  readonly answer: HttpAnswer
  readonly url: URL
}

/** How something outside the registry is asked for. */
export interface Elsewhere {
  readonly signal?: AbortSignal | undefined
  readonly range?: string | undefined
  readonly pace?: Pace | undefined
}

interface Parts {
  readonly http: Http
  readonly base: URL
  readonly authority: Authority
  readonly tlsVerify: boolean
  readonly tellWait: TellWait
  readonly guard: HostGuard
}

const MAX_REDIRECTS = LIMITS.redirects.value
const REDIRECTS = new Set([301, 302, 303, 307, 308])
/** Those that keep method and body. Source: RFC 9110, 15.4. */
const KEEPING_REDIRECTS = new Set([307, 308])

/** One repository of an image registry, over HTTP: authorises, retries and follows redirects. */
export class Registry {
  readonly place: RepositoryPlace
  readonly tellWait: TellWait
  readonly #http: Http
  readonly #base: URL
  readonly #authority: Authority
  readonly #tlsVerify: boolean
  readonly #guard: HostGuard

  private constructor(place: RepositoryPlace, {http, base, authority, tlsVerify, tellWait, guard}: Parts) {
    this.place = place
    this.tellWait = tellWait
    this.#http = http
    this.#base = base
    this.#authority = authority
    this.#tlsVerify = tlsVerify
    this.#guard = guard
  }

  /** Finds out how the registry is spoken to. Throws `NETWORK_FAILED`, `TIMED_OUT`. The caller closes it. */
  static async connect(place: RepositoryPlace, options: RegistryOptions): Promise<Registry> {
    const tlsVerify = options.tlsVerify ?? true
    const name = place.host === 'docker.io' ? 'registry-1.docker.io' : place.host
    const secure = new URL(`https://${name}/`)
    const certificates = await findCertificates(place.host, options.certsFolder)
    const proxies = new ProxyChoice(options.proxies)
    const proxyAuthorities = await authoritiesOf(proxies, options.certsFolder)
    const guard = new HostGuard(secure.hostname, options.allowPrivateHosts ?? false)
    const {leastBytesPerSecond, maxRequestSeconds} = options
    const pace = {leastBytesPerSecond, maxRequestSeconds}
    const http = new Http(secure.host, {tlsVerify, certificates, proxies, proxyAuthorities, guard, ...pace})
    try {
      const mayBePlain = !tlsVerify || isLoopback(secure.hostname)
      const base = mayBePlain ? await findBase(http, secure, options.signal) : secure
      const tellWait = waitTeller(place.host, options.onEvent)
      const credentials = () => credentialsOf(place, options)
      const authority = new Authority({
        http,
        base,
        host: place.host,
        credentials,
        mayBePlain: !tlsVerify,
        tellWait,
        guard,
      })
      return new Registry(place, {http, base, authority, tlsVerify, tellWait, guard})
    } catch (error) {
      await http.close()
      throw asNetworkError(error, place.host)
    }
  }

  /** What another registry would have to be to share blobs with this one. */
  get origin(): string {
    return this.#base.origin
  }

  get pullScope(): string {
    return `repository:${this.place.repository}:pull`
  }

  get pushScope(): string {
    return `repository:${this.place.repository}:pull,push`
  }

  /** Path of this repository's part of the interface. */
  path(rest: string): string {
    return `/v2/${this.place.repository}/${rest}`
  }

  /** Watches over a download from its first attempt to its last. */
  paceOf(url: URL | undefined): Pace {
    return this.#http.paceOf(url ?? this.#base)
  }

  close(): Promise<void> {
    return this.#http.close()
  }

  /** One request to its answer. Throws `UNAUTHORIZED`, `NOT_FOUND`, `NETWORK_FAILED`, `TIMED_OUT`. */
  async exchange(exchange: Exchange): Promise<HttpAnswer> {
    return (await this.exchangeAt(exchange)).answer
  }

  /** The same, with the address that answered, which relative ones in the answer start from. */
  async exchangeAt(exchange: Exchange): Promise<Answered> {
    const pace = exchange.pace ?? this.paceOf(undefined)
    const patience = new Patience(exchange.signal, this.tellWait, pace)
    const mayRepeat = exchange.mayRepeat ?? true
    for (let refusals = 0; ;) {
      const authorization = await this.#authorization(exchange)
      let answer: HttpAnswer
      let url: URL
      try {
        ;({answer, url} = await this.#send({...exchange, pace}, authorization))
      } catch (error) {
        if (mayRepeat && isPassing(error) && (await patience.again())) continue
        throw mayRepeat ? asNetworkError(error, this.place.host) : error
      }
      if (exchange.takes.includes(answer.statusCode)) return {answer, url}
      // Whoever a redirect leads to may ask for credentials, and gets none.
      if (answer.statusCode === 401 && this.#isOwn(url) && refusals < 2) {
        refusals++
        if (await this.#authority.challenged(answer, exchange.scopes, authorization)) {
          await discard(answer)
          continue
        }
      }
      if (mayRepeat && isBusy(answer.statusCode)) {
        if (await patience.again(header(answer, 'retry-after'))) {
          await discard(answer)
          continue
        }
      }
      const {host, repository} = this.place
      const hide = (text: string) => this.#http.hide(this.#authority.hide(text))
      throw await refusalOf(answer, {host, repository, what: exchange.what, hide})
    }
  }

  /**
   * The same, with the whole body of a success; one that breaks off is asked for anew. Throws `LIMIT_EXCEEDED` besides.
   */
  async read(exchange: Exchange, limit?: number): Promise<{readonly answer: HttpAnswer; readonly bytes: Uint8Array}> {
    const pace = exchange.pace ?? this.paceOf(undefined)
    const patience = new Patience(exchange.signal, undefined, pace)
    for (;;) {
      const answer = await this.exchange({...exchange, pace})
      if (answer.statusCode !== 200) {
        await discard(answer)
        return {answer, bytes: new Uint8Array()}
      }
      try {
        return {answer, bytes: await bytesOf(answer, exchange.what, limit)}
      } catch (error) {
        if (!isPassing(error) || !(await patience.again())) throw asNetworkError(error, this.place.host)
      }
    }
  }

  async #authorization({scopes, signal}: Exchange): Promise<string | undefined> {
    try {
      return await this.#authority.header(scopes, signal)
    } catch (error) {
      throw asNetworkError(error, this.place.host)
    }
  }

  #isOwn(url: URL): boolean {
    return url.origin === this.#base.origin
  }

  /** Follows redirects. Credentials stay with the registry: another host never sees them. */
  async #send(exchange: Exchange, authorization: string | undefined): Promise<Answered> {
    const {method, headers, body, signal, pace = this.#http.paceOf(this.#base)} = exchange
    let url = new URL(exchange.url, this.#base)
    for (let redirects = 0; ; redirects++) {
      const own = this.#isOwn(url) && authorization !== undefined ? {authorization} : {}
      const answer = await this.#http.send({method, url, headers: {...headers, ...own}, body, signal, pace})
      const location = header(answer, 'location')
      const followed = method === 'GET' || method === 'HEAD' ? REDIRECTS : KEEPING_REDIRECTS
      const isFollowed = followed.has(answer.statusCode) && redirects < MAX_REDIRECTS
      if (!isFollowed || location === undefined) return {answer, url}
      const next = URL.parse(location, url.href)
      // From TLS to none, someone in between could read and change what comes.
      if (next === null || (url.protocol === 'https:' && next.protocol !== 'https:')) return {answer, url}
      await discard(answer)
      url = next
    }
  }

  /** A body from anywhere, without credentials: foreign layers. Where to is checked by `mayFetch`, redirects included. */
  async fetchElsewhere(url: URL, options: Elsewhere): Promise<HttpAnswer> {
    const headers = {
      'accept-encoding': 'identity',
      ...(options.range === undefined ? {} : {range: options.range}),
    }
    let at = url
    for (let redirects = 0; ; redirects++) {
      const answer = await this.#http.send({
        method: 'GET',
        url: at,
        headers,
        signal: options.signal,
        pace: options.pace,
        isGuarded: true,
      })
      const next = URL.parse(header(answer, 'location') ?? '', at.href)
      const isFollowed = REDIRECTS.has(answer.statusCode) && redirects < MAX_REDIRECTS
      if (!isFollowed || next === null || !(await this.mayFetch(next))) return answer
      await discard(answer)
      at = next
    }
  }

  /**
   * Over TLS, or where the user has waived it or nothing leaves the machine; never with a password in the address, nor into
   * this host and its networks where the registry is not there itself.
   */
  async mayFetch(url: URL): Promise<boolean> {
    if (url.username !== '' || url.password !== '') return false
    const isPlain = url.protocol === 'http:' && (!this.#tlsVerify || isLoopback(url.hostname))
    return (url.protocol === 'https:' || isPlain) && (await this.#guard.allows(url))
  }
}

/** Authorities of proxies that are spoken to by TLS themselves. */
async function authoritiesOf({https, http}: ProxyChoice, folder: string | undefined): Promise<Certificates['ca']> {
  const hosts = [https, http].flatMap((proxy) => {
    const url = proxy === undefined ? undefined : new URL(proxy.origin)
    return url?.protocol === 'https:' ? [url.host] : []
  })
  const found = await Promise.all([...new Set(hosts)].map((host) => findCertificates(host, folder)))
  const authorities = found.flatMap(({ca}) => ca ?? [])
  return authorities.length === 0 ? undefined : authorities
}

async function credentialsOf(
  place: RepositoryPlace,
  {authFile, dockerConfig}: RegistryOptions,
): Promise<Credentials | undefined> {
  const found = authFile === undefined ? undefined : await findInAuthFile(place, authFile)
  return found ?? (await findCredentials(place.host, dockerConfig))
}

/** On loopback, and where the user waives TLS, a registry may speak plain HTTP; TLS is tried first. */
async function findBase(http: Http, secure: URL, signal: AbortSignal | undefined): Promise<URL> {
  const plain = new URL(secure)
  plain.protocol = 'http:'
  let failure: unknown
  for (const base of [secure, plain]) {
    try {
      await discard(await http.send({method: 'GET', url: new URL('/v2/', base), signal}))
      return base
    } catch (error) {
      // A wrong certificate is a fault, not a sign of plain HTTP; a proxy that does not connect may be one.
      const isOurs =
        error instanceof TransshipError && !(error instanceof ProxyFailure && error.code !== 'UNAUTHORIZED')
      if (isCertificateFault(error) || isOurs || signal?.aborted === true) throw error
      failure ??= error
    }
  }
  throw failure
}
