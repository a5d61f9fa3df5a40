import {traceSecret} from '../../model/trace.js'
import {EnvironmentError} from '../../model/errors.js'
import type {Credentials} from './credentials.js'
import {
  bytesOf,
  discard,
  header,
  isBusy,
  isPassing,
  Patience,
  type Http,
  type HttpAnswer,
  type TellWait,
} from './http.js'
import {findChallenge, type Challenge} from './challenge.js'
import type {HostGuard} from './host-guard.js'
import {parseTokenAnswer} from './token.js'

export interface AuthorityOptions {
  readonly http: Http
  /** The registry itself: the only place that sees a password, but for the token server that it names. */
  readonly base: URL
  readonly host: string
  /** Read when first asked for, so that anonymous work needs no helper. */
  readonly credentials: () => Promise<Credentials | undefined>
  /** Whether a token server on another machine may be spoken to without TLS. */
  readonly mayBePlain: boolean
  readonly tellWait: TellWait
  readonly guard: HostGuard
}

interface Held {
  readonly header: string
  /** Of the clock; past it a new one is fetched. */
  readonly until: number
}

/** Renewed this long before its end, so that a request does not outlive it on its way. */
const MARGIN_MS = 5000

/** Obtains and renews what requests are authorised with. Source: distribution docs/spec/auth. */
export class Authority {
  readonly #options: AuthorityOptions
  readonly #held = new Map<string, Held>()
  /** Tokens on their way, so that many requests at once ask for one. */
  readonly #coming = new Map<string, Promise<string | undefined>>()
  /** All that has been sent as proof: none of it may be shown. */
  readonly #secrets = new Set<string>()
  #challenge: Challenge | undefined
  #credentials: Promise<Credentials | undefined> | undefined

  constructor(options: AuthorityOptions) {
    this.#options = options
  }

  /** The `Authorization` header for these scopes; undefined while the registry has not asked for any. */
  async header(scopes: readonly string[], signal: AbortSignal | undefined): Promise<string | undefined> {
    if (this.#challenge === undefined) return undefined
    const key = scopes.join(' ')
    const held = this.#held.get(key)
    if (held !== undefined && held.until > Date.now()) return held.header
    const coming = this.#coming.get(key) ?? this.#obtain(this.#challenge, scopes, signal)
    this.#coming.set(key, coming)
    try {
      return await coming
    } finally {
      if (this.#coming.get(key) === coming) this.#coming.delete(key)
    }
  }

  /** A text of the other side's without the credentials that it was sent: some servers quote what they refuse. */
  hide(text: string): string {
    let hidden = text
    for (const secret of this.#secrets) hidden = hidden.replaceAll(secret, '***')
    return hidden
  }

  /** Takes note of a 401. False when nothing can be done about it: credentials were sent and refused. */
  async challenged(answer: HttpAnswer, scopes: readonly string[], sent: string | undefined): Promise<boolean> {
    const challenge = findChallenge(header(answer, 'www-authenticate'))
    if (challenge === undefined) return false
    if (challenge.kind === 'basic' && sent?.startsWith('Basic ') === true) return false
    this.#challenge = challenge
    // Another request may have obtained a new one since.
    if (this.#held.get(scopes.join(' '))?.header === sent) this.#held.delete(scopes.join(' '))
    return challenge.kind === 'bearer' || (await this.#credentialsOf())?.kind === 'password'
  }

  #credentialsOf(): Promise<Credentials | undefined> {
    this.#credentials ??= this.#options.credentials().then((found) => {
      for (const secret of found === undefined ? [] : secretsIn(found)) this.#keepSecret(secret)
      return found
    })
    return this.#credentials
  }

  #keepSecret(secret: string): void {
    // A word this short is in any text.
    if (secret.length <= 2) return
    this.#secrets.add(secret)
    traceSecret(secret)
  }

  async #obtain(
    challenge: Challenge,
    scopes: readonly string[],
    signal: AbortSignal | undefined,
  ): Promise<string | undefined> {
    const credentials = await this.#credentialsOf()
    if (challenge.kind === 'basic') return credentials?.kind === 'password' ? basic(credentials) : undefined
    if (credentials?.kind === 'registry-token') return `Bearer ${credentials.token}`
    const asked = Date.now()
    const bytes = await this.#ask(challenge, scopes, credentials, signal)
    const answer = parseTokenAnswer(bytes)
    if (answer === undefined) throw this.#refused('The token server sent no token.')
    this.#keepSecret(answer.token)
    const held = {header: `Bearer ${answer.token}`, until: asked + answer.lifetime * 1000 - MARGIN_MS}
    this.#held.set(scopes.join(' '), held)
    return held.header
  }

