import assert from 'node:assert/strict'
import {
  descriptorOf,
  parseIndex,
  parseManifest,
  platformOf,
  readConfig,
} from '../../../src/formats/image-documents/image-documents.js'
import {assertThrows} from '../../helpers/told.js'

const DIGEST = `sha256:${'ab'.repeat(32)}`
const PART = {mediaType: 'a/b', digest: DIGEST, size: 5}
const FULL = {
  ...PART,
  artifactType: 'c/d',
  urls: ['https://example.com'],
  annotations: {a: 'b'},
  platform: {os: 'linux', architecture: 'arm64', variant: 'v8', 'os.version': '1', 'os.features': ['f']},
  data: 'AA==',
}
const NULLS = {...PART, artifactType: null, urls: null, annotations: null, platform: null, data: null}
const bytesOf = (document: unknown) => Buffer.from(JSON.stringify(document))

/** What may not stand where a descriptor is expected. */
const NO_DESCRIPTORS: readonly (readonly [note: string, value: unknown])[] = [
  ['a text', 'x'],
  ['null', null],
  ['no media type', {...PART, mediaType: undefined}],
  ['a media type that is no text', {...PART, mediaType: 1}],
  ['no digest', {...PART, digest: undefined}],
  ['a digest that is no text', {...PART, digest: 1}],
  ['no size', {...PART, size: undefined}],
  ['a size that is no number', {...PART, size: '5'}],
  ['a size below zero', {...PART, size: -1}],
  ['half a byte', {...PART, size: 0.5}],
  ['a size beyond exact numbers', {...PART, size: 2 ** 53}],
  ['an artifact type that is no text', {...PART, artifactType: 1}],
  ['addresses that are no list', {...PART, urls: 'https://example.com'}],
  ['an address that is no text', {...PART, urls: [1]}],
  ['annotations that are a list', {...PART, annotations: []}],
  ['an annotation that is no text', {...PART, annotations: {a: 1}}],
  ['a platform that is no object', {...PART, platform: 'linux'}],
  ['a system that is no text', {...PART, platform: {os: 1}}],
  ['an architecture that is no text', {...PART, platform: {architecture: 1}}],
  ['a variant that is no text', {...PART, platform: {variant: 1}}],
  ['a version that is no text', {...PART, platform: {'os.version': 1}}],
  ['features that are no list', {...PART, platform: {'os.features': 'f'}}],
  ['a feature that is no text', {...PART, platform: {'os.features': [1]}}],
  ['data that are no text', {...PART, data: 1}],
]

describe('an index', () => {
  for (const document of [
    {},
    {manifests: null, artifactType: null, subject: null, annotations: null},
    {manifests: []},
    {
      manifests: [PART, FULL, NULLS],
      mediaType: 'x',
      artifactType: 'y',
      subject: {digest: DIGEST},
      annotations: {a: 'b'},
    },
    {
      manifests: [
        {...PART, size: 0},
        {...PART, size: Number.MAX_SAFE_INTEGER},
      ],
      unknown: 1,
    },
  ])
    it(`is read as it stands: ${JSON.stringify(document).slice(0, 60)}`, () => {
      assert.deepEqual(parseIndex(bytesOf(document), 'index'), document)
    })

  for (const [note, document] of [
    ...NO_DESCRIPTORS.map(([note, value]) => [`a manifest with ${note}`, {manifests: [PART, value]}] as const),
    ['layers as well', {manifests: [], layers: []}],
    ['a configuration as well', {manifests: [], config: PART}],
    ['manifests that are no list', {manifests: {}}],
    ['a media type that is no text', {mediaType: null}],
    ['an artifact type that is no text', {artifactType: 1}],
    ['a subject without a digest', {subject: {}}],
    ['a subject that is no object', {subject: 'x'}],
    ['an annotation that is no text', {annotations: {a: 1}}],
    ['a list', []],
    ['a number', 1],
  ] as const)
    it(`is refused: ${note}`, () => {
      assertThrows(() => parseIndex(bytesOf(document), 'index'), {
        code: 'MANIFEST_INVALID',
        at: {path: 'index'},
        says: ['index'],
      })
    })
})

