import {mkdir, readdir, rm, stat} from 'node:fs/promises'
import {win32} from 'node:path'
import {asTransshipError, EnvironmentError, findSystemCode, InputError} from '../../model/errors.js'
import type {WorkOptions} from '../../model/events.js'
import {asResultCode, openNativeSystem, type NativeSystem} from '../host-compute/native-library.js'
import {enablePrivileges, LAYER_PRIVILEGES} from '../host-compute/privileges.js'
import {formatResult, resultError} from '../host-compute/result-code.js'
import {requireWindows} from '../require-windows.js'
import {formatGuid} from './guid.js'
import {readLayerChain, writeLayerChain} from './layer-chain.js'
import type {LayerService, ParentLayer} from './layer-service.js'
import {openLayerService} from './open-layer-service.js'

export interface LayerOptions extends WorkOptions {
  /** Folders of the parents, nearest first. Default on export: what Docker recorded beside the layer. */
  readonly parents?: readonly string[]
}

export interface ExportLayerOptions extends LayerOptions {
  /** The layer is a container's own, not one of an image. Default: false. */
  readonly isWritable?: boolean
}

export interface LayerMove {
  /** Runtime layout, absolute. */
  readonly runtime: string
  /** Transport layout, absolute. */
  readonly transportLayout: string
  /** Nearest first, absolute. */
  readonly parents: readonly string[]
  /** DLL that did the work. */
  readonly library: string
}

/**
 * Turns a runtime layer into a transport layout, through Windows itself. The folder must be new or empty; it is removed
 * again when Windows fails. Throws `WINDOWS_ONLY`, `NOT_FOUND`, `NO_ACCESS`, `DESTINATION_EXISTS`, and what Windows says.
 */
export async function exportRuntimeLayer(
  runtime: string,
  folder: string,
  {parents, isWritable = false, signal}: ExportLayerOptions = {},
): Promise<LayerMove> {
  requireWindows('Exporting a runtime layer', `transship layout export "${runtime}" "${folder}"`)
  const [layer, target] = [win32.resolve(runtime), win32.resolve(folder)]
  await requireFolder(layer)
  const chain = (parents ?? (await readLayerChain(layer))).map((parent) => win32.resolve(parent))
  for (const parent of chain) await requireFolder(parent)
  const {system, service} = await openServices()
  const named = await nameParents(system, chain)
  const wasThere = await requireEmpty(target)
  signal?.throwIfAborted()
  await mkdir(target, {recursive: true})
  const result = await service.exportLayer(layer, target, named, isWritable)
  if (result >= 0x80000000) {
    await rm(target, {recursive: true, force: true})
    if (wasThere) await mkdir(target)
    throw resultError(result, `Windows could not export the runtime layer ${layer}.`)
  }
  return {runtime: layer, transportLayout: target, parents: chain, library: service.library}
}

/**
 * Turns a transport layout into a runtime layer, through Windows itself. The layer must not exist; Windows destroys it
 * again when something fails. A layer without parents is finished as a base layer. Throws as `exportRuntimeLayer`.
 */
export async function importRuntimeLayer(
  folder: string,
  runtime: string,
  {parents = [], signal}: LayerOptions = {},
): Promise<LayerMove> {
  requireWindows('Importing a runtime layer', `transship layout import "${folder}" "${runtime}"`)
  const [source, layer] = [win32.resolve(folder), win32.resolve(runtime)]
  await requireFolder(source)
  const chain = parents.map((parent) => win32.resolve(parent))
  for (const parent of chain) await requireFolder(parent)
  await requireAbsent(layer)
  const {system, service} = await openServices()
  const named = await nameParents(system, chain)
  signal?.throwIfAborted()
  const result = await service.importLayer(layer, source, named)
  try {
    if (result >= 0x80000000) throw resultError(result, `Windows could not import the runtime layer ${layer}.`)
    if (chain.length === 0) await finishBaseLayer(system, layer)
    else await writeLayerChain(layer, chain)
  } catch (error) {
    await destroyBegun(service, layer)
    throw asTransshipError(error, {path: layer})
  }
  return {runtime: layer, transportLayout: source, parents: chain, library: service.library}
}

