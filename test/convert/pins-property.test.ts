import assert from 'node:assert/strict'
import {readdirSync, readFileSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {constants, createGzip, gzipSync} from 'node:zlib'
import fc from 'fast-check'
import {convert, inspect, verify} from '../../src/index.js'
import type {GzipEncoderName} from '../../src/codecs/gzip-encoding/gzip-encoder.js'
import {rebuildGzip} from '../../src/codecs/gzip-encoding/rebuild-gzip.js'
import {removeTree} from '../../src/disk/remove-tree.js'
import {TransshipError} from '../../src/model/errors.js'
import {hybridMembers, partsOf, tarOf} from '../helpers/archives.js'
import {FUZZ_RUNS} from '../helpers/fuzz.js'
import {fileOf, layerTarOf, withParents} from '../helpers/layer-archives.js'
import {topPackage} from '../helpers/round-trip.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'

/** How a case compresses a layer: what it is called in a counterexample, and what it makes of some bytes. */
interface Encoding {
  readonly name: string
  /** Its encoder is one that is found by matching. */
  readonly isKnown?: boolean
  readonly compress: (bytes: Buffer) => Promise<Buffer> | Buffer
}

/** The header that a family writes, by which its encoders are looked for. */
function headerOf(encoder: GzipEncoderName): Uint8Array {
  const [family = '', level = ''] = encoder.split(':')
  const flags = level === '9' ? 2 : level === '1' ? 4 : 0
  const isKlauspost = family.startsWith('pgzip')
  const system = family.startsWith('go') || isKlauspost ? 0xff : 3
  return Uint8Array.from([0x1f, 0x8b, 8, 0, ...(isKlauspost ? [0, 9, 0x6e, 0x88] : [0, 0, 0, 0]), flags, system])
}

async function* inPieces(bytes: Buffer, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield await Promise.resolve(bytes.subarray(at, at + size))
}

/** Encoders that the product knows by name. */
const known: fc.Arbitrary<Encoding> = fc
  .record({
    encoder: fc.constantFrom<GzipEncoderName>(
      ...([-2, 0, 1, 5, 6, 9] as const).map((level) => `go-1.8:${level}` as const),
      ...([1, 4, 6, 9] as const).flatMap((level) => [`zlib:${level}`, `gzip:${level}`, `pigz:${level}`] as const),
      'pgzip-1.15.10:1048576',
      'pgzip-1.15.10:262144',
    ),
    size: fc.integer({min: 100, max: 60_000}),
  })
  .map(({encoder, size}) => ({
    name: `${encoder} in pieces of ${size}`,
    isKnown: true,
    compress: async (bytes) => {
      const packed: Uint8Array[] = []
      for await (const piece of rebuildGzip(inPieces(bytes, size), {encoder, header: headerOf(encoder)}))
        packed.push(Uint8Array.from(piece))
      return Buffer.concat(packed)
    },
  }))

/** Flushes between the pieces, as programs do that write to a pipe. */
async function flushed(bytes: Buffer, every: number, level: number): Promise<Buffer> {
  const gzip = createGzip({level})
  const made: Buffer[] = []
  gzip.on('data', (piece: Buffer) => made.push(piece))
  for (let at = 0; at < bytes.length; at += every) {
    gzip.write(bytes.subarray(at, at + every))
    await new Promise<void>((resolve) => {
      gzip.flush(constants.Z_SYNC_FLUSH, resolve)
    })
  }
  await new Promise<void>((resolve) => gzip.once('end', resolve).end())
  return Buffer.concat(made)
}

const encodings: fc.Arbitrary<Encoding> = fc.oneof(
  known,
  fc
    .record({
      level: fc.integer({min: 0, max: 9}),
      memLevel: fc.integer({min: 1, max: 9}),
      windowBits: fc.integer({min: 9, max: 15}),
      strategy: fc.integer({min: 0, max: 4}),
    })
    .map((options) => ({
      name: `zlib ${JSON.stringify(options)}`,
      compress: (bytes: Buffer) => gzipSync(bytes, options),
    })),
  fc
    .record({every: fc.integer({min: 300, max: 70_000}), level: fc.integer({min: 1, max: 9})})
    .map(({every, level}): Encoding => ({
      name: `flushed every ${every}, level ${level}`,
      compress: (bytes) => flushed(bytes, every, level),
    })),
  fc
    .record({first: fc.double({min: 0, max: 1, noNaN: true}), level: fc.integer({min: 1, max: 9})})
    .map(({first, level}): Encoding => ({
      name: `two members, cut at ${first}, level ${level}`,
      compress: (bytes) => {
        const cut = Math.floor(bytes.length * first)
        return Buffer.concat([gzipSync(bytes.subarray(0, cut), {level}), gzipSync(bytes.subarray(cut), {level})])
      },
    })),
)

/** Contents that compress well, badly, and not at all. */
const contents = fc.oneof(
  fc.uint8Array({maxLength: 3000}),
  fc
    .record({piece: fc.uint8Array({minLength: 1, maxLength: 40}), times: fc.integer({min: 1, max: 4000})})
    .map(({piece, times}) => Buffer.concat(Array<Uint8Array>(times).fill(piece))),
)

const cases = fc.record({
  layers: fc.array(fc.array(contents, {minLength: 1, maxLength: 4}), {minLength: 1, maxLength: 2}),
  encoding: encodings,
  pins: fc.constantFrom('keep' as const, 'reproduce' as const),
  transport: fc.constantFrom('inbox' as const, 'appx' as const),
})

/** Each case is three conversions and three checks; the codecs behind them have properties of their own. */
const RUNS = Math.max(12, Math.floor(FUZZ_RUNS / 20))

describe('the compressed form of any layer by any encoder', function () {
  this.timeout(0)
  const folder = temporaryFolder()
  let made = 0

  async function stored(layers: readonly (readonly Uint8Array[])[], {compress}: Encoding): Promise<string> {
    const tars = await Promise.all(
      layers.map((files, layer) =>
        layerTarOf(withParents(files.map((bytes, index) => fileOf(`Files/${layer}/file-${index}`, bytes)))),
      ),
    )
    const parts = partsOf(tars, {os: 'windows', 'os.version': '10.0.14393.206'})
    const compressed = await Promise.all(tars.map(async (tar) => compress(tar)))
    const file = path.join(folder.path, `image-${made++}.tar`)
    writeFileSync(
      file,
      await tarOf(hybridMembers(parts, {stored: {layers: compressed, suffix: '+gzip'}, withManifestJson: false})),
    )
    return `oci-archive:${file}`
  }

  async function digestsOf(reference: string): Promise<unknown> {
    const {manifestDigest, imageId, layers} = await inspect(reference)
    return {manifestDigest, imageId, layers: layers.map(({digest, size}) => [digest, size])}
  }

  async function isFaulty(reference: string): Promise<boolean> {
    try {
      return (await verify(reference)).faults.length > 0
    } catch (error) {
      assert.ok(error instanceof TransshipError, String(error))
      return true
    }
  }

  it('comes back through packages with every digest', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async ({layers, encoding, pins, transport}) => {
        const source = await stored(layers, encoding)
        const place = path.join(folder.path, `packages-${made++}`)
        const there = await convert(source, `${transport}:${place}`, {layers: 'chain', pins})
        assert.deepEqual([there.exact, there.inexact], [true, []], encoding.name)
        if (pins === 'reproduce' && encoding.isKnown === true)
          for (const {layers: told} of there.artifacts) assert.equal(told[0]?.pin, 'reproduced', encoding.name)
        assert.deepEqual((await verify(`${transport}:${place}`)).faults, [])
        const target = path.join(folder.path, `back-${made++}`)
        const back = await convert(topPackage(there), `oci:${target}`)
        assert.deepEqual([back.exact, back.inexact], [true, []], encoding.name)
        assert.deepEqual(await digestsOf(back.artifacts[0]!.reference), await digestsOf(source), encoding.name)
        for (const name of [source.slice('oci-archive:'.length), place, target]) removeTree(name)
      }),
      {numRuns: RUNS},
    )
  })

  it('is never given back from a record or a kept form of which a bit is flipped', async () => {
    await fc.assert(
      fc.asyncProperty(cases, fc.nat(), fc.nat({max: 7}), async ({layers, encoding, pins}, at, bit) => {
        const source = await stored(layers, encoding)
        const place = path.join(folder.path, `flipped-${made++}`)
        const there = await convert(source, `inbox:${place}`, {layers: 'chain', pins})
        const records = readdirSync(place, {recursive: true, encoding: 'utf8'}).flatMap((name) => {
          const file = path.join(place, name)
          if (/docker.sha256-[0-9a-f]{64}$/.test(name)) return [{file, from: 0, end: readFileSync(file).length}]
          if (path.basename(name) !== 'metadata.json') return []
          const bytes = readFileSync(file)
          const from = bytes.indexOf('"Pins":[')
          return from < 0 ? [] : [{file, from, end: bytes.indexOf(']', from) + 1}]
        })
        assert.ok(records.length > 0)
        const {file, from, end} = records[at % records.length]!
        const bytes = readFileSync(file)
        const flipped = from + (at % (end - from))
        bytes[flipped] = bytes[flipped]! ^ (1 << bit)
        writeFileSync(file, bytes)
        const where = `${encoding.name}: bit ${bit} of byte ${flipped} of ${path.basename(file)}`
        if (await isFaulty(`inbox:${place}`)) return
        // Other levels may make the same bytes of so little, and some bits of base64 stand for nothing.
        const target = path.join(folder.path, `back-${made++}`)
        const back = await convert(topPackage(there), `oci:${target}`)
        assert.deepEqual(await digestsOf(back.artifacts[0]!.reference), await digestsOf(source), where)
        for (const name of [source.slice('oci-archive:'.length), place]) removeTree(name)
      }),
      {numRuns: RUNS},
    )
  })
})
