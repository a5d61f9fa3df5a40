import assert from 'node:assert/strict'
import {
  isConfigType,
  isForeignType,
  isIndexType,
  isLayerType,
  isManifestType,
  layerMediaType,
  layerTypeIn,
  MEDIA_TYPE,
  statedCompression,
} from '../../../src/formats/image-documents/media-types.js'

// Source: image-spec media-types.md and layer.md; distribution docs, image manifest v2 schema 2.
const OCI_LAYER = 'application/vnd.oci.image.layer.v1.tar'
const OCI_FOREIGN = 'application/vnd.oci.image.layer.nondistributable.v1.tar'
const DOCKER_LAYER = 'application/vnd.docker.image.rootfs.diff.tar'
const DOCKER_FOREIGN = 'application/vnd.docker.image.rootfs.foreign.diff.tar'

/** Of a layer type: the same in OCI's and Docker's words, its compression, and whether it is foreign. */
const LAYERS: readonly (readonly [oci: string, docker: string, compression: 'gzip' | 'zstd' | undefined, foreign: boolean])[] =
  [
    [OCI_LAYER, DOCKER_LAYER, undefined, false],
    [`${OCI_LAYER}+gzip`, `${DOCKER_LAYER}.gzip`, 'gzip', false],
    [`${OCI_LAYER}+zstd`, `${DOCKER_LAYER}.zstd`, 'zstd', false],
    [OCI_FOREIGN, DOCKER_FOREIGN, undefined, true],
    [`${OCI_FOREIGN}+gzip`, `${DOCKER_FOREIGN}.gzip`, 'gzip', true],
    [`${OCI_FOREIGN}+zstd`, `${DOCKER_FOREIGN}.zstd`, 'zstd', true],
  ] // prettier-ignore

const NO_LAYERS = [
  '',
  'application/json',
  `${OCI_LAYER}+encrypted`,
  `${OCI_LAYER}+gzip+encrypted`,
  `${OCI_LAYER}.gzip`,
  `${DOCKER_LAYER}+gzip`,
  `x${OCI_LAYER}`,
  'application/vnd.oci.image.layer.v1.squashfs',
]

describe('media types', () => {
  it('are those of the two families', () => {
    assert.deepEqual(MEDIA_TYPE, {
      ociIndex: 'application/vnd.oci.image.index.v1+json',
      ociManifest: 'application/vnd.oci.image.manifest.v1+json',
      ociConfig: 'application/vnd.oci.image.config.v1+json',
      ociLayer: OCI_LAYER,
      dockerIndex: 'application/vnd.docker.distribution.manifest.list.v2+json',
      dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
      dockerConfig: 'application/vnd.docker.container.image.v1+json',
      dockerLayer: DOCKER_LAYER,
    })
  })

  it('say of each document which one it is', () => {
    const said = Object.entries(MEDIA_TYPE).map(([name, type]) => {
      const kinds = [isIndexType(type), isManifestType(type), isConfigType(type), isLayerType(type)]
      return [name, ['Index', 'Manifest', 'Config', 'Layer'].filter((_, index) => kinds[index])]
    })
    for (const [name, kinds] of said) assert.deepEqual(kinds, [String(name).replace(/^(?:oci|docker)/, '')])
  })

  for (const [oci, docker, compression, foreign] of LAYERS)
    it(`of layers are the same in both families: ${oci}`, () => {
      for (const type of [oci, docker]) {
        assert.equal(layerTypeIn('oci', type), oci)
        assert.equal(layerTypeIn('docker', type), docker)
        assert.equal(isLayerType(type), true)
        assert.equal(isForeignType(type), foreign)
        assert.equal(statedCompression(type), compression)
      }
      if (foreign) return
      assert.equal(layerMediaType('oci', compression ?? 'none'), oci)
      assert.equal(layerMediaType('docker', compression ?? 'none'), docker)
    })

  for (const type of NO_LAYERS)
    it(`that are none of a layer pass unchanged: ${JSON.stringify(type)}`, () => {
      assert.equal(isLayerType(type), false)
      assert.equal(isForeignType(type), false)
      for (const family of ['oci', 'docker'] as const) assert.equal(layerTypeIn(family, type), type)
    })
})
