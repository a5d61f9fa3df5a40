import {InputError} from '../../model/errors.js'
import type {Image, Layer, RawDocument} from '../../model/image.js'
import {descriptorOf, parseManifest, readConfig} from '../image-documents/image-documents.js'
import {isForeignType} from '../image-documents/media-types.js'
import {absentLayer} from '../layer-blob/read-layer-blob.js'

/**
 * Layers of packages, of which stubs that stand for foreign layers have those layers' descriptors again: media type and
 * addresses as the image's manifest has them. A stub that stands for anything else stays what it is.
 */
export function withForeignLayers(
  layers: readonly Layer[],
  {manifest, config}: {readonly manifest: Image['manifest']; readonly config: RawDocument | undefined},
): readonly Layer[] {
  if (manifest === undefined || config === undefined || layers.every(({hasContent}) => hasContent)) return layers
  try {
    const stated = parseManifest(manifest.bytes, 'the kept manifest').layers ?? []
    const {diffIds} = readConfig(config.bytes, 'the kept configuration')
    if (stated.length !== layers.length || diffIds.length !== layers.length) return layers
    return layers.map((layer, index) => {
      const [own, diffId] = [stated[index], diffIds[index]]
      const isIt = own !== undefined && isForeignType(own.mediaType) && layer.diffId === diffId
      if (layer.hasContent || !isIt) return layer
      const {blob} = absentLayer({title: layer.title, diffId, descriptor: descriptorOf(own, 'the kept manifest')})
      return blob === undefined ? layer : {...layer, blob}
    })
  } catch (error) {
    // Documents that cannot be read are of no use, and no harm.
    if (error instanceof InputError) return layers
    throw error
  }
}
