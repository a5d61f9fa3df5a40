import {Server, ServerCredentials, type ServiceDefinition, type UntypedServiceImplementation} from '@grpc/grpc-js'
import {mkdirSync, rmSync} from 'node:fs'
import path from 'node:path'
import {convert} from '../../../src/convert/convert.js'
import {inspect} from '../../../src/convert/inspect.js'
import {list} from '../../../src/convert/list.js'
import {verify} from '../../../src/convert/verify.js'
import {decodeTaskMetrics, requireMethod} from '../../../src/engine-api/containerd/services.js'
import {sha256} from '../../helpers/archives.js'
import {OCI} from '../../helpers/layouts.js'
import {NETWORK, smallParts} from './answers.js'
import {refusalOf} from './corpus.js'
import {mutateBytes} from './mutate-bytes.js'
import {BAD_NAMES} from './mutate-json.js'
import {require, type Parser} from './parser.js'
import {Place} from './place.js'

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

export const CONTAINERD_PARSERS: readonly Parser[] = [containerd]
