import assert from 'node:assert/strict'
import fc from 'fast-check'
import {findPaxTime, formatPaxTime} from '../../../src/codecs/tar/pax.js'
import {BLOCK_BYTES, encodeTarHeader, findTarNumber, isZero, readTarHeader} from '../../../src/codecs/tar/tar-header.js'
import {FUZZ_RUNS} from '../../helpers/fuzz.js'

/** The rule as a sentence: pads at both ends taken off, up to the first NUL, nothing but octal digits. */
function numberByRule(bytes: Uint8Array): number | undefined {
  const text = Buffer.from(bytes)
    .toString('latin1')
    .replace(/^[ \0]+|[ \0]+$/g, '')
  if (text === '') return 0
  const [digits = ''] = text.split('\0', 1)
  return /^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : undefined
}

describe('numbers of a tar header', () => {
  it('are read by one rule, however they are padded and whatever lies behind a NUL', () => {
    const field = fc.array(fc.constantFrom(...Buffer.from('01278 \0\0 \0ax')), {minLength: 1, maxLength: 12})
    fc.assert(
      fc.property(field, (codes) => {
        const bytes = Uint8Array.from(codes)
        assert.equal(findTarNumber(bytes), numberByRule(bytes))
      }),
      {numRuns: FUZZ_RUNS * 10},
    )
  })

  for (const [text, value, note] of [
    ['0000644\0', 0o644, 'seven digits'],
    ['   644 \0', 0o644, 'spaces in front'],
    ['12\0 junk', 0o12, 'bytes behind the end'],
    ['12 \0 7  ', undefined, 'a second number behind a space'],
    ['12 7\0\0\0\0', undefined, 'a space inside'],
    ['        ', 0, 'nothing'],
    ['9\0\0\0\0\0\0\0', undefined, 'no octal digit'],
    ['77777777777777777777', undefined, 'more than a number holds'],
  ] as const)
    it(`give ${String(value)} for ${JSON.stringify(text)}: ${note}`, () => {
      assert.equal(findTarNumber(Buffer.from(text, 'latin1')), value)
    })

  it('are written as Go writes them: digits, a NUL, and behind a checksum a space', () => {
    const header = Buffer.from(encodeTarHeader({name: 'a', typeflag: '0', mode: 0o644, size: 8 ** 11 - 1, mtime: 0n}))
    assert.equal(header.toString('latin1', 100, 108), '0000644\0')
    assert.equal(header.toString('latin1', 124, 136), '77777777777\0')
    assert.match(header.toString('latin1', 148, 156), /^[0-7]{6}\0 $/)
  })
})

describe('the checksum of a tar header', () => {
  const header = () =>
    Buffer.from(encodeTarHeader({name: 'b\xe9', typeflag: '0', mode: 1, size: 0, mtime: 0n})).subarray(-BLOCK_BYTES)
  const restated = (block: Buffer, sum: number) => {
    block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 8, 'latin1')
    return block
  }
  const sumOf = (block: Buffer, isSigned: boolean) => {
    const copy = Buffer.from(block).fill(' ', 148, 156)
    return copy.reduce((sum, byte) => sum + (isSigned ? (byte << 24) >> 24 : byte), 0)
  }

  it('is the sum of the bytes, or of the signed bytes', () => {
    for (const isSigned of [false, true]) {
      const block = header()
      block[0] = 0xe9
      assert.notEqual(typeof readTarHeader(restated(block, sumOf(block, isSigned))), 'string')
    }
  })

  it('is compared: one that is off by one in either way is refused', () => {
    for (const delta of [-1, 1, 256]) {
      const block = header()
      assert.equal(
        readTarHeader(restated(block, sumOf(block, false) + delta)),
        'A header block is damaged: its checksum is wrong.',
      )
    }
  })
})

describe('zeros', () => {
  it('are known wherever another byte lies', () => {
    for (const length of [0, 1, 2, 511, 512, 16 * 1024, 16 * 1024 + 1, 40_000]) {
      const bytes = new Uint8Array(length)
      assert.equal(isZero(bytes), true)
      for (const at of [0, 1, length >> 1, length - 1]) {
        if (at < 0 || at >= length) continue
        bytes[at] = 1
        assert.equal(isZero(bytes), false, `${String(at)} of ${String(length)}`)
        bytes[at] = 0
      }
    }
  })
})

describe('times of PAX', () => {
  it('come back from their text, which has no zero too many', () => {
    const time = fc.oneof(
      fc.bigInt({min: -(2n ** 63n), max: 2n ** 63n - 1n}),
      fc.bigInt({min: -5_000_000_000n, max: 5_000_000_000n}),
    )
    fc.assert(
      fc.property(time, (nanoseconds) => {
        const text = formatPaxTime(nanoseconds)
        assert.match(text, /^-?(0|[1-9][0-9]*)(\.[0-9]{0,8}[1-9])?$/)
        assert.equal(findPaxTime(text), nanoseconds)
      }),
      {numRuns: FUZZ_RUNS},
    )
  })

  for (const [text, value] of [
    ['1.5', 1_500_000_000n],
    ['1.', 1_000_000_000n],
    ['+1.000000001', 1_000_000_001n],
    ['-0.1', -100_000_000n],
    ['1.0000000019', 1_000_000_001n],
    ['.5', undefined],
    ['1e3', undefined],
  ] as const)
    it(`are ${String(value)} for '${text}'`, () => {
      assert.equal(findPaxTime(text), value)
    })
})
