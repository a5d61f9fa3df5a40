import {EnvironmentError} from '../../model/errors.js'
import {openComputeCore} from './compute-core.js'
import {openNativeSystem, type NativeSystem} from './native-library.js'
import {openVmCompute} from './vm-compute.js'

/** Result of one call: the unsigned HRESULT, and the document that came with it. */
export interface ComputeAnswer {
  readonly result: number
  readonly document: string | undefined
}

/**
 * The Host Compute Service, whichever API the host has. Calls give what Windows says, failures too; `timeoutMs` bounds
 * the wait, which cannot be interrupted otherwise.
 */
export interface ComputeService {
  /** DLL it is reached through. */
  readonly library: string
  enumerate(queryJson: string, timeoutMs: number): Promise<ComputeAnswer>
  properties(id: string, queryJson: string, timeoutMs: number): Promise<ComputeAnswer>
  /** Asks the system to shut down. */
  shutDown(id: string, timeoutMs: number): Promise<ComputeAnswer>
  /** Ends the system at once. */
  terminate(id: string, timeoutMs: number): Promise<ComputeAnswer>
}

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
