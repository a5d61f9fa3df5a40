import assert from 'node:assert/strict'
import {indexEntries} from '../../../src/formats/oci-layout/index-entries.js'
import {indexNameOf} from '../../../src/formats/oci-layout/index-name.js'
import {digestOf} from '../../../src/model/digest.js'
import {OCI} from '../../helpers/layouts.js'

const MANIFEST = {mediaType: OCI.manifest, digest: digestOf(Buffer.from('manifest')), size: 8}
const SHA = `sha256:${'a'.repeat(64)}`

describe('entries of an index for a manifest', () => {
  it('are one for each name', () => {
    const names = [{ref: '1', full: 'docker.io/library/shop:1'}, {ref: 'latest'}]
    assert.deepEqual(indexEntries(MANIFEST, undefined, names), [
      {
        ...MANIFEST,
        annotations: {
          'io.containerd.image.name': 'docker.io/library/shop:1',
          'org.opencontainers.image.ref.name': '1',
        },
      },
      {...MANIFEST, annotations: {'org.opencontainers.image.ref.name': 'latest'}},
    ])
  })

  it('are one without a name', () => {
    assert.deepEqual(indexEntries(MANIFEST, undefined, []), [MANIFEST])
  })

  for (const [platform, stated] of [
    [
      {os: 'linux', architecture: 'arm64'},
      {os: 'linux', architecture: 'arm64'},
    ],
    [
      {os: 'windows', architecture: 'amd64', osVersion: '10.0.1.2', osFeatures: ['win32k']},
      {os: 'windows', architecture: 'amd64', 'os.version': '10.0.1.2', 'os.features': ['win32k']},
    ],
    [
      {os: 'windows', architecture: 'amd64', osFeatures: []},
      {os: 'windows', architecture: 'amd64'},
    ],
  ] as const)
    it(`state the platform, with or without names: ${JSON.stringify(stated)}`, () => {
      assert.deepEqual(indexEntries(MANIFEST, platform, []), [{...MANIFEST, platform: stated}])
      assert.deepEqual(indexEntries(MANIFEST, platform, [{ref: '1'}])[0]?.['platform'], stated)
    })
})

describe('how an index states a name', () => {
  for (const [text, name] of [
    ['shop', {ref: 'latest', full: 'docker.io/library/shop:latest'}],
    ['shop:1', {ref: '1', full: 'docker.io/library/shop:1'}],
    ['example.com:5000/shop:1', {ref: '1', full: 'example.com:5000/shop:1'}],
    [`shop:1@${SHA}`, {ref: `1@${SHA}`, full: `docker.io/library/shop:1@${SHA}`}],
    ['Shop:1', {ref: '1', full: 'Shop:1'}],
    [`${'x'.repeat(1022)}A:1`, {ref: '1', full: undefined}],
    [`${'x'.repeat(1021)}A:1`, {ref: '1', full: `${'x'.repeat(1021)}A:1`}],
    ['Sh op:1', {ref: '1', full: undefined}],
    ['Shöp:1', {ref: '1', full: undefined}],
    ['Shop:1 2', undefined],
    ['-odd', undefined],
    ['', undefined],
  ] as const)
    it(`is ${name === undefined ? 'none' : `${name.ref} beside ${String(name.full).length} signs`} for ${text.slice(-60)}`, () => {
      assert.deepEqual(indexNameOf(text), name)
    })
})
