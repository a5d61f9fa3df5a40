import assert from 'node:assert/strict'
import {findSddl, formatSddl} from '../../../src/codecs/security-descriptor/format-sddl.js'
import {
  descriptorText,
  knownDescriptor,
  requireKnownDescriptor,
} from '../../../src/codecs/security-descriptor/known-descriptors.js'
import {requireDescriptor} from '../../../src/codecs/security-descriptor/require-descriptor.js'
import {decodeSid, requireSid} from '../../../src/codecs/security-descriptor/sid.js'
import {faultOf} from '../../helpers/faults.js'
import {ace, acl} from '../../helpers/security-descriptors.js'

/** S-1-1-0, everybody. */
const EVERYBODY = Buffer.from([1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0])
const GUIDS = [
  Buffer.from('00112233445566778899aabbccddeeff', 'hex'),
  Buffer.from('0f1e2d3c4b5a69788796a5b4c3d2e1f0', 'hex'),
]
const GUID_TEXTS = ['33221100-5544-7766-8899-aabbccddeeff', '3c2d1e0f-5a4b-7869-8796-a5b4c3d2e1f0']

/** A descriptor with one list, as the DACL or the SACL. */
function withList(list: Uint8Array, {field = 16, control = 0x8004} = {}): Buffer {
  const head = Buffer.alloc(20)
  head.writeUInt8(1, 0)
  head.writeUInt16LE(control, 2)
  head.writeUInt32LE(20, field)
  return Buffer.concat([head, list])
}

/** Both look at all of it. */
const READERS: readonly ((bytes: Uint8Array) => unknown)[] = [formatSddl, requireDescriptor]

const saclOf = (list: Uint8Array, flags = 0) => withList(list, {field: 12, control: 0x8010 | flags})
const u32 = (value: number) => Buffer.from(Uint32Array.of(value).buffer)

describe('entries of a list as SDDL writes them', () => {
  for (const [type, name] of [
    [0, 'A'],
    [1, 'D'],
    [2, 'AU'],
    [3, 'AL'],
    [0x11, 'ML'],
  ] as const)
    it(`have type ${name}`, () => {
      const right = name === 'ML' ? 'NR' : 'DC'
      assert.equal(formatSddl(withList(acl(ace(type, 0, 2, EVERYBODY)))), `D:(${name};;${right};;;WD)`)
    })

  for (const [type, name] of [
    [5, 'OA'],
    [6, 'OD'],
    [7, 'OU'],
    [8, 'OL'],
  ] as const)
    for (const [present, guids, text] of [
      [0, [], ';'],
      [1, [GUIDS[0]!], `${GUID_TEXTS[0]!};`],
      [2, [GUIDS[1]!], `;${GUID_TEXTS[1]!}`],
      [3, GUIDS, GUID_TEXTS.join(';')],
    ] as const)
      it(`have type ${name}, with the objects that they are about: ${present}`, () => {
        const entry = ace(type, 0, 0x10, u32(present), ...guids, EVERYBODY)
        assert.equal(formatSddl(withList(acl(entry))), `D:(${name};;RP;${text};WD)`)
        requireDescriptor(withList(acl(entry)))
      })

  for (const [flags, text] of [
    [0x01, 'OI'],
    [0x02, 'CI'],
    [0x04, 'NP'],
    [0x08, 'IO'],
    [0x10, 'ID'],
    [0x40, 'SA'],
    [0x80, 'FA'],
    [0xdf, 'OICINPIOIDSAFA'],
    [0x20, ''],
  ] as const)
    it(`have flags 0x${flags.toString(16)}: '${text}'`, () => {
      assert.equal(formatSddl(withList(acl(ace(0, flags, 2, EVERYBODY)))), `D:(A;${text};DC;;;WD)`)
    })

  it('of a type that SDDL has no form for are shown by their bytes', () => {
    assert.equal(
      formatSddl(withList(acl(ace(9, 2, 0x1f01ff, EVERYBODY, Buffer.from('x')), ace(0x44, 0, 1)))),
      'D:(0x9;CI;09021500ff011f0001010000000000010000000078;;;)(0x44;;4400080001000000;;;)',
    )
  })

  for (const [note, entry] of [
    ['before its objects', ace(5, 0, 0)],
    ['in its flags', ace(5, 0, 0, Buffer.alloc(3))],
    ['in its first object', ace(5, 0, 0, u32(1), Buffer.alloc(15))],
    ['in its second object', ace(5, 0, 0, u32(3), Buffer.alloc(31))],
    ['behind its objects', ace(5, 0, 0, u32(3), ...GUIDS)],
    ['in its SID', ace(0, 0, 0, EVERYBODY.subarray(0, 11))],
  ] as const)
    it(`are refused where one is cut: ${note}`, () => {
      for (const read of READERS) assert.equal(faultOf(() => read(withList(acl(entry)))).code, 'DESCRIPTOR_CORRUPT')
      assert.equal(findSddl(withList(acl(entry))), undefined)
    })
})

