import {once} from 'node:events'
import type {ServerResponse} from 'node:http'
import {createServer, type AddressInfo, type Socket} from 'node:net'
import {classicMembers, partsOf, sha256, tarOf} from '../../helpers/archives.js'
import {OCI} from '../../helpers/layouts.js'
import {startMemoryRegistry, type Meddle, type MemoryRegistry} from '../../helpers/memory-registry.js'
import {manifestOfOne} from '../../helpers/oci-manifest.js'
import {LAYERS} from './image-parts.js'
import type {Built, HostileInput, Service, Use} from './input.js'

const PARTS = partsOf(LAYERS.slice(0, 1))
/** What is pushed: nothing of it is there. */
const PUSHED = partsOf(LAYERS.slice(1))
const LAYER = LAYERS[0]!
const MANIFEST = manifestOfOne(PARTS)
const DIGEST = `sha256:${sha256(MANIFEST)}`
/** Enough for what is told, too little for what drips. */
const PATIENCE = {maxRequestSeconds: 2, leastBytesPerSecond: 1000}

interface Row {
  readonly name: string
  readonly code: string
  readonly exit?: number
  readonly use?: Use
  /** Behind the host; `/app:1` without it. */
  readonly path?: string
  readonly meddle: Meddle
}

const isManifest = (url = '') => url.includes('/manifests/')
const isLayer = (url = '') => url.includes(PARTS.diffIds[0] ?? 'none')
const isConfig = (url = '') => url.includes(PARTS.imageId)
const isBlob = (url = '') => isLayer(url) || isConfig(url)

/** Answers in the registry's place where the address fits, to a request for contents. */
const whenAsked =
  (fits: (url?: string) => boolean, answer: (response: ServerResponse, url: string) => void): Meddle =>
  ({url, method}, response) => {
    if (method !== 'GET' || !fits(url)) return false
    answer(response, url ?? '')
    return true
  }

const manifestWith = (text: string, headers: Readonly<Record<string, string>> = {}): Meddle =>
  whenAsked(isManifest, (response) => {
    response.writeHead(200, {'content-type': OCI.manifest, ...headers}).end(text)
  })
const redirectTo = (location: string, fits = isLayer): Meddle =>
  whenAsked(fits, (response) => {
    response.writeHead(307, {location}).end()
  })
const challenge =
  (header: string): Meddle =>
  (_, response) => {
    response.writeHead(401, {'www-authenticate': header}).end('{}')
    return true
  }

/** A byte now and then. */
function drip(response: ServerResponse): void {
  response.writeHead(200, {'content-length': String(LAYER.byteLength)})
  const timer = setInterval(() => response.write('x'), 200)
  response.on('close', () => {
    clearInterval(timer)
  })
}

const ROWS: readonly Row[] = [
  {
    name: 'a manifest that is a page of HTML',
    code: 'FORMAT_UNSUPPORTED',
    meddle: manifestWith('<html>Sign in</html>', {'content-type': 'text/html'}),
  },
  {name: 'a manifest that is cut on its way', code: 'MANIFEST_INVALID', meddle: manifestWith('{"schemaVersion":2,')},
  {
    name: 'a manifest of 21 MiB',
    code: 'LIMIT_EXCEEDED',
    meddle: manifestWith(`${MANIFEST.toString().slice(0, -1)},"pad":"${'x'.repeat(21 * 2 ** 20)}"}`),
  },
  {
    name: 'another manifest than its digest asks for',
    code: 'DIGEST_MISMATCH',
    path: `/app@${DIGEST}`,
    meddle: manifestWith(`${MANIFEST.toString()}\n`),
  },
  {
    name: 'a manifest of another digest than its header states',
    code: 'DIGEST_MISMATCH',
    meddle: manifestWith(MANIFEST.toString(), {'docker-content-digest': `sha256:${'0'.repeat(64)}`}),
  },
  {
    name: 'a manifest whose blob is a path',
    code: 'MANIFEST_INVALID',
    meddle: manifestWith(MANIFEST.toString().replace(PARTS.imageId, 'sha256:../../../etc/passwd')),
  },
  {
    name: 'a configuration of other bytes',
    code: 'DIGEST_MISMATCH',
    meddle: whenAsked(isConfig, (response) => {
      response.end(PARTS.config.replace('windows', 'WINDOWS'))
    }),
  },
  {
    name: 'a layer of other bytes',
    code: 'DIGEST_MISMATCH',
    meddle: whenAsked(isLayer, (response) => {
      const bytes = Buffer.from(LAYER)
      bytes[1030] = (bytes[1030] ?? 0) ^ 1
      response.end(bytes)
    }),
  },
  {
    name: 'a layer that goes on',
    code: 'SIZE_MISMATCH',
    meddle: whenAsked(isLayer, (response) => {
      response.end(Buffer.concat([LAYER, LAYER]))
    }),
  },
  {
    name: 'a layer that drips',
    code: 'TIMED_OUT',
    exit: 4,
    meddle: whenAsked(isLayer, drip),
  },
  {
    name: 'a layer at an address of this host only',
    code: 'UNAUTHORIZED',
    exit: 4,
    meddle: redirectTo('http://169.254.169.254/latest/meta-data'),
  },
  {
    name: 'a layer that is a file of this host',
    code: 'NETWORK_FAILED',
    exit: 4,
    meddle: redirectTo('file:///etc/passwd'),
  },
  {
    name: 'redirects in a circle',
    code: 'NETWORK_FAILED',
    exit: 4,
    meddle: whenAsked(isBlob, (response, url) => {
      response.writeHead(307, {location: url}).end()
    }),
  },
  {
    name: 'a token from an address of this host only',
    code: 'UNAUTHORIZED',
    exit: 4,
    meddle: challenge('Bearer realm="http://169.254.169.254/token",service="s"'),
  },
  {
    name: 'a door that nobody gets through',
    code: 'UNAUTHORIZED',
    exit: 4,
    meddle: challenge('Basic realm="r"'),
  },
  {
    name: 'a list of tags without end',
    code: 'LIMIT_EXCEEDED',
    use: 'list',
    path: '/app',
    meddle: whenAsked(
      (url = '') => url.includes('/tags/'),
      (response, url) => {
        const last = Number(new URL(url, 'http://x').searchParams.get('last') ?? '0') + 1
        response
          .writeHead(200, {link: `</v2/app/tags/list?n=1&last=${last}>; rel="next"`})
          .end(JSON.stringify({name: 'app', tags: [String(last)]}))
      },
    ),
  },
  {
    name: 'an upload that is to go elsewhere',
    code: 'UNAUTHORIZED',
    exit: 4,
    use: 'push',
    path: '/new:1',
    meddle: ({method}, response) => {
      if (method !== 'POST') return false
      response.writeHead(202, {location: 'http://169.254.169.254/upload'}).end()
      return true
    },
  },
  {
    name: 'an upload that is taken and not there',
    code: 'DIGEST_MISMATCH',
    use: 'push',
    path: '/new:1',
    meddle: ({method, url = ''}, response) => {
      if (method !== 'PUT' || !url.includes('/manifests/')) return false
      response.writeHead(201, {'docker-content-digest': `sha256:${'0'.repeat(64)}`}).end()
      return true
    },
  },
]

