import assert from 'node:assert/strict'
import fc from 'fast-check'
import {findBase64} from '../../../src/codecs/bytes/base64.js'
import {FUZZ_RUNS} from '../../helpers/fuzz.js'

describe('base64', () => {
  for (const text of [
    '=',
    'A',
    'AA',
    'AAA',
    'AB==',
    'AAB=',
    'AA==AA==',
    'AAAA=',
    'AA A',
    'AAAA\n',
    'AA-_',
    'AA.A',
    'Ä===',
  ])
    it(`is not what no encoder writes: ${JSON.stringify(text)}`, () => {
      assert.equal(findBase64(text), undefined)
    })

  it('stands for its bytes, and with one character changed for none or for others', () => {
    const bytes = fc.uint8Array({minLength: 1, maxLength: 100})
    fc.assert(
      fc.property(
        bytes,
        fc.nat(),
        fc.constantFrom('A', 'a', '0', '+', '/', '=', '-', '_', ' ', '\n'),
        (bytes, place, character) => {
          const text = Buffer.from(bytes).toString('base64')
          assert.deepEqual(Buffer.from(findBase64(text)!), Buffer.from(bytes))
          const at = place % text.length
          const changed = text.slice(0, at) + character + text.slice(at + 1)
          const found = findBase64(changed)
          if (changed !== text && found !== undefined) assert.notDeepEqual(Buffer.from(found), Buffer.from(bytes))
        },
      ),
      {numRuns: FUZZ_RUNS},
    )
  })
})
