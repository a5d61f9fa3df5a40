import type {Parts} from './archives.js'
import {OCI} from './layouts.js'

/** The OCI manifest of an image with one layer, which is not compressed. */
export function manifestOfOne({config, imageId, layers: [layer], diffIds}: Parts): Buffer {
  return Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: OCI.manifest,
      config: {mediaType: OCI.config, digest: imageId, size: config.length},
      layers: [{mediaType: OCI.layer, digest: diffIds[0], size: layer?.byteLength ?? 0}],
    }),
  )
}
