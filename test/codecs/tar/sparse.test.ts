import assert from 'node:assert/strict'
import fc from 'fast-check'
import {decodeLayerTar} from '../../../src/codecs/layer-tar/decode-layer-tar.js'
import {encodeLayerTar} from '../../../src/codecs/layer-tar/encode-layer-tar.js'
import {MemberCounter} from '../../../src/codecs/tar/member-counter.js'
import {readTar} from '../../../src/codecs/tar/tar-reader.js'
import {TransshipError} from '../../../src/model/errors.js'
import type {Content} from '../../../src/model/content.js'
import {runsOf} from '../../../src/model/sparse-content.js'
import {chunked, collect} from '../../helpers/bytes.js'
import {FUZZ_RUNS} from '../../helpers/fuzz.js'
import {paxMember, RAW_END, rawMember, SPARSE_FORMS, sparseMember, type RawSparse} from '../../helpers/raw-tar.js'

const NAME = 'Files/sparse.bin'

/** Sparse files of any shape: holes at either end and between, touching ranges, no data, no hole, many ranges. */
const sparseFile: fc.Arbitrary<RawSparse> = fc
  .tuple(
    fc.array(fc.tuple(fc.nat({max: 3000}), fc.uint8Array({minLength: 1, maxLength: 700})), {maxLength: 60}),
    fc.nat({max: 3000}),
  )
  .map(([parts, tail]) => {
    let at = 0
    const ranges = parts.map(([hole, bytes]): [number, Uint8Array] => {
      const offset = at + hole
      at = offset + bytes.byteLength
      return [offset, bytes]
    })
    return {name: NAME, size: at + tail, ranges}
  })

function plain({size, ranges}: RawSparse): Buffer {
  const bytes = Buffer.alloc(size)
  for (const [offset, stored] of ranges) bytes.set(stored, offset)
  return bytes
}

async function* entriesOf(tar: Uint8Array, piece: number) {
  yield* decodeLayerTar(chunked(tar, piece), {title: 'layer', keepFrames: true})
}

/** The one file of a tar: whole, and by its runs. */
async function contentsOf(tar: Uint8Array, how: 'whole' | 'runs', piece = 333): Promise<Buffer> {
  let found: Buffer | undefined
  for await (const item of readTar(chunked(tar, piece), {title: 'a tar'})) {
    if (item.kind !== 'member' || item.name !== NAME) continue
    found = how === 'whole' ? await collect(item.content.open()) : await collect(spelt(item.content))
  }
  assert.ok(found, 'the file is not there')
  return found
}

async function* spelt(content: Content): AsyncGenerator<Uint8Array> {
  for await (const run of runsOf(content)) yield run instanceof Uint8Array ? run : Buffer.alloc(run.hole)
}

