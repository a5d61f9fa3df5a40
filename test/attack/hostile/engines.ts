import type {ServerResponse} from 'node:http'
import {classicMembers, partsOf, tarOf} from '../../helpers/archives.js'
import {startServer} from '../../helpers/distribution.js'
import {LAYERS} from './image-parts.js'
import type {Built, HostileInput, Use} from './input.js'

const PARTS = partsOf(LAYERS.slice(0, 1))
const NAME = 'contoso/app:1'
const JSON_TYPE = {'content-type': 'application/json'}

type Answer = (response: ServerResponse, archive: Buffer) => void
type Call = 'version' | 'images' | 'image' | 'get' | 'load' | 'info'

const json =
  (value: unknown, status = 200): Answer =>
  (response) => {
    response.writeHead(status, JSON_TYPE).end(JSON.stringify(value))
  }
const text =
  (body: string, status = 200): Answer =>
  (response) => {
    response.writeHead(status, {'content-type': 'text/html'}).end(body)
  }

const RIGHT: Readonly<Record<Call, Answer>> = {
  version: json({Version: '24.0.0', ApiVersion: '1.43', MinAPIVersion: '1.12', Os: 'windows', Arch: 'amd64'}),
  info: json({DriverStatus: []}),
  images: json([{Id: PARTS.imageId, RepoTags: [NAME], Size: 400}]),
  image: json({
    Id: PARTS.imageId,
    RepoTags: [NAME],
    Os: 'windows',
    Architecture: 'amd64',
    Size: 400,
    RootFS: {Type: 'layers', Layers: PARTS.diffIds},
  }),
  get: (response, archive) => {
    response.writeHead(200, {'content-type': 'application/x-tar'}).end(archive)
  },
  load: json({stream: `Loaded image: ${NAME}\n`}),
}

const ABSENT = json({message: 'no such image'}, 404)

const ROWS: readonly {
  readonly name: string
  readonly code: string
  readonly exit?: number
  readonly use?: Use
  readonly wrong: Partial<Record<Call, Answer>>
}[] = [
  {name: 'a version that is a page of HTML', code: 'ENGINE_UNAVAILABLE', exit: 4, wrong: {version: text('<html>')}},
  {name: 'a version that is null', code: 'ENGINE_UNAVAILABLE', exit: 4, wrong: {version: json(null)}},
  {
    name: 'an answer that switches protocols',
    code: 'ENGINE_UNAVAILABLE',
    exit: 4,
    wrong: {
      version: (response) => {
        response.socket?.end('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n')
      },
    },
  },
  {
    name: 'a list of images that is a number',
    code: 'MANIFEST_INVALID',
    use: 'list',
    wrong: {images: json(7)},
  },
  {
    name: 'an archive that is cut',
    code: 'ARCHIVE_TRUNCATED',
    wrong: {get: (response, archive) => response.end(archive.subarray(0, 4000))},
  },
  {
    name: 'an archive of noise',
    code: 'UNRECOGNISED_FORMAT',
    wrong: {get: (response) => response.end(Buffer.alloc(5000, 0xa5))},
  },
  {
    name: 'an archive whose connection breaks',
    code: 'NETWORK_FAILED',
    exit: 4,
    wrong: {
      get: (response, archive) => {
        response.writeHead(200, {'content-length': String(archive.byteLength)})
        response.write(archive.subarray(0, 3000), () => response.destroy())
      },
    },
  },
  {
    name: 'an archive of another image',
    code: 'DIGEST_MISMATCH',
    wrong: {
      image: json({
        Id: `sha256:${'1'.repeat(64)}`,
        RepoTags: [NAME],
        Os: 'windows',
        Architecture: 'amd64',
        RootFS: {Type: 'layers', Layers: [`sha256:${'2'.repeat(64)}`]},
      }),
    },
  },
  {
    name: 'a load that fails behind status 200',
    code: 'ENGINE_REFUSED',
    exit: 4,
    use: 'push',
    wrong: {image: ABSENT, load: json({errorDetail: {message: 'no space'}, error: 'no space'})},
  },
  {
    name: 'a load that is never answered in words',
    code: 'DIGEST_MISMATCH',
    use: 'push',
    wrong: {image: ABSENT, load: text('<html>Welcome</html>')},
  },
]

function callOf(url = ''): Call | undefined {
  if (url.endsWith('/version')) return 'version'
  if (url.endsWith('/info')) return 'info'
  if (url.includes('/images/json')) return 'images'
  if (url.includes('/get')) return 'get'
  if (url.includes('/load')) return 'load'
  return url.endsWith('/json') ? 'image' : undefined
}

export const ENGINE_INPUTS: readonly HostileInput[] = ROWS.map(
  ({name, code, exit = 3, use = 'convert', wrong}): HostileInput => ({
    name: `an engine with ${name}`,
    format: 'Docker engine',
    use,
    code,
    exit,
    async build(): Promise<Built> {
      const archive = await tarOf(classicMembers(PARTS, [NAME]))
      return {
        reference: (folder) => `docker-archive:${folder}/image.tar`,
        files: {'image.tar': archive},
        async start() {
          const server = await startServer((request, response) => {
            const call = callOf(request.url)
            request.resume().on('end', () => {
              const answer = call === undefined ? json({}, 201) : (wrong[call] ?? RIGHT[call])
              answer(response, archive)
            })
            request.on('error', () => undefined)
          })
          return {
            reference: use === 'convert' ? `docker-daemon:${NAME}` : 'docker-daemon:',
            options: {engine: {host: `tcp://${server.host}`}, maxRequestSeconds: 5},
            stop: () => server.stop(),
          }
        },
      }
    },
  }),
)
