import {mkdirSync, rmSync} from 'node:fs'
import type {IncomingMessage, ServerResponse} from 'node:http'
import path from 'node:path'
import {Server, ServerCredentials, type ServiceDefinition, type UntypedServiceImplementation} from '@grpc/grpc-js'
import {convert} from '../../../src/convert/convert.js'
import {inspect} from '../../../src/convert/inspect.js'
import {list} from '../../../src/convert/list.js'
import {verify} from '../../../src/convert/verify.js'
import {decodeTaskMetrics, requireMethod} from '../../../src/engine-api/containerd/services.js'
import {findChallenge} from '../../../src/transports/docker/challenge.js'
import {nextPage} from '../../../src/transports/docker/pages.js'
import {parseTokenAnswer} from '../../../src/transports/docker/token.js'
import {classicMembers, partsOf, sha256, tarOf, type Parts} from '../../helpers/archives.js'
import {collect} from '../../helpers/bytes.js'
import {startServer} from '../../helpers/distribution.js'
import {OCI} from '../../helpers/layouts.js'
import {layerOf} from '../../helpers/refusals.js'
import {refusalOf} from './codecs.js'
import {mutateBytes} from './mutate-bytes.js'
import {BAD_NAMES, mutateJson} from './mutate-json.js'
import {require, type Parser} from './parser.js'
import {Place} from './place.js'
import type {Random} from './random.js'

/** An answer in place of the right one. Plain JSON, so that a mutant can be read. */
interface Answer {
  /** Which of the right answers it takes the place of. */
  readonly to: string
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** Base64. */
  readonly body: string
  /** Ends the connection behind so many bytes of the body. */
  readonly cut?: number
}

