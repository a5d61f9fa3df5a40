import assert from 'node:assert/strict'
import {readFileSync} from 'node:fs'
import path from 'node:path'
import {gunzipSync} from 'node:zlib'
import {verify} from '../../../src/index.js'
import {partsOf} from '../../helpers/archives.js'
import {LayoutBuilder, OCI, tagged} from '../../helpers/layouts.js'
import {temporaryFolder} from '../../helpers/temporary-folder.js'

const BASIC = gunzipSync(readFileSync('test/vectors/basic/layer.tar.gz'))
const PARTS = partsOf([BASIC])
const OTHER = partsOf([BASIC], {created: '2001-01-01T00:00:00Z'})

/** What each descriptor states of a blob is checked, also of one that was read for another descriptor. */
describe('a blob that two descriptors name', () => {
  const folder = temporaryFolder()
  let made = 0

  async function faultsIn(builder: LayoutBuilder, platform?: string): Promise<string[]> {
    const root = path.join(folder.path, String(made++))
    builder.writeFolder(root)
    const {faults} = await verify(`oci:${root}`, platform === undefined ? {} : {platform})
    return faults.map(({code}) => code)
  }

  /** An attestation in an index beside the image, whose parts state what `change` makes of them. */
  function attested(change: (part: Record<string, unknown>) => Record<string, unknown>): LayoutBuilder {
    const builder = new LayoutBuilder()
    const image = builder.image(PARTS, {more: {platform: {os: 'windows', architecture: 'amd64'}}})
    const config = builder.blob(OCI.config, '{"os":"unknown","architecture":"unknown","rootfs":{"diff_ids":[]}}')
    const statement = builder.blob('application/vnd.in-toto+json', '{}')
    const manifest = {schemaVersion: 2, mediaType: OCI.manifest, config, layers: [change(statement)]}
    const attestation = builder.blob(OCI.manifest, JSON.stringify(manifest), {
      platform: {os: 'unknown', architecture: 'unknown'},
      annotations: {
        'vnd.docker.reference.type': 'attestation-manifest',
        'vnd.docker.reference.digest': image['digest'],
      },
    })
    builder.manifests.push(builder.index([image, attestation], tagged('1')))
    return builder
  }

  for (const {title, size} of [
    {title: 'less', size: BASIC.length - 1},
    {title: 'more', size: BASIC.length + 1},
  ]) {
    it(`is a fault where the second states ${title} as a layer`, async () => {
      const builder = new LayoutBuilder()
      builder.manifests.push(builder.image(PARTS, {more: tagged('1')}))
      const layers = [{...builder.blob(OCI.layer, BASIC), size}]
      builder.manifests.push(builder.image(OTHER, {layers, more: tagged('2')}))
      assert.deepEqual(await faultsIn(builder), ['SIZE_MISMATCH'])
    })
    it(`is a fault where an attestation states ${title}`, async () => {
      const layer = {digest: PARTS.diffIds[0]!, size}
      assert.deepEqual(await faultsIn(attested((part) => ({...part, ...layer}))), ['SIZE_MISMATCH'])
    })
  }

  it('is none where both state the same', async () => {
    const builder = new LayoutBuilder()
    builder.manifests.push(builder.image(PARTS, {more: tagged('1')}), builder.image(OTHER, {more: tagged('2')}))
    assert.deepEqual(await faultsIn(builder), [])
    const layer = {digest: PARTS.diffIds[0]!, size: BASIC.length}
    assert.deepEqual(await faultsIn(attested((part) => ({...part, ...layer}))), [])
  })

  it('is a fault of an attestation as well where a platform is asked for, since it is kept with the image', async () => {
    const wrong = attested((part) => ({...part, size: 3}))
    assert.deepEqual(await faultsIn(wrong, 'windows/amd64'), ['SIZE_MISMATCH'])
    assert.deepEqual(
      await faultsIn(
        attested((part) => part),
        'windows/amd64',
      ),
      [],
    )
  })

  it('is a fault where the bytes that the second holds itself are others', async () => {
    const builder = new LayoutBuilder()
    builder.manifests.push(builder.image(PARTS, {more: tagged('1')}))
    const data = Buffer.from('other').toString('base64')
    const artifact = {...builder.blob('application/x-other', PARTS.config), data}
    builder.manifests.push({...artifact, ...tagged('2')})
    assert.deepEqual(await faultsIn(builder), ['SIZE_MISMATCH'])
  })
})