describe('lists of a security descriptor', () => {
  const list = acl(ace(2, 0, 2, EVERYBODY))
  for (const [note, bytes, text] of [
    ['a list', withList(list), 'D:(AU;;DC;;;WD)'],
    [
      'no list, which grants everything',
      withList(Buffer.alloc(0), {field: 4, control: 0x8004}).fill(0, 4, 20),
      'D:NO_ACCESS_CONTROL',
    ],
    ['a list that is not said to be there', withList(list, {control: 0x8000}), ''],
    ['a protected list', withList(list, {control: 0x9004}), 'D:P(AU;;DC;;;WD)'],
    ['a list that is to be inherited', withList(list, {control: 0x8104}), 'D:AR(AU;;DC;;;WD)'],
    ['a list that was inherited', withList(list, {control: 0x8404}), 'D:AI(AU;;DC;;;WD)'],
    ['all of these', withList(list, {control: 0x9504}), 'D:PARAI(AU;;DC;;;WD)'],
    ['flags of the other list', withList(list, {control: 0xaa04}), 'D:(AU;;DC;;;WD)'],
    ['a system list', saclOf(list), 'S:(AU;;DC;;;WD)'],
    ['a protected system list', saclOf(list, 0x2000), 'S:P(AU;;DC;;;WD)'],
    ['a system list that is to be inherited', saclOf(list, 0x200), 'S:AR(AU;;DC;;;WD)'],
    ['a system list that was inherited', saclOf(list, 0x800), 'S:AI(AU;;DC;;;WD)'],
    ['a system list with flags of the other', saclOf(list, 0x1500), 'S:(AU;;DC;;;WD)'],
    ['no system list', saclOf(Buffer.alloc(0)).fill(0, 12, 16), ''],
    ['a system list that is not said to be there', withList(list, {field: 12, control: 0x8000}), ''],
  ] as const)
    it(`are told: ${note}`, () => {
      assert.equal(formatSddl(bytes), text)
      requireDescriptor(bytes)
    })

  /** All bits of the control field that say nothing of lists. */
  const others = 0x40eb
  for (const [note, bytes, text] of [
    ['a list', withList(list, {control: 0x8004 | others}), 'D:(AU;;DC;;;WD)'],
    ['a system list', saclOf(list, others), 'S:(AU;;DC;;;WD)'],
    ['a list that is not said to be there', withList(list, {control: 0x8000 | others}), ''],
    ['a system list that is not', withList(list, {field: 12, control: 0x8000 | others}), ''],
  ] as const)
    it(`do not depend on bits that say other things: ${note}`, () => {
      assert.equal(formatSddl(bytes), text)
    })

  it('are refused with pointers in place of offsets, whatever else is said', () => {
    assert.equal(faultOf(() => formatSddl(withList(list, {control: 0x7fff}))).code, 'DESCRIPTOR_CORRUPT')
  })

  for (const field of [12, 16])
    it(`are not looked for where none is said to be there, whatever the field at ${field} holds`, () => {
      const bytes = withList(list, {field, control: 0x8000})
      bytes.writeUInt32LE(0xfffffff0, field)
      requireDescriptor(bytes)
      assert.equal(formatSddl(bytes), '')
    })

  for (const [note, spoil] of [
    ['of revision 1', (bytes: Buffer) => bytes.writeUInt8(1, 20)],
    ['of revision 5', (bytes: Buffer) => bytes.writeUInt8(5, 20)],
    ['shorter than their head', (bytes: Buffer) => bytes.writeUInt16LE(7, 22)],
    ['longer than the descriptor', (bytes: Buffer) => bytes.writeUInt16LE(29, 22)],
    ['of more entries than fit', (bytes: Buffer) => bytes.writeUInt16LE(2, 24)],
    ['with an entry of seven bytes', (bytes: Buffer) => bytes.writeUInt16LE(7, 30)],
    ['with an entry longer than the list', (bytes: Buffer) => bytes.writeUInt16LE(21, 30)],
    ['that begin in the last bytes', (bytes: Buffer) => bytes.writeUInt32LE(bytes.byteLength - 7, 12)],
  ] as const)
    it(`are refused: ${note}`, () => {
      const bytes = saclOf(list)
      assert.equal(bytes.byteLength, 48)
      spoil(bytes)
      for (const read of READERS) assert.equal(faultOf(() => read(bytes)).code, 'DESCRIPTOR_CORRUPT')
    })

  for (const revision of [2, 3, 4])
    it(`may be of revision ${revision}`, () => {
      const bytes = saclOf(list)
      bytes.writeUInt8(revision, 20)
      requireDescriptor(bytes)
    })

  it('may hold more than their entries, and end where the descriptor does', () => {
    requireDescriptor(saclOf(acl()))
    const roomy = saclOf(Buffer.concat([list, Buffer.alloc(3)]))
    roomy.writeUInt16LE(31, 22)
    requireDescriptor(roomy)
  })

  it('hold entries that are looked at inside the list alone', () => {
    const cut = saclOf(list)
    cut.writeUInt16LE(8, 22)
    assert.equal(faultOf(() => { requireDescriptor(cut) }).code, 'DESCRIPTOR_CORRUPT') // prettier-ignore
  })

  for (const type of [0, 1, 2, 3, 9, 0x0a, 0x0d, 0x0e, 0x11])
    it(`hold entries of type ${type} with a SID behind the rights`, () => {
      requireDescriptor(withList(acl(ace(type, 0, 0, EVERYBODY))))
      const bad = Buffer.from(EVERYBODY).fill(2, 0, 1)
      assert.equal(faultOf(() => { requireDescriptor(withList(acl(ace(type, 0, 0, bad)))) }).code, 'DESCRIPTOR_CORRUPT') // prettier-ignore
    })

  for (const type of [4, 0x12, 0x13, 0x14, 0xff])
    it(`hold entries of type ${type} that nobody looks into`, () => {
      requireDescriptor(withList(acl(ace(type, 0, 0))))
    })
})

