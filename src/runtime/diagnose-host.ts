import {constants} from 'node:fs'
import {access, mkdir, statfs, writeFile} from 'node:fs/promises'
import {availableParallelism} from 'node:os'
import path from 'node:path'
import * as zlib from 'node:zlib'
import {clientConfigText, MAX_CLIENT_CONFIG_BYTES} from '../codecs/json/client-config.js'
import {loadKoffi} from '../disk/load-koffi.js'
import {removeTree} from '../disk/remove-tree.js'
import {readBounded} from '../disk/safe-open.js'
import {makeTemporaryFolder} from '../disk/temporary-folder.js'
import {TimeLimitReached, withTimeLimit} from '../engine-api/connection-error.js'
import {findSystemCode, TransshipError} from '../model/errors.js'
import type {WorkOptions} from '../model/events.js'
import {IS_EXECUTABLE} from '../model/own-files.js'
import {ProxyChoice, type ProxySettings} from '../model/proxies.js'
import type {ContainerManager} from './container-manager.js'
import {openComputeService} from './host-compute/open-compute-service.js'
import {openNativeSystem} from './host-compute/native-library.js'
import {enablePrivileges, LAYER_PRIVILEGES} from './host-compute/privileges.js'
import {listContainers, nameOf} from './list-containers.js'
import {openLayerService} from './storage/open-layer-service.js'

/** One thing that this machine can do, in part, or not. */
export interface HostCheck {
  readonly name: string
  /** `limited`: works, with the drawback told; `absent`: is not here. */
  readonly state: 'ok' | 'limited' | 'absent'
  readonly found: string
  /** What to do about it. */
  readonly advice?: string
}

export interface HostReport {
  readonly platform: string
  readonly architecture: string
  readonly node: string
  readonly checks: readonly HostCheck[]
}

export interface DiagnoseOptions extends WorkOptions {
  /** Folder of Docker's client, with `config.json`. */
  readonly dockerFolder: string
  /** Folders where credential helpers are looked for. */
  readonly programFolders: readonly string[]
  /** On the way to image registries. */
  readonly proxies?: ProxySettings
}

const GIB = 1024 ** 3
/** A base layer of Windows Server, unpacked, and its copy. */
const ROOM_BYTES = 20 * GIB

/** What works on this machine, and what to do about the rest. Throws only `INTERRUPTED`. */
export async function diagnoseHost(
  managers: readonly ContainerManager[],
  options: DiagnoseOptions,
): Promise<HostReport> {
  const groups = await Promise.all([
    inTemporaryFolder((folder) => Promise.all([checkRoom(folder), checkLongPaths(folder)])),
    checkCredentials(options),
    checkManagers(managers, options),
    process.platform === 'win32' ? checkWindows() : Promise.resolve([OFF_WINDOWS]),
  ])
  const checks = [
    checkProcessors(),
    checkZstd(),
    checkNativeCalls(),
    checkProxies(options.proxies ?? {}),
    ...groups.flat(),
  ]
  return {platform: process.platform, architecture: process.arch, node: process.version, checks}
}

const OFF_WINDOWS: HostCheck = {
  name: 'runtime layers',
  state: 'absent',
  found: 'not Windows',
  advice: 'Run transship layout on a Windows container host. Everything else works here.',
}

function checkProcessors(): HostCheck {
  return {name: 'processors', state: 'ok', found: `${availableParallelism()} for compression`}
}

function checkZstd(): HostCheck {
  if ('createZstdCompress' in zlib) return {name: 'zstd', state: 'ok', found: 'built into Node'}
  return {name: 'zstd', state: 'limited', found: 'read by JavaScript', advice: 'Node 22.15 or later is faster.'}
}

/** koffi, an optional package, calls the functions of the system. */
function checkNativeCalls(): HostCheck {
  const name = 'native calls'
  try {
    return {name, state: 'ok', found: `koffi ${loadKoffi().version}`}
  } catch (error) {
    const found = IS_EXECUTABLE
      ? `koffi cannot be unpacked: ${error instanceof Error ? error.message : String(error)}`
      : 'koffi is not installed'
    const advice = IS_EXECUTABLE
      ? 'Set XDG_CACHE_HOME to a folder of your own that you can write to.'
      : 'Install it for exact times and the Windows API: npm install --include=optional transship'
    return {name, state: 'limited', found, advice}
  }
}

