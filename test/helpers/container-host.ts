import {spawn, type ChildProcess} from 'node:child_process'
import {once} from 'node:events'
import {copyFile, mkdir, mkdtemp, open, readFile, rm, symlink, writeFile} from 'node:fs/promises'
import {request} from 'node:http'
import {connect} from 'node:net'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {setTimeout as delay} from 'node:timers/promises'
import type {Context} from 'mocha'
import {requireTool, runTool} from './tools.js'

/** Real managers of this machine's own, in one temporary folder, with an image that has nothing but busybox. */
export interface ContainerHost {
  readonly folder: string
  readonly dockerSocket: string
  readonly podmanSocket: string
  readonly containerdSocket: string
  /** What Podman's own command line needs to see the same store. */
  readonly podmanStore: readonly string[]
  /** The image, saved by the real Docker engine. */
  readonly savedImage: string
  /** Why containers cannot run here, when they cannot: they are only created then. */
  readonly runFailure: string | undefined
  readonly dockerd: ChildProcess
  /** Creates and, where possible, starts a container through an engine; gives its id. */
  runInEngine(socket: string, name: string, command?: readonly string[]): Promise<string>
  /** The same through containerd, in a namespace; the id is the one given. */
  runInContainerd(namespace: string, id: string, command?: readonly string[]): string
  /** Starts one again that has ended, where containers can run. */
  startInEngine(socket: string, name: string): Promise<void>
  close(): Promise<void>
}

export const TEST_IMAGE = 'docker.io/transship/busybox:test'
/** Ends on SIGTERM: the first process of a container has no default action for it. */
export const POLITE = ['/bin/sh', '-c', 'trap "exit 0" TERM; while :; do sleep 0.1; done']
/** Ends on SIGKILL alone. */
export const STUBBORN = ['/bin/sh', '-c', 'trap "" TERM; while :; do sleep 0.1; done']
/** Machines without the right to raise limits refuse a container that asks for the defaults. */
const LIMITS = [
  {Name: 'nofile', Soft: 256, Hard: 256},
  {Name: 'nproc', Soft: 256, Hard: 256},
]

/**
 * Asked for its version, Podman searches the packages of Debian for those that its helpers come from: the better part of
 * a second, for words that nobody here reads. It finds none in a database that is not there.
 */
export function engineEnvironment(): NodeJS.ProcessEnv {
  return {...process.env, DPKG_ADMINDIR: '/nonexistent'}
}

/** What a host is made with. */
export const MANAGERS = ['dockerd', 'containerd', 'ctr', 'podman', 'busybox', 'tar']

/** Starts dockerd, containerd and Podman's service; skips the test where one of them is missing. */
export async function startContainerHost(test: Context): Promise<ContainerHost> {
  const tools = {
    dockerd: requireTool(test, 'dockerd'),
    containerd: requireTool(test, 'containerd'),
    ctr: requireTool(test, 'ctr'),
    podman: requireTool(test, 'podman'),
    busybox: requireTool(test, 'busybox'),
    tar: requireTool(test, 'tar'),
  }
  const folder = await mkdtemp(join(tmpdir(), 'transship-host-'))
  const at = (name: string) => join(folder, name)
  const sockets = {docker: at('docker.sock'), podman: at('podman.sock'), containerd: at('containerd.sock')}
  const children: ChildProcess[] = []
  const start = async (name: string, path: string, args: readonly string[], socket: string) => {
    const log = await open(at(`${name}.log`), 'w')
    const child = spawn(path, args, {stdio: ['ignore', log.fd, log.fd], cwd: folder, env: engineEnvironment()})
    await log.close()
    children.push(child)
    await untilListening(socket, child, at(`${name}.log`))
    return child
  }
  await writeFile(at('containerd.toml'), containerdConfiguration(folder, sockets.containerd))
  await start('containerd', tools.containerd, ['--config', at('containerd.toml')], sockets.containerd)
  const dockerd = await start('dockerd', tools.dockerd, dockerdArguments(folder, sockets), sockets.docker)
  await start('podman', tools.podman, podmanArguments(folder, sockets.podman), sockets.podman)

  const ctr = (namespace: string, ...args: readonly string[]) =>
    runTool(tools.ctr, ['-a', sockets.containerd, '-n', namespace, ...args])
  await makeImage(folder, tools, sockets)
  const inContainerd: {namespace: string; id: string}[] = []
  const inEngine: {socket: string; id: string}[] = []
  const imported = new Set<string>()
  let runFailure: string | undefined

  return {
    folder,
    dockerSocket: sockets.docker,
    podmanSocket: sockets.podman,
    containerdSocket: sockets.containerd,
    podmanStore: podmanStore(folder),
    savedImage: at('image.tar'),
    get runFailure() {
      return runFailure
    },
    dockerd,
    async runInEngine(socket, name, command = POLITE) {
      const body = JSON.stringify({
        Image: TEST_IMAGE,
        Cmd: command,
        HostConfig: {NetworkMode: 'none', Ulimits: LIMITS},
      })
      const {Id: id} = JSON.parse(await call(socket, 'POST', `/containers/create?name=${name}`, body)) as {Id: string}
      inEngine.push({socket, id})
      await call(socket, 'POST', `/containers/${id}/start`).catch((error: unknown) => {
        runFailure = String(error)
      })
      return id
    },
    async startInEngine(socket, name) {
      if (runFailure === undefined) await call(socket, 'POST', `/containers/${name}/start`)
    },
    runInContainerd(namespace, id, command = POLITE) {
      if (!imported.has(namespace)) {
        ctr(namespace, 'images', 'import', '--snapshotter', 'native', at('image.tar'))
        imported.add(namespace)
      }
      inContainerd.push({namespace, id})
      try {
        // The state of runc is the machine's own and outlives a host: another run's container may have this name there.
        const options = ['--detach', '--snapshotter', 'native', '--runc-root', at('runc')]
        ctr(namespace, 'run', ...options, TEST_IMAGE, id, ...command)
      } catch (error) {
        runFailure = String(error)
      }
      return id
    },
    async close() {
      dockerd.kill('SIGCONT')
      for (const {namespace, id} of inContainerd) {
        attempt(() => ctr(namespace, 'task', 'delete', '--force', id))
        attempt(() => ctr(namespace, 'container', 'delete', id))
      }
      for (const {socket, id} of inEngine) {
        await call(socket, 'DELETE', `/containers/${id}?force=true&v=true`).catch(() => undefined)
      }
      for (const child of children.reverse()) await endProcess(child)
      await rm(folder, {recursive: true, force: true, maxRetries: 5, retryDelay: 200})
    },
  }
}

