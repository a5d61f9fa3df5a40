import assert from 'node:assert/strict'
import {createHash} from 'node:crypto'
import {inflateRawSync} from 'node:zlib'
import fc from 'fast-check'
import {
  goDeflate,
  gzipDeflate,
  pgzipDeflate,
  pigzDeflate,
  zlibDeflate,
  type DeflateEncoder,
} from '../../../src/codecs/deflate-encoder/deflate-encoder.js'
import {ENCODING_INPUTS, encodingVectors, type EncodingVector} from '../../helpers/encoding-vectors.js'
import {FUZZ_RUNS} from '../../helpers/fuzz.js'

type Make = (level: number, onBytes: (bytes: Uint8Array) => void) => DeflateEncoder

function encode(make: Make, level: number, pieces: readonly Uint8Array[]): Buffer {
  const written: Uint8Array[] = []
  const encoder = make(level, (bytes) => written.push(bytes))
  for (const piece of pieces) encoder.write(piece)
  encoder.finish()
  return Buffer.concat(written)
}

/** What each encoder promises to give again. */
const FAMILIES: readonly {
  readonly name: string
  readonly make: Make
  readonly levels: readonly number[]
  readonly isMeant: (row: EncodingVector) => boolean
  /** Rows an input. */
  readonly rows: number
}[] = [
  {
    name: 'Go 1.8 to 1.26',
    make: goDeflate,
    levels: [-2, -1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    isMeant: ({encoder, options}) => encoder === 'go-1.19.8' && options === 'write=32768',
    rows: 11,
  },
  {
    name: 'zlib',
    make: zlibDeflate,
    levels: [1, 2, 3, 4, 5, 6, 7, 8, 9],
    // Level 0 depends on the sizes of buffers.
    isMeant: ({encoder, level}) => encoder === 'zlib-1.2.13' && level !== '0',
    rows: 9,
  },
  {
    name: 'GNU gzip',
    make: gzipDeflate,
    levels: [1, 2, 3, 4, 5, 6, 7, 8, 9],
    isMeant: ({encoder}) => encoder === 'gnu-gzip-1.12',
    rows: 9,
  },
  {
    name: 'pigz',
    make: pigzDeflate,
    levels: [1, 2, 3, 4, 5, 6, 7, 8, 9],
    isMeant: ({encoder, options}) => encoder === 'pigz-2.6' && !options.includes('-i'),
    rows: 4,
  },
  ...[2 ** 20, 2 ** 18, 16385].map((blockBytes) => ({
    name: `pgzip with blocks of ${blockBytes}`,
    make: ((_, onBytes) => pgzipDeflate(onBytes, blockBytes)) satisfies Make,
    levels: [-1],
    isMeant: ({encoder, level, options}: EncodingVector) =>
      encoder.startsWith('pgzip') && (level === '-1' || level === '5') && options === `block=${blockBytes}`,
    rows: blockBytes === 2 ** 20 ? 2 : 1,
  })),
]

for (const {name, make, levels, isMeant, rows} of FAMILIES) {
  describe(`The deflate streams of ${name}, written anew`, () => {
    const vectors = encodingVectors().filter(isMeant)

    it('meet every input', () => {
      assert.equal(vectors.length, Object.keys(ENCODING_INPUTS).length * rows)
    })

    for (const [input, textOf] of Object.entries(ENCODING_INPUTS)) {
      it(`are the same bytes for ${input} at all levels`, () => {
        const text = textOf()
        for (const {level, bodySha256} of vectors.filter((row) => row.input === input)) {
          const body = encode(make, Number(level), [text])
          assert.equal(createHash('sha256').update(body).digest('hex'), bodySha256, `level ${level}`)
        }
      })
    }

    it('do not depend on the pieces that the text comes in, and inflate to it', () => {
      const runs = fc
        .tuple(fc.uint8Array({minLength: 1, maxLength: 40}), fc.nat(9000))
        .map(([unit, times]) => Buffer.alloc(unit.length * times, unit))
      fc.assert(
        fc.property(
          fc.constantFrom(...levels),
          fc.array(fc.oneof(fc.uint8Array({maxLength: 3000}), runs), {maxLength: 6}),
          (level, pieces) => {
            const text = Buffer.concat(pieces)
            const whole = encode(make, level, [text])
            assert.ok(encode(make, level, pieces).equals(whole))
            assert.ok(inflateRawSync(whole).equals(text))
          },
        ),
        {numRuns: Math.ceil(FUZZ_RUNS / 12)},
      )
    })
  })
}