/** The proxies that the variables name, without user and password. Contacts nobody. */
function checkProxies(settings: ProxySettings): HostCheck {
  const name = 'proxy'
  try {
    const {https, http} = new ProxyChoice(settings)
    if (https === undefined && http === undefined) {
      return {name, state: 'ok', found: 'none; transship connects to image registries directly'}
    }
    const ways = [
      ...(https === undefined ? [] : [`${https.origin} for https`]),
      ...(http === undefined ? [] : [`${http.origin} for http`]),
      ...(settings.exceptions === undefined ? [] : [`none for ${settings.exceptions}`]),
    ]
    if (https !== undefined) return {name, state: 'ok', found: ways.join(', ')}
    return {
      name,
      state: 'limited',
      found: ways.join(', '),
      advice: 'Image registries use HTTPS, so set HTTPS_PROXY too.',
    }
  } catch (error) {
    if (!(error instanceof TransshipError)) throw error
    return {name, state: 'limited', found: error.what, ...(error.why === undefined ? {} : {advice: error.why})}
  }
}

async function inTemporaryFolder(
  work: (folder: string) => Promise<readonly HostCheck[]>,
): Promise<readonly HostCheck[]> {
  let folder
  try {
    folder = makeTemporaryFolder()
  } catch (error) {
    if (!(error instanceof TransshipError)) throw error
    return [{name: 'disk', state: 'absent', found: error.what, advice: error.suggestions.join(' ')}]
  }
  try {
    return await work(folder)
  } finally {
    removeTree(folder)
  }
}

async function checkRoom(folder: string): Promise<HostCheck> {
  const {bavail, bsize} = await statfs(folder)
  const free = bavail * bsize
  const found = `${(free / GIB).toFixed(1)} GiB free in ${path.dirname(folder)}`
  if (free >= ROOM_BYTES) return {name: 'disk', state: 'ok', found}
  return {
    name: 'disk',
    state: 'limited',
    found,
    advice: 'A Windows base image takes up to 20 GiB. Set TMPDIR (Windows: TEMP) to a larger disk.',
  }
}

/** Tests the file system, not a setting: Windows payloads go deeper than 260 characters. */
async function checkLongPaths(folder: string): Promise<HostCheck> {
  const deep = path.join(folder, ...Array.from({length: 8}, () => 'n'.repeat(100)))
  try {
    await mkdir(deep, {recursive: true})
    await writeFile(path.join(deep, 'file'), '')
    return {name: 'long paths', state: 'ok', found: `${deep.length} characters work`}
  } catch (error) {
    return {
      name: 'long paths',
      state: 'limited',
      found: `${deep.length} characters fail (${findSystemCode(error) ?? 'no code'})`,
      advice: 'On Windows, set LongPathsEnabled. Elsewhere, choose another file system for packages.',
    }
  }
}

/** Which image registries Docker's client has credentials for. Does not read the credentials. */
async function checkCredentials({dockerFolder, programFolders}: DiagnoseOptions): Promise<readonly HostCheck[]> {
  const file = path.join(dockerFolder, 'config.json')
  let value: unknown
  try {
    value = JSON.parse(
      clientConfigText(readBounded(file, MAX_CLIENT_CONFIG_BYTES, {links: 'followed'}).toString('utf8')),
    )
  } catch (error) {
    if (findSystemCode(error) === 'ENOENT') {
      const advice = 'Public images need none. For others, run docker login or podman login --authfile.'
      return [{name: 'credentials', state: 'absent', found: `no ${file}`, advice}]
    }
    return [{name: 'credentials', state: 'limited', found: `cannot read ${file}`, advice: 'Check the file.'}]
  }
  const hosts = keysOf(value, 'auths')
  const helpers = [...new Set([...textOf(value, 'credsStore'), ...valuesOf(value, 'credHelpers')])]
  const found = hosts.length === 0 ? `none in ${file}` : `for ${hosts.join(', ')}`
  const checks: HostCheck[] = [{name: 'credentials', state: 'ok', found}]
  for (const helper of helpers) {
    const program = `docker-credential-${helper}`
    const isThere = await isProgram(program, programFolders)
    checks.push({
      name: 'credential helper',
      state: isThere ? 'ok' : 'limited',
      found: `${program} is ${isThere ? 'installed' : 'not on PATH'}`,
      ...(isThere ? {} : {advice: `Install ${program}, or remove it from ${file}.`}),
    })
  }
  return checks
}

