import {createHash, randomUUID} from 'node:crypto'
import type {IncomingMessage, ServerResponse} from 'node:http'
import {startServer, type TestServer} from './distribution.js'

/** Where the connection is cut, in bytes of bodies that have passed since the start, in order. */
export interface Cuts {
  readonly up?: readonly number[]
  readonly down?: readonly number[]
}

export interface MemoryRegistry extends TestServer {
  readonly blobs: Map<string, Buffer>
  /** By `repository:tag` and `repository@digest`. */
  readonly manifests: Map<string, {readonly type: string; readonly bytes: Buffer}>
  /** How many of the cuts have been made. */
  readonly cutsMade: () => number
}

/** May answer in the registry's place, and then gives true. */
export type Meddle = (request: IncomingMessage, response: ServerResponse) => boolean | Promise<boolean>

interface Wire {
  receive(request: IncomingMessage, take: (chunk: Buffer) => void): Promise<boolean>
  send(response: ServerResponse, body: Buffer): void
}

function sha256(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}

function subjectOf(bytes: Buffer): string | undefined {
  try {
    return (JSON.parse(bytes.toString()) as {subject?: {digest?: string}}).subject?.digest
  } catch {
    return undefined
  }
}

/** Counts what passes and cuts where it is told to; what came before a cut has arrived. */
function wireWith(cuts: Cuts): Wire & {readonly made: () => number} {
  const [up, down] = [[...(cuts.up ?? [])], [...(cuts.down ?? [])]]
  let [made, received, sent] = [0, 0, 0]
  return {
    made: () => made,
    async receive(request, take) {
      try {
        for await (const chunk of request as AsyncIterable<Buffer>) {
          const end = up[0]
          if (end !== undefined && received + chunk.length > end) {
            take(chunk.subarray(0, Math.max(0, end - received)))
            received = Math.max(received, end)
            up.shift()
            made++
            request.socket.destroy()
            return false
          }
          received += chunk.length
          take(chunk)
        }
        return true
      } catch {
        // The other side left.
        return false
      }
    },
    send(response, body) {
      const end = down[0]
      if (end === undefined || sent + body.length <= end) {
        sent += body.length
        response.end(body)
        return
      }
      const part = body.subarray(0, Math.max(0, end - sent))
      sent += part.length
      down.shift()
      made++
      response.write(part, () => response.socket?.destroy())
      if (part.length === 0) response.socket?.destroy()
    },
  }
}

/**
 * The distribution interface over memory: uploads in chunks that can be taken up again, ranges, mounts. What arrives
 * before a cut is kept, which docker-registry does not do.
 */
