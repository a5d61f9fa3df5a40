import assert from 'node:assert/strict'
import {MEDIA_TYPE} from '../../../src/formats/image-documents/media-types.js'
import {
  descriptorOfDocument,
  descriptorOfLayer,
  familyOf,
  manifestFor,
  type WrittenParts,
} from '../../../src/formats/image-documents/written-manifest.js'
import {digestOf} from '../../../src/model/digest.js'
import type {RawDocument} from '../../../src/model/image.js'

const named = (name: string) => ({digest: digestOf(Buffer.from(name)), size: name.length})
const CONFIG = named('config')
const STORED = {diffId: named('tar').digest, ...named('layer'), compression: 'gzip'} as const
const FOREIGN = {
  mediaType: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
  ...named('foreign'),
  urls: ['https://example.com/a'],
}
const PARTS: WrittenParts = {config: CONFIG, layers: [FOREIGN, STORED]}

function documentOf(parsed: object, mediaType: string = MEDIA_TYPE.ociManifest): RawDocument {
  return {mediaType, bytes: Buffer.from(JSON.stringify(parsed))}
}

const parsed = ({bytes}: RawDocument) => JSON.parse(Buffer.from(bytes).toString()) as unknown

const KEPT = {
  config: {mediaType: 'any/config', ...CONFIG},
  layers: [FOREIGN, {mediaType: 'any/layer', ...named('layer')}],
  annotations: {kept: 'yes'},
}

describe('the manifest of a written image', () => {
  it('in the words of OCI, which is what it is made in', () => {
    const manifest = {
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: {mediaType: 'application/vnd.oci.image.config.v1+json', ...CONFIG},
      layers: [
        {...FOREIGN, mediaType: 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip'},
        {mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', ...named('layer')},
      ],
    }
    for (const family of ['oci', undefined] as const) {
      const made = manifestFor(PARTS, {family})
      assert.equal(made.mediaType, manifest.mediaType)
      assert.deepEqual(parsed(made), manifest)
    }
  })

  it('in the words of Docker', () => {
    const made = manifestFor(PARTS, {family: 'docker'})
    assert.equal(made.mediaType, 'application/vnd.docker.distribution.manifest.v2+json')
    assert.deepEqual(parsed(made), {
      schemaVersion: 2,
      mediaType: made.mediaType,
      config: {mediaType: 'application/vnd.docker.container.image.v1+json', ...CONFIG},
      layers: [FOREIGN, {mediaType: 'application/vnd.docker.image.rootfs.diff.tar.gzip', ...named('layer')}],
    })
  })

  for (const [type, family] of [
    [MEDIA_TYPE.ociManifest, 'oci'],
    [MEDIA_TYPE.dockerManifest, 'docker'],
  ] as const)
    it(`is the kept one, byte for byte, where that says the same: ${family}`, () => {
      const kept = documentOf(KEPT, type)
      assert.equal(familyOf(kept), family)
      assert.equal(manifestFor(PARTS, {kept}), kept)
      assert.equal(manifestFor(PARTS, {kept, family}), kept)
      const other = family === 'oci' ? 'docker' : 'oci'
      assert.equal(familyOf(manifestFor(PARTS, {kept, family: other})), other)
    })

  const [first, second] = KEPT.layers
  for (const [note, document] of [
    ['another configuration', {...KEPT, config: {...KEPT.config, digest: named('x').digest}}],
    ['another size of the configuration', {...KEPT, config: {...KEPT.config, size: 7}}],
    ['another layer', {...KEPT, layers: [first, {...second, digest: named('x').digest}]}],
    ['another size of a layer', {...KEPT, layers: [first, {...second, size: 1}]}],
    ['a layer less', {...KEPT, layers: [first]}],
    ['no layers', {...KEPT, layers: null}],
    ['a layer more', {...KEPT, layers: [first, second, second]}],
    ['another order', {...KEPT, layers: [second, first]}],
    ['no manifest', {layers: []}],
  ] as const)
    it(`is made anew, in the words of the kept one, which has ${note}`, () => {
      for (const type of [MEDIA_TYPE.ociManifest, MEDIA_TYPE.dockerManifest]) {
        const kept = documentOf(document, type)
        assert.deepEqual(
          parsed(manifestFor(PARTS, {kept})),
          parsed(manifestFor(PARTS, {family: type === MEDIA_TYPE.ociManifest ? 'oci' : 'docker'})),
        )
      }
    })

  it('is made anew for one of another type, even where it says the same', () => {
    const kept = documentOf(KEPT, MEDIA_TYPE.ociIndex)
    assert.notEqual(manifestFor(PARTS, {kept}), kept)
    assert.equal(manifestFor(PARTS, {kept}).mediaType, MEDIA_TYPE.ociManifest)
  })

  it('is made anew for one that is no JSON', () => {
    const kept = {mediaType: MEDIA_TYPE.ociManifest, bytes: Buffer.from('{')}
    assert.deepEqual(parsed(manifestFor(PARTS, {kept})), parsed(manifestFor(PARTS, {})))
  })

  it('of no layers has none', () => {
    const kept = documentOf({config: {mediaType: 'x', ...CONFIG}})
    assert.equal(manifestFor({config: CONFIG, layers: []}, {kept}), kept)
    assert.deepEqual((parsed(manifestFor({config: CONFIG, layers: []}, {})) as {layers: unknown}).layers, [])
  })

  it('describes a layer that was not compressed', () => {
    assert.deepEqual(descriptorOfLayer({...STORED, compression: 'none'}, 'docker'), {
      mediaType: 'application/vnd.docker.image.rootfs.diff.tar',
      ...named('layer'),
    })
  })

  it('is described by its own bytes', () => {
    const document = documentOf(KEPT)
    const {mediaType, bytes} = document
    assert.deepEqual(descriptorOfDocument(document), {mediaType, digest: digestOf(bytes), size: bytes.byteLength})
  })
})