describe('a SID', () => {
  const view = (bytes: Buffer) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  it('may stand at the very end, and has a length by its parts', () => {
    const bytes = Buffer.concat([Buffer.alloc(3), EVERYBODY])
    assert.equal(requireSid(view(bytes), 3), 12)
    assert.deepEqual(decodeSid(view(bytes), 3), {text: 'WD', sizeBytes: 12})
    assert.equal(requireSid(view(Buffer.from([1, 0, 0, 0, 0, 0, 0, 5])), 0), 8)
    assert.equal(decodeSid(view(Buffer.from([1, 0, 0, 0, 0, 0, 0, 5])), 0).text, 'S-1-5')
  })

  for (const [note, bytes, offset] of [
    ['cut in its head', EVERYBODY.subarray(0, 7), 0],
    ['cut in its parts', EVERYBODY.subarray(0, 11), 0],
    ['of revision 0', Buffer.from(EVERYBODY).fill(0, 0, 1), 0],
    ['behind the end', EVERYBODY, 12],
    ['far behind the end', EVERYBODY, 0xffffff00],
  ] as const)
    it(`is refused: ${note}`, () => {
      assert.equal(faultOf(() => requireSid(view(Buffer.from(bytes)), offset)).code, 'DESCRIPTOR_CORRUPT')
    })
})

