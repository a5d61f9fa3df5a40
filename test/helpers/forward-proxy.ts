import {once} from 'node:events'
import {readFileSync} from 'node:fs'
import {createServer as createHttp, request as requestHttp, type IncomingMessage, type ServerResponse} from 'node:http'
import {createServer as createHttps} from 'node:https'
import {connect, type AddressInfo, type Socket} from 'node:net'
import type {Duplex} from 'node:stream'

export interface ForwardProxy {
  /** `http[s]://127.0.0.1:PORT` */
  readonly origin: string
  /** `METHOD TARGET` of all that was asked: `CONNECT host:port`, or a request with a whole address. */
  readonly asked: string[]
  /** What came as `Proxy-Authorization`, one for each that was asked. */
  readonly authorizations: (string | undefined)[]
  /** Bytes that passed through tunnels, both ways. */
  bytes(): number
  stop(): Promise<void>
}

export interface ForwardProxyOptions {
  /** Spoken to by TLS itself. */
  readonly tls?: {readonly cert: string; readonly key: string}
  /** The value of `Proxy-Authorization` that it wants; else it answers 407. */
  readonly authorization?: string
  /** Of its 407. */
  readonly asks?: string
  /** Answers this to CONNECT, or hangs up, instead of connecting. */
  readonly answers?: number | 'nothing'
  /** Does so for this host alone. */
  readonly answersOf?: string
}

/**
 * A forward proxy as networks of companies have them. Names that end in `.test` are its own, and lead to this machine: who
 * reaches them can only have come through it.
 */
export async function startForwardProxy(options: ForwardProxyOptions = {}): Promise<ForwardProxy> {
  const asked: string[] = []
  const authorizations: (string | undefined)[] = []
  const sockets = new Set<Duplex>()
  let bytes = 0
  const keep = (socket: Duplex) => {
    sockets.add(socket)
    socket.on('error', () => undefined).once('close', () => sockets.delete(socket))
  }
  const isKnown = ({method = '', url = '', headers}: IncomingMessage) => {
    asked.push(`${method} ${url}`)
    authorizations.push(headers['proxy-authorization'])
    return options.authorization === undefined || headers['proxy-authorization'] === options.authorization
  }
  const forward = (request: IncomingMessage, response: ServerResponse) => {
    const isAllowed = isKnown(request)
    const target = URL.parse(request.url ?? '')
    if (!isAllowed || target === null) {
      response.writeHead(isAllowed ? 400 : 407, {'proxy-authenticate': options.asks ?? 'Basic realm="p"'}).end()
      return
    }
    const {'proxy-authorization': _, ...headers} = request.headers
    const {host, port} = placeOf(target.host, 80)
    const path = `${target.pathname}${target.search}`
    const onward = requestHttp({host, port, path, method: request.method, headers}, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(response)
    })
    onward.on('error', () => response.writeHead(502).end())
    request.pipe(onward)
  }
  const server =
    options.tls === undefined
      ? createHttp(forward)
      : createHttps({cert: readFileSync(options.tls.cert), key: readFileSync(options.tls.key)}, forward)
  server.on('connection', keep)
  server.on('connect', (request: IncomingMessage, client: Duplex, head: Buffer) => {
    keep(client)
    if (!isKnown(request)) {
      client.end(`HTTP/1.1 407 Who\r\nProxy-Authenticate: ${options.asks ?? 'Basic realm="p"'}\r\n\r\n`)
      return
    }
    const isMeant = options.answersOf === undefined || options.answersOf === request.url
    if (options.answers !== undefined && isMeant) {
      if (options.answers === 'nothing') client.destroy()
      else client.end(`HTTP/1.1 ${options.answers} No\r\nContent-Length: 2\r\n\r\nno`)
      return
    }
    const onward: Socket = connect(placeOf(request.url ?? '', 443))
    keep(onward)
    onward.once('connect', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n')
      onward.write(head)
      client.pipe(onward).pipe(client)
      for (const side of [client, onward]) side.on('data', (chunk: Buffer) => (bytes += chunk.length))
    })
    onward.once('error', () => client.end('HTTP/1.1 502 Bad Gateway\r\n\r\n'))
    client.once('close', () => onward.destroy())
    onward.once('close', () => client.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const {port} = server.address() as AddressInfo
  return {
    origin: `${options.tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    asked,
    authorizations,
    bytes: () => bytes,
    stop: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

function placeOf(text: string, usualPort: number): {readonly host: string; readonly port: number} {
  const [, host = '', port] = /^(.*?)(?::(\d+))?$/.exec(text) ?? []
  return {host: host.endsWith('.test') ? '127.0.0.1' : host, port: Number(port ?? usualPort)}
}
