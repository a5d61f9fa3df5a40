import type {ServerResponse} from 'node:http'
import {partsOf, type Parts} from '../../helpers/archives.js'
import {OCI} from '../../helpers/layouts.js'
import {layerOf} from '../../helpers/refusals.js'
import {mutateBytes} from './mutate-bytes.js'
import {BAD_NAMES, mutateJson} from './mutate-json.js'
import type {Random} from './random.js'

/** An answer in place of the right one. Plain JSON, so that a mutant can be read. */
export interface Answer {
  /** Which of the right answers it takes the place of. */
  readonly to: string
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** Base64. */
  readonly body: string
  /** Ends the connection behind so many bytes of the body. */
  readonly cut?: number
}

export interface Right {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

const HEADERS: readonly (readonly [string, readonly string[]])[] = [
  [
    'content-type',
    ['', 'text/html', OCI.index, OCI.manifest, 'application/json', 'a'.repeat(2000), 'x; charset=utf-8'],
  ],
  ['content-length', ['0', '1', '99999999']],
  ['docker-content-digest', ['', 'sha256:', `sha256:${'0'.repeat(64)}`, 'md5:x', '../x']],
  [
    'link',
    ['', '<>', '</v2/>; rel="next"', '<http://127.0.0.1:1/x>; rel="next"', '<?x>; rel="next"', '<\\>; rel=next'],
  ],
  [
    'location',
    ['', '/', '//', 'http://169.254.169.254/x', 'file:///etc/passwd', 'http://[::1', '/v2/../x', 'ftp://x/'],
  ],
  [
    'www-authenticate',
    ['', 'Basic', 'Bearer realm="x"', 'Bearer realm="http://10.0.0.1/"', 'Negotiate', 'Bearer realm="http://[bad"'],
  ],
  ['range', ['', 'bytes=0-', '0-99999999999999', 'x']],
  ['content-range', ['bytes 0-0/1', 'bytes */*', 'bytes 5-1/2', 'x', 'bytes 0-99999999999999999999/9']],
  ['content-encoding', ['gzip', 'deflate', 'br', 'x']],
  ['transfer-encoding', ['chunked', 'x']],
  ['retry-after', ['0', '-1', '0.1', 'never', 'Thu, 01 Jan 1970 00:00:00 GMT']],
  ['oci-subject', ['', 'x', `sha256:${'0'.repeat(64)}`]],
  ['api-version', ['', '0', '9.99', 'x', '1.24']],
]
const STATUSES = [
  200, 200, 200, 201, 202, 204, 206, 301, 302, 303, 304, 307, 308, 400, 401, 403, 404, 405, 409, 416, 418, 500, 501,
]

export function mutateAnswer(random: Random, rights: ReadonlyMap<string, Right>): Buffer {
  const to = random.pick([...rights.keys()])
  const right = rights.get(to)!
  if (random.isPlain) return Buffer.from(JSON.stringify({to, ...right, body: right.body.toString('base64')}))
  const isJson = /^\s*[[{]/.test(right.body.toString('latin1'))
  const headers = {...right.headers}
  for (let count = random.chance(0.4) ? random.few() : 0; count > 0; count--) {
    const [name, values] = random.pick(HEADERS)
    headers[name] = random.pick(values)
  }
  const change = random.int(10)
  const body =
    change < 6
      ? isJson
        ? mutateJson(random, right.body)
        : mutateBytes(random, right.body)
      : change < 8
        ? right.body
        : Buffer.from(random.pick([...BAD_NAMES, '<html>', '{}', '[]', 'null']))
  const answer: Answer = {
    to,
    status: random.chance(0.6) ? right.status : random.pick(STATUSES),
    headers,
    body: body.toString('base64'),
    ...(random.chance(0.05) ? {cut: random.int(body.byteLength + 1)} : {}),
  }
  return Buffer.from(JSON.stringify(answer))
}

/** Sends what Node lets a server send; what it refuses ends the connection, as a broken server does. */
export function send(response: ServerResponse, {status, headers, body, cut}: Omit<Answer, 'to'>): void {
  try {
    const bytes = Buffer.from(body, 'base64')
    response.writeHead(status, headers)
    if (cut === undefined) response.end(bytes)
    else {
      response.write(bytes.subarray(0, cut))
      response.destroy()
    }
  } catch {
    response.destroy()
  }
}

/** Words, in which waiting for a server that is broken is no hang. */
export const NETWORK = {maxRequestSeconds: 1, leastBytesPerSecond: 0}

export async function smallParts(os = 'windows'): Promise<Parts> {
  return partsOf(
    [
      await layerOf([
        ['Files/', ''],
        ['Files/a.txt', 'x'.repeat(300)],
      ]),
    ],
    {os},
  )
}
