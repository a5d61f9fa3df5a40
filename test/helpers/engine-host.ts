import {spawn, type ChildProcess} from 'node:child_process'
import {mkdir, mkdtemp, open, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import path from 'node:path'
import type {Context} from 'mocha'
import {endProcess, engineEnvironment, untilListening} from './container-host.js'
import {requireTool, skipLoudly} from './tools.js'

/** An engine of this test's own, with nothing in it. */
export interface EngineHost {
  readonly folder: string
  readonly socket: string
  /** Address for `--engine`. */
  readonly url: string
  /** Its process: the test may stop it as it likes. */
  readonly process: ChildProcess
  close(): Promise<void>
}

/** Starts dockerd without a network and with storage that any machine has; skips the test where that cannot be. */
export async function startDockerd(test: Context, more: readonly string[] = []): Promise<EngineHost> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) skipLoudly(test, 'dockerd needs Linux and root')
  const dockerd = requireTool(test, 'dockerd')
  const folder = await mkdtemp(path.join(tmpdir(), 'transship-engine-'))
  const socket = path.join(folder, 'docker.sock')
  const host = await start(folder, socket, dockerd, [
    `--host=unix://${socket}`,
    `--data-root=${folder}/data`,
    `--exec-root=${folder}/exec`,
    `--pidfile=${folder}/docker.pid`,
    '--iptables=false',
    '--ip6tables=false',
    '--bridge=none',
    '--storage-driver=vfs',
    ...more,
  ])
  return host
}

/** Starts Podman's service on a socket of its own, with a store of its own. */
export async function startPodman(test: Context): Promise<EngineHost> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) skipLoudly(test, 'podman needs Linux and root')
  const podman = requireTool(test, 'podman')
  const folder = await mkdtemp(path.join(tmpdir(), 'transship-engine-'))
  const socket = path.join(folder, 'podman.sock')
  await mkdir(path.join(folder, 'run'))
  return start(folder, socket, podman, [...podmanStore(folder), 'system', 'service', '--time=0', `unix://${socket}`])
}

/** What Podman's own command line needs to see the same store. */
export function podmanStore(folder: string): readonly string[] {
  return [`--root=${folder}/root`, `--runroot=${folder}/run`, '--storage-driver=vfs', '--cgroup-manager=cgroupfs']
}

async function start(folder: string, socket: string, tool: string, args: readonly string[]): Promise<EngineHost> {
  const file = path.join(folder, 'engine.log')
  const log = await open(file, 'w')
  const child = spawn(tool, args, {stdio: ['ignore', log.fd, log.fd], cwd: folder, env: engineEnvironment()})
  await log.close()
  const close = async () => {
    await endProcess(child)
    await rm(folder, {recursive: true, force: true, maxRetries: 5, retryDelay: 200})
  }
  try {
    await untilListening(socket, child, file)
  } catch (error) {
    await close()
    throw error
  }
  return {folder, socket, url: `unix://${socket}`, process: child, close}
}
