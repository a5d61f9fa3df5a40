import type {Image} from '../model/image.js'
import {isWholeImage, type ImageNames} from '../model/image-names.js'
import {LayerNames} from '../model/layer-names.js'
import type {LoneLayer} from '../model/transport.js'

/** How a layer that lies in a file can be written alone, for its draft: one that does not cannot be, and no merge of several. */
export function loneLayer(image: Image, [index, second]: readonly number[], names: ImageNames): {lone?: LoneLayer} {
  const layer = index === undefined || second !== undefined ? undefined : image.layers[index]
  if (index === undefined || layer?.inFile === undefined) return {}
  const lone: LoneLayer = {
    inFile: layer.inFile,
    isLowest: index === 0 && isWholeImage(image),
    checkNames: async (parts, options) => {
      names.adopt(index, LayerNames.of(parts))
      await names.settle(index, options)
    },
    onRead: (bytes) => layer.onRead?.(bytes),
  }
  return {lone}
}
