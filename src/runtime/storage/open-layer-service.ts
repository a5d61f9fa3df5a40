import {EnvironmentError} from '../../model/errors.js'
import type {NativeSystem} from '../host-compute/native-library.js'
import {openComputeStorage} from './compute-storage.js'
import type {LayerService} from './layer-service.js'
import {openVmComputeStorage} from './vm-compute-storage.js'

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
