import assert from 'node:assert/strict'
import {mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {gzipSync} from 'node:zlib'
import {checkPin, pinsOf} from '../../../src/formats/package/kept-pins.js'
import {findPin, missingPins, pinOfLayer, PinWriter, wantedPins} from '../../../src/formats/package/pin-file.js'
import type {PinJson} from '../../../src/formats/package/schema.js'
import {FolderFiles} from '../../../src/formats/transport-layout/folder-files.js'
import {digestOf} from '../../../src/model/digest.js'
import type {Compression, Layer, LayerPin, PinMode} from '../../../src/model/image.js'
import {TapRelay} from '../../../src/model/layer-tap.js'
import type {PackageDraft} from '../../../src/model/transport.js'
import {chunked, collect} from '../../helpers/bytes.js'
import {openBelow} from '../../helpers/open-files.js'
import {digest, storedOf} from '../../helpers/stored-packages.js'
import {temporaryFolder} from '../../helpers/temporary-folder.js'
import {breakingOff} from '../../helpers/streams.js'

const TEXT = Buffer.from('a tar, so to say '.repeat(100))
const GZIP = gzipSync(TEXT, {level: 6})
/** Kept as it is, whatever it says. */
const ZSTD = Buffer.from('the same as another compressor has it')
const TYPE = 'application/vnd.oci.image.layer.v1.tar+gzip'
const pinOf = (bytes: Uint8Array, compression: LayerPin['compression'] = 'gzip'): LayerPin => ({
  descriptor: {mediaType: TYPE, digest: digestOf(bytes), size: bytes.byteLength},
  compression,
  open: () => chunked(bytes, 7),
})
const layerOf = (blob: Uint8Array | undefined, compression: Compression, more: Partial<Layer> = {}): Layer => ({
  title: 'layer',
  hasContent: true,
  diffId: digestOf(TEXT),
  entries: () => assert.fail(),
  ...(blob === undefined ? {} : {blob: {...pinOf(blob), compression}}),
  ...more,
})
const draftOf = (
  layer: Layer | undefined,
  pins: PinMode | undefined,
  more: Partial<PackageDraft> = {},
): PackageDraft => ({
  metadata: storedOf('App').metadata,
  form: 'delta',
  keepRecipe: true,
  ...(layer === undefined ? {} : {layer}),
  ...(pins === undefined ? {} : {pins}),
  ...more,
})
const [A, B] = [pinOf(Buffer.from('one')), pinOf(Buffer.from('other'))]
const [OWN, KEPT] = [digestOf(GZIP), A.descriptor.digest]

describe('the compressed forms that a package is to keep', () => {
  for (const [compression, expected] of [
    ['gzip', true],
    ['zstd', true],
    ['none', false],
    ['bzip2', false],
    ['xz', false],
  ] as const)
    it(`is that in which its layer comes: ${compression}`, () => {
      const layer = layerOf(GZIP, compression)
      assert.deepEqual(pinOfLayer(layer), expected ? {descriptor: layer.blob?.descriptor, compression} : undefined)
    })

  it('is none of a layer without a blob, without content, or without a known tar', () => {
    const {diffId: _, ...unknown} = layerOf(GZIP, 'gzip')
    for (const layer of [layerOf(undefined, 'gzip'), layerOf(GZIP, 'gzip', {hasContent: false}), unknown])
      assert.equal(pinOfLayer(layer), undefined)
  })

  const layer = layerOf(GZIP, 'gzip', {pins: [A, B]})
  for (const [note, draft, expected] of [
    [
      'its own first, then those that the source keeps',
      draftOf(layer, 'keep'),
      [OWN, A.descriptor.digest, B.descriptor.digest],
    ],
    ['those to be made again as well', draftOf(layer, 'reproduce'), [OWN, A.descriptor.digest, B.descriptor.digest]],
    ['the source’s alone of a plain layer', draftOf(layerOf(GZIP, 'none', {pins: [A]}), 'keep'), [KEPT]],
    ['none by default', draftOf(layer, undefined), []],
    ['none where that is asked for', draftOf(layer, 'none'), []],
    ['none without a recipe', draftOf(layer, 'keep', {keepRecipe: false}), []],
    ['none of a stub', draftOf(undefined, 'keep'), []],
  ] as const)
    it(`are ${note}`, () => {
      assert.deepEqual(wantedPins(draft), expected)
    })

  const jsonOf = ({descriptor: {mediaType, digest: own, size}}: LayerPin, more: Partial<PinJson>): PinJson => ({
    MediaType: mediaType,
    Digest: own,
    Size: size,
    Compression: 'gzip',
    ...more,
  })
  const keeping = (Pins: readonly PinJson[] | undefined, Recipe: string | undefined = 'docker/r') => ({
    Layers: [{DiffID: OWN, ...(Recipe === '' ? {} : {Recipe}), ...(Pins === undefined ? {} : {Pins})}],
  })

  it('are missing where they are not kept beside a recipe', () => {
    const draft = draftOf(layer, 'keep')
    assert.deepEqual(missingPins(draft, keeping([jsonOf(A, {File: 'docker/a'})])), [OWN, B.descriptor.digest])
    assert.deepEqual(missingPins(draft, keeping(undefined)), wantedPins(draft))
    assert.deepEqual(missingPins(draft, keeping(undefined, '')), [])
    assert.deepEqual(missingPins(draft, {}), [])
    assert.deepEqual(missingPins(draft, undefined), [])
  })

  it('tell how the form is kept in which the layer comes', () => {
    const own = pinOf(GZIP)
    const draft = draftOf(layer, 'keep')
    assert.equal(findPin(draft, keeping([jsonOf(A, {File: 'docker/a'}), jsonOf(own, {File: 'docker/b'})])), 'kept')
    assert.equal(findPin(draft, keeping([jsonOf(own, {Encoder: 'gzip:6', Header: 'a'})])), 'reproduced')
    assert.equal(findPin(draft, keeping([jsonOf(A, {File: 'docker/a'})])), undefined)
    assert.equal(findPin(draft, undefined), undefined)
    assert.equal(findPin(draftOf(layer, 'none'), keeping([jsonOf(own, {File: 'docker/b'})])), undefined)
  })
})

describe('the compressed forms in the folder of a package', () => {
  const folder = temporaryFolder()
  const fresh = () => mkdtempSync(path.join(folder.path, 'package-'))
  const nameOf = (bytes: Uint8Array, suffix: string) => `docker/${digestOf(bytes).replace(':', '-')}.tar.${suffix}`
  const files = (root: string) => (readdirSync(root).includes('docker') ? readdirSync(path.join(root, 'docker')) : [])

  /** Writes the forms of a layer while its bytes pass by. */
  async function written(layer: Layer, pins: PinMode, stored?: Uint8Array) {
    const root = fresh()
    const tap = new TapRelay()
    const writer = new PinWriter(root, draftOf(layer, pins, {tap}))
    try {
      if (stored !== undefined) {
        for (let at = 0; at < stored.length; at += 11) tap.stored(stored.subarray(at, at + 11))
        tap.text(TEXT)
      }
      const made = await writer.finish({})
      // Nobody listens any more.
      tap.stored(Buffer.from('more'))
      return {root, made}
    } finally {
      writer.close()
    }
  }

  for (const [compression, bytes, suffix] of [
    ['gzip', GZIP, 'gz'],
    ['zstd', ZSTD, 'zst'],
  ] as const)
    it(`are the bytes as they passed: ${compression}`, async () => {
      const {root, made} = await written(layerOf(bytes, compression), 'keep', bytes)
      const name = nameOf(bytes, suffix)
      assert.deepEqual(made, [
        {MediaType: TYPE, Digest: digestOf(bytes), Size: bytes.byteLength, Compression: compression, File: name},
      ])
      assert.ok(readFileSync(path.join(root, name)).equals(bytes))
    })

  it('are no bytes where nobody wants them', async () => {
    for (const [layer, pins] of [
      [layerOf(GZIP, 'gzip'), 'none'],
      [layerOf(GZIP, 'none'), 'keep'],
    ] as const) {
      const {root, made} = await written(layer, pins, GZIP)
      assert.deepEqual([made, files(root)], [[], []])
    }
    const {root, made} = await written(layerOf(GZIP, 'none', {pins: [A]}), 'none')
    assert.deepEqual([made, files(root)], [[], []])
  })

  it('are copied from a source that keeps them, each once', async () => {
    const other = pinOf(ZSTD, 'zstd')
    const {root, made} = await written(layerOf(GZIP, 'gzip', {pins: [pinOf(GZIP), other, other]}), 'keep', GZIP)
    assert.deepEqual(
      made.map(({Digest}) => Digest),
      [OWN, other.descriptor.digest],
    )
    assert.ok(readFileSync(path.join(root, nameOf(ZSTD, 'zst'))).equals(ZSTD))
  })

  it('are copied as their encoders where the source has those, and nothing is opened', async () => {
    const encoding = {encoder: 'gzip:6', header: Buffer.from([31, 139])}
    const {root, made} = await written(
      layerOf(GZIP, 'none', {pins: [{...A, encoding, open: () => assert.fail()}]}),
      'keep',
    )
    assert.deepEqual(made, [
      {MediaType: TYPE, Digest: KEPT, Size: 3, Compression: 'gzip', Encoder: 'gzip:6', Header: 'H4s='},
    ])
    assert.deepEqual(files(root), [])
  })

  it('stay bytes where no encoder is known that makes them', async () => {
    const stored = gzipSync(TEXT, {level: 0})
    const {made} = await written(layerOf(GZIP, 'none', {pins: [pinOf(stored)]}), 'reproduce')
    assert.deepEqual(
      made.map(({File, Encoder}) => [File, Encoder]),
      [[nameOf(stored, 'gz'), undefined]],
    )
    const {made: own} = await written(layerOf(stored, 'gzip'), 'reproduce', stored)
    assert.deepEqual(
      own.map(({File}) => File),
      [nameOf(stored, 'gz')],
    )
  })

  it('are refused where the source gives no such form', async () => {
    await assert.rejects(written(layerOf(GZIP, 'none', {pins: [pinOf(Buffer.from('no gzip at all'))]}), 'reproduce'), {
      code: 'LAYER_CORRUPT',
    })
  })

  it('are let go of after a failure too', async () => {
    const root = fresh()
    const tap = new TapRelay()
    const writer = new PinWriter(root, draftOf(layerOf(GZIP, 'gzip'), 'keep', {tap}))
    tap.stored(GZIP)
    writer.close()
    assert.deepEqual(openBelow(root), [])
    tap.stored(GZIP)
    assert.equal(readFileSync(path.join(root, nameOf(GZIP, 'gz'))).byteLength, GZIP.byteLength)
    const failing = {...A, open: () => breakingOff(new Error('The source breaks.'), Buffer.from('x'))}
    const copying = new PinWriter(fresh(), draftOf(layerOf(GZIP, 'none', {pins: [failing]}), 'keep'))
    await assert.rejects(copying.finish({}), /The source breaks/)
    assert.deepEqual(openBelow(folder.path), [])
  })

  it('come back as they are kept', async () => {
    const root = fresh()
    mkdirSync(path.join(root, 'docker'))
    writeFileSync(path.join(root, 'docker/own'), GZIP)
    const json = (more: Partial<PinJson> = {}): PinJson => ({
      MediaType: TYPE,
      Digest: OWN,
      Size: GZIP.byteLength,
      Compression: 'gzip',
      File: 'docker/own',
      ...more,
    })
    const stored = (...Pins: PinJson[]) =>
      storedOf('App', {docker: {Layers: [{DiffID: OWN, Pins}]}, files: new FolderFiles(root, 'App')})
    const [pin] = pinsOf(stored(json()))
    assert.deepEqual(
      [pin?.descriptor, pin?.compression, pin?.encoding],
      [{mediaType: TYPE, digest: OWN, size: GZIP.byteLength}, 'gzip', undefined],
    )
    assert.ok((await collect(pin!.open())).equals(GZIP))
    await checkPin(pin!, digestOf(TEXT), {})
    await assert.rejects(checkPin(pin!, digest('a'), {}), {code: 'DIGEST_MISMATCH'})
    await assert.rejects(collect(pinsOf(stored(json({Size: 1})))[0]!.open()), {code: 'SIZE_MISMATCH'})
    await assert.rejects(collect(pinsOf(stored(json({Digest: digest('a')})))[0]!.open()), {code: 'DIGEST_MISMATCH'})
    await assert.rejects(collect(pinsOf(stored(json({File: 'docker/none'})))[0]!.open()), {
      code: 'LAYER_MISSING',
      at: {path: 'CN=Contoso_App_1.0.0.0/docker/none'},
    })
    assert.equal(pinsOf(stored(json({Digest: 'none'}))).length, 0)
    assert.deepEqual([pinsOf(storedOf('App')), pinsOf(storedOf('App', {docker: {Layers: [{DiffID: OWN}]}}))], [[], []])
    const {File: _, ...made} = json({Encoder: 'gzip:6', Header: 'H4sI'})
    assert.deepEqual(pinsOf(stored(made))[0]?.encoding, {encoder: 'gzip:6', header: Buffer.from([31, 139, 8])})
    assert.deepEqual(pinsOf(stored({...made, Header: 'a'}))[0]?.encoding, {encoder: 'gzip:6', header: new Uint8Array()})
  })
})
