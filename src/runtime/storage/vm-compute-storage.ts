import {asResultCode, NativeStruct, type NativeSystem} from '../host-compute/native-library.js'
import {encodeGuid} from './guid.js'
import type {LayerService, ParentLayer} from './layer-service.js'

const DRIVER_INFO = new NativeStruct({flavour: 'uint32', homeDir: 'str16'})
/** WC_LAYER_DESCRIPTOR. */
const LAYER_DESCRIPTOR = new NativeStruct({layerId: 'guid', flags: 'uint32', path: 'str16'})
/** The filter driver; with an empty home folder a layer's id is its whole path. */
const DRIVER = {flavour: 1, homeDir: ''}
/** ERROR_NOT_SUPPORTED as an HRESULT. */
const NOT_SUPPORTED = 0x80070032

/** vmcompute.dll of Windows Server 2016; undefined where it is absent. Source: hcsshim internal/wclayer. */
export function openVmComputeStorage(system: NativeSystem): LayerService | undefined {
  const library = system.findLibrary('vmcompute.dll')
  if (library === undefined) return undefined
  const onLayer = [DRIVER_INFO, 'str16', 'str16', LAYER_DESCRIPTOR, 'uint32'] as const
  const exportLayer = library.declare('ExportLayer', 'int32', onLayer)
  const importLayer = library.declare('ImportLayer', 'int32', onLayer)
  const destroyLayer = library.declare('DestroyLayer', 'int32', [DRIVER_INFO, 'str16'])
  return {
    library: library.name,
    async exportLayer(layer, folder, parents, isWritable) {
      // This generation has no word for a container's own layer.
      if (isWritable) return NOT_SUPPORTED
      return asResultCode(await exportLayer(DRIVER, layer, folder, descriptorsOf(parents), parents.length))
    },
    async importLayer(layer, folder, parents) {
      return asResultCode(await importLayer(DRIVER, layer, folder, descriptorsOf(parents), parents.length))
    },
    async destroyLayer(layer) {
      return asResultCode(await destroyLayer(DRIVER, layer))
    },
  }
}

function descriptorsOf(parents: readonly ParentLayer[]) {
  return parents.length === 0 ? null : parents.map(({id, path}) => ({layerId: encodeGuid(id), flags: 0, path}))
}
