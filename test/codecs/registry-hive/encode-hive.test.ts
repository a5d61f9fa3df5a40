import assert from 'node:assert/strict'
import {encodeHive} from '../../../src/codecs/registry-hive/encode-hive.js'
import {
  keyOf,
  valueOf,
  valueTombstone,
  type HiveKey,
  type KeyDraft,
} from '../../../src/codecs/registry-hive/hive-key.js'
import {hashName} from '../../../src/codecs/registry-hive/subkey-leaf.js'
import {faultOf} from '../../helpers/faults.js'
import {HiveBytes} from '../../helpers/hive-bytes.js'
import {deltaOf, descriptorOf, hiveOf, openHive} from '../../helpers/hives.js'

const NIL = 0xffffffff
/** Fields of a key node. Source: section 1.3 of the registry hive format page. */
const NK = {
  flags: 2,
  time: 4,
  access: 12,
  layer: 13,
  parent: 16,
  subkeys: 20,
  volatileSubkeys: 24,
  subkeyList: 28,
  volatileList: 32,
  values: 36,
  valueList: 40,
  security: 44,
  className: 48,
  longestSubkey: 52,
  controlFlags: 54,
  longestClass: 56,
  longestValueName: 60,
  longestValueData: 64,
  nameBytes: 72,
  classBytes: 74,
  name: 76,
} as const

const written = (draft: Partial<KeyDraft>, minorVersion = 5): HiveBytes =>
  new HiveBytes(hiveOf(keyOf({name: 'ROOT', ...draft}), minorVersion))

