import {channel} from 'node:diagnostics_channel'

/** What the library does and decides, for a log that support reads. Nobody listens as a rule: then it costs nothing. */
export interface Trace {
  readonly topic: 'request' | 'lock' | 'decision'
  readonly text: string
}

/** Channels of `node:diagnostics_channel`: `Trace` objects, and texts that no log may show. */
export const TRACE_CHANNEL = 'transship:trace'
export const SECRET_CHANNEL = 'transship:secret'

const traces = channel(TRACE_CHANNEL)
const secrets = channel(SECRET_CHANNEL)

/** Tells whoever listens. `describe` runs only then. */
export function trace(topic: Trace['topic'], describe: () => string): void {
  if (traces.hasSubscribers) traces.publish({topic, text: describe()} satisfies Trace)
}

/** Something that was sent as proof, and that another side may quote. */
export function traceSecret(secret: string): void {
  if (secrets.hasSubscribers) secrets.publish(secret)
}

/** One exchange with another host or process: `GET https://host/path: 200 in 12 ms`, or what failed. Rethrows. */
export async function traceExchange<T>(
  describe: () => string,
  exchange: () => Promise<T>,
  outcomeOf: (answer: T) => string,
): Promise<T> {
  if (!traces.hasSubscribers) return exchange()
  const began = performance.now()
  const tell = (outcome: string) => {
    trace('request', () => `${describe()}: ${outcome} in ${(performance.now() - began).toFixed(0)} ms`)
  }
  try {
    const answer = await exchange()
    tell(outcomeOf(answer))
    return answer
  } catch (error) {
    tell(`failed (${error instanceof Error ? `${codeOf(error)}${error.message}` : String(error)})`)
    throw error
  }
}

function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? `${error.code}: ` : ''
}

/** Parameters of image registries and engines that say what is asked for. All others may be a signature or a token. */
const OPEN_PARAMETERS: ReadonlySet<string> = new Set(
  'all artifactType digest from fromImage last limit mount n names platform quiet scope service size signal state t tag'.split(
    ' ',
  ),
)

/** An address without its user and without what may be a secret in it. */
export function shownAddress(url: URL): string {
  const query = [...url.searchParams].map(([name, value]) => `${name}=${OPEN_PARAMETERS.has(name) ? value : '***'}`)
  return `${url.origin}${url.pathname}${query.length === 0 ? '' : `?${query.join('&')}`}`
}
