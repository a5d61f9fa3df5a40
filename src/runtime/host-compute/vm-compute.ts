import type {ComputeAnswer, ComputeService} from './compute-service.js'
import {asResultCode, Pointer, type NativeSystem} from './native-library.js'
import {classifyResult} from './result-code.js'

/**
 * vmcompute.dll of Windows Server 2016; undefined where it is absent. Calls answer at once, those that end a system
 * often with 'pending'. Source: hcsshim internal/vmcompute.
 */
export function openVmCompute(system: NativeSystem): ComputeService | undefined {
  const library = system.findLibrary('vmcompute.dll')
  const ole = system.findLibrary('ole32.dll')
  if (library === undefined || ole === undefined) return undefined
  const free = ole.declare('CoTaskMemFree', 'void', ['void *'])
  const enumerateSystems = library.declare('HcsEnumerateComputeSystems', 'int32', [
    'str16',
    'out pointer',
    'out pointer',
  ])
  const openSystem = library.declare('HcsOpenComputeSystem', 'int32', ['str16', 'out pointer', 'out pointer'])
  const closeSystem = library.declare('HcsCloseComputeSystem', 'int32', ['void *'])
  const getProperties = library.declare('HcsGetComputeSystemProperties', 'int32', [
    'void *',
    'str16',
    'out pointer',
    'out pointer',
  ])
  const onSystem = ['void *', 'str16', 'out pointer'] as const
  const shutDownSystem = library.declare('HcsShutdownComputeSystem', 'int32', onSystem)
  const terminateSystem = library.declare('HcsTerminateComputeSystem', 'int32', onSystem)

  const take = async (pointer: Pointer): Promise<string | undefined> => {
    if (pointer.value === null) return undefined
    const text = system.readText(pointer.value)
    await free(pointer.value)
    return text
  }
  /** The document asked for, or on failure the service's own words about it. */
  const answer = async (result: number, document: Pointer, failure: Pointer): Promise<ComputeAnswer> => {
    const [text, words] = [await take(document), await take(failure)]
    return {result, document: text ?? words}
  }
  const within = async (id: string, work: (handle: bigint) => Promise<ComputeAnswer>): Promise<ComputeAnswer> => {
    const [handle, failure] = [new Pointer(), new Pointer()]
    const opened = asResultCode(await openSystem(id, handle, failure))
    const words = await take(failure)
    const {value} = handle
    if (classifyResult(opened) !== 'done' || value === null) return {result: opened, document: words}
    try {
      return await work(value)
    } finally {
      await closeSystem(value)
    }
  }
  return {
    library: library.name,
    async enumerate(query) {
      const [document, failure] = [new Pointer(), new Pointer()]
      return answer(asResultCode(await enumerateSystems(query, document, failure)), document, failure)
    },
    properties: (id, query) =>
      within(id, async (handle) => {
        const [document, failure] = [new Pointer(), new Pointer()]
        return answer(asResultCode(await getProperties(handle, query, document, failure)), document, failure)
      }),
    shutDown: (id) =>
      within(id, async (handle) => {
        const failure = new Pointer()
        return answer(asResultCode(await shutDownSystem(handle, null, failure)), new Pointer(), failure)
      }),
    terminate: (id) =>
      within(id, async (handle) => {
        const failure = new Pointer()
        return answer(asResultCode(await terminateSystem(handle, null, failure)), new Pointer(), failure)
      }),
  }
}
