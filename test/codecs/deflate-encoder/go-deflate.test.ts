import assert from 'node:assert/strict'
import {createHash} from 'node:crypto'
import {inflateRawSync} from 'node:zlib'
import fc from 'fast-check'
import {goDeflate} from '../../../src/codecs/deflate-encoder/deflate-encoder.js'
import {ENCODING_INPUTS, encodingVectors} from '../../helpers/encoding-vectors.js'

function encode(level: number, pieces: readonly Uint8Array[]): Buffer {
  const written: Uint8Array[] = []
  const encoder = goDeflate(level, (bytes) => written.push(bytes))
  for (const piece of pieces) encoder.write(piece)
  encoder.finish()
  return Buffer.concat(written)
}

const GO_ROWS = encodingVectors().filter(({encoder, options}) => encoder === 'go-1.19.8' && options === 'write=32768')

describe('Go’s compress/flate, written anew', () => {
  it('meets every input at every level', () => {
    assert.equal(GO_ROWS.length, Object.keys(ENCODING_INPUTS).length * 11)
  })

  for (const [input, make] of Object.entries(ENCODING_INPUTS)) {
    it(`gives Go’s bytes for ${input} at all levels`, () => {
      const text = make()
      for (const {level, bodySha256} of GO_ROWS.filter((row) => row.input === input)) {
        const body = encode(Number(level), [text])
        assert.equal(createHash('sha256').update(body).digest('hex'), bodySha256, `level ${level}`)
      }
    })
  }

  it('gives the same bytes whatever pieces the text comes in, and they inflate to it', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(-2, -1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9),
        fc.array(
          fc.oneof(
            fc.uint8Array({maxLength: 3000}),
            fc
              .tuple(fc.uint8Array({minLength: 1, maxLength: 40}), fc.nat(3000))
              .map(([unit, times]) => Buffer.alloc(unit.length * times, unit)),
          ),
          {maxLength: 6},
        ),
        (level, pieces) => {
          const text = Buffer.concat(pieces)
          const whole = encode(level, [text])
          assert.ok(encode(level, pieces).equals(whole))
          assert.ok(inflateRawSync(whole).equals(text))
        },
      ),
      {numRuns: 60},
    )
  })
})
