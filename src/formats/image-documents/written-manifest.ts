import {digestOf, type Digest} from '../../model/digest.js'
import {InputError} from '../../model/errors.js'
import type {Descriptor, RawDocument} from '../../model/image.js'
import {parseManifest} from './image-documents.js'
import {isManifestType, layerMediaType, layerTypeIn, MEDIA_TYPE} from './media-types.js'
import type {LayerFacts} from '../layer-blob/layer-body.js'

export type ManifestFamily = 'docker' | 'oci'

/** What a written image consists of. */
export interface WrittenParts {
  readonly config: {readonly digest: Digest; readonly size: number}
  /** Base first: what was written, or the descriptor of a foreign layer that was only named. */
  readonly layers: readonly (LayerFacts | Descriptor)[]
}

export function descriptorOfLayer(layer: LayerFacts | Descriptor, family: ManifestFamily): Descriptor {
  if ('mediaType' in layer) return {...layer, mediaType: layerTypeIn(family, layer.mediaType)}
  return {mediaType: layerMediaType(family, layer.compression), digest: layer.digest, size: layer.size}
}

/**
 * The manifest of a written image: the kept one byte for byte where it still says what was written, else a new one.
 * `family` undefined = whatever the kept one is, OCI for a new one.
 */
export function manifestFor(
  parts: WrittenParts,
  {kept, family}: {readonly kept?: RawDocument | undefined; readonly family?: ManifestFamily | undefined},
): RawDocument {
  const isWanted = kept !== undefined && isManifestType(kept.mediaType) && (family ?? familyOf(kept)) === familyOf(kept)
  if (isWanted && saysTheSame(kept, parts)) return kept
  return makeManifest(parts, family ?? (kept === undefined ? 'oci' : familyOf(kept)))
}

/** The words in which a manifest is written. */
export function familyOf({mediaType}: RawDocument): ManifestFamily {
  return mediaType === MEDIA_TYPE.dockerManifest ? 'docker' : 'oci'
}

function saysTheSame(kept: RawDocument, parts: WrittenParts): boolean {
  try {
    const {config, layers} = parseManifest(kept.bytes, 'the kept manifest')
    const stated = [config, ...(layers ?? [])]
    const written = [parts.config, ...parts.layers]
    return (
      stated.length === written.length &&
      stated.every(({digest, size}, index) => digest === written[index]?.digest && size === written[index].size)
    )
  } catch (error) {
    // A kept manifest that cannot be read is of no use, and no harm: a new one is made.
    if (error instanceof InputError) return false
    throw error
  }
}

function makeManifest({config, layers}: WrittenParts, family: ManifestFamily): RawDocument {
  const mediaType = family === 'oci' ? MEDIA_TYPE.ociManifest : MEDIA_TYPE.dockerManifest
  const manifest = {
    schemaVersion: 2,
    mediaType,
    config: {
      mediaType: family === 'oci' ? MEDIA_TYPE.ociConfig : MEDIA_TYPE.dockerConfig,
      digest: config.digest,
      size: config.size,
    },
    layers: layers.map((layer) => descriptorOfLayer(layer, family)),
  }
  return {mediaType, bytes: Buffer.from(JSON.stringify(manifest))}
}

/** A descriptor of a document at hand. */
export function descriptorOfDocument({mediaType, bytes}: RawDocument): Descriptor {
  return {mediaType, digest: digestOf(bytes), size: bytes.byteLength}
}