describe('sparse files in a tar', () => {
  for (const form of SPARSE_FORMS) {
    it(`have their content in form ${form}, whatever their shape and the chunking`, async () => {
      await fc.assert(
        fc.asyncProperty(sparseFile, fc.integer({min: 1, max: 5000}), async (file, piece) => {
          const tar = Buffer.concat([sparseMember(form, file), rawMember({name: 'Files/next'}, 'x'), RAW_END])
          assert.ok((await contentsOf(tar, 'whole', piece)).equals(plain(file)))
          assert.ok((await contentsOf(tar, 'runs', piece)).equals(plain(file)))
          const counter = new MemberCounter()
          for await (const chunk of chunked(tar, piece)) counter.update(chunk)
          assert.equal(counter.members, 2)
        }),
        {numRuns: Math.ceil(FUZZ_RUNS / 8)},
      )
    })

    it(`come back byte for byte as a layer in form ${form}`, async () => {
      await fc.assert(
        fc.asyncProperty(sparseFile, async (file) => {
          const tar = Buffer.concat([
            rawMember({name: 'Files', type: '5'}),
            sparseMember(form, file),
            rawMember({name: 'Files/next'}, 'x'),
            RAW_END,
          ])
          assert.ok((await collect(encodeLayerTar(entriesOf(tar, 1000), {keepFrames: true}))).equals(tar))
        }),
        {numRuns: Math.ceil(FUZZ_RUNS / 12)},
      )
    })

    it(`are refused, never worse, when form ${form} is cut at any length`, async () => {
      const file = {
        name: NAME,
        size: 9000,
        ranges: Array.from({length: 30}, (_, i) => [i * 300, Buffer.alloc(7, 1)] as const),
      }
      const tar = Buffer.concat([sparseMember(form, file), RAW_END])
      for (let length = 0; length < tar.length; length += 11)
        await assert.rejects(contentsOf(tar.subarray(0, length), 'whole'), (error) => error instanceof TransshipError)
    })
  }

  const body = (text: string) => rawMember({name: 'GNUSparseFile.1/x'}, text)
  for (const [what, members, why] of [
    [
      'an unknown version',
      [
        paxMember([
          ['GNU.sparse.major', '2'],
          ['GNU.sparse.minor', '0'],
        ]),
        body(''),
      ],
      /version 2\.0/,
    ],
    ['records without a map', [paxMember([['GNU.sparse.name', 'x']]), body('')], /no map/],
    [
      'an empty map without a version',
      [
        paxMember([
          ['GNU.sparse.map', ''],
          ['GNU.sparse.size', '9'],
        ]),
        body(''),
      ],
      /no map/,
    ],
    [
      'two sizes',
      [
        paxMember([
          ['GNU.sparse.map', '0,1'],
          ['GNU.sparse.numblocks', '1'],
          ['GNU.sparse.size', '9'],
          ['GNU.sparse.realsize', '8'],
        ]),
        body('x'),
      ],
      /two sizes/,
    ],
    [
      'a count that is not that of the map',
      [
        paxMember([
          ['GNU.sparse.map', '0,1'],
          ['GNU.sparse.numblocks', '2'],
          ['GNU.sparse.size', '9'],
        ]),
        body('x'),
      ],
      /map is malformed/,
    ],
    [
      'ranges that overlap',
      [
        paxMember([
          ['GNU.sparse.map', '0,2,1,2'],
          ['GNU.sparse.numblocks', '2'],
          ['GNU.sparse.size', '9'],
        ]),
        body('xxxx'),
      ],
      /map is malformed/,
    ],
    [
      'a range beyond the end',
      [
        paxMember([
          ['GNU.sparse.map', '8,2'],
          ['GNU.sparse.numblocks', '1'],
          ['GNU.sparse.size', '9'],
        ]),
        body('xx'),
      ],
      /map is malformed/,
    ],
    [
      'offsets without their lengths, in form 0.0',
      [
        paxMember([
          ['GNU.sparse.size', '9'],
          ['GNU.sparse.offset', '0'],
          ['GNU.sparse.offset', '5'],
        ]),
        body(''),
      ],
      /PAX header is malformed/,
    ],
    [
      'more data than the map',
      [
        paxMember([
          ['GNU.sparse.map', '0,1'],
          ['GNU.sparse.numblocks', '1'],
          ['GNU.sparse.size', '9'],
        ]),
        body('xx'),
      ],
      /does not match its body/,
    ],
    ['the type of GNU in another format', [rawMember({name: 'x', type: 'S'})], /not in the GNU format/],
    [
      'a map for a directory',
      [
        paxMember([
          ['GNU.sparse.map', '0,1'],
          ['GNU.sparse.numblocks', '1'],
        ]),
        rawMember({name: 'd', type: '5'}),
      ],
      /not a file has a sparse map/,
    ],
    ['more than 2 TiB', [sparseMember('1.0', {name: 'x', size: 2 ** 42, ranges: []})], /the limit is \d+/],
  ] as const)
    it(`are refused with ${what}`, async () => {
      const tar = Buffer.concat([...members, RAW_END])
      await assert.rejects(
        contentsOf(tar, 'whole'),
        (error: unknown) => error instanceof TransshipError && why.test(error.message),
      )
    })
})
