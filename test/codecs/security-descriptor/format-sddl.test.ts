import assert from 'node:assert/strict'
import {formatSddl} from '../../../src/codecs/security-descriptor/format-sddl.js'
import {TransshipError} from '../../../src/index.js'
import {SECURITY_DESCRIPTORS} from '../../helpers/security-descriptors.js'

describe('security descriptors as text', () => {
  for (const {sddl, bytes, note} of SECURITY_DESCRIPTORS)
    it(`says ${sddl}: ${note}`, () => {
      assert.equal(formatSddl(bytes), sddl)
    })

  it('refuses one that is cut, wherever, and never reads beyond', () => {
    for (const {bytes} of SECURITY_DESCRIPTORS)
      for (let length = 0; length < bytes.byteLength; length++) {
        const cut = Uint8Array.from(bytes.subarray(0, length))
        try {
          formatSddl(cut)
        } catch (error) {
          assert.ok(error instanceof TransshipError && error.code === 'DESCRIPTOR_CORRUPT', String(error))
        }
      }
  })

  it('refuses an absolute one and one of another revision', () => {
    const {bytes} = SECURITY_DESCRIPTORS[0]!
    for (const [offset, value] of [
      [0, 2],
      [3, 0],
    ] as const) {
      const other = Uint8Array.from(bytes)
      other[offset] = value
      assert.throws(() => formatSddl(other), {code: 'DESCRIPTOR_CORRUPT'})
    }
  })
})