describe('a manifest', () => {
  for (const document of [
    {config: PART},
    {config: FULL, layers: [PART, FULL, NULLS], mediaType: 'x', artifactType: 'y', subject: {digest: DIGEST}},
    {config: NULLS, layers: null, artifactType: null, subject: null, annotations: null},
    {config: PART, layers: [], annotations: {a: 'b'}},
  ])
    it(`is read as it stands: ${JSON.stringify(document).slice(0, 60)}`, () => {
      assert.deepEqual(parseManifest(bytesOf(document), 'manifest'), document)
    })

  for (const [note, document] of [
    ...NO_DESCRIPTORS.map(([note, value]) => [`a configuration with ${note}`, {config: value}] as const),
    ...NO_DESCRIPTORS.map(([note, value]) => [`a layer with ${note}`, {config: PART, layers: [value]}] as const),
    ['no configuration', {layers: []}],
    ['manifests as well', {config: PART, manifests: []}],
    ['layers that are no list', {config: PART, layers: {}}],
    ['a media type that is no text', {config: PART, mediaType: 1}],
    ['a subject without a digest', {config: PART, subject: {}}],
    ['annotations that are no object', {config: PART, annotations: 'a'}],
  ] as const)
    it(`is refused: ${note}`, () => {
      assertThrows(() => parseManifest(bytesOf(document), 'it'), {code: 'MANIFEST_INVALID', at: {path: 'it'}})
    })

  it('is refused when it is no JSON, or no UTF-8', () => {
    for (const bytes of [Buffer.from('{'), Buffer.of(0x22, 0xff, 0x22), Buffer.alloc(0)])
      for (const parse of [parseManifest, parseIndex])
        assertThrows(() => parse(bytes, 'it'), {code: 'MANIFEST_INVALID', at: {path: 'it'}})
  })
})

describe('a digest in a document', () => {
  for (const digest of [
    '',
    'abc',
    'sha256:ab',
    `sha256:${'AB'.repeat(32)}`,
    `md5:${'ab'.repeat(16)}`,
    `sha512:${'ab'.repeat(32)}`,
  ])
    it(`is refused: '${digest.slice(0, 20)}'`, () => {
      const told = {at: {path: 'it'}, says: ['it', `'${digest}'`]}
      assertThrows(() => descriptorOf({...PART, digest}, 'it'), {code: 'MANIFEST_INVALID', ...told})
      const config = bytesOf({rootfs: {diff_ids: [DIGEST, digest]}})
      assertThrows(() => readConfig(config, 'it'), {code: 'CONFIG_INVALID', ...told})
    })

  it('is told up to 200 characters', () => {
    const digest = 'x'.repeat(300)
    for (const step of [
      () => descriptorOf({...PART, digest}, 'it'),
      () => readConfig(bytesOf({rootfs: {diff_ids: [digest]}}), 'it'),
    ])
      assert.throws(step, ({message}: Error) => message.includes('x'.repeat(200)) && !message.includes('x'.repeat(201)))
  })
})

describe('what is read of a configuration', () => {
  const BASE = {platform: {os: 'linux', architecture: 'amd64'}, diffIds: []}
  for (const [note, config, expected] of [
    ['nothing', {}, BASE],
    ['null for its root', {rootfs: null}, BASE],
    ['null for its layers', {rootfs: {type: 'layers', diff_ids: null}}, BASE],
    ['layers', {rootfs: {diff_ids: [DIGEST, DIGEST]}}, {...BASE, diffIds: [DIGEST, DIGEST]}],
    ['its time', {created: '2020-01-01T00:00:00Z'}, {...BASE, created: '2020-01-01T00:00:00Z'}],
    ['an empty time', {created: ''}, {...BASE, created: ''}],
    ['a base of old', {rootfs: {type: 'layers+base', base_layer: 'b'}}, {...BASE, baseLayer: 'b'}],
    ['a base of old without a name', {rootfs: {type: 'layers+base'}}, BASE],
    ['a base that its type does not have', {rootfs: {type: 'layers', base_layer: 'b'}}, BASE],
    ['a base without a type', {rootfs: {base_layer: 'b'}}, BASE],
  ] as const)
    it(note, () => {
      assert.deepEqual(readConfig(bytesOf(config), 'it'), expected)
    })

  it('is refused with its type, up to 100 characters', () => {
    for (const type of ['', 'Layers', 'y'.repeat(100)])
      assertThrows(() => readConfig(bytesOf({rootfs: {type}}), 'it'), {
        code: 'CONFIG_INVALID',
        at: {path: 'it'},
        says: [`'${type}'`],
      })
    assert.throws(
      () => readConfig(bytesOf({rootfs: {type: 'z'.repeat(101)}}), 'it'),
      ({message}: Error) => !message.includes('z'.repeat(101)),
    )
  })

  for (const config of [
    [],
    {os: 1},
    {os: null},
    {architecture: 1},
    {'os.version': 1},
    {'os.features': 'x'},
    {'os.features': [1]},
    {config: {Labels: {a: null}}},
    {history: [{created: 1}]},
    {history: [{comment: 1}]},
    {rootfs: 'layers'},
    {rootfs: {type: 1}},
    {rootfs: {base_layer: 1}},
    {rootfs: {diff_ids: [1]}},
  ])
    it(`is refused: ${JSON.stringify(config)}`, () => {
      assertThrows(() => readConfig(bytesOf(config), 'it'), {code: 'CONFIG_INVALID', at: {path: 'it'}})
    })

  it('has features, also none, but not null', () => {
    assert.deepEqual(platformOf({'os.features': []}).osFeatures, [])
    assert.equal('osFeatures' in platformOf({'os.features': null}), false)
    assert.equal('osFeatures' in platformOf({}), false)
    assert.deepEqual(platformOf({os: 'a', architecture: 'b', variant: 'c'}), {os: 'a', architecture: 'b'})
  })
})