describe('descriptors that come again and again', () => {
  const sound = (size: number, mark: number) => {
    const bytes = withList(acl(ace(4, 0, mark, Buffer.alloc(Math.max(0, size - 36)))))
    assert.ok(size < 36 || bytes.byteLength === size)
    return bytes
  }

  for (const size of [36, 4096, 4097])
    it(`are looked at and spelt alike, the first time and later: ${size} bytes`, () => {
      const bytes = sound(size, size)
      const text = bytes.toString('base64')
      assert.equal(descriptorText(bytes), text)
      for (let time = 0; time < 2; time++) {
        requireKnownDescriptor(Buffer.from(bytes))
        assert.equal(descriptorText(Uint8Array.from(bytes)), text)
      }
    })

  for (const size of [100, 5000])
    it(`are refused each time they are none: ${size} bytes`, () => {
      const bytes = sound(size, size).fill(9, 0, 1)
      for (let time = 0; time < 2; time++)
        assert.equal(faultOf(() => { requireKnownDescriptor(bytes) }).code, 'DESCRIPTOR_CORRUPT') // prettier-ignore
    })

  it('are told apart where they lie inside other bytes', () => {
    const [one, other] = [sound(40, 1), sound(40, 2)]
    const both = Buffer.concat([one, other])
    for (const [at, bytes] of [
      [0, one],
      [40, other],
    ] as const) {
      requireKnownDescriptor(both.subarray(at, at + 40))
      assert.equal(descriptorText(both.subarray(at, at + 40)), bytes.toString('base64'))
    }
  })

  it('are read once for one text, and large ones each time', () => {
    const read: string[] = []
    const reader = (text: string) => {
      read.push(text.slice(0, 8))
      return Buffer.from(text, 'base64')
    }
    const [small, other, large] = [sound(4096, 0x51), sound(4096, 0x52), sound(4097, 0x53)].map((bytes) =>
      bytes.toString('base64'),
    )
    const first = knownDescriptor(small!, reader)
    assert.equal(knownDescriptor(small!, reader), first)
    assert.equal(Buffer.from(first).toString('base64'), small)
    assert.equal(read.length, 1)
    assert.equal(Buffer.from(knownDescriptor(other!, reader)).toString('base64'), other)
    assert.equal(read.length, 2)
    for (let time = 0; time < 2; time++)
      assert.equal(Buffer.from(knownDescriptor(large!, reader)).toString('base64'), large)
    assert.equal(read.length, 4)
  })

  it('are not remembered where reading one fails', () => {
    const fail = () => {
      throw new RangeError('no descriptor')
    }
    assert.throws(() => knownDescriptor('none', fail), RangeError)
    assert.deepEqual(
      knownDescriptor('none', () => Uint8Array.of(1)),
      Uint8Array.of(1),
    )
  })

  it('stay right when more come than are remembered', () => {
    for (let mark = 0; mark < 1100; mark++) {
      const bytes = sound(36, 0x10000 + mark)
      requireKnownDescriptor(bytes)
      assert.equal(descriptorText(bytes), bytes.toString('base64'))
      assert.deepEqual(
        knownDescriptor(`more ${mark}`, () => Uint8Array.of(mark & 255)),
        Uint8Array.of(mark & 255),
      )
    }
  })
})