export async function startMemoryRegistry(
  meddle: Meddle = () => false,
  cuts: Cuts = {},
  options: {
    /** It has the list of referrers, as registries of distribution-spec 1.1 do, one entry a page. */
    readonly referrers?: boolean
  } = {},
): Promise<MemoryRegistry> {
  const blobs = new Map<string, Buffer>()
  const manifests: MemoryRegistry['manifests'] = new Map()
  const uploads = new Map<string, Buffer[]>()
  const wire = wireWith(cuts)

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (await meddle(request, response)) return
    const {pathname, searchParams} = new URL(request.url ?? '', 'http://x')
    const [, name = '', kind = '', rest = ''] =
      /^\/v2\/(.+?)\/(blobs|manifests|tags|referrers)\/(.*)$/.exec(pathname) ?? []
    const fail = (status: number, code: string) => {
      response.writeHead(status).end(JSON.stringify({errors: [{code, message: `no ${rest}`}]}))
    }
    if (pathname === '/v2/') response.writeHead(200).end('{}')
    else if (rest.startsWith('uploads/')) await upload(request, response, {name, id: rest.slice(8), searchParams})
    else if (kind === 'blobs') {
      const bytes = blobs.get(rest)
      if (bytes === undefined) fail(404, 'BLOB_UNKNOWN')
      else give(request, response, bytes)
    } else if (kind === 'manifests' && request.method === 'PUT') {
      const parts: Buffer[] = []
      if (!(await wire.receive(request, (chunk) => parts.push(chunk)))) return
      const bytes = Buffer.concat(parts)
      const digest = sha256(bytes)
      const manifest = {type: request.headers['content-type'] ?? '', bytes}
      for (const key of [`${name}:${rest}`, `${name}@${digest}`])
        if (key !== `${name}:${digest}`) manifests.set(key, manifest)
      const subject = options.referrers === true ? subjectOf(bytes) : undefined
      const header = subject === undefined ? {} : {'oci-subject': subject}
      response.writeHead(201, {'docker-content-digest': digest, ...header}).end()
    } else if (kind === 'manifests') {
      const manifest = manifests.get(`${name}:${rest}`) ?? manifests.get(`${name}@${rest}`)
      if (manifest === undefined) fail(404, 'MANIFEST_UNKNOWN')
      else response.writeHead(200, {'content-type': manifest.type}).end(manifest.bytes)
    } else if (kind === 'referrers' && options.referrers === true) {
      const all = [...manifests].filter(([key, {bytes}]) => key.startsWith(`${name}@`) && subjectOf(bytes) === rest)
      const at = Number(searchParams.get('at') ?? 0)
      const page = all.slice(at, at + 1).map(([key, {type, bytes}]) => {
        const {artifactType, config, annotations} = JSON.parse(bytes.toString()) as Record<string, unknown> & {
          config?: {mediaType?: string}
        }
        return {
          mediaType: type,
          digest: key.slice(name.length + 1),
          size: bytes.length,
          artifactType: artifactType ?? config?.mediaType,
          annotations,
        }
      })
      const type = 'application/vnd.oci.image.index.v1+json'
      const next = at + 1 < all.length ? {link: `</v2/${name}/referrers/${rest}?at=${at + 1}>; rel="next"`} : {}
      response
        .writeHead(200, {'content-type': type, ...next})
        .end(JSON.stringify({schemaVersion: 2, mediaType: type, manifests: page}))
    } else if (kind === 'tags') {
      const tags = [...manifests.keys()]
        .filter((key) => key.startsWith(`${name}:`))
        .map((key) => key.slice(name.length + 1))
      if (tags.length === 0) fail(404, 'NAME_UNKNOWN')
      else response.writeHead(200, {'content-type': 'application/json'}).end(JSON.stringify({name, tags}))
    } else fail(404, 'UNSUPPORTED')
  }

  function give(request: IncomingMessage, response: ServerResponse, bytes: Buffer): void {
    const from = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0)
    const to = Number(/^bytes=\d+-(\d+)/.exec(request.headers.range ?? '')?.[1] ?? bytes.length - 1)
    if (request.headers.range !== undefined && from >= bytes.length) {
      response.writeHead(416).end()
      return
    }
    const body = bytes.subarray(from, to + 1)
    const range = `bytes ${from}-${from + body.length - 1}/${bytes.length}`
    response.writeHead(request.headers.range === undefined ? 200 : 206, {
      'content-length': body.length,
      ...(request.headers.range === undefined ? {} : {'content-range': range}),
    })
    if (request.method === 'HEAD') response.end()
    else wire.send(response, body)
  }

  async function upload(
    request: IncomingMessage,
    response: ServerResponse,
    {name, id, searchParams}: {name: string; id: string; searchParams: URLSearchParams},
  ): Promise<void> {
    const at = (own: string, length: number) => ({
      location: `/v2/${name}/blobs/uploads/${own}`,
      range: `0-${Math.max(0, length - 1)}`,
    })
    if (request.method === 'POST') {
      const own = randomUUID()
      uploads.set(own, [])
      response.writeHead(202, at(own, 0)).end()
      return
    }
    const parts = uploads.get(id)
    if (parts === undefined) {
      response.writeHead(404).end()
      return
    }
    const length = () => parts.reduce((sum, part) => sum + part.length, 0)
    if (request.method === 'PATCH' && request.headers['content-range']?.startsWith(`${length()}-`) !== true) {
      response.writeHead(416, at(id, length())).end()
      return
    }
    const isWhole = await wire.receive(request, (chunk) => parts.push(Buffer.from(chunk)))
    if (!isWhole) return
    if (request.method === 'DELETE') uploads.delete(id)
    if (request.method !== 'PUT') {
      response.writeHead(request.method === 'PATCH' ? 202 : 204, at(id, length())).end()
      return
    }
    const bytes = Buffer.concat(parts)
    const digest = searchParams.get('digest') ?? ''
    uploads.delete(id)
    if (sha256(bytes) === digest) {
      blobs.set(digest, bytes)
      response.writeHead(201, {location: `/v2/${name}/blobs/${digest}`}).end()
    } else response.writeHead(400).end(JSON.stringify({errors: [{code: 'DIGEST_INVALID', message: digest}]}))
  }

  const server = await startServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      response.destroy(error instanceof Error ? error : undefined)
    })
  })
  return Object.assign(server, {blobs, manifests, cutsMade: wire.made})
}
