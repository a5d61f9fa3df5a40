import assert from 'node:assert/strict'
import {withForeignLayers} from '../../../src/formats/package/foreign-layers.js'
import {digestOf} from '../../../src/model/digest.js'
import type {Layer} from '../../../src/model/image.js'
import {digest} from '../../helpers/stored-packages.js'

const [A, B] = [digest('a'), digest('b')]

describe('stubs that stand for foreign layers', () => {
  const FOREIGN = 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip'
  const layer = (diffId: string, hasContent: boolean): Layer => ({
    title: 'it',
    diffId: diffId as never,
    hasContent,
    entries: () => assert.fail(),
  })
  const documents = (types: readonly string[], diffIds: readonly string[]) => {
    const layers = types.map((mediaType) => ({mediaType, digest: B, size: 3, urls: ['https://a/b']}))
    const manifest = Buffer.from(
      JSON.stringify({schemaVersion: 2, config: {mediaType: 'a', digest: A, size: 1}, layers}),
    )
    const config = Buffer.from(
      JSON.stringify({os: 'windows', architecture: 'amd64', rootfs: {type: 'layers', diff_ids: diffIds}}),
    )
    return {
      manifest: {mediaType: 'm', bytes: manifest, digest: digestOf(manifest)},
      config: {mediaType: 'c', bytes: config},
    }
  }
  const [STUB, OWN] = [layer(A, false), layer(B, true)]
  const whole = documents([FOREIGN, FOREIGN], [A, B])

  it('have their descriptors again, and no other layer has', () => {
    const [stub, own] = withForeignLayers([STUB, OWN], whole)
    assert.equal(stub?.hasContent, false)
    assert.deepEqual(stub.blob?.descriptor, {mediaType: FOREIGN, digest: B, size: 3, urls: ['https://a/b']})
    assert.equal(own, OWN)
  })

  for (const [note, layers, given] of [
    ['without a manifest', [STUB, OWN], {...whole, manifest: undefined}],
    ['without a configuration', [STUB, OWN], {...whole, config: undefined}],
    ['where all have content', [OWN, OWN], whole],
    ['where there are more', [STUB, OWN, OWN], whole],
    ['where the configuration has fewer', [STUB, OWN], documents([FOREIGN, FOREIGN], [A])],
    ['where the manifest has fewer', [STUB, OWN], documents([FOREIGN], [A, B])],
    ['of another digest', [layer(B, false), OWN], whole],
    [
      'of a type that is not foreign',
      [STUB, OWN],
      documents(['application/vnd.docker.image.rootfs.diff.tar.gzip', FOREIGN], [A, B]),
    ],
    ['where the documents cannot be read', [STUB, OWN], {...whole, config: {mediaType: 'c', bytes: Buffer.from('x')}}],
  ] as const)
    it(`stay what they are ${note}`, () => {
      assert.deepEqual(
        withForeignLayers(layers, given).map(({blob}) => blob),
        layers.map(() => undefined),
      )
    })
})
