import {partsOf} from '../../helpers/archives.js'
import {answersOf, encodeAnswer, startFakeContainerd, type Answers, type Method} from '../../helpers/fake-containerd.js'
import {LAYERS} from './image-parts.js'
import type {Built, HostileInput, Use} from './input.js'

const PARTS = partsOf(LAYERS.slice(0, 1))
const RIGHT = answersOf(PARTS)
const NAMESPACES = 'containerd.services.namespaces.v1.Namespaces/List'
const GET = 'containerd.services.images.v1.Images/Get'
const LIST = 'containerd.services.images.v1.Images/List'
const INFO = 'containerd.services.content.v1.Content/Info'
const READ = 'containerd.services.content.v1.Content/Read'
const [LAYER_DIGEST = ''] = PARTS.diffIds

type Wrong = Partial<Record<Method, Answers[Method] | Buffer>>

interface Row {
  readonly name: string
  readonly code: string
  readonly exit?: number
  readonly use?: Use
  readonly wrong: Wrong
}

/** The image record, with something else in its target. */
const target = (change: Readonly<Record<string, unknown>>): Wrong => {
  const {image} = RIGHT[GET]({}) as {image: {target: object}}
  const changed = {...image, target: {...image.target, ...change}}
  return {[GET]: () => ({image: changed}), [LIST]: () => ({images: [changed]})}
}
/** The layer read in another way; everything else as it is. */
const layer = (change: (bytes: Buffer) => Buffer): Wrong => ({
  [READ](request) {
    const right = RIGHT[READ](request) as {data: Buffer} | undefined
    return right === undefined || request.digest !== LAYER_DIGEST ? right : {data: change(right.data)}
  },
})

const ROWS: readonly Row[] = [
  {
    name: 'a namespace that no request can name',
    code: 'ENGINE_UNAVAILABLE',
    exit: 4,
    use: 'list',
    wrong: {[NAMESPACES]: () => ({namespaces: [{name: 'd\u0000é'}]})},
  },
  {
    name: 'an answer that is no message',
    code: 'ENGINE_UNAVAILABLE',
    exit: 4,
    use: 'list',
    wrong: {[NAMESPACES]: Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f, 0x01])},
  },
  {
    name: 'a list of images that is no message',
    code: 'ENGINE_UNAVAILABLE',
    exit: 4,
    use: 'list',
    wrong: {[LIST]: Buffer.from('<html>')},
  },
  {name: 'a digest that is a path', code: 'MANIFEST_MISSING', wrong: target({digest: 'sha256:../../etc/passwd'})},
  {name: 'a digest of nothing', code: 'MANIFEST_MISSING', wrong: target({digest: `sha256:${'0'.repeat(64)}`})},
  {name: 'a size below zero', code: 'SIZE_MISMATCH', wrong: target({size: -1})},
  {name: 'a type of something else', code: 'FORMAT_UNSUPPORTED', wrong: target({mediaType: 'text/html'})},
  {name: 'no target', code: 'MANIFEST_MISSING', wrong: {[GET]: () => ({image: {name: 'docker.io/library/app:1'}})}},
  {
    name: 'a layer of other bytes',
    code: 'DIGEST_MISMATCH',
    wrong: layer((bytes) => {
      const copy = Buffer.from(bytes)
      copy[1030] = (copy[1030] ?? 0) ^ 1
      return copy
    }),
  },
  {name: 'a layer that is cut', code: 'SIZE_MISMATCH', wrong: layer((bytes) => bytes.subarray(0, 600))},
  {name: 'a layer that goes on', code: 'SIZE_MISMATCH', wrong: layer((bytes) => Buffer.concat([bytes, bytes]))},
  {
    name: 'a layer that is not there',
    code: 'LAYER_MISSING',
    wrong: {[INFO]: ({digest}) => (digest === LAYER_DIGEST ? undefined : RIGHT[INFO]({digest: digest ?? ''}))},
  },
]

export const CONTAINERD_INPUTS: readonly HostileInput[] = ROWS.map(
  ({name, code, exit = 3, use = 'convert', wrong}): HostileInput => ({
    name: `a containerd with ${name}`,
    format: 'containerd',
    use,
    code,
    exit,
    build: (): Built => ({
      reference: () => '',
      files: {},
      async start(folder) {
        const server = await startFakeContainerd(folder, (method, request) => {
          const answer = wrong[method] ?? RIGHT[method]
          if (Buffer.isBuffer(answer)) return answer
          const message = answer(request)
          return message === undefined ? undefined : encodeAnswer(method, message)
        })
        return {
          reference: use === 'list' ? 'containerd:' : 'containerd:app:1',
          options: {containerd: {address: server.address}},
          stop: () => {
            server.stop()
          },
        }
      },
    }),
  }),
)
