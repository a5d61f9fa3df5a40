import type {ComputeAnswer, ComputeService} from './compute-service.js'
import {asResultCode, Pointer, type NativeSystem} from './native-library.js'
import {classifyResult} from './result-code.js'

/** GENERIC_ALL, winnt.h. */
const ALL_ACCESS = 0x10000000
const OUT_OF_MEMORY = 0x8007000e

/**
 * computecore.dll of Windows Server 2019 and later; undefined where it is absent. Every call takes an operation, which
 * is then waited for. Source: computecore.h; hcsshim internal/computecore.
 */
export function openComputeCore(system: NativeSystem): ComputeService | undefined {
  const library = system.findLibrary('computecore.dll')
  const kernel = system.findLibrary('kernel32.dll')
  if (library === undefined || kernel === undefined) return undefined
  const localFree = kernel.declare('LocalFree', 'void *', ['void *'])
  const createOperation = library.declare('HcsCreateOperation', 'void *', ['void *', 'void *'])
  const waitForResult = library.declare('HcsWaitForOperationResult', 'int32', ['void *', 'uint32', 'out pointer'])
  const closeOperation = library.declare('HcsCloseOperation', 'void', ['void *'])
  const enumerateSystems = library.declare('HcsEnumerateComputeSystems', 'int32', ['str16', 'void *'])
  const openSystem = library.declare('HcsOpenComputeSystem', 'int32', ['str16', 'uint32', 'out pointer'])
  const closeSystem = library.declare('HcsCloseComputeSystem', 'void', ['void *'])
  const onSystem = ['void *', 'void *', 'str16'] as const
  const getProperties = library.declare('HcsGetComputeSystemProperties', 'int32', onSystem)
  const shutDownSystem = library.declare('HcsShutDownComputeSystem', 'int32', onSystem)
  const terminateSystem = library.declare('HcsTerminateComputeSystem', 'int32', onSystem)

  const operate = async (timeoutMs: number, begin: (operation: bigint) => Promise<unknown>): Promise<ComputeAnswer> => {
    const operation = await createOperation(null, null)
    if (typeof operation !== 'bigint' || operation === 0n) return {result: OUT_OF_MEMORY, document: undefined}
    try {
      const begun = asResultCode(await begin(operation))
      if (classifyResult(begun) !== 'done') return {result: begun, document: undefined}
      const text = new Pointer()
      const result = asResultCode(await waitForResult(operation, timeoutMs, text))
      if (text.value === null) return {result, document: undefined}
      const document = system.readText(text.value)
      await localFree(text.value)
      return {result, document}
    } finally {
      await closeOperation(operation)
    }
  }
  const within = async (
    id: string,
    timeoutMs: number,
    begin: (handle: bigint, operation: bigint) => Promise<unknown>,
  ): Promise<ComputeAnswer> => {
    const handle = new Pointer()
    const opened = asResultCode(await openSystem(id, ALL_ACCESS, handle))
    const {value} = handle
    if (classifyResult(opened) !== 'done' || value === null) return {result: opened, document: undefined}
    try {
      return await operate(timeoutMs, (operation) => begin(value, operation))
    } finally {
      await closeSystem(value)
    }
  }
  return {
    library: library.name,
    enumerate: (query, timeoutMs) => operate(timeoutMs, (operation) => enumerateSystems(query, operation)),
    properties: (id, query, timeoutMs) =>
      within(id, timeoutMs, (handle, operation) => getProperties(handle, operation, query)),
    shutDown: (id, timeoutMs) => within(id, timeoutMs, (handle, operation) => shutDownSystem(handle, operation, null)),
    terminate: (id, timeoutMs) =>
      within(id, timeoutMs, (handle, operation) => terminateSystem(handle, operation, null)),
  }
}
