import {EnvironmentError} from '../../model/errors.js'
import type {NativeSystem} from '../host-compute/native-library.js'
import {openComputeStorage} from './compute-storage.js'
import {openVmComputeStorage} from './vm-compute-storage.js'

/** One layer whose content the layer at hand builds on. */
export interface ParentLayer {
  /** GUID, as Windows derives it from the folder's name: `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx`. */
  readonly id: string
  /** Absolute. */
  readonly path: string
}

/** Windows' own way between runtime layouts and transport layouts. Every call gives the unsigned HRESULT. */
export interface LayerService {
  /** DLL it is reached through. */
  readonly library: string
  /** `folder` is there and empty; `isWritable`: the layer is a container's own, not one of an image. */
  exportLayer(layer: string, folder: string, parents: readonly ParentLayer[], isWritable: boolean): Promise<number>
  /** Makes the folder `layer`. */
  importLayer(layer: string, folder: string, parents: readonly ParentLayer[]): Promise<number>
  destroyLayer(layer: string): Promise<number>
}

/** The newer API where the host has it, else that of Windows Server 2016. Throws `ENGINE_UNAVAILABLE` without either. */
export function openLayerService(system: NativeSystem): LayerService {
  const service = openComputeStorage(system) ?? openVmComputeStorage(system)
  if (service !== undefined) return service
  throw new EnvironmentError('ENGINE_UNAVAILABLE', {
    what: 'This Windows cannot read or write container layers.',
    why: 'Neither computestorage.dll nor vmcompute.dll is in the system folder.',
    suggestions: ['Add the Containers feature: Install-WindowsFeature Containers'],
  })
}
