import assert from 'node:assert/strict'
import {decodeDocument, encodeDocument, isStillTrue, type PayloadFacts} from '../../../src/formats/package/metadata.js'
import {parseMetadata, type DockerJson} from '../../../src/formats/package/schema.js'
import type {Digest} from '../../../src/model/digest.js'
import {TransshipError} from '../../../src/model/errors.js'
import type {PackageMetadata} from '../../../src/model/image.js'
import {formatFullName} from '../../../src/model/package-identity.js'

const digest = (fill: string) => `sha256:${fill.repeat(64)}` as Digest
const SHA = digest('a')
const PUBLISHER = 'CN=Contoso, O=Contoso, C=US'

/** A metadata.json that has everything that may stand there. */
function whole(): Record<string, unknown> {
  const companion = () => ({MediaType: 'a/b', Digest: SHA, Size: 1})
  return {
    Name: 'Contoso.App',
    Version: '1.2.3.4',
    Path: 'CN=Contoso_Contoso.App_1.2.3.4',
    Size: 10,
    CreatedTime: '2024-01-02T03:04:05.1234567Z',
    Package: {
      FormatVersion: 1,
      Publisher: PUBLISHER,
      FriendlyName: 'App',
      Description: 'An app',
      Architecture: 'x64',
      OSVersion: '10.0.20348.1',
      OSFeatures: ['win32k'],
      IsOSImage: false,
      IsDeleted: false,
      Dependencies: [{Publisher: PUBLISHER, Name: 'Base', Version: '1.0.0.0', PayloadDigest: SHA, DiffID: SHA}],
      Payload: {Kind: 'delta', Layout: 'transport-1', Entries: 3, Bytes: 10, Digest: SHA},
      Extensions: {
        'docker/1': {
          References: ['app:1'],
          ConfigFile: 'docker/config.json',
          ConfigDigest: SHA,
          ConfigMediaType: 'a/b',
          ManifestFile: 'docker/manifest.json',
          ManifestDigest: SHA,
          ManifestMediaType: 'a/b',
          Layers: [
            {
              DiffID: SHA,
              Recipe: 'docker/recipe',
              RecipeDigest: SHA,
              Pins: [
                {MediaType: 'a/b', Digest: SHA, Size: 1, Compression: 'gzip', File: 'docker/pin'},
                {MediaType: 'a/b', Digest: SHA, Size: 1, Compression: 'zstd', Encoder: 'gzip:6', Header: 'H4sI'},
              ],
            },
          ],
          Companions: {
            Index: SHA,
            Documents: [companion()],
            Blobs: [companion()],
            Referrers: [{Subject: SHA, Digest: SHA, ArtifactType: 'a/b', Tag: 'sha256-a.sig'}],
          },
        },
      },
    },
  }
}

type Path = readonly (string | number)[]

/** Every value of a document with where it stands, the whole among them. */
function* valuesOf(value: unknown, path: Path = []): Generator<readonly [Path, unknown]> {
  yield [path, value]
  if (typeof value !== 'object' || value === null) return
  for (const [key, child] of Object.entries(value))
    yield* valuesOf(child, [...path, Array.isArray(value) ? Number(key) : key])
}

/** The whole document with another value, or none, at one place. */
function withAt(path: Path, value: unknown): unknown {
  const [key, ...rest] = path
  if (key === undefined) return value
  const document = whole()
  let at = document as Record<string | number, unknown>
  let last = key
  for (const next of rest) {
    at = at[last] as Record<string | number, unknown>
    last = next
  }
  if (value === undefined) Reflect.deleteProperty(at, last)
  else at[last] = value
  return document
}

function refusal(document: unknown): string | undefined {
  try {
    parseMetadata(Buffer.from(JSON.stringify(document)), 'it')
    return undefined
  } catch (error) {
    assert.ok(error instanceof TransshipError && error.code === 'METADATA_INVALID')
    return error.why ?? ''
  }
}

