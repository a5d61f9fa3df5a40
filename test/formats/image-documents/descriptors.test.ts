import assert from 'node:assert/strict'
import {descriptorOf, platformOf} from '../../../src/formats/image-documents/image-documents.js'

const DIGEST = `sha256:${'ab'.repeat(32)}`
const BARE = {mediaType: 'a/b', digest: DIGEST, size: 5}

describe('a descriptor', () => {
  for (const [note, more, expected] of [
    ['nothing more', {}, {}],
    ['addresses', {urls: ['https://example.com/a']}, {urls: ['https://example.com/a']}],
    ['no addresses', {urls: []}, {}],
    ['null for addresses', {urls: null}, {}],
    ['annotations', {annotations: {a: 'b'}}, {annotations: {a: 'b'}}],
    ['empty annotations', {annotations: {}}, {annotations: {}}],
    ['null for annotations', {annotations: null}, {}],
  ] as const)
    it(`with ${note}`, () => {
      assert.deepEqual(descriptorOf({...BARE, ...more}, 'the index'), {...BARE, ...expected})
    })

  it('with a digest that is none is refused', () => {
    assert.throws(() => descriptorOf({...BARE, digest: 'abc'}, 'the index'), {code: 'MANIFEST_INVALID'})
  })
})

describe('the platform of a configuration', () => {
  for (const [note, config, expected] of [
    ['nothing', {}, {os: 'linux', architecture: 'amd64'}],
    ['null', {os: null, architecture: null}, {os: 'linux', architecture: 'amd64'}],
    ['an os', {os: 'windows'}, {os: 'windows', architecture: 'amd64'}],
    ['an architecture', {architecture: 'arm64'}, {os: 'linux', architecture: 'arm64'}],
    [
      'a version and features',
      {os: 'windows', architecture: 'amd64', 'os.version': '10.0.14393.206', 'os.features': ['win32k']},
      {os: 'windows', architecture: 'amd64', osVersion: '10.0.14393.206', osFeatures: ['win32k']},
    ],
    ['an empty version', {'os.version': ''}, {os: 'linux', architecture: 'amd64'}],
    ['no features', {'os.features': []}, {os: 'linux', architecture: 'amd64', osFeatures: []}],
    ['null for features', {'os.features': null}, {os: 'linux', architecture: 'amd64'}],
  ] as const)
    it(`that states ${note}`, () => {
      assert.deepEqual(platformOf(config as Parameters<typeof platformOf>[0]), expected)
    })
})
