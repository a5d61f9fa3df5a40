import {readCertificates} from '../engine-api/certificates.js'
import {openManagers, type ManagerPlaces} from '../runtime/open-managers.js'
import type {ContainerManager} from '../runtime/container-manager.js'
import {certificateFolder, set, type Environment} from './docker-environment.js'

/** Where managers are by the variables that their own clients read. */
export async function managerPlaces(env: Environment = process.env): Promise<ManagerPlaces> {
  const certificates = certificateFolder(env)
  const given = {
    dockerHost: set(env['DOCKER_HOST']),
    podmanHost: set(env['CONTAINER_HOST']),
    containerdAddress: set(env['CONTAINERD_ADDRESS']),
    runtimeDir: set(env['XDG_RUNTIME_DIR']),
    dockerTls: certificates === undefined ? undefined : await readCertificates(certificates),
  }
  const known = Object.entries(given).filter(([, value]) => value !== undefined)
  return {platform: process.platform, ...Object.fromEntries(known)}
}

/** Runs work with connections to every manager of this host, and closes them. */
export async function withManagers<T>(work: (managers: readonly ContainerManager[]) => Promise<T>): Promise<T> {
  const managers = openManagers(await managerPlaces())
  try {
    return await work(managers)
  } finally {
    for (const manager of managers) manager.close()
  }
}
