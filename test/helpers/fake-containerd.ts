import {Server, ServerCredentials, type ServiceDefinition, type UntypedServiceImplementation} from '@grpc/grpc-js'
import {mkdirSync, rmSync} from 'node:fs'
import path from 'node:path'
import {requireMethod} from '../../src/engine-api/containerd/services.js'
import {sha256, type Parts} from './archives.js'
import {OCI} from './layouts.js'
import {manifestOfOne} from './oci-manifest.js'

/** The calls that a listing and a conversion from containerd make. */
export const METHODS = [
  'containerd.services.namespaces.v1.Namespaces/List',
  'containerd.services.images.v1.Images/Get',
  'containerd.services.images.v1.Images/List',
  'containerd.services.content.v1.Content/Info',
  'containerd.services.content.v1.Content/Read',
] as const
export type Method = (typeof METHODS)[number]

export interface BlobRequest {
  readonly digest?: string
  readonly offset?: number
}

/** What is answered to a call, as the message; undefined: not found. */
export type Answers = Readonly<Record<Method, (request: BlobRequest) => object | undefined>>

/** The right answers of a containerd that has one image, `app:1`. */
export function answersOf(parts: Parts): Answers {
  const [layer = Buffer.alloc(0)] = parts.layers
  const manifest = manifestOfOne(parts)
  const digest = `sha256:${sha256(manifest)}`
  const blobs = new Map<string, Buffer>([
    [digest, manifest],
    [parts.imageId, Buffer.from(parts.config)],
    [parts.diffIds[0] ?? '', layer],
  ])
  const image = {
    name: 'docker.io/library/app:1',
    labels: {a: 'b'},
    target: {mediaType: OCI.manifest, digest, size: manifest.byteLength},
    createdAt: {seconds: 1, nanos: 2},
  }
  return {
    'containerd.services.namespaces.v1.Namespaces/List': () => ({namespaces: [{name: 'default'}]}),
    'containerd.services.images.v1.Images/Get': () => ({image}),
    'containerd.services.images.v1.Images/List': () => ({images: [image]}),
    'containerd.services.content.v1.Content/Info': ({digest: asked = ''}) => {
      const bytes = blobs.get(asked)
      return bytes === undefined ? undefined : {info: {digest: asked, size: bytes.byteLength, labels: {}}}
    },
    'containerd.services.content.v1.Content/Read': ({digest: asked = '', offset = 0}) => {
      const bytes = blobs.get(asked)
      return bytes === undefined ? undefined : {data: bytes.subarray(offset)}
    },
  }
}

/** An answer on the wire, as the program's own description of the messages has it. */
export function encodeAnswer(method: Method, message: object): Buffer {
  return Buffer.from(requireMethod(method).responseSerialize(message))
}

export interface FakeContainerd {
  readonly address: string
  stop(): void
}

/** A containerd that answers with any bytes: messages as they come from the wire, well-formed or not. */
export async function startFakeContainerd(
  folder: string,
  answer: (method: Method, request: BlobRequest) => Buffer | undefined,
): Promise<FakeContainerd> {
  const server = new Server()
  const services: Record<string, ServiceDefinition> = {}
  for (const call of METHODS) {
    const [service = '', method = ''] = call.split('/')
    const definition = {...requireMethod(call), responseSerialize: (value: unknown) => value as Buffer}
    services[service] = {...services[service], [method]: definition}
  }
  for (const [service, definition] of Object.entries(services)) {
    const handlers: UntypedServiceImplementation = {}
    for (const method of Object.keys(definition)) {
      const call = `${service}/${method}` as Method
      handlers[method] =
        method === 'Read'
          ? (stream: {request: BlobRequest; write: (bytes: unknown) => void; end: () => void}) => {
              const bytes = answer(call, stream.request)
              if (bytes !== undefined) stream.write(bytes)
              stream.end()
            }
          : (unary: {request: BlobRequest}, reply: (error: object | null, bytes?: unknown) => void) => {
              const bytes = answer(call, unary.request)
              if (bytes === undefined) reply({code: 5, details: 'not found'})
              else reply(null, bytes)
            }
    }
    server.addService(definition, handlers)
  }
  mkdirSync(folder, {recursive: true})
  const address = path.join(folder, 's')
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(`unix:${address}`, ServerCredentials.createInsecure(), (error) => {
      if (error === null) resolve()
      else reject(error)
    })
  })
  return {
    address,
    stop() {
      server.forceShutdown()
      rmSync(folder, {recursive: true, force: true})
    },
  }
}
