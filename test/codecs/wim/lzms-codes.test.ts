import assert from 'node:assert/strict'
import fc from 'fast-check'
import {codeLengths, LENGTHS, OFFSETS, offsetSlots} from '../../../src/codecs/wim/lzms-codes.js'
import {FUZZ_RUNS} from '../../helpers/fuzz.js'

describe('codes of LZMS', () => {
  it('are complete for any frequencies, and never longer than 15 bits', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({min: 1, max: 2 ** 20}), {minLength: 2, maxLength: 799}), (frequencies) => {
        const lengths = new Uint8Array(frequencies.length)
        codeLengths(Uint32Array.from(frequencies), lengths)
        const sum = lengths.reduce((total, length) => total + 2 ** (15 - length), 0)
        assert.equal(sum, 2 ** 15)
        assert.ok(lengths.every((length) => length >= 1 && length <= 15))
      }),
      {numRuns: FUZZ_RUNS},
    )
  })

  it('give the more frequent symbol no longer code', () => {
    const frequencies = Uint32Array.from({length: 300}, (_, symbol) => 1 + symbol * symbol)
    const lengths = new Uint8Array(300)
    codeLengths(frequencies, lengths)
    for (let symbol = 1; symbol < 300; symbol++)
      assert.ok((lengths[symbol] ?? 0) <= (lengths[symbol - 1] ?? 0), String(symbol))
  })

  // Source: wimlib src/lzms_common.c, lzms_offset_slot_base and lzms_length_slot_base.
  it('have slots that begin where the format says', () => {
    const {bases} = OFFSETS
    const told = [0, 8, 16, 100, 400, 797, 798].map((slot) => (bases[slot] ?? 0).toString(16))
    assert.deepEqual(told, ['1', '9', '29', '20a5', '3064a5', '64be4a5', '65be4a5'])
    assert.equal(bases.length, 799)
    assert.deepEqual([LENGTHS.bases.length, LENGTHS.bases[53], LENGTHS.bases[47]], [54, 0x108ab, 0xeb])
  })

  for (const [sizeBytes, slots] of [
    [0, 0],
    [1, 0],
    [2, 1],
    [9, 8],
    [10, 9],
    [32768, 142],
  ] as const)
    it(`have ${slots} slots of offsets in ${sizeBytes} bytes`, () => {
      assert.equal(offsetSlots(sizeBytes), slots)
    })
})
