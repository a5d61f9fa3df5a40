import type {Compression} from '../../model/image.js'

/* Media types. Source: image-spec media-types.md; Docker image page, section 2. */

/** Media types of indexes, manifests, configurations and layers. */
export const MEDIA_TYPE = {
  ociIndex: 'application/vnd.oci.image.index.v1+json',
  ociManifest: 'application/vnd.oci.image.manifest.v1+json',
  ociConfig: 'application/vnd.oci.image.config.v1+json',
  ociLayer: 'application/vnd.oci.image.layer.v1.tar',
  dockerIndex: 'application/vnd.docker.distribution.manifest.list.v2+json',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerConfig: 'application/vnd.docker.container.image.v1+json',
  dockerLayer: 'application/vnd.docker.image.rootfs.diff.tar',
} as const

export function isIndexType(mediaType: string): boolean {
  return mediaType === MEDIA_TYPE.ociIndex || mediaType === MEDIA_TYPE.dockerIndex
}

export function isManifestType(mediaType: string): boolean {
  return mediaType === MEDIA_TYPE.ociManifest || mediaType === MEDIA_TYPE.dockerManifest
}

export function isConfigType(mediaType: string): boolean {
  return mediaType === MEDIA_TYPE.ociConfig || mediaType === MEDIA_TYPE.dockerConfig
}

/** Only the media type decides that a layer is foreign; `urls` alone do not. Source: image-spec layer.md. */
export function isForeignType(mediaType: string): boolean {
  return mediaType.includes('.foreign.diff.tar') || mediaType.includes('.layer.nondistributable.v1.tar')
}

/** The layer type of a manifest family for a compression. */
export function layerMediaType(
  family: 'docker' | 'oci',
  compression: Extract<Compression, 'none' | 'gzip' | 'zstd'>,
): string {
  if (family === 'oci') return compression === 'none' ? MEDIA_TYPE.ociLayer : `${MEDIA_TYPE.ociLayer}+${compression}`
  return compression === 'none' ? MEDIA_TYPE.dockerLayer : `${MEDIA_TYPE.dockerLayer}.${compression}`
}

/** The compression that a layer type states; undefined for plain ones, Docker's of which may be compressed all the same. */
export function statedCompression(mediaType: string): 'gzip' | 'zstd' | undefined {
  const stated = /[.+](gzip|zstd)$/.exec(mediaType)?.[1]
  return stated === 'gzip' || stated === 'zstd' ? stated : undefined
}

/** The layer type in the words of the other family; types of neither pass unchanged. */
export function layerTypeIn(family: 'docker' | 'oci', mediaType: string): string {
  const found = LAYER_TYPE.exec(mediaType)
  if (found === null) return mediaType
  const isForeign = isForeignType(mediaType)
  const compression = statedCompression(mediaType)
  if (family === 'oci') {
    const base = `application/vnd.oci.image.layer.${isForeign ? 'nondistributable.' : ''}v1.tar`
    return compression === undefined ? base : `${base}+${compression}`
  }
  const base = `application/vnd.docker.image.rootfs.${isForeign ? 'foreign.' : ''}diff.tar`
  return compression === undefined ? base : `${base}.${compression}`
}

/** True for a layer that is a tar, compressed in a way that is known; not for encrypted ones and file system images. */
export function isLayerType(mediaType: string): boolean {
  return LAYER_TYPE.test(mediaType)
}

const LAYER_TYPE =
  /^application\/vnd\.(?:docker\.image\.rootfs\.(?:foreign\.)?diff\.tar(?:\.(?:gzip|zstd))?|oci\.image\.layer\.(?:nondistributable\.)?v1\.tar(?:\+(?:gzip|zstd))?)$/
