import {homedir} from 'node:os'
import path from 'node:path'
import {findCurrentContext, readContext} from './docker-context.js'
import type {EnginePlaces} from '../model/engine-places.js'
import {parseEngineEndpoint, type EngineEndpoint} from './endpoint.js'
import {readCertificates} from './certificates.js'

/** An engine that may listen somewhere. */
export interface EngineCandidate {
  readonly name: 'docker' | 'podman'
  readonly endpoint: EngineEndpoint
}

/**
 * The engine that is given, or all places where one listens by default, in the order to try them. `dockerConfig` is the
 * folder of Docker's `config.json` and contexts, `~/.docker` by default. Throws `BAD_OPTION`, `NOT_FOUND`.
 */
export async function engineCandidates(
  {host, certificates, context, runtimeFolder}: EnginePlaces,
  dockerConfig = path.join(homedir(), '.docker'),
): Promise<readonly EngineCandidate[]> {
  if (host !== undefined) {
    const tls = certificates === undefined ? undefined : await readCertificates(certificates)
    return [{name: 'docker', endpoint: parseEngineEndpoint(host, tls)}]
  }
  const name = context ?? (await findCurrentContext(dockerConfig))
  if (name !== undefined && name !== 'default') {
    return [{name: 'docker', endpoint: await readContext(dockerConfig, name)}]
  }
  const {docker, podman} = defaultSockets(process.platform, runtimeFolder)
  return [
    ...docker.map((at) => ({name: 'docker' as const, endpoint: {kind: 'socket' as const, path: at}})),
    ...podman.map((at) => ({name: 'podman' as const, endpoint: {kind: 'socket' as const, path: at}})),
  ]
}

/** Sockets and pipes where Docker and Podman listen when nothing else is said, with those of rootless engines. */
export function defaultSockets(
  platform: NodeJS.Platform,
  runtimeFolder: string | undefined,
): {readonly docker: readonly string[]; readonly podman: readonly string[]} {
  if (platform === 'win32') {
    return {docker: ['//./pipe/docker_engine'], podman: ['//./pipe/podman-machine-default']}
  }
  const own = runtimeFolder === undefined ? [] : [runtimeFolder]
  return {
    docker: ['/var/run/docker.sock', ...own.map((folder) => `${folder}/docker.sock`)],
    podman: ['/run/podman/podman.sock', ...own.map((folder) => `${folder}/podman/podman.sock`)],
  }
}