describe('a key that is written', () => {
  it('is all zeros and nowhere where it has nothing', () => {
    const hive = written({})
    const node = Buffer.alloc(80)
    node.write('nk')
    node.writeUInt16LE(0x24, NK.flags)
    for (const field of [NK.parent, NK.subkeyList, NK.volatileList, NK.valueList, NK.security, NK.className])
      node.writeUInt32LE(NIL, field)
    node.writeUInt16LE(4, NK.nameBytes)
    node.write('ROOT', NK.name)
    assert.ok(hive.bytes.subarray(hive.place(hive.root, 0), hive.place(hive.root, 80)).equals(node))
    assert.deepEqual([hive.root, hive.size(hive.root)], [32, -88])
  })

  it('has its facts in their places', () => {
    const hive = written({
      flags: 8,
      lastWrite: 0x0102030405060708n,
      className: Buffer.from('cls'),
      controlFlags: 0xa5,
      security: descriptorOf(18),
    })
    const {root} = hive
    assert.equal(hive.u16(root, NK.flags), 0x2c)
    assert.deepEqual([hive.at(root, NK.time), hive.at(root, NK.time + 4)], [0x05060708, 0x01020304])
    assert.equal(hive.at(root, NK.access), 0)
    assert.equal(hive.u16(root, NK.controlFlags), 0xa5)
    assert.deepEqual([hive.u16(root, NK.nameBytes), hive.u16(root, NK.classBytes)], [4, 3])
    const className = hive.at(root, NK.className)
    assert.equal(hive.bytes.toString('latin1', hive.place(className, 0), hive.place(className, 4)), 'cls\0')
    assert.equal(hive.signature(hive.at(root, NK.security)), 'sk')
  })

  for (const [name, bytes, flag, note] of [
    ['plain', 5, 0x20, 'a byte for each unit'],
    ['\xfc\xff', 2, 0x20, 'a byte for each unit of Latin-1'],
    ['\u0100', 2, 0, 'two for each where one does not fit'],
    ['a\u0100b', 6, 0, 'two for all of them then'],
  ] as const)
    it(`has its name in ${note}`, () => {
      const hive = written({subkeys: [keyOf({name})]})
      const subkey = hive.at(hive.root, NK.subkeyList, 4)
      assert.deepEqual([hive.u16(subkey, NK.nameBytes), hive.u16(subkey, NK.flags)], [bytes, flag])
      assert.equal(openHive(hive.bytes).root.subkeys()[0]?.name, name)
    })

  it('tells its parent, and the longest of what it has', () => {
    const values = [
      valueOf('v', 3, Buffer.alloc(9)),
      valueOf('longest', 3, Buffer.alloc(3)),
      valueOf('', 1, Buffer.of()),
    ]
    const hive = written({
      values,
      subkeys: [keyOf({name: 'a', className: Buffer.alloc(7)}), keyOf({name: 'bcd', className: Buffer.alloc(2)})],
    })
    const {root} = hive
    assert.deepEqual([hive.at(root, NK.subkeys), hive.at(root, NK.values)], [2, 3])
    assert.deepEqual([hive.at(root, NK.volatileSubkeys), hive.at(root, NK.volatileList)], [0, NIL])
    assert.deepEqual([hive.u16(root, NK.longestSubkey), hive.at(root, NK.longestClass)], [6, 7])
    assert.deepEqual([hive.at(root, NK.longestValueName), hive.at(root, NK.longestValueData)], [14, 9])
    const list = hive.at(root, NK.subkeyList)
    assert.deepEqual([hive.signature(list), hive.u16(list, 2)], ['lh', 2])
    for (const [index, name] of ['a', 'bcd'].entries()) {
      const subkey = hive.at(list, 4 + index * 8)
      assert.equal(hive.at(subkey, NK.parent), root)
      assert.equal(hive.u16(subkey, NK.flags), 0x20)
      assert.equal(hive.at(list, 8 + index * 8), hashName(name))
    }
  })

  it('has the handle that it stands for, and no values', () => {
    const hive = written({flags: 0x40, predefinedHandle: 0x80000001, values: [valueOf('v', 1, Buffer.of(1))]})
    assert.equal(hive.at(hive.root, NK.values), 0x80000001)
    assert.equal(hive.at(hive.root, NK.valueList), NIL)
    const {root} = openHive(hive.bytes)
    assert.deepEqual([root.predefinedHandle, root.values(), root.flags], [0x80000001, [], 0x40])
  })

  for (const [name, hint, note] of [
    ['Abcdef', 'Abcd', 'its first four letters'],
    ['ab', 'ab\0\0', 'all of a short one'],
    ['a\xffc', 'a\xffc\0', 'letters of Latin-1'],
    ['abc\u0100', '\0\0\0\0', 'none where one of them is none'],
    ['abcd\u0100', 'abcd', 'whatever comes behind'],
  ] as const)
    it(`is listed in a hive 1.3 with a hint: ${note}`, () => {
      const hive = written({subkeys: [keyOf({name})]}, 3)
      const list = hive.at(hive.root, NK.subkeyList)
      assert.equal(hive.signature(list), 'lf')
      assert.equal(hive.bytes.toString('latin1', hive.place(list, 8), hive.place(list, 12)), hint)
    })

  it('is listed through lists of at most 507', () => {
    const names = Array.from({length: 1015}, (_, index) => `k${String(index).padStart(4, '0')}`)
    const hive = written({subkeys: names.map((name) => keyOf({name}))})
    const list = hive.at(hive.root, NK.subkeyList)
    assert.deepEqual([hive.signature(list), hive.u16(list, 2)], ['ri', 3])
    const leaves = [0, 1, 2].map((index) => hive.at(list, 4 + index * 4))
    assert.deepEqual(
      leaves.map((leaf) => [hive.signature(leaf), hive.u16(leaf, 2)]),
      [
        ['lh', 507],
        ['lh', 507],
        ['lh', 1],
      ],
    )
    assert.deepEqual(
      openHive(hive.bytes)
        .root.subkeys()
        .map(({name}) => name),
      names,
    )
  })
})