const DOCKER = ['Package', 'Extensions', 'docker/1'] as const
const NEEDED: readonly Path[] = [
  ...['Name', 'Version', 'Path', 'Size', 'CreatedTime'].map((key) => [key]),
  ...['FormatVersion', 'Publisher', 'Architecture', 'IsOSImage', 'Dependencies', 'Payload'].map((key) => ['Package', key]),
  ...['Publisher', 'Name', 'Version'].map((key) => ['Package', 'Dependencies', 0, key]),
  ...['Kind', 'Layout'].map((key) => ['Package', 'Payload', key]),
  // Their files state nothing without them.
  ...['ConfigDigest', 'ManifestDigest'].map((key) => [...DOCKER, key]),
  [...DOCKER, 'Layers', 0, 'DiffID'],
  ...['MediaType', 'Digest', 'Size', 'Compression', 'File'].map((key) => [...DOCKER, 'Layers', 0, 'Pins', 0, key]),
  ...['MediaType', 'Digest', 'Size', 'Compression', 'Encoder', 'Header'].map((key) => [...DOCKER, 'Layers', 0, 'Pins', 1, key]),
  ...['Documents', 'Blobs', 'Referrers'].map((key) => [...DOCKER, 'Companions', key]),
  ...['Documents', 'Blobs'].flatMap((list) =>
    ['MediaType', 'Digest', 'Size'].map((key) => [...DOCKER, 'Companions', list, 0, key]),
  ),
  ...['Subject', 'Digest', 'ArtifactType'].map((key) => [...DOCKER, 'Companions', 'Referrers', 0, key]),
] // prettier-ignore