/** Removes a runtime layer, as only Windows can. One that is not there is no fault. */
export async function destroyRuntimeLayer(runtime: string): Promise<void> {
  requireWindows('Removing a runtime layer', `rmdir "${runtime}"`)
  const {service} = await openServices()
  await destroyBegun(service, win32.resolve(runtime))
}

async function openServices(): Promise<{system: NativeSystem; service: LayerService}> {
  const system = await openNativeSystem()
  const service = openLayerService(system)
  await enablePrivileges(system, LAYER_PRIVILEGES)
  return {system, service}
}

/** Windows knows a layer by a GUID that it makes from the last part of the layer's path. */
async function nameParents(system: NativeSystem, paths: readonly string[]): Promise<readonly ParentLayer[]> {
  if (paths.length === 0) return []
  const nameToGuid = requireVmCompute(system).declare('NameToGuid', 'int32', ['str16', 'void *'])
  const named: ParentLayer[] = []
  for (const path of paths) {
    const guid = Buffer.alloc(16)
    const result = asResultCode(await nameToGuid(win32.basename(path), guid))
    if (result >= 0x80000000) throw resultError(result, `Windows could not give the layer ${path} an id.`)
    named.push({id: formatGuid(guid), path})
  }
  return named
}

/** What Windows does once to the layer of an operating system, and to the utility VM in it. */
async function finishBaseLayer(system: NativeSystem, layer: string): Promise<void> {
  const library = requireVmCompute(system)
  const steps = [['ProcessBaseImage', layer]]
  const utilityVm = win32.join(layer, 'UtilityVM')
  if (await isFolder(utilityVm)) steps.push(['ProcessUtilityImage', utilityVm])
  for (const [step = '', path = ''] of steps) {
    const result = asResultCode(await library.declare(step, 'int32', ['str16'])(path))
    if (result >= 0x80000000) throw resultError(result, `Windows could not finish the base layer: ${step} ${path}.`)
  }
}

function requireVmCompute(system: NativeSystem) {
  const library = system.findLibrary('vmcompute.dll')
  if (library !== undefined) return library
  throw new EnvironmentError('ENGINE_UNAVAILABLE', {
    what: 'vmcompute.dll is missing on this Windows.',
    suggestions: ['Add the Containers feature: Install-WindowsFeature Containers'],
  })
}

async function destroyBegun(service: LayerService, layer: string): Promise<void> {
  if (!(await isFolder(layer))) return
  const result = await service.destroyLayer(layer)
  if (result < 0x80000000) return
  throw new EnvironmentError('IO_FAILED', {
    what: `transship could not remove the unfinished runtime layer ${layer}.`,
    why: `Windows returned ${formatResult(result)}.`,
    suggestions: ['Restart the host, then remove the folder.'],
    at: {path: layer},
  })
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory()
  } catch (error) {
    const code = findSystemCode(error)
    if (code === 'ENOENT' || code === 'ENOTDIR') return false
    throw asTransshipError(error, {path})
  }
}

async function requireFolder(path: string): Promise<void> {
  if (await isFolder(path)) return
  throw new InputError('NOT_FOUND', {what: 'The layer folder does not exist.', at: {path}})
}

async function requireAbsent(path: string): Promise<void> {
  if (!(await isFolder(path))) return
  throw new InputError('DESTINATION_EXISTS', {
    what: 'The runtime layer already exists.',
    suggestions: ['Choose a new folder. Windows creates the layer itself.'],
    at: {path},
  })
}

/** True when the folder is there already, and empty. */
async function requireEmpty(path: string): Promise<boolean> {
  if (!(await isFolder(path))) return false
  if ((await readdir(path)).length === 0) return true
  throw new InputError('DESTINATION_EXISTS', {
    what: 'The folder for the transport layout is not empty.',
    suggestions: ['Choose a new or empty folder.'],
    at: {path},
  })
}
