import {EnvironmentError} from '../../model/errors.js'
import {openComputeCore} from './compute-core.js'
import type {ComputeService} from './compute-service.js'
import {openNativeSystem, type NativeSystem} from './native-library.js'
import {openVmCompute} from './vm-compute.js'

/** The newer API where the host has it, else that of Windows Server 2016. Throws `ENGINE_UNAVAILABLE` without either. */
export async function openComputeService(system?: NativeSystem): Promise<ComputeService> {
  const native = system ?? (await openNativeSystem())
  const service = openComputeCore(native) ?? openVmCompute(native)
  if (service !== undefined) return service
  throw new EnvironmentError('ENGINE_UNAVAILABLE', {
    what: 'This Windows has no Host Compute Service.',
    why: 'Neither computecore.dll nor vmcompute.dll is in the system folder.',
    suggestions: ['Add the Containers feature: Install-WindowsFeature Containers'],
  })
}