const PACKAGE = ['Package'] as const
const PIN = [...DOCKER, 'Layers', 0, 'Pins', 0] as const
/** Values of the right kind that are out of bounds, and those that are just within. */
const BOUNDS: readonly {readonly at: Path; readonly bad: readonly unknown[]; readonly good: readonly unknown[]}[] = [
  {at: ['Name'], bad: ['ab', 'a'.repeat(51), 'a_b', 'ä'.repeat(3)], good: ['abc', 'a'.repeat(50), '-.9']},
  {at: ['Version'], bad: ['1.2.3', '1.2.3.4.5', '01.2.3.4', '1.2.3.123456'], good: ['0.0.0.0', '99999.0.0.10']},
  {at: ['Size'], bad: [-1, 1.5], good: [0]},
  {
    at: ['CreatedTime'],
    bad: ['2024-01-02', '2024-01-02T03:04:05', '2024-01-02T03:04:05.1234567890Z', '2024-01-02 03:04:05Z'],
    good: ['2024-01-02T03:04:05Z', '2024-01-02T03:04:05.123456789+01:00', '2024-01-02T03:04:05-01:30'],
  },
  {at: [...PACKAGE, 'FormatVersion'], bad: [0, 2, '1'], good: [1]},
  {
    at: [...PACKAGE, 'Publisher'],
    bad: ['', 'CN=', 'O=Contoso', 'CN=a,O=b', 'CN=a, X=b', 'CN=a;b', `CN=${'a'.repeat(8192)}`],
    good: ['CN=a', 'CN=a, DC=b, SERIALNUMBER=c', `CN=${'a'.repeat(8189)}`],
  },
  {at: [...PACKAGE, 'FriendlyName'], bad: ['', 'a'.repeat(257), 'a\ud800'], good: ['a', 'a'.repeat(256), 'a\n\u{1f600}']},
  {at: [...PACKAGE, 'Description'], bad: ['a'.repeat(2049), '\udc00a'], good: ['', 'a'.repeat(2048), '\u{1f600}']},
  {at: [...PACKAGE, 'OSFeatures'], bad: [['a', 'b\ud800c']], good: [[], ['a', '\u{1f600}']]},
  {at: [...PACKAGE, 'Architecture'], bad: ['amd64', ''], good: ['x86', 'x64', 'arm', 'arm64', 'neutral']},
  {at: [...PACKAGE, 'OSVersion'], bad: ['10.0'], good: ['10.0.0.0']},
  {
    at: [...PACKAGE, 'Dependencies'],
    bad: [[{Publisher: 'CN=a', Name: 'One', Version: '1.0.0.0'}, {Publisher: 'CN=a', Name: 'Two', Version: '1.0.0.0'}]],
    good: [[]],
  },
  {at: [...PACKAGE, 'Payload', 'Kind'], bad: ['whole'], good: ['base', 'delta', 'none']},
  {at: [...PACKAGE, 'Payload', 'Layout'], bad: ['transport-2'], good: ['transport-1', 'plain-1']},
  {at: [...PACKAGE, 'Payload', 'Entries'], bad: [-1, 0.5], good: [0]},
  {at: [...PACKAGE, 'Payload', 'Bytes'], bad: [-1, 0.5], good: [0]},
  {
    at: [...PACKAGE, 'Payload', 'Digest'],
    bad: [SHA.toUpperCase(), `${SHA}0`, SHA.slice(0, -1), SHA.replace('sha256', 'sha512'), `sha384:${'a'.repeat(96)}`],
    good: [`sha512:${'0'.repeat(128)}`],
  },
  {at: [...DOCKER, 'ConfigFile'], bad: ['config.json', 'docker/', 'docker/../x', 'docker/a/b', 'docker/.a'], good: ['docker/a', 'docker/A_0.-']},
  {at: [...PIN, 'Size'], bad: [-1, 0.5], good: [0]},
  {at: [...PIN, 'Compression'], bad: ['none', 'xz'], good: ['gzip', 'zstd']},
  {at: [...PIN.slice(0, -1), 1, 'Encoder'], bad: ['', 'a'.repeat(65), 'GZIP'], good: ['a', 'a'.repeat(64)]},
  {at: [...PIN.slice(0, -1), 1, 'Header'], bad: ['', '=', 'a'.repeat(65), 'a===', 'a b'], good: ['a', `${'a'.repeat(64)}==`]},
  {at: [...DOCKER, 'Companions', 'Blobs', 0, 'Size'], bad: [-1, 0.5, 2 ** 53], good: [0, 2 ** 53 - 1]},
  {at: [...DOCKER, 'Companions', 'Documents', 0, 'Size'], bad: [-1, 0.5, 2 ** 53], good: [0, 2 ** 53 - 1]},
] // prettier-ignore

