import assert from 'node:assert/strict'
import {writeFileSync} from 'node:fs'
import path from 'node:path'
import fc from 'fast-check'
import type {GzipEncoderName} from '../../src/codecs/gzip-encoding/gzip-encoder.js'
import {rebuildGzip} from '../../src/codecs/gzip-encoding/rebuild-gzip.js'
import {convert, inspect, verify} from '../../src/index.js'
import {hybridMembers, partsOf, tarOf} from '../helpers/archives.js'
import {fileOf, layerTarOf, withParents} from '../helpers/layer-archives.js'
import {topPackage} from '../helpers/round-trip.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'

/** Packed and unpacked on the way there and back: some seconds for all. */
const RUNS = 12

/** The header that a family writes, by which its encoders are looked for. */
function headerOf(encoder: GzipEncoderName): Uint8Array {
  const [family = '', level = ''] = encoder.split(':')
  const flags = level === '9' ? 2 : level === '1' ? 4 : 0
  const isKlauspost = family.startsWith('pgzip')
  const system = family.startsWith('go') || isKlauspost ? 0xff : 3
  return Uint8Array.from([0x1f, 0x8b, 8, 0, ...(isKlauspost ? [0, 9, 0x6e, 0x88] : [0, 0, 0, 0]), flags, system])
}

async function* inPieces(bytes: Buffer, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1
    yield await Promise.resolve(bytes.subarray(at, at + size))
    at += size
  }
}

const encoders = fc.constantFrom<GzipEncoderName>(
  ...([-2, 0, 1, 5, 6, 9] as const).map((level) => `go-1.8:${level}` as const),
  ...([1, 4, 6, 9] as const).flatMap((level) => [`zlib:${level}`, `gzip:${level}`, `pigz:${level}`] as const),
  'pgzip-1.15.10:1048576',
  'pgzip-1.15.10:262144',
)

/** Bytes that are packed in every way: any, in runs, and text that comes again. */
const content = fc
  .array(
    fc.oneof(
      fc.uint8Array({maxLength: 3000}).map((bytes) => Buffer.from(bytes)),
      fc.tuple(fc.nat(255), fc.nat(70_000)).map(([byte, length]) => Buffer.alloc(length, byte)),
      fc
        .tuple(fc.string({minLength: 1, maxLength: 60}), fc.nat(900))
        .map(([text, times]) => Buffer.from(text.repeat(times))),
    ),
    {maxLength: 8},
  )
  .map((parts) => Buffer.concat(parts))

describe('layers of any bytes, packed by any known encoder', function () {
  this.timeout(120_000)
  const folder = temporaryFolder()
  let made = 0

  it('come back from packages with the same digests, whatever the pieces they were packed in', async () => {
    await fc.assert(
      fc.asyncProperty(
        encoders,
        content,
        fc.array(fc.integer({min: 1, max: 60_000}), {minLength: 1, maxLength: 4}),
        async (encoder, bytes, sizes) => {
          const place = path.join(folder.path, String(made++))
          const tar = await layerTarOf(withParents([fileOf('Files/data.bin', bytes)]))
          const packed: Uint8Array[] = []
          for await (const piece of rebuildGzip(inPieces(tar, sizes), {encoder, header: headerOf(encoder)}))
            packed.push(Uint8Array.from(piece))
          const parts = partsOf([tar], {os: 'windows', 'os.version': '10.0.14393.206'})
          const stored = {layers: [Buffer.concat(packed)], suffix: '+gzip'}
          writeFileSync(`${place}.tar`, await tarOf(hybridMembers(parts, {stored, withManifestJson: false})))
          const source = `oci-archive:${place}.tar`
          const there = await convert(source, `inbox:${place}`, {layers: 'chain', pins: 'reproduce'})
          assert.deepEqual(
            [there.exact, there.losses, there.artifacts[0]?.layers[0]?.pin],
            [true, [], 'reproduced'],
            encoder,
          )
          assert.deepEqual((await verify(`inbox:${place}`)).faults, [])
          const back = await convert(topPackage(there), `oci:${place}-back:1`)
          const digests = async (reference: string) => {
            const {manifestDigest, imageId, layers} = await inspect(reference)
            return [manifestDigest, imageId, layers.map(({digest}) => digest)]
          }
          assert.equal(back.exact, true)
          assert.deepEqual(await digests(back.artifacts[0]?.reference ?? ''), await digests(source))
        },
      ),
      {numRuns: RUNS},
    )
  })
})
