import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  canonicalExtendedAttributes,
  decodeExtendedAttributes,
  encodeExtendedAttributes,
} from '../../../src/codecs/extended-attributes/extended-attributes.js'
import {TransshipError} from '../../../src/model/errors.js'
import {FUZZ_RUNS} from '../../helpers/fuzz.js'

/** Section 7.5 of the transport layout page: {A.B = 01 02, LXUID = e8 03 00 00}. */
const LIST = '1000000000030200412e420001020000000000000005040 04c5855494400e803000000 00'.replaceAll(' ', '')

const attribute = fc.record(
  {
    name: fc
      .string({
        unit: fc.integer({min: 1, max: 255}).map((code) => String.fromCharCode(code)),
        minLength: 1,
        maxLength: 255,
      })
      .filter((name) => name.length > 0),
    flags: fc.constantFrom(0, 0x80, 1),
    value: fc.uint8Array({maxLength: 300}).map((value) => Buffer.from(value)),
  },
  {noNullPrototype: true},
)

describe('extended attributes', () => {
  it('encodes the list of the worked example byte for byte, last padding included', () => {
    const list = encodeExtendedAttributes([
      {name: 'A.B', flags: 0, value: Buffer.from([1, 2])},
      {name: 'LXUID', flags: 0, value: Buffer.from([0xe8, 3, 0, 0])},
    ])
    assert.equal(Buffer.from(list).toString('hex'), LIST)
    assert.equal(list.byteLength, 36)
  })

  it('decodes what it encodes, order, flags and duplicates kept', () => {
    fc.assert(
      fc.property(fc.array(attribute, {maxLength: 6}), (attributes) => {
        assert.deepEqual(decodeExtendedAttributes(encodeExtendedAttributes(attributes)), attributes)
      }),
      {numRuns: FUZZ_RUNS},
    )
  })

  it('puts the list into name order and drops flags, as a tar does', () => {
    const value = Buffer.from([1])
    assert.deepEqual(
      canonicalExtendedAttributes([
        {name: 'b', flags: 0x80, value},
        {name: 'B', flags: 0, value},
      ]),
      [
        {name: 'B', flags: 0, value},
        {name: 'b', flags: 0, value},
      ],
    )
  })

  it('accepts records that lie further apart than they must', () => {
    const list = Buffer.concat([
      Buffer.from(LIST, 'hex').subarray(0, 16),
      Buffer.alloc(12),
      Buffer.from(LIST, 'hex').subarray(16),
    ])
    list.writeUInt32LE(28, 0)
    assert.equal(decodeExtendedAttributes(list).length, 2)
  })

  it('refuses a list cut at any length but a whole one', () => {
    const whole = Buffer.from(LIST, 'hex')
    for (let length = 1; length < 34; length++)
      assert.throws(
        () => decodeExtendedAttributes(whole.subarray(0, length)),
        {code: 'ATTRIBUTES_CORRUPT'},
        `${length}`,
      )
  })

  it('refuses a chain that hardly moves', () => {
    const list = Buffer.alloc(64)
    list.writeUInt32LE(1, 0)
    list.writeUInt8(1, 5)
    assert.throws(() => decodeExtendedAttributes(list), {code: 'ATTRIBUTES_CORRUPT'})
  })

  it('never fails otherwise on arbitrary bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({maxLength: 100}), (bytes) => {
        try {
          decodeExtendedAttributes(bytes)
        } catch (error) {
          assert.ok(error instanceof TransshipError)
        }
      }),
      {numRuns: FUZZ_RUNS},
    )
  })

  it('refuses to encode names and values that do not fit', () => {
    for (const [name, size] of [
      ['', 0],
      ['x'.repeat(256), 0],
      ['x', 65536],
    ] as const)
      assert.throws(() => encodeExtendedAttributes([{name, flags: 0, value: new Uint8Array(size)}]), {
        code: 'LIMIT_EXCEEDED',
      })
  })
})