  async #ask(
    challenge: Challenge & {kind: 'bearer'},
    scopes: readonly string[],
    credentials: Credentials | undefined,
    signal: AbortSignal | undefined,
  ): Promise<Uint8Array> {
    const url = await this.#realmOf(challenge, credentials !== undefined)
    const {http} = this.#options
    const pace = http.paceOf(url)
    const patience = new Patience(signal, this.#options.tellWait, pace)
    const isGuarded = true
    for (;;) {
      let answer: HttpAnswer
      try {
        answer =
          credentials?.kind === 'identity-token'
            ? await http.send({
                method: 'POST',
                url,
                headers: {'content-type': 'application/x-www-form-urlencoded'},
                body: new URLSearchParams({
                  grant_type: 'refresh_token',
                  refresh_token: credentials.token,
                  service: challenge.service ?? '',
                  client_id: 'transship',
                  scope: scopes.join(' '),
                }).toString(),
                signal,
                pace,
                isGuarded,
              })
            : await http.send({
                method: 'GET',
                url: withQuery(url, challenge.service, scopes),
                headers: credentials?.kind === 'password' ? {authorization: basic(credentials)} : {},
                signal,
                pace,
                isGuarded,
              })
        if (answer.statusCode === 200) return await bytesOf(answer, 'the answer of the token server')
      } catch (error) {
        if (isPassing(error) && (await patience.again())) continue
        throw error
      }
      await discard(answer)
      if (isBusy(answer.statusCode) && (await patience.again(header(answer, 'retry-after')))) continue
      throw this.#refused(`The token server ${url.host} answered ${answer.statusCode}.`)
    }
  }

  /**
   * A realm on another host is usual, and gets the password: so it must be one that nobody can listen in on, and none that
   * only this host or its networks reach.
   */
  async #realmOf({realm}: Challenge & {kind: 'bearer'}, hasSecret: boolean): Promise<URL> {
    const {base, mayBePlain, guard} = this.#options
    const url = URL.parse(realm)
    const isPlain = url?.protocol === 'http:' && (mayBePlain || isLoopback(url.hostname))
    if (url === null || !(url.protocol === 'https:' || isPlain) || url.username !== '')
      throw this.#refused('It names a token server that cannot be spoken to safely.')
    if (hasSecret && isPlain && !(base.protocol === 'http:' && isSameHost(url, base)))
      throw this.#refused(`It names the token server ${url.host} without TLS, which must not be sent a password.`)
    if (await guard.allows(url)) return url
    throw this.#refused(
      `It names the token server ${url.host}, an address of this host or of a private network, and is not there itself.`,
      'If the registry is to be trusted, allow it with --allow-private-hosts.',
    )
  }

  #refused(why: string, advice?: string): EnvironmentError {
    const {host} = this.#options
    return new EnvironmentError('UNAUTHORIZED', {
      what: `${host} denied access.`,
      why,
      suggestions: [advice ?? `Log in first: docker login ${host}`],
    })
  }
}

function basic({user, password}: Credentials & {kind: 'password'}): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
}

/** As they are and as they travel; the user's name is none. */
function secretsIn(credentials: Credentials): readonly string[] {
  if (credentials.kind !== 'password') return [credentials.token]
  return [basic(credentials).slice('Basic '.length), credentials.password]
}

function withQuery(url: URL, service: string | undefined, scopes: readonly string[]): URL {
  const full = new URL(url)
  if (service !== undefined) full.searchParams.set('service', service)
  for (const scope of scopes) full.searchParams.append('scope', scope)
  return full
}

function isSameHost(left: URL, right: URL): boolean {
  return left.hostname === right.hostname || (isLoopback(left.hostname) && isLoopback(right.hostname))
}

/** True for addresses that do not leave this machine. */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.[0-9]{1,3}){3}$/.test(hostname)
}
