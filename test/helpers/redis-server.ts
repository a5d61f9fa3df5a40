import {spawn} from 'node:child_process'
import {once} from 'node:events'
import {mkdtemp, readFile, rm} from 'node:fs/promises'
import {createServer, type AddressInfo} from 'node:net'
import {tmpdir} from 'node:os'
import path from 'node:path'
import {setTimeout as delay} from 'node:timers/promises'
import {requireTool} from './tools.js'

export interface RedisOptions {
  /** Of one that was there before; default: a free one. */
  readonly port?: number
  readonly password?: string
  /** A user beside the default one, who then may do nothing. */
  readonly user?: {readonly name: string; readonly password: string}
  /** Speak TLS and nothing else. */
  readonly tls?: {readonly cert: string; readonly key: string}
}

/** A Redis of the test's own, on a free port of this machine; nothing is kept on disk. */
export interface RedisServer {
  /** `redis://127.0.0.1:PORT`, or `rediss:`, without the password. */
  readonly url: string
  readonly port: number
  close(): Promise<void>
}

/** Starts it; skips the test where it is not installed. */
export async function startRedis(test: Mocha.Context, options: RedisOptions = {}): Promise<RedisServer> {
  const program = requireTool(test, 'redis-server')
  const folder = await mkdtemp(path.join(tmpdir(), 'transship-redis-'))
  const port = options.port ?? (await freePort())
  const log = path.join(folder, 'log')
  const {password, user, tls} = options
  const ports = tls === undefined ? ['--port', String(port)] : ['--port', '0', '--tls-port', String(port)]
  const scheme = tls === undefined ? 'redis' : 'rediss'
  const child = spawn(
    program,
    [
      ...[...ports, '--bind', '127.0.0.1', '--dir', folder, '--logfile', log],
      ...['--save', '', '--appendonly', 'no'],
      ...(password === undefined ? [] : ['--requirepass', password]),
      ...(user === undefined
        ? []
        : ['--user', user.name, 'on', `>${user.password}`, '~*', '&*', '+@all', '--user', 'default', 'off']),
      ...(tls === undefined
        ? []
        : ['--tls-cert-file', tls.cert, '--tls-key-file', tls.key, '--tls-auth-clients', 'no']),
    ],
    {stdio: 'ignore'},
  )
  const exited = once(child, 'exit')
  const close = async () => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGTERM')
      await exited
    }
    await rm(folder, {recursive: true, force: true})
  }
  for (let attempts = 0; attempts < 200 && child.exitCode === null; attempts++) {
    const said = await readFile(log, 'utf8').catch(() => '')
    if (said.includes('Ready to accept connections')) return {url: `${scheme}://127.0.0.1:${port}`, port, close}
    await delay(50)
  }
  const said = (await readFile(log, 'utf8').catch(() => '')).slice(-2000)
  await close()
  throw new Error(`redis-server does not come up: ${said}`)
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const {port} = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
