import {BlockList, isIP} from 'node:net'
import {domainToASCII} from 'node:url'
import {UsageError} from './errors.js'

/** Through which proxies other hosts are reached, in the words of HTTPS_PROXY, HTTP_PROXY and NO_PROXY. */
export interface ProxySettings {
  /** `[http[s]://][USER:PASSWORD@]HOST[:PORT]`, for addresses that begin with `https:`. */
  readonly https?: string
  /** The same for addresses that begin with `http:`. */
  readonly http?: string
  /** What is reached directly, divided by commas: `HOST[:PORT]`, `.DOMAIN`, IP addresses, networks as CIDR, `*` = all. */
  readonly exceptions?: string
}

/** A proxy as it is connected to. */
export interface WebProxy {
  /** Scheme, host and port: it may be shown. */
  readonly origin: string
  /** For its `Proxy-Authorization`, and for nobody else. */
  readonly authorization?: string
  /** What may not be shown, wherever it comes from. */
  readonly secrets?: readonly string[]
}

const LOOPBACK = new BlockList()
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4')
LOOPBACK.addAddress('::1', 'ipv6')

/** A word this short is in any text. */
const SHORT = 2

type Matcher = (host: string, port: number) => boolean

/**
 * Which proxy an address is reached through, if any: as Go's `http.ProxyFromEnvironment` chooses, which Docker, podman and
 * skopeo go by. This machine is always reached directly. Source: golang.org/x/net/http/httpproxy.
 */
export class ProxyChoice {
  readonly #https: WebProxy | undefined
  readonly #http: WebProxy | undefined
  readonly #exceptions: readonly Matcher[]

  /** Throws `BAD_OPTION` for an address that is none: to go directly then would pass the proxy by unasked. */
  constructor({https, http, exceptions}: ProxySettings = {}) {
    this.#https = parseProxy(https, 'HTTPS_PROXY')
    this.#http = parseProxy(http, 'HTTP_PROXY')
    this.#exceptions = (exceptions ?? '').split(/[\s,]+/).flatMap((text) => matcherOf(text.toLowerCase()) ?? [])
  }

  get https(): WebProxy | undefined {
    return this.#https
  }

  get http(): WebProxy | undefined {
    return this.#http
  }

  /** Undefined = directly. */
  find({protocol, hostname, port}: URL): WebProxy | undefined {
    const isSecure = protocol === 'https:'
    const proxy = isSecure ? this.#https : this.#http
    if (proxy === undefined) return undefined
    const host = withoutBrackets(hostname)
    if (host === 'localhost' || isIn(LOOPBACK, host)) return undefined
    const usual = isSecure ? 443 : 80
    return this.#exceptions.some((matches) => matches(host, port === '' ? usual : Number(port))) ? undefined : proxy
  }
}

function parseProxy(text: string | undefined, variable: string): WebProxy | undefined {
  if (text === undefined || text.trim() === '') return undefined
  const spelt = text.trim()
  const url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(spelt) ? spelt : `http://${spelt}`)
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:') || url.hostname === '') {
    throw new UsageError('BAD_OPTION', {
      what: `${variable} is not a valid proxy address.`,
      why: 'Expected http://HOST:PORT or https://HOST:PORT. The value is not shown, because it may contain a password.',
      suggestions: ['In the user or password, write @ as %40, : as %3A, / as %2F and # as %23.'],
    })
  }
  const {origin, username, password} = url
  if (username === '' && password === '') return {origin}
  const pair = Buffer.from(`${decoded(username)}:${decoded(password)}`).toString('base64')
  const secrets = [pair, password, decoded(password)].filter((secret) => secret.length > SHORT)
  return {origin, authorization: `Basic ${pair}`, secrets}
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    // A lone % stands for itself.
    return text
  }
}

/** What an entry of the exceptions stands for; undefined for one that stands for nothing. */
function matcherOf(text: string): Matcher | undefined {
  if (text === '') return undefined
  if (text === '*') return () => true
  const network = networkOf(text)
  if (network !== undefined) return (host) => isIn(network, host)
  const [, named = text, digits] = (isIP(text) === 0 && /^(.*):(\d+)$/.exec(text)) || []
  const isPort = (port: number) => digits === undefined || Number(digits) === port
  const address = withoutBrackets(named)
  if (isIP(address) !== 0) {
    const list = new BlockList()
    list.addAddress(address, familyOf(address))
    return (host, port) => isIn(list, host) && isPort(port)
  }
  const isSuffixOnly = /^\*?\./.test(named)
  const domain = domainToASCII(named.replace(/^\*?\./, ''))
  if (domain === '') return undefined
  return (host, port) => (host.endsWith(`.${domain}`) || (!isSuffixOnly && host === domain)) && isPort(port)
}

/** The network that is written as CIDR; undefined where it is not. */
function networkOf(text: string): BlockList | undefined {
  const [, address = '', digits = ''] = /^([^/]+)\/(\d{1,3})$/.exec(text) ?? []
  const bits = Number(digits)
  if (isIP(address) === 0 || bits > (isIP(address) === 4 ? 32 : 128)) return undefined
  const list = new BlockList()
  list.addSubnet(address, bits, familyOf(address))
  return list
}

function isIn(list: BlockList, host: string): boolean {
  return isIP(host) !== 0 && list.check(host, familyOf(host))
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4'
}

function withoutBrackets(host: string): string {
  return host.replace(/^\[(.*)\]$/, '$1')
}