async function startRegistry(meddle: Meddle, path: string): Promise<Service> {
  const registry: MemoryRegistry = await startMemoryRegistry(meddle)
  registry.blobs.set(PARTS.imageId, Buffer.from(PARTS.config))
  registry.blobs.set(PARTS.diffIds[0] ?? '', LAYER)
  for (const key of ['app:1', `app@${DIGEST}`]) registry.manifests.set(key, {type: OCI.manifest, bytes: MANIFEST})
  return {reference: `docker://${registry.host}${path}`, options: PATIENCE, stop: () => registry.stop()}
}

/** Answers every connection with the same bytes, be they HTTP or not. */
export async function startRawServer(answer: string): Promise<{readonly host: string; stop(): Promise<void>}> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.once('data', () => socket.end(answer))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const {port} = server.address() as AddressInfo
  return {
    host: `127.0.0.1:${port}`,
    async stop() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

const OK = 'HTTP/1.1 200 OK\r\n'
const RAW: readonly {name: string; answer: string}[] = [
  {name: 'an answer that is no HTTP', answer: '220 mail.example ESMTP\r\n'},
  {name: 'an answer of two lengths', answer: `${OK}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}`},
  {name: 'an answer with a length and in chunks', answer: `${OK}Transfer-Encoding: x\r\nContent-Length: 2\r\n\r\n{}`},
  {name: 'an answer whose length is none', answer: `${OK}Content-Length: two\r\n\r\n{}`},
  {name: 'an answer whose chunks are none', answer: `${OK}Transfer-Encoding: chunked\r\n\r\nzz\r\n{}`},
  {name: 'an answer of a header of 1 MiB', answer: `${OK}X: ${'x'.repeat(2 ** 20)}\r\n\r\n{}`},
  {name: 'an answer with a line break in a header', answer: `${OK}X: a\rb\u0000c\r\n\r\n{}`},
  {name: 'an answer that switches protocols', answer: 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n'},
  {name: 'nothing at all', answer: ''},
]

const lying: readonly HostileInput[] = ROWS.map(
  ({name, code, exit = 3, use = 'convert', path = '/app:1', meddle}): HostileInput => ({
    name: `a registry with ${name}`,
    format: 'image registry',
    use,
    code,
    exit,
    async build(): Promise<Built> {
      const files = {'image.tar': await tarOf(classicMembers(PUSHED))}
      return {
        reference: (folder) => `docker-archive:${folder}/image.tar`,
        files,
        start: () => startRegistry(meddle, path),
      }
    },
  }),
)

const broken: readonly HostileInput[] = RAW.map(({name, answer}) => ({
  name: `a registry with ${name}`,
  format: 'image registry',
  use: 'convert',
  code: 'NETWORK_FAILED',
  exit: 4,
  build: (): Built => ({
    reference: () => '',
    files: {},
    async start() {
      const server = await startRawServer(answer)
      return {reference: `docker://${server.host}/app:1`, options: PATIENCE, stop: () => server.stop()}
    },
  }),
}))

export const REGISTRY_INPUTS: readonly HostileInput[] = [...lying, ...broken]