describe('the schema of metadata.json', () => {
  it('takes a document that has everything, and unknown keys anywhere', () => {
    assert.equal(refusal(whole()), undefined)
    for (const [path, value] of valuesOf(whole()))
      if (typeof value === 'object' && !Array.isArray(value))
        assert.equal(refusal(withAt([...path, 'Later'], 1)), undefined, path.join('/'))
  })

  it('refuses a value of another type anywhere, and names where', () => {
    for (const [path, value] of valuesOf(whole())) {
      // What Extensions other than ours hold is theirs.
      const others = [null, true, 1, 'text', [], {}].filter(
        (other) => typeof other !== typeof value || Array.isArray(other) !== Array.isArray(value) || other === null,
      )
      for (const other of others) {
        const why = refusal(withAt(path, other))
        const place = `/${path.map((key) => String(key).replaceAll('/', '~1')).join('/')}`
        assert.ok(why?.includes(place), `${place}: ${JSON.stringify(other)} gave ${String(why)}`)
      }
    }
  })

  for (const path of NEEDED)
    it(`demands ${path.join('/')}`, () => {
      assert.notEqual(refusal(withAt(path, undefined)), undefined)
    })

  it('demands nothing else', () => {
    const needed = new Set(NEEDED.map((path) => path.join('/')))
    for (const [path] of valuesOf(whole())) {
      if (path.length === 0 || typeof path.at(-1) === 'number' || needed.has(path.join('/'))) continue
      assert.equal(refusal(withAt(path, undefined)), undefined, path.join('/'))
    }
  })

  it('demands a file of a pin or an encoder, and not both', () => {
    const both = {
      MediaType: 'a/b',
      Digest: SHA,
      Size: 1,
      Compression: 'gzip',
      File: 'docker/a',
      Encoder: 'a',
      Header: 'a',
    }
    assert.notEqual(refusal(withAt(PIN, both)), undefined)
  })

  for (const {at, bad, good} of BOUNDS)
    it(`bounds ${at.join('/')}`, () => {
      for (const value of bad) assert.notEqual(refusal(withAt(at, value)), undefined, JSON.stringify(value))
      for (const value of good) assert.equal(refusal(withAt(at, value)), undefined, JSON.stringify(value))
    })

  for (const [list, most] of [
    ['Documents', 10_000],
    ['Blobs', 100_000],
    ['Referrers', 10_000],
  ] as const)
    it(`bounds the number of ${list}`, () => {
      const item =
        list === 'Referrers' ? {Subject: SHA, Digest: SHA, ArtifactType: 'a'} : {MediaType: 'a', Digest: SHA, Size: 1}
      const at = [...DOCKER, 'Companions', list]
      assert.equal(refusal(withAt(at, Array(most).fill(item))), undefined)
      assert.notEqual(refusal(withAt(at, Array(most + 1).fill(item))), undefined)
    })

  for (const [title, bytes] of [
    ['no JSON', Buffer.from('{')],
    ['no UTF-8', Buffer.from([0x22, 0xff, 0x22])],
  ] as const)
    it(`refuses ${title}`, () => {
      assert.throws(() => parseMetadata(bytes, 'it'), (error) => error instanceof TransshipError && error.code === 'METADATA_INVALID') // prettier-ignore
    })
})

const BASE = {publisher: PUBLISHER, name: 'Base', version: '1.0.0.0', payloadDigest: SHA, diffId: SHA}
const METADATA: PackageMetadata = {
  identity: {publisher: PUBLISHER, name: 'Contoso.App', version: '1.2.3.4'},
  friendlyName: 'App',
  architecture: 'x64',
  osVersion: '10.0.20348.1',
  osFeatures: [],
  isOsImage: false,
  createdTime: '2024-01-02T03:04:05.1234567Z',
  dependencies: [BASE],
}
const PAYLOAD: PayloadFacts = {form: 'delta', entries: 3, bytes: 10, digest: SHA}
const IMAGE: DockerJson = {
  References: ['app:1'],
  ConfigFile: 'docker/config.json',
  ConfigDigest: SHA,
  ManifestFile: 'docker/manifest.json',
  ManifestDigest: SHA,
  Layers: [{DiffID: SHA}],
  Companions: {Documents: [], Blobs: [], Referrers: []},
}

interface Said {
  readonly metadata: PackageMetadata
  readonly payload: PayloadFacts | undefined
  readonly docker: DockerJson | undefined
}
const SAID: Said = {metadata: METADATA, payload: PAYLOAD, docker: IMAGE}
const OTHER = digest('b')

const withIdentity = (change: Partial<PackageMetadata['identity']>): Said => ({
  ...SAID,
  metadata: {...METADATA, identity: {...METADATA.identity, ...change}},
})
const withBase = (change: object): Said => ({...SAID, metadata: {...METADATA, dependencies: [{...BASE, ...change}]}})
const withImage = (change: DockerJson): Said => ({...SAID, docker: {...IMAGE, ...change}})

