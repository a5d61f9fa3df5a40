import {lookup as lookUp, type LookupAddress} from 'node:dns'
import {BlockList, isIP, type LookupFunction} from 'node:net'
import {networkInterfaces} from 'node:os'
import {promisify} from 'node:util'
import {EnvironmentError} from '../../model/errors.js'
import {upTo} from '../../model/text-ends.js'

/** Where an address leads that is not of the open network. */
type Zone = 'host' | 'link' | 'private'

const ZONES: Readonly<Record<Zone, BlockList>> = {
  host: new BlockList(),
  link: new BlockList(),
  private: new BlockList(),
}

/* Source: IANA special-purpose address registries (RFC 6890 and its updates). */
for (const [zone, network, bits] of [
  ['host', '0.0.0.0', 8],
  ['host', '127.0.0.0', 8],
  ['link', '169.254.0.0', 16],
  ['link', '224.0.0.0', 4],
  ['link', '240.0.0.0', 4],
  ['private', '10.0.0.0', 8],
  ['private', '100.64.0.0', 10],
  ['private', '172.16.0.0', 12],
  ['private', '192.0.0.0', 24],
  ['private', '192.168.0.0', 16],
  ['private', '198.18.0.0', 15],
] as const)
  ZONES[zone].addSubnet(network, bits, 'ipv4')
for (const [zone, network, bits] of [
  ['host', '::', 127],
  ['link', 'fe80::', 10],
  ['link', 'ff00::', 8],
  ['private', 'fc00::', 7],
  ['private', 'fec0::', 10],
] as const)
  ZONES[zone].addSubnet(network, bits, 'ipv6')

/** IPv4 in IPv6: mapped, translated (NAT64) and 6to4. Source: RFC 4291, 6052, 3056. */
function embeddedIpv4(address: string): string | undefined {
  const url = URL.canParse(`http://[${address}]/`) ? new URL(`http://[${address}]/`) : undefined
  const groups = groupsOf(url?.hostname.slice(1, -1) ?? '')
  const [first = 0, second = 0, third = 0] = groups
  const dotted = (high = 0, low = 0) => [high >>> 8, high & 255, low >>> 8, low & 255].join('.')
  const isMapped = groups.slice(0, 5).every((group) => group === 0) && (groups[5] === 0xffff || groups[5] === 0)
  const isTranslated = first === 0x64 && second === 0xff9b
  if ((isMapped && groups.length === 8 && (groups[6] !== 0 || (groups[7] ?? 0) > 1)) || isTranslated)
    return dotted(groups[6], groups[7])
  return first === 0x2002 ? dotted(second, third) : undefined
}

function groupsOf(address: string): number[] {
  const [head = '', tail] = address.split('::')
  const numbers = (text: string) => (text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16)))
  if (tail === undefined) return numbers(head)
  const [front, back] = [numbers(head), numbers(tail)]
  return [...front, ...Array<number>(Math.max(0, 8 - front.length - back.length)).fill(0), ...back]
}

/** Where an address leads; undefined = into the open network. The addresses of this host's own interfaces are `host`. */
export function zoneOf(address: string): Zone | undefined {
  const bare = upTo(address, '%')
  const version = isIP(bare)
  const within = version === 6 ? embeddedIpv4(bare) : undefined
  if (within !== undefined) return zoneOf(within)
  const family = version === 6 ? 'ipv6' : 'ipv4'
  for (const zone of ['host', 'link', 'private'] as const) if (ZONES[zone].check(bare, family)) return zone
  const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? [])
  return own.some((each) => upTo(each.address, '%') === bare) ? 'host' : undefined
}

const resolveAll = promisify(lookUp) as (host: string, options: {all: true}) => Promise<LookupAddress[]>

/**
 * Keeps addresses that come from an image or a registry out of this host and its networks: with a foreign layer's `urls`
 * or a token realm, whoever made the image could have our side speak to what only we can reach. The registry that the user
 * has named may lead to where it is itself.
 */
export class HostGuard {
  readonly #registryHost: string
  readonly #isOff: boolean
  #registryZones: Promise<ReadonlySet<Zone>> | undefined

  /** `registryHost` is the host name of the registry as in a URL; `isOff` = anything is allowed. */
  constructor(registryHost: string, isOff: boolean) {
    this.#registryHost = registryHost
    this.#isOff = isOff
  }

  /** False for a host that names, or is, an address that it must not. Names are looked at when they are looked up. */
  async allows(url: URL): Promise<boolean> {
    if (this.#isOff || url.hostname === this.#registryHost) return true
    const host = bareHost(url)
    if (isIP(host) === 0) return !/(?:^|\.)localhost\.?$/.test(host) || (await this.#zones()).has('host')
    return this.#allowsAddress(host)
  }

  async #allowsAddress(address: string): Promise<boolean> {
    const zone = zoneOf(address)
    return zone === undefined || (await this.#zones()).has(zone)
  }

  #zones(): Promise<ReadonlySet<Zone>> {
    const host = bareHost({hostname: this.#registryHost})
    this.#registryZones ??= resolveAll(host, {all: true}).then(
      (found) => new Set(found.flatMap(({address}) => zoneOf(address) ?? [])),
      () => new Set<Zone>(),
    )
    return this.#registryZones
  }

  /** For connections: the name is looked up once, and what it leads to is what is connected to. */
  readonly lookup: LookupFunction = (hostname, options, callback) => {
    lookUp(hostname, {...options, all: true}, (error, addresses) => {
      const refuse = (cause: NodeJS.ErrnoException) => {
        callback(cause, '', 0)
      }
      if (error !== null) {
        refuse(error)
        return
      }
      const isRegistry = hostname === this.#registryHost || this.#isOff
      Promise.all(addresses.map(async ({address}) => isRegistry || this.#allowsAddress(address))).then((allowed) => {
        const left = addresses.filter((_, index) => allowed[index])
        const [first] = left
        if (first === undefined) refuse(refusedHost(hostname))
        else if (options.all === true) callback(null, left)
        else callback(null, first.address, first.family)
      }, refuse)
    })
  }
}

function refusedHost(host: string): EnvironmentError {
  return new EnvironmentError('NETWORK_FAILED', {
    what: `'${host}' is not connected to: it is an address of this host or of a private network.`,
    why: 'An image or a registry that is not there itself has named it.',
    suggestions: ['If the registry is to be trusted, allow it with --allow-private-hosts.'],
  })
}

function bareHost({hostname}: Pick<URL, 'hostname'>): string {
  return hostname.startsWith('[') ? hostname.slice(1, -1) : hostname
}