describe('a value that is written', () => {
  for (const [length, inline] of [
    [0, true],
    [1, true],
    [4, true],
    [5, false],
  ] as const)
    it(`has ${length} bytes ${inline ? 'in its own place' : 'elsewhere'}`, () => {
      const data = Buffer.from('abcde'.slice(0, length))
      const hive = written({values: [valueOf('name', 0x12345678, data)]})
      const node = hive.at(hive.root, NK.valueList, 0)
      assert.equal(hive.signature(node), 'vk')
      assert.deepEqual([hive.u16(node, 2), hive.u16(node, 16)], [4, 1])
      assert.equal(hive.at(node, 4), inline ? 0x80000000 + length : length)
      assert.equal(hive.at(node, 12), 0x12345678)
      const from = inline ? hive.place(node, 8) : hive.place(hive.at(node, 8), 0)
      assert.ok(hive.bytes.subarray(from, from + length).equals(data))
      assert.equal(hive.bytes.toString('latin1', hive.place(node, 20), hive.place(node, 24)), 'name')
    })

  for (const [name, bytes, flags] of [
    ['', 0, 0],
    ['\xff', 1, 1],
    ['\u0101', 2, 0],
  ] as const)
    it(`has a name of ${bytes} bytes, and flags ${flags}`, () => {
      const hive = written({values: [valueOf(name, 1, Buffer.of(1))]})
      const node = hive.at(hive.root, NK.valueList, 0)
      assert.deepEqual([hive.u16(node, 2), hive.u16(node, 16)], [bytes, flags])
    })

  for (const [size, cell] of [
    [16345, 0x8000],
    [0x8000 - 4, 0x8000],
    [0x8000 - 3, 0x10000],
    [0x10000 - 3, 0x20000],
  ] as const)
    it(`of ${size} bytes takes a cell of ${cell} in a hive 1.3, a power of two as Windows makes it`, () => {
      const hive = written({values: [valueOf('v', 3, Buffer.alloc(size, 1))]}, 3)
      assert.equal(hive.size(hive.at(hive.root, NK.valueList, 0, 8)), -cell)
    })

  it('of more than 16344 bytes is cut into segments, each in a full cell', () => {
    const data = Buffer.alloc(16344 * 2 + 10, 'segments ')
    const hive = written({values: [valueOf('v', 3, data)]}, 4)
    const head = hive.at(hive.root, NK.valueList, 0, 8)
    assert.deepEqual([hive.signature(head), hive.u16(head, 2)], ['db', 3])
    const list = hive.at(head, 4)
    const parts = [0, 4, 8].map((field) => {
      const segment = hive.at(list, field)
      assert.equal(hive.size(segment), -16352)
      return hive.bytes.subarray(hive.place(segment, 0), hive.place(segment, 16344))
    })
    assert.ok(Buffer.concat(parts).subarray(0, data.byteLength).equals(data))
  })
})

describe('the descriptors of a hive that is written', () => {
  it('are there once each, in a ring, with the number of their keys', () => {
    const key = (name: string, rid: number, subkeys: readonly HiveKey[] = []) =>
      keyOf({name, security: descriptorOf(rid), subkeys})
    const hive = written({
      security: descriptorOf(18),
      subkeys: [key('a', 19), key('b', 20, [key('c', 19)]), key('d', 18)],
    })
    const list = hive.at(hive.root, NK.subkeyList)
    const [a, b, d] = [4, 12, 20].map((field) => hive.at(list, field, NK.security))
    const first = hive.at(hive.root, NK.security)
    assert.equal(d, first)
    assert.equal(hive.at(list, 12, NK.subkeyList, 4, NK.security), a)
    for (const [cell, next, before, users, rid] of [
      [first, a!, b!, 2, 18],
      [a!, b!, first, 2, 19],
      [b!, first, a!, 1, 20],
    ] as const) {
      assert.equal(hive.signature(cell), 'sk')
      assert.deepEqual(
        [hive.at(cell, 4), hive.at(cell, 8), hive.at(cell, 12), hive.at(cell, 16)],
        [next, before, users, 32],
      )
      assert.ok(hive.bytes.subarray(hive.place(cell, 20), hive.place(cell, 52)).equals(descriptorOf(rid)))
    }
  })
})