function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
  return (value as Readonly<Record<string, unknown>>)[name]
}

function keysOf(value: unknown, name: string): readonly string[] {
  const member = memberOf(value, name)
  return typeof member === 'object' && member !== null ? Object.keys(member).sort() : []
}

function valuesOf(value: unknown, name: string): readonly string[] {
  const member = memberOf(value, name)
  return keysOf(value, name).flatMap((key) => textOf(member, key))
}

function textOf(value: unknown, name: string): readonly string[] {
  const member = memberOf(value, name)
  return typeof member === 'string' && member !== '' ? [member] : []
}

async function isProgram(name: string, folders: readonly string[]): Promise<boolean> {
  const names = process.platform === 'win32' ? [`${name}.exe`, `${name}.cmd`] : [name]
  for (const file of folders.flatMap((folder) => names.map((each) => path.join(folder, each)))) {
    const isThere = await access(file, constants.X_OK).then(
      () => true,
      () => false,
    )
    if (isThere) return true
  }
  return false
}

async function checkManagers(
  managers: readonly ContainerManager[],
  {signal}: DiagnoseOptions,
): Promise<readonly HostCheck[]> {
  const {managers: reports} = await listContainers(managers, {all: true, ...(signal === undefined ? {} : {signal})})
  const checks = reports.map(async (report): Promise<readonly HostCheck[]> => {
    const name = nameOf(report)
    if (report.state === 'answered') {
      const check: HostCheck = {name, state: 'ok', found: `${report.containers} containers`}
      const manager = managers.find((each) => each.name === report.name && each.endpoint === report.endpoint)
      return manager?.countImages === undefined ? [check] : [check, await checkStore(manager, name, signal)]
    }
    return [
      {
        name,
        state: report.state === 'absent' ? 'absent' : 'limited',
        found: report.state === 'absent' ? 'not running' : (report.error?.message ?? 'it failed'),
        ...(report.error?.suggestions[0] === undefined ? {} : {advice: report.error.suggestions[0]}),
      },
    ]
  })
  return (await Promise.all(checks)).flat()
}

/** Counting the images of all namespaces takes a blink, or containerd hangs. */
const COUNT_MS = 10_000

/** What `containerd:` reads: the images of each namespace. */
async function checkStore(
  manager: ContainerManager,
  title: string,
  signal: AbortSignal | undefined,
): Promise<HostCheck> {
  const name = `images in ${title}`
  try {
    const counts = await withTimeLimit(COUNT_MS, signal, async (limited) => manager.countImages?.({signal: limited}))
    const told = [...(counts ?? [])].sort(([left], [right]) => (left < right ? -1 : 1))
    const found = told.map(([namespace, count]) => `${namespace}: ${count}`).join(', ')
    return {name, state: 'ok', found: found === '' ? 'no namespaces yet' : found, advice: 'transship list containerd:'}
  } catch (error) {
    if (signal?.aborted === true || !(error instanceof TransshipError || error instanceof TimeLimitReached)) throw error
    return {name, state: 'limited', found: error.message}
  }
}

/** What the commands for runtime layers and containers need. */
async function checkWindows(): Promise<readonly HostCheck[]> {
  return Promise.all([
    checkStep('compute service', async () => (await openComputeService()).library),
    checkStep('runtime layers', async () => openLayerService(await openNativeSystem()).library),
    checkStep('privileges', async () => {
      await enablePrivileges(await openNativeSystem(), LAYER_PRIVILEGES)
      return LAYER_PRIVILEGES.join(', ')
    }),
  ])
}

async function checkStep(name: string, work: () => Promise<string>): Promise<HostCheck> {
  try {
    return {name, state: 'ok', found: await work()}
  } catch (error) {
    if (!(error instanceof TransshipError)) throw error
    const [advice] = error.suggestions
    return {name, state: 'absent', found: error.message, ...(advice === undefined ? {} : {advice})}
  }
}
