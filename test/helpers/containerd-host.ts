import {spawn, type ChildProcess} from 'node:child_process'
import {once} from 'node:events'
import {mkdtemp, open, rm, writeFile} from 'node:fs/promises'
import {connect, createServer, type Socket} from 'node:net'
import {tmpdir} from 'node:os'
import path from 'node:path'
import type {Context} from 'mocha'
import {endProcess, untilListening} from './container-host.js'
import {requireTool, runFailing, runTool, skipLoudly} from './tools.js'

/** A containerd of this test's own, with nothing in it. */
export interface ContainerdHost {
  readonly folder: string
  readonly socket: string
  /** What ctr says in a namespace; throws where it fails. */
  ctr(namespace: string, ...args: readonly string[]): string
  /** The same for what must fail. */
  ctrFailing(namespace: string, ...args: readonly string[]): string
  /** The digests in a namespace. */
  blobs(namespace: string): readonly string[]
  /** Lets the collector run to its end, as any deletion does. */
  collectGarbage(namespace: string): void
  /** Kills it without warning and starts it anew on the same store. */
  crash(): Promise<void>
  close(): Promise<void>
}

/** Starts containerd without Kubernetes' plugin; skips the test where that cannot be. */
export async function startContainerd(test: Context): Promise<ContainerdHost> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) skipLoudly(test, 'containerd needs Linux and root')
  const containerd = requireTool(test, 'containerd')
  const ctr = requireTool(test, 'ctr')
  const folder = await mkdtemp(path.join(tmpdir(), 'transship-containerd-'))
  const socket = path.join(folder, 'containerd.sock')
  const config = path.join(folder, 'containerd.toml')
  await writeFile(
    config,
    [
      'version = 2',
      `root = "${folder}/root"`,
      `state = "${folder}/state"`,
      'disabled_plugins = ["io.containerd.grpc.v1.cri"]',
      '[grpc]',
      `  address = "${socket}"`,
      '',
    ].join('\n'),
  )
  const start = async (): Promise<ChildProcess> => {
    const file = path.join(folder, 'containerd.log')
    const log = await open(file, 'a')
    const child = spawn(containerd, ['--config', config], {stdio: ['ignore', log.fd, log.fd], cwd: folder})
    await log.close()
    await untilListening(socket, child, file)
    return child
  }
  let child = await start()
  const inNamespace = (namespace: string, args: readonly string[]) => ['-a', socket, '-n', namespace, ...args]
  const run = (namespace: string, ...args: readonly string[]) => runTool(ctr, inNamespace(namespace, args))
  return {
    folder,
    socket,
    ctr: run,
    ctrFailing: (namespace, ...args) => runFailing(ctr, inNamespace(namespace, args)),
    blobs: (namespace) => run(namespace, 'content', 'ls', '-q').split('\n').filter(Boolean).sort(),
    collectGarbage: (namespace) => {
      run(namespace, 'leases', 'create', '--id', 'collector')
      run(namespace, 'leases', 'delete', '--sync', 'collector')
    },
    async crash() {
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
      await rm(socket, {force: true})
      child = await start()
    },
    async close() {
      await endProcess(child)
      await rm(folder, {recursive: true, force: true, maxRetries: 5, retryDelay: 200})
    },
  }
}

/** A socket in front of another that breaks connections after so many bytes each, in turn; then it lets all pass. */
export async function startCutter(
  folder: string,
  socket: string,
  cuts: {readonly up?: readonly number[]; readonly down?: readonly number[]},
): Promise<{readonly socket: string; readonly broken: () => number; close(): Promise<void>}> {
  const limits = {up: [...(cuts.up ?? [])], down: [...(cuts.down ?? [])]}
  let broken = 0
  const open = new Set<Socket>()
  const server = createServer((client) => {
    const behind = connect(socket)
    for (const side of [client, behind]) {
      open.add(side)
      side.on('error', () => undefined)
      side.on('close', () => {
        client.destroy()
        behind.destroy()
        open.delete(side)
      })
    }
    const pass = (from: Socket, to: Socket, limit: number | undefined) => {
      let bytes = 0
      from.on('data', (chunk: Buffer) => {
        bytes += chunk.byteLength
        if (limit !== undefined && bytes > limit) {
          broken++
          client.destroy()
          behind.destroy()
        } else if (!to.write(chunk)) {
          from.pause()
          to.once('drain', () => from.resume())
        }
      })
      from.on('end', () => to.end())
    }
    pass(client, behind, limits.up.shift())
    pass(behind, client, limits.down.shift())
  })
  const own = path.join(folder, `cutter-${String(process.hrtime.bigint())}.sock`)
  server.listen(own)
  await once(server, 'listening')
  return {
    socket: own,
    broken: () => broken,
    async close() {
      for (const side of open) side.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
