import {readFile} from 'node:fs/promises'
import {homedir} from 'node:os'
import path from 'node:path'
import {asTransshipError, findSystemCode} from '../model/errors.js'
import type {EngineTls} from '../runtime/engine-api/endpoint.js'
import {openManagers, type ManagerPlaces} from '../runtime/open-managers.js'
import type {ContainerManager} from '../runtime/container-manager.js'

type Environment = Readonly<Record<string, string | undefined>>

/** Where managers are by the variables that their own clients read. */
export async function managerPlaces(env: Environment = process.env): Promise<ManagerPlaces> {
  const given = {
    dockerHost: set(env['DOCKER_HOST']),
    podmanHost: set(env['CONTAINER_HOST']),
    containerdAddress: set(env['CONTAINERD_ADDRESS']),
    runtimeDir: set(env['XDG_RUNTIME_DIR']),
    dockerTls: set(env['DOCKER_TLS_VERIFY']) === undefined ? undefined : await readCertificates(env),
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

/** Docker's folder: DOCKER_CONFIG, or `.docker` at home. */
export function dockerFolder(env: Environment = process.env): string {
  return set(env['DOCKER_CONFIG']) ?? path.join(homedir(), '.docker')
}

function set(value: string | undefined): string | undefined {
  return value === '' ? undefined : value
}

async function readCertificates(env: Environment): Promise<EngineTls> {
  const folder = set(env['DOCKER_CERT_PATH']) ?? dockerFolder(env)
  const entries = await Promise.all(
    (['ca', 'cert', 'key'] as const).map(async (name) => [name, await findText(path.join(folder, `${name}.pem`))]),
  )
  return Object.fromEntries(entries.filter(([, text]) => text !== undefined)) as EngineTls
}

async function findText(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if (findSystemCode(error) === 'ENOENT') return undefined
    throw asTransshipError(error, {path: file})
  }
}