function containerdConfiguration(folder: string, socket: string): string {
  return [
    'version = 2',
    `root = "${folder}/containerd/root"`,
    `state = "${folder}/containerd/state"`,
    'disabled_plugins = ["io.containerd.grpc.v1.cri"]',
    '[grpc]',
    `  address = "${socket}"`,
    '',
  ].join('\n')
}

function dockerdArguments(folder: string, sockets: {docker: string; containerd: string}): readonly string[] {
  return [
    `--host=unix://${sockets.docker}`,
    `--containerd=${sockets.containerd}`,
    `--data-root=${folder}/docker/data`,
    `--exec-root=${folder}/docker/exec`,
    `--pidfile=${folder}/docker.pid`,
    '--iptables=false',
    '--ip6tables=false',
    '--bridge=none',
    '--storage-driver=vfs',
  ]
}

function podmanArguments(folder: string, socket: string): readonly string[] {
  return [...podmanStore(folder), '--cgroup-manager=cgroupfs', 'system', 'service', '--time=0', `unix://${socket}`]
}

function podmanStore(folder: string): readonly string[] {
  return [`--root=${folder}/podman/root`, `--runroot=${folder}/podman/run`, '--storage-driver=vfs']
}

/** Imports one root file system as an image into both engines, and saves it for containerd. */
async function makeImage(
  folder: string,
  tools: {busybox: string; tar: string},
  sockets: {docker: string; podman: string},
): Promise<void> {
  const root = join(folder, 'root')
  await mkdir(join(root, 'bin'), {recursive: true})
  await copyFile(tools.busybox, join(root, 'bin', 'busybox'))
  for (const applet of ['sh', 'sleep']) await symlink('busybox', join(root, 'bin', applet))
  runTool(tools.tar, ['-C', root, '-cf', join(folder, 'root.tar'), '.'])
  const [repository = '', tag = ''] = TEST_IMAGE.split(/:(?=[^:]*$)/)
  const tar = await readFile(join(folder, 'root.tar'))
  for (const socket of [sockets.docker, sockets.podman]) {
    const query = `fromSrc=-&repo=${encodeURIComponent(repository)}&tag=${tag}`
    const answer = await call(socket, 'POST', `/images/create?${query}`, tar, 'application/x-tar')
    const id = /sha256:[0-9a-f]{64}/.exec(answer)?.[0] ?? ''
    // Old Podman takes no name with an imported image.
    await call(socket, 'POST', `/images/${id}/tag?repo=${encodeURIComponent(repository)}&tag=${tag}`)
  }
  await writeFile(join(folder, 'image.tar'), await callBytes(sockets.docker, 'GET', `/images/${TEST_IMAGE}/get`))
}

/** One request to an engine, apart from the code under test; throws on any status of failure. */
async function call(socket: string, method: string, path: string, body?: string | Uint8Array, type?: string) {
  return (await callBytes(socket, method, path, body, type)).toString('utf8')
}

/** The same, for an answer that is no text. */
export async function callBytes(
  socket: string,
  method: string,
  path: string,
  body?: string | Uint8Array,
  type = 'application/json',
): Promise<Buffer> {
  const headers = {Host: 'localhost', 'Content-Type': type, 'Content-Length': Buffer.byteLength(body ?? '')}
  const sent = request({socketPath: socket, method, path, agent: false, headers})
  sent.end(body)
  const [response] = (await once(sent, 'response')) as [AsyncIterable<Uint8Array> & {statusCode: number}]
  const parts: Uint8Array[] = []
  for await (const part of response) parts.push(part)
  const bytes = Buffer.concat(parts)
  if (response.statusCode >= 400) throw new Error(`${method} ${path}: ${response.statusCode} ${bytes.toString('utf8')}`)
  return bytes
}

/** Settles when somebody listens there; throws with the end of the log when the process ends first, or it is late. */
export async function untilListening(socket: string, child: ChildProcess, log: string): Promise<void> {
  for (let attempts = 0; attempts < 300; attempts++) {
    if (child.exitCode !== null) break
    const isUp = await new Promise<boolean>((resolve) => {
      const probe = connect(socket)
      probe.once('connect', () => {
        probe.destroy()
        resolve(true)
      })
      probe.once('error', () => {
        resolve(false)
      })
    })
    if (isUp) return
    await delay(100)
  }
  throw new Error(`${socket} does not come up: ${(await readFile(log, 'utf8')).slice(-2000)}`)
}

/** Asks a process to end, and makes it after a while. */
export async function endProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  const isLate = await Promise.race([exited.then(() => false), delay(15_000, true, {ref: false})])
  if (!isLate) return
  child.kill('SIGKILL')
  await exited
}

function attempt(work: () => unknown): void {
  try {
    work()
  } catch {
    // What is to be removed may be gone already.
  }
}
