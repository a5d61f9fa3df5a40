import {spawn, type ChildProcess} from 'node:child_process'
import {once} from 'node:events'
import {mkdirSync, writeFileSync} from 'node:fs'
import {createServer as createHttp, request as requestHttp, type IncomingMessage, type ServerResponse} from 'node:http'
import {createServer, type AddressInfo} from 'node:net'
import path from 'node:path'
import {setTimeout as pause} from 'node:timers/promises'
import {runTool} from './tools.js'

/** A port that is free now. */
export async function freePort(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const {port} = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

export interface RunningRegistry {
  /** `127.0.0.1:PORT` */
  readonly host: string
  stop(): Promise<void>
}

/** Debian's docker-registry on loopback, its data in a folder; with TLS and a user where asked for. */
export async function startRegistry(
  folder: string,
  options: {
    readonly tls?: {readonly cert: string; readonly key: string}
    /** Who signs the certificates that clients must have. */
    readonly clientCa?: string
    readonly htpasswd?: string
    /** Locations without host, as behind proxies. */
    readonly relativeUrls?: boolean
  } = {},
): Promise<RunningRegistry> {
  const port = await freePort()
  const host = `127.0.0.1:${port}`
  mkdirSync(folder, {recursive: true})
  const clients = options.clientCa === undefined ? '' : `, clientcas: [${options.clientCa}]`
  const config = [
    'version: 0.1',
    'log: {level: error, accesslog: {disabled: true}}',
    `storage: {filesystem: {rootdirectory: ${path.join(folder, 'data')}}, delete: {enabled: true}}`,
    'http:',
    `  addr: ${host}`,
    `  relativeurls: ${options.relativeUrls ?? false}`,
    ...(options.tls === undefined
      ? []
      : [`  tls: {certificate: ${options.tls.cert}, key: ${options.tls.key}${clients}}`]),
    ...(options.htpasswd === undefined ? [] : ['auth:', `  htpasswd: {realm: test, path: ${options.htpasswd}}`]),
  ]
  const file = path.join(folder, 'config.yml')
  writeFileSync(file, config.join('\n'))
  const child = spawn('docker-registry', ['serve', file], {stdio: 'ignore'})
  await untilListening(port, child)
  return {host, stop: () => stopChild(child)}
}

async function untilListening(port: number, child: ChildProcess): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    if (child.exitCode !== null) throw new Error(`the registry ended with ${child.exitCode}`)
    const isOpen = await new Promise<boolean>((resolve) => {
      const request = requestHttp({host: '127.0.0.1', port, path: '/'}, (response) => {
        response.resume()
        resolve(true)
      })
      request.once('error', (error: NodeJS.ErrnoException) => {
        resolve(error.code !== 'ECONNREFUSED')
      })
      request.end()
    })
    if (isOpen) return
    await pause(50)
  }
  throw new Error('the registry does not listen')
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return
  const closed = once(child, 'close')
  child.kill()
  await closed
}

/** A certificate for 127.0.0.1, or for other names, that nobody has signed but itself. */
export function makeCertificate(folder: string, names = 'IP:127.0.0.1'): {readonly cert: string; readonly key: string} {
  const [cert, key] = [path.join(folder, 'tls.crt'), path.join(folder, 'tls.key')]
  const subject = ['-subj', '/CN=127.0.0.1', '-addext', `subjectAltName=${names}`]
  const how = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
  runTool('openssl', ['req', '-x509', ...how, ...subject, '-keyout', key, '-out', cert])
  return {cert, key}
}

export interface SeenRequest {
  readonly method: string
  readonly url: string
  readonly authorization: string | undefined
  readonly headers: IncomingMessage['headers']
}

export interface TestServer {
  readonly host: string
  readonly seen: SeenRequest[]
  stop(): Promise<void>
}

/** A server whose answers the test makes up; it keeps what it was asked. */
export async function startServer(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<TestServer> {
  const seen: SeenRequest[] = []
  const server = createHttp((request, response) => {
    const {method = '', url = '', headers} = request
    seen.push({method, url, authorization: headers.authorization, headers})
    answer(request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const {port} = server.address() as AddressInfo
  return {
    host: `127.0.0.1:${port}`,
    seen,
    stop: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

/** Passes everything on to a registry; `meddle` may answer or cut instead, and then gives true. */
export function startProxy(
  target: string,
  meddle: (request: IncomingMessage, response: ServerResponse) => boolean,
  cut: {afterUp?: number | undefined; afterDown?: number | undefined} = {},
): Promise<TestServer> {
  return startServer((request, response) => {
    if (meddle(request, response)) return
    const onward = requestHttp(
      `http://${target}${request.url ?? ''}`,
      {method: request.method, headers: request.headers},
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers)
        let passed = 0
        let isCut = false
        answer.on('data', (chunk: Buffer) => {
          // What comes behind the cut must not close the gap.
          if (isCut) return
          passed += chunk.length
          if (cut.afterDown !== undefined && passed > cut.afterDown) {
            cut.afterDown = undefined
            isCut = true
            response.write(chunk.subarray(0, chunk.length >> 1), () => request.socket.destroy())
            return
          }
          response.write(chunk)
        })
        answer.on('end', () => response.end())
      },
    )
    onward.on('error', () => request.socket.destroy())
    let passed = 0
    let isCut = false
    request.on('data', (chunk: Buffer) => {
      if (isCut) return
      passed += chunk.length
      if (cut.afterUp !== undefined && passed > cut.afterUp) {
        cut.afterUp = undefined
        isCut = true
        onward.destroy()
        request.socket.destroy()
        return
      }
      onward.write(chunk)
    })
    request.on('end', () => {
      if (!isCut) onward.end()
    })
  })
}
