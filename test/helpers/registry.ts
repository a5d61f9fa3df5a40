import {spawn} from 'node:child_process'
import {once} from 'node:events'
import {mkdtemp, open, readFile, rm, writeFile} from 'node:fs/promises'
import {createServer, type AddressInfo} from 'node:net'
import {tmpdir} from 'node:os'
import path from 'node:path'
import {setTimeout as delay} from 'node:timers/promises'
import {requireTool} from './tools.js'

/** A registry of the test's own: Docker's, without TLS, on a free port of this machine. */
export interface Registry {
  /** `localhost:PORT`. */
  readonly address: string
  close(): Promise<void>
}

/** Starts it over an empty folder; skips the test where it is not installed. */
export async function startRegistry(test: Mocha.Context): Promise<Registry> {
  const program = requireTool(test, 'docker-registry')
  const folder = await mkdtemp(path.join(tmpdir(), 'transship-registry-'))
  const address = `localhost:${await freePort()}`
  const configuration = path.join(folder, 'config.yml')
  await writeFile(
    configuration,
    [
      'version: 0.1',
      'log: {accesslog: {disabled: true}}',
      `storage: {filesystem: {rootdirectory: ${folder}/blobs}, delete: {enabled: true}}`,
      `http: {addr: '${address}'}`,
      '',
    ].join('\n'),
  )
  const log = await open(path.join(folder, 'log'), 'w')
  const child = spawn(program, ['serve', configuration], {stdio: ['ignore', log.fd, log.fd]})
  await log.close()
  const exited = once(child, 'exit')
  const close = async () => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGTERM')
      await exited
    }
    await rm(folder, {recursive: true, force: true})
  }
  for (let attempts = 0; attempts < 200 && child.exitCode === null; attempts++) {
    const isUp = await fetch(`http://${address}/v2/`).then(
      (response) => response.ok,
      () => false,
    )
    if (isUp) return {address, close}
    await delay(50)
  }
  const said = (await readFile(path.join(folder, 'log'), 'utf8')).slice(-2000)
  await close()
  throw new Error(`the registry does not come up: ${said}`)
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, 'localhost')
  await once(server, 'listening')
  const {port} = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