describe('a hive that is written', () => {
  const root = keyOf({name: 'ROOT'})
  it('states nothing of its time and name that it is not told', () => {
    const {header} = openHive(encodeHive(root, {minorVersion: 3, isLayered: false}))
    assert.deepEqual(
      [header.minorVersion, header.lastWritten, header.fileName, header.flags, header.dataBytes, header.rootOffset],
      [3, 0n, '', 0, 4096, 32],
    )
  })

  it('states the time, in its first bin too, and the name that it is told; a delta is 1.6', () => {
    const options = {minorVersion: 3, isLayered: true, lastWritten: 0x1122334455667788n, fileName: 'System_Delta'}
    const bytes = encodeHive(root, options)
    const {header} = openHive(bytes)
    assert.deepEqual(
      [header.minorVersion, header.lastWritten, header.fileName, header.flags],
      [6, options.lastWritten, 'System_Delta', 2],
    )
    assert.equal(bytes.readBigInt64LE(4096 + 20), options.lastWritten)
  })

  const deep = (levels: number): HiveKey => {
    let key = keyOf({name: 'k'})
    for (let level = 1; level < levels; level++) key = keyOf({name: 'k', subkeys: [key]})
    return key
  }
  for (const [note, key] of [
    ['levels of keys', deep(514)],
    ['bytes of a name', keyOf({name: 'ROOT', subkeys: [keyOf({name: 'x'.repeat(65536)})]})],
    ['bytes of a name in two-byte units', keyOf({name: '\u0100'.repeat(32768)})],
    ['bytes of a class', keyOf({name: 'ROOT', className: Buffer.alloc(65536)})],
  ] as const)
    it(`is refused for too many ${note}`, () => {
      assert.equal(faultOf(() => hiveOf(key)).code, 'LIMIT_EXCEEDED')
    })

  for (const [note, key] of [
    ['levels of keys', deep(513)],
    ['bytes of a name', keyOf({name: 'ROOT', subkeys: [keyOf({name: 'x'.repeat(65535)})]})],
    ['bytes of a class', keyOf({name: 'ROOT', className: Buffer.alloc(65535, 1)})],
  ] as const)
    it(`may have the most ${note}`, () => {
      const again = openHive(hiveOf(key)).root
      assert.equal(hiveOf(again).equals(hiveOf(key)), true)
    })

  it('tells the longest name as far as its field goes', () => {
    const hive = written({subkeys: [keyOf({name: 'x'.repeat(40_000)})]})
    assert.equal(hive.u16(hive.root, NK.longestSubkey), 0xffff)
  })

  it('is refused above the size that is allowed', () => {
    const options = {minorVersion: 5, isLayered: false}
    assert.equal(encodeHive(root, {...options, maxBytes: 8192}).byteLength, 8192)
    assert.equal(faultOf(() => encodeHive(root, {...options, maxBytes: 8191})).code, 'LIMIT_EXCEEDED')
  })

  const marked: readonly (readonly [string, HiveKey, number])[] = [
    ['a deletion', keyOf({name: 'k', disposition: 'tombstone'}), 1],
    ['a key that replaces itself', keyOf({name: 'k', disposition: 'supersede-local'}), 2],
    ['a key that replaces all below', keyOf({name: 'k', disposition: 'supersede-tree'}), 3],
    ['an inherited class', keyOf({name: 'k', inheritsClass: true}), 0x80],
    ['both', keyOf({name: 'k', inheritsClass: true, disposition: 'supersede-tree'}), 0x83],
    ['the deletion of a value', keyOf({name: 'k', values: [valueTombstone('v')]}), 0],
  ]
  for (const [note, key, layer] of marked) {
    const tree = keyOf({name: 'ROOT', subkeys: [key]})
    it(`has no mark of a delta but in a delta: ${note}`, () => {
      assert.equal(faultOf(() => hiveOf(tree)).code, 'INTERNAL')
      const hive = new HiveBytes(deltaOf(tree))
      const subkey = hive.at(hive.root, NK.subkeyList, 4)
      assert.equal(hive.u16(subkey, NK.access), layer * 256)
    })
  }
})