interface Right {
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

function mutateAnswer(random: Random, rights: ReadonlyMap<string, Right>): Buffer {
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
function send(response: ServerResponse, {status, headers, body, cut}: Omit<Answer, 'to'>): void {
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
const NETWORK = {maxRequestSeconds: 1, leastBytesPerSecond: 0}

async function smallParts(os = 'windows'): Promise<Parts> {
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

const registry: Parser = {
  name: 'registry-answers',
  reads: 'answers of image registries',
  isEndToEnd: true,
  async prepare(scratch) {
    const place = new Place(scratch)
    const parts = await smallParts()
    const layer = parts.layers[0]!
    const manifest = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: OCI.manifest,
        config: {mediaType: OCI.config, digest: parts.imageId, size: parts.config.length},
        layers: [{mediaType: OCI.layer, digest: parts.diffIds[0], size: layer.byteLength}],
      }),
    )
    const json = {'content-type': 'application/json'}
    const digest = `sha256:${sha256(manifest)}`
    const type = {'content-type': OCI.manifest, 'docker-content-digest': digest}
    const rights = new Map<string, Right>([
      ['ping', {status: 200, headers: json, body: Buffer.from('{}')}],
      ['manifest', {status: 200, headers: type, body: manifest}],
      ['config', {status: 200, headers: {}, body: Buffer.from(parts.config)}],
      ['layer', {status: 200, headers: {}, body: layer}],
      ['tags', {status: 200, headers: json, body: Buffer.from('{"name":"app","tags":["1","2"]}')}],
      ['catalog', {status: 200, headers: json, body: Buffer.from('{"repositories":["app"]}')}],
      [
        'referrers',
        {
          status: 200,
          headers: {'content-type': OCI.index},
          body: Buffer.from(
            JSON.stringify({
              schemaVersion: 2,
              mediaType: OCI.index,
              manifests: [{mediaType: OCI.manifest, digest, size: manifest.byteLength, artifactType: 'x/y'}],
            }),
          ),
        },
      ],
      ['blob-head', {status: 404, headers: {}, body: Buffer.alloc(0)}],
      ['blob-there', {status: 200, headers: {'content-length': String(layer.byteLength)}, body: Buffer.alloc(0)}],
      [
        'upload-start',
        {status: 202, headers: {location: '/v2/pushed/blobs/uploads/1', range: '0-0'}, body: Buffer.alloc(0)},
      ],
      ['upload', {status: 202, headers: {location: '/v2/pushed/blobs/uploads/1', range: '0-9'}, body: Buffer.alloc(0)}],
      ['upload-end', {status: 201, headers: {}, body: Buffer.alloc(0)}],
      ['manifest-put', {status: 201, headers: {}, body: Buffer.alloc(0)}],
    ])
    const kindOf = ({method = '', url = ''}: IncomingMessage): string => {
      if (url === '/v2/') return 'ping'
      if (url.startsWith('/v2/_catalog')) return 'catalog'
      if (url.includes('/tags/')) return 'tags'
      if (url.includes('/referrers/')) return 'referrers'
      if (url.includes('/manifests/')) return method === 'PUT' ? 'manifest-put' : 'manifest'
      if (method === 'POST') return 'upload-start'
      if (method === 'PATCH') return 'upload'
      if (method === 'PUT') return 'upload-end'
      // What is pulled is there; what is pushed to the other repository is not there yet.
      if (method === 'HEAD') return url.startsWith('/v2/pushed/') ? 'blob-head' : 'blob-there'
      return url.includes(parts.imageId) ? 'config' : 'layer'
    }
    let wrong: Answer | undefined
    const server = await startServer((request, response) => {
      const kind = kindOf(request)
      const right = rights.get(kind)!
      request.resume().on('end', () => {
        send(response, kind === wrong?.to ? wrong : {...right, body: right.body.toString('base64')})
      })
      request.on('error', () => undefined)
    })
    const archive = await tarOf(classicMembers(parts))
    return {
      make: (random) => mutateAnswer(random, rights),
      async run(input) {
        wrong = JSON.parse(input.toString('utf8')) as Answer
        place.begin('docker-archive', {'image.tar': archive})
        const reference = `docker://${server.host}/app:1`
        await place.judged(async () => {
          const pulled = await refusalOf(async () => {
            await convert(reference, `oci:${place.out}/pulled`, NETWORK)
            const {ok, faults} = await verify(`oci:${place.out}/pulled`)
            require(ok, `it was pulled, and is not sound: ${faults[0]?.message ?? ''}`)
          })
          const kind = wrong?.to ?? ''
          const isPush = /upload|put|blob-head/.test(kind)
          if (/tags|catalog|ping/.test(kind))
            await refusalOf(() => list(`docker://${server.host}/${kind === 'catalog' ? '' : 'app'}`, NETWORK))
          if (/manifest|config|layer|referrers/.test(kind)) await refusalOf(() => verify(reference, NETWORK))
          if (isPush) {
            const pushed = await refusalOf(() =>
              convert(`docker-archive:${place.in}/image.tar`, `docker://${server.host}/pushed:2`, {
                ...NETWORK,
                replace: true,
              }),
            )
            if (pushed !== undefined) throw pushed
          }
          if (pulled !== undefined) throw pulled
        })
      },
      close: () => server.stop(),
    }
  },
}

const words: Parser = {
  name: 'registry-words',
  reads: 'headers and token answers of image registries',
  prepare() {
    const headers = [
      'Bearer realm="https://auth.example/token",service="s",scope="repository:a:pull,push"',
      'Basic realm="r", Bearer realm="https://auth.example/token"',
      'Negotiate YII==, Digest nonce="1"',
    ].map((text) => Buffer.from(text))
    const token = Buffer.from('{"token":"t","access_token":"u","expires_in":300,"issued_at":"2024-01-02T03:04:05Z"}')
    return {
      make: (random) =>
        random.chance(0.5)
          ? mutateJson(random, token)
          : mutateBytes(random, random.pick(headers), {words: ['Bearer ', '"', '\\"', ',', '=', 'realm=']}),
      run(input) {
        const text = input.toString('latin1')
        findChallenge(text)
        nextPage(`<${text}>; rel="next"`, new URL('http://127.0.0.1/v2/'))
        nextPage(text, new URL('http://127.0.0.1/v2/'))
        if (input[0] !== 0x7b) return
        const answer = parseTokenAnswer(input)
        require(answer === undefined || !/[\r\n]/.test(answer.token), 'a token would break the header')
      },
    }
  },
}

const engine: Parser = {
  name: 'engine-answers',
  reads: 'answers of Docker engines',
  isEndToEnd: true,
  async prepare(scratch) {
    const place = new Place(scratch)
    const parts = await smallParts()
    const archive = await tarOf(classicMembers(parts, ['contoso/app:1']))
    const json = {'content-type': 'application/json'}
    const right = (body: unknown, status = 200): Right => ({
      status,
      headers: json,
      body: Buffer.from(JSON.stringify(body)),
    })
    const details = {
      Id: parts.imageId,
      RepoTags: ['contoso/app:1'],
      Os: 'windows',
      Architecture: 'amd64',
      OsVersion: '10.0.20348.2113',
      Created: '2024-01-02T03:04:05Z',
      Size: 400,
      RootFS: {Type: 'layers', Layers: parts.diffIds},
    }
    const rights = new Map<string, Right>([
      [
        'version',
        right({
          Version: '24.0.0',
          ApiVersion: '1.43',
          MinAPIVersion: '1.12',
          Os: 'windows',
          Arch: 'amd64',
          Components: [{Name: 'Engine'}],
        }),
      ],
      ['info', right({DriverStatus: [['driver-type', 'io.containerd.snapshotter.v1']]})],
      ['images', right([{Id: parts.imageId, RepoTags: ['contoso/app:1'], Size: 400}])],
      ['image', right(details)],
      ['get', {status: 200, headers: {'content-type': 'application/x-tar'}, body: archive}],
      ['load', {status: 200, headers: json, body: Buffer.from('{"stream":"Loaded image: contoso/app:1\\n"}\n')}],
      ['other', right({}, 201)],
    ])
    const kindOf = ({url = ''}: IncomingMessage): string => {
      if (url.endsWith('/version')) return 'version'
      if (url.endsWith('/info')) return 'info'
      if (url.includes('/images/json')) return 'images'
      if (url.includes('/get')) return 'get'
      if (url.includes('/load')) return 'load'
      return url.endsWith('/json') ? 'image' : 'other'
    }
    let wrong: Answer | undefined
    const server = await startServer((request, response) => {
      const kind = kindOf(request)
      const own = rights.get(kind)!
      collect(request as AsyncIterable<Uint8Array>).then(
        () => {
          send(response, kind === wrong?.to ? wrong : {...own, body: own.body.toString('base64')})
        },
        () => response.destroy(),
      )
    })
    const options = {...NETWORK, engine: {host: `tcp://${server.host}`}}
    return {
      make: (random) => mutateAnswer(random, rights),
      async run(input) {
        wrong = JSON.parse(input.toString('utf8')) as Answer
        place.begin('docker-archive', {'image.tar': archive})
        await place.judged(async () => {
          await refusalOf(() => list('docker-daemon:', options))
          const pulled = await refusalOf(async () => {
            await convert('docker-daemon:contoso/app:1', `oci:${place.out}/pulled`, options)
            const {ok, faults} = await verify(`oci:${place.out}/pulled`)
            require(ok, `it was taken from an engine, and is not sound: ${faults[0]?.message ?? ''}`)
          })
          if (/load|version|info|other|image$/.test(wrong?.to ?? ''))
            await refusalOf(() => convert(`docker-archive:${place.in}/image.tar`, 'docker-daemon:', options))
          if (pulled !== undefined) throw pulled
        })
      },
      close: () => server.stop(),
    }
  },
}

const METHODS = [
  'containerd.services.namespaces.v1.Namespaces/List',
  'containerd.services.images.v1.Images/Get',
  'containerd.services.images.v1.Images/List',
  'containerd.services.content.v1.Content/Info',
  'containerd.services.content.v1.Content/Read',
] as const

interface BlobRequest {
  readonly digest?: string
  readonly offset?: number
}

/** A containerd that answers with any bytes: messages as they come from the wire, well-formed or not. */
const containerd: Parser = {
  name: 'containerd-answers',
  reads: 'answers of containerd, and metrics of its tasks',
  isEndToEnd: true,
  async prepare(scratch) {
    const place = new Place(scratch)
    const parts = await smallParts()
    const manifest = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: OCI.manifest,
        config: {mediaType: OCI.config, digest: parts.imageId, size: parts.config.length},
        layers: [{mediaType: OCI.layer, digest: parts.diffIds[0], size: parts.layers[0]!.byteLength}],
      }),
    )
    const blobs = new Map<string, Buffer>([
      [`sha256:${sha256(manifest)}`, manifest],
      [parts.imageId, Buffer.from(parts.config)],
      [parts.diffIds[0]!, parts.layers[0]!],
    ])
    const image = {
      name: 'docker.io/library/app:1',
      labels: {a: 'b'},
      target: {mediaType: OCI.manifest, digest: `sha256:${sha256(manifest)}`, size: manifest.byteLength},
      createdAt: {seconds: 1, nanos: 2},
    }
    const definitions = METHODS.map((call) => ({call, ...requireMethod(call)}))
    /** On the wire, as the program's own description of the messages has them. */
    const encoded = (call: (typeof METHODS)[number], message: object): Buffer => {
      return Buffer.from(requireMethod(call).responseSerialize(message))
    }
    const answers: Readonly<Record<(typeof METHODS)[number], (request: BlobRequest) => object | undefined>> = {
      'containerd.services.namespaces.v1.Namespaces/List': () => ({namespaces: [{name: 'default'}]}),
      'containerd.services.images.v1.Images/Get': () => ({image}),
      'containerd.services.images.v1.Images/List': () => ({images: [image]}),
      'containerd.services.content.v1.Content/Info': ({digest = ''}) => {
        const bytes = blobs.get(digest)
        return bytes === undefined ? undefined : {info: {digest, size: bytes.byteLength, labels: {}}}
      },
      'containerd.services.content.v1.Content/Read': ({digest = '', offset = 0}) => {
        const bytes = blobs.get(digest)
        return bytes === undefined ? undefined : {data: bytes.subarray(offset)}
      },
    }
    let wrong: {readonly method: number; readonly bytes: Buffer} = {method: -1, bytes: Buffer.alloc(0)}
    const server = new Server()
    const services: Record<string, ServiceDefinition> = {}
    for (const {call, ...definition} of definitions) {
      const [service = '', method = ''] = call.split('/')
      services[service] = {
        ...services[service],
        [method]: {...definition, responseSerialize: (value: unknown) => value as Buffer},
      }
    }
    for (const [service, definition] of Object.entries(services)) {
      const handlers: UntypedServiceImplementation = {}
      for (const method of Object.keys(definition)) {
        const call = `${service}/${method}` as (typeof METHODS)[number]
        const answerTo = (request: BlobRequest): Buffer | undefined => {
          // Of the blobs, the configuration alone is answered wrongly: the others are right for themselves.
          const isMeant = (request.digest ?? parts.imageId) === parts.imageId
          if (METHODS.indexOf(call) === wrong.method && isMeant) return wrong.bytes
          const right = answers[call](request)
          return right === undefined ? undefined : encoded(call, right)
        }
        handlers[method] =
          method === 'Read'
            ? (stream: {request: BlobRequest; write: (bytes: unknown) => void; end: () => void}) => {
                const bytes = answerTo(stream.request)
                if (bytes !== undefined) stream.write(bytes)
                stream.end()
              }
            : (unary: {request: BlobRequest}, reply: (error: object | null, bytes?: unknown) => void) => {
                const bytes = answerTo(unary.request)
                if (bytes === undefined) reply({code: 5, details: 'not found'})
                else reply(null, bytes)
              }
      }
      server.addService(definition, handlers)
    }
    const folder = path.join(scratch, 'containerd')
    mkdirSync(folder)
    const socket = path.join(folder, 's')
    await new Promise<void>((resolve, reject) => {
      server.bindAsync(`unix:${socket}`, ServerCredentials.createInsecure(), (error) => {
        if (error === null) resolve()
        else reject(error)
      })
    })
    const options = {...NETWORK, containerd: {address: socket}}
    const originals = METHODS.map((call) => encoded(call, answers[call]({digest: parts.imageId}) ?? {}))
    return {
      make(random) {
        const method = random.int(METHODS.length)
        return Buffer.concat([
          Buffer.of(method),
          mutateBytes(random, originals[method]!, {corpus: originals, words: BAD_NAMES}),
        ])
      },
      async run(input) {
        wrong = {method: input[0] ?? 0, bytes: input.subarray(1)}
        place.begin('oci', {})
        await place.judged(async () => {
          await refusalOf(() => list('containerd:', options))
          await refusalOf(() => inspect('containerd:app:1', options))
          for (const version of ['v1', 'v2'])
            await refusalOf(() =>
              decodeTaskMetrics({
                id: 'x',
                data: {typeUrl: `x/io.containerd.cgroups.${version}.Metrics`, value: wrong.bytes},
              }),
            )
          await convert('containerd:app:1', `oci:${place.out}/pulled`, options)
          const {ok, faults} = await verify(`oci:${place.out}/pulled`)
          require(ok, `it was taken from containerd, and is not sound: ${faults[0]?.message ?? ''}`)
        })
      },
      close() {
        server.forceShutdown()
        rmSync(folder, {recursive: true, force: true})
      },
    }
  },
}

export const NETWORK_PARSERS: readonly Parser[] = [registry, words, engine, containerd]
