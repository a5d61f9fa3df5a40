import {asResultCode, type NativeSystem} from '../host-compute/native-library.js'
import type {LayerService, ParentLayer} from './layer-service.js'

/** computestorage.dll of Windows Server 2019 and later; undefined where it is absent. Source: hcsshim computestorage. */
export function openComputeStorage(system: NativeSystem): LayerService | undefined {
  const library = system.findLibrary('computestorage.dll')
  if (library === undefined) return undefined
  const exportLayer = library.declare('HcsExportLayer', 'int32', ['str16', 'str16', 'str16', 'str16'])
  const importLayer = library.declare('HcsImportLayer', 'int32', ['str16', 'str16', 'str16'])
  const destroyLayer = library.declare('HcsDestroyLayer', 'int32', ['str16'])
  return {
    library: library.name,
    async exportLayer(layer, folder, parents, isWritable) {
      const options = isWritable ? JSON.stringify({IsWritableLayer: true}) : ''
      return asResultCode(await exportLayer(layer, folder, layerData(parents), options))
    },
    async importLayer(layer, folder, parents) {
      return asResultCode(await importLayer(layer, folder, layerData(parents)))
    },
    async destroyLayer(layer) {
      return asResultCode(await destroyLayer(layer))
    },
  }
}

/** Nearest parent first; a base layer has no `Layers` at all. */
function layerData(parents: readonly ParentLayer[]): string {
  const layers = parents.map(({id, path}) => ({Id: id, Path: path}))
  return JSON.stringify({SchemaVersion: {Major: 2, Minor: 1}, ...(layers.length === 0 ? {} : {Layers: layers})})
}
