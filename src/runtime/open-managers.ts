import type {ContainerManager} from './container-manager.js'
import {ContainerdManager} from './containerd/containerd-manager.js'
import {formatEngineEndpoint, parseEngineEndpoint, type EngineEndpoint, type EngineTls} from '../engine-api/endpoint.js'
import {containerdPath, containerdSockets} from '../engine-api/containerd/addresses.js'
import {defaultSockets} from '../engine-api/engine-candidates.js'
import {EngineManager} from './engine/engine-manager.js'
import {HostComputeManager} from './host-compute/host-compute-manager.js'

/** Where to look for managers. What is not given is looked for where each manager listens by default. */
export interface ManagerPlaces {
  readonly platform: NodeJS.Platform
  /** DOCKER_HOST. */
  readonly dockerHost?: string
  /** DOCKER_CERT_PATH's certificates, when DOCKER_TLS_VERIFY asks for them. */
  readonly dockerTls?: EngineTls
  /** CONTAINER_HOST. */
  readonly podmanHost?: string
  /** CONTAINERD_ADDRESS: a path, with or without `unix://`. */
  readonly containerdAddress?: string
  /** XDG_RUNTIME_DIR, for rootless engines. */
  readonly runtimeDir?: string
  /** Ask only the managers that are given above. */
  readonly onlyGiven?: boolean
}

/** Connections to every manager that may be on this host; none is made before it is used. Throws `BAD_OPTION`. */
export function openManagers(places: ManagerPlaces): readonly ContainerManager[] {
  const guess = defaultPlaces(places)
  const managers: ContainerManager[] = []
  const engines = new Set<string>()
  const addEngine = (name: 'docker' | 'podman', endpoint: EngineEndpoint, isGuess: boolean) => {
    const text = formatEngineEndpoint(endpoint)
    if (!engines.has(text)) managers.push(new EngineManager(name, endpoint, {isGuess}))
    engines.add(text)
  }
  if (places.dockerHost !== undefined) {
    addEngine('docker', parseEngineEndpoint(places.dockerHost, places.dockerTls), false)
  }
  if (places.podmanHost !== undefined) addEngine('podman', parseEngineEndpoint(places.podmanHost), false)
  if (places.dockerHost === undefined)
    for (const path of guess.docker) addEngine('docker', {kind: 'socket', path}, true)
  if (places.podmanHost === undefined)
    for (const path of guess.podman) addEngine('podman', {kind: 'socket', path}, true)
  if (places.containerdAddress !== undefined) {
    managers.push(new ContainerdManager(containerdPath(places.containerdAddress), {isGuess: false}))
  } else {
    managers.push(...guess.containerd.map((path) => new ContainerdManager(path, {isGuess: true})))
  }
  if (places.platform === 'win32') managers.push(new HostComputeManager())
  return managers
}

interface DefaultPlaces {
  readonly docker: readonly string[]
  readonly podman: readonly string[]
  readonly containerd: readonly string[]
}

function defaultPlaces({platform, runtimeDir, onlyGiven = false}: ManagerPlaces): DefaultPlaces {
  if (onlyGiven) return {docker: [], podman: [], containerd: []}
  return {...defaultSockets(platform, runtimeDir), containerd: containerdSockets(platform)}
}