/** Each fact that makes a kept document another's. */
const CHANGED: readonly (readonly [what: string, said: Said])[] = [
  ['the name', withIdentity({name: 'Contoso.Other'})],
  ['the version', withIdentity({version: '1.2.3.5'})],
  ['the publisher', withIdentity({publisher: 'CN=Other'})],
  ['the form of the payload', {...SAID, payload: {...PAYLOAD, form: 'base'}}],
  ['the digest of the payload', {...SAID, payload: {...PAYLOAD, digest: OTHER}}],
  ['the bytes of the payload', {...SAID, payload: {...PAYLOAD, bytes: 11}}],
  ['the entries of the payload', {...SAID, payload: {...PAYLOAD, entries: 4}}],
  ['the payload: there is none', {...SAID, payload: undefined}],
  ['the dependency: there is none', {...SAID, metadata: {...METADATA, dependencies: []}}],
  ['the name of the dependency', withBase({name: 'Other'})],
  ['the payload of the dependency', withBase({payloadDigest: OTHER})],
  ['the layer of the dependency', withBase({payloadDigest: undefined, diffId: OTHER})],
  ['the configuration', withImage({ConfigDigest: OTHER})],
  ['the file of the configuration', withImage({ConfigFile: 'docker/other.json'})],
  ['the manifest', withImage({ManifestDigest: OTHER})],
  ['the file of the manifest', withImage({ManifestFile: 'docker/other.json'})],
  ['the layers', withImage({Layers: [{DiffID: OTHER}]})],
  ['what belongs to it', withImage({Companions: {Index: SHA, Documents: [], Blobs: [], Referrers: []}})],
  ['the image: there is none', {...SAID, docker: undefined}],
]

describe('a metadata.json that came with a package', () => {
  const decode = ({metadata, payload, docker}: Said) =>
    decodeDocument(encodeDocument(metadata, payload, docker), formatFullName(metadata.identity))
  const isTrue = (document: ReturnType<typeof decode>, {metadata, payload, docker}: Said) =>
    isStillTrue(document, metadata, payload, docker)

  it('is still true of what it says', () => {
    assert.equal(isTrue(decode(SAID), SAID), true)
    const references = {...SAID, docker: {...IMAGE, References: ['other:1']}}
    assert.equal(isTrue(decode(SAID), references), true, 'names may change')
  })

  for (const [what, said] of CHANGED)
    it(`is no longer true when this changes: ${what}`, () => {
      assert.equal(isTrue(decode(SAID), said), false)
      assert.equal(isTrue(decode(said), SAID), false)
    })

  it('is true of any size and digest that it does not state, and of those alone', () => {
    const {payload, ...rest} = decode(SAID)
    for (const key of ['Digest', 'Bytes', 'Entries'] as const) {
      const {[key]: _, ...stated} = payload
      const other = {Digest: {digest: OTHER}, Bytes: {bytes: 11}, Entries: {entries: 4}}[key]
      const document = {...rest, payload: stated}
      assert.equal(isTrue(document, {...SAID, payload: {...PAYLOAD, ...other}}), true, key)
      assert.equal(isTrue(decode(SAID), {...SAID, payload: {...PAYLOAD, ...other}}), false, key)
    }
    assert.equal(isTrue({...rest, payload: {...payload, Layout: 'plain-1'}}, SAID), false)
    assert.equal(isTrue({...rest, payload, isLegacy: true}, SAID), false)
  })

  it('of a stub is true of a stub', () => {
    const stub = {...SAID, payload: undefined}
    assert.equal(isTrue(decode(stub), stub), true)
  })

  it('of a package that was no image may get layers, and neither configuration nor manifest', () => {
    const native = {...SAID, docker: undefined}
    assert.equal(isTrue(decode(native), native), true)
    assert.equal(isTrue(decode(native), {...SAID, docker: {Layers: [{DiffID: SHA}]}}), true)
    assert.equal(isTrue(decode(native), {...SAID, docker: {ConfigDigest: SHA}}), false)
    assert.equal(isTrue(decode(native), {...SAID, docker: {ManifestDigest: SHA}}), false)
  })
})
