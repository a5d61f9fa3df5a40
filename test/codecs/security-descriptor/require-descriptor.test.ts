import assert from 'node:assert/strict'
import fc from 'fast-check'
import {requireDescriptor} from '../../../src/codecs/security-descriptor/require-descriptor.js'
import {TransshipError} from '../../../src/model/errors.js'
import {FUZZ_RUNS} from '../../helpers/fuzz.js'
import {anyDescriptor, SECURITY_DESCRIPTORS} from '../../helpers/security-descriptors.js'

const isCorrupt = (bytes: Uint8Array, why: string) => {
  assert.throws(() => {
    requireDescriptor(bytes)
  }, (error) => error instanceof TransshipError && error.code === 'DESCRIPTOR_CORRUPT' && error.exitCode === 3, why) // prettier-ignore
}

describe('security descriptors that are some', () => {
  for (const {sddl, bytes, note} of SECURITY_DESCRIPTORS) {
    it(`are taken, and refused when they are cut anywhere: ${note}`, () => {
      requireDescriptor(bytes)
      for (let length = 0; length < bytes.byteLength; length++)
        isCorrupt(bytes.subarray(0, length), `${sddl}: ${length}`)
    })
  }

  it('are taken whatever parts they have, with unknown entries and bytes behind', () => {
    fc.assert(
      fc.property(anyDescriptor, (bytes) => {
        requireDescriptor(bytes)
      }),
      {numRuns: FUZZ_RUNS},
    )
  })

  it('are the only ones: arbitrary bytes are refused by code or are one', () => {
    fc.assert(
      fc.property(anyDescriptor, fc.array(fc.tuple(fc.nat(200), fc.nat(255)), {maxLength: 4}), (bytes, changes) => {
        const changed = Buffer.from(bytes)
        for (const [at, value] of changes) if (at < changed.byteLength) changed[at] = value
        try {
          requireDescriptor(changed)
        } catch (error) {
          assert.ok(error instanceof TransshipError && error.code === 'DESCRIPTOR_CORRUPT')
        }
      }),
      {numRuns: FUZZ_RUNS},
    )
  })

  // Owner at 20, group and list behind it: see the first row of the table.
  const [sample] = SECURITY_DESCRIPTORS
  const dacl = sample!.bytes.readUInt32LE(16)
  for (const {title, at, value, size = 1} of [
    {title: 'another revision', at: 0, value: 2},
    {title: 'pointers instead of offsets', at: 3, value: 0},
    {title: 'an owner behind the end', at: 4, value: 0xffff_ff00, size: 4},
    {title: 'a group that begins at the last byte', at: 8, value: sample!.bytes.byteLength - 1, size: 4},
    {title: 'a list behind the end', at: 16, value: sample!.bytes.byteLength, size: 4},
    {title: 'an owner of another revision', at: 20, value: 9},
    {title: 'an owner with sixteen parts', at: 21, value: 16},
    {title: 'a list of another revision', at: dacl, value: 1},
    {title: 'a list shorter than its head', at: dacl + 2, value: 4, size: 2},
    {title: 'a list longer than the descriptor', at: dacl + 2, value: 0xffff, size: 2},
    {title: 'a list of more entries than it has', at: dacl + 4, value: 200, size: 2},
    {title: 'an entry without a length', at: dacl + 10, value: 0, size: 2},
    {title: 'an entry whose SID leads out of it', at: dacl + 17, value: 15},
  ])
    it(`are not those with ${title}`, () => {
      const bytes = Buffer.from(sample!.bytes)
      bytes.writeUIntLE(value, at, size)
      isCorrupt(bytes, title)
    })

  /** A descriptor with a list of one entry that has flags and GUIDs before its SID. Source: [MS-DTYP] 2.4.4.3. */
  function withObject(type: number, present: number, guids: number): Buffer {
    const sid = Buffer.from([1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0])
    const entry = Buffer.concat([Buffer.alloc(12), Buffer.alloc(16 * guids, 0xee), sid])
    entry.writeUInt8(type, 0)
    entry.writeUInt16LE(entry.length, 2)
    entry.writeUInt32LE(present, 8)
    const list = Buffer.alloc(8)
    list.writeUInt8(4, 0)
    list.writeUInt16LE(list.length + entry.length, 2)
    list.writeUInt16LE(1, 4)
    const head = Buffer.alloc(20)
    head.writeUInt8(1, 0)
    head.writeUInt16LE(0x8004, 2)
    head.writeUInt32LE(20, 16)
    return Buffer.concat([head, list, entry])
  }

  for (const type of [0x05, 0x06, 0x07, 0x08, 0x0b, 0x0c, 0x0f, 0x10])
    it(`have entries of type ${type} with the GUIDs that their flags say`, () => {
      for (const [present, guids] of [
        [0, 0],
        [1, 1],
        [2, 1],
        [3, 2],
        [4, 0],
      ] as const) {
        requireDescriptor(withObject(type, present, guids))
        for (const others of [0, 1, 2])
          if (others !== guids) isCorrupt(withObject(type, present, others), `${present}: ${others}`)
      }
    })
})
