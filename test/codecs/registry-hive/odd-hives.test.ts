import assert from 'node:assert/strict'
import {keyOf, valueOf, type HiveKey} from '../../../src/codecs/registry-hive/hive-key.js'
import type {HiveOptions, HiveRemark} from '../../../src/codecs/registry-hive/hive-file.js'
import {requireSound} from '../../../src/codecs/registry-hive/require-sound.js'
import {faultOf} from '../../helpers/faults.js'
import {CELLS_AT, HiveBytes} from '../../helpers/hive-bytes.js'
import {deltaOf, descriptorOf, hiveOf, openHive, sealed} from '../../helpers/hives.js'

/** Code and place of each remark about a hive, which is looked at from end to end. */
function remarksOf(bytes: Uint8Array, options: HiveOptions = {}) {
  const remarks: HiveRemark[] = []
  const hive = openHive(bytes, {...options, onRemark: (remark) => remarks.push(remark)})
  requireSound(hive)
  return {hive, remarks, places: remarks.map(({code, offset}) => [code, offset])}
}

const names = (key: HiveKey): string[] => [...key.streamSubkeys()].map(({name}) => name)

const TREE = keyOf({
  name: 'ROOT',
  security: descriptorOf(18),
  subkeys: ['aa', 'bb', 'cc'].map((name) =>
    keyOf({name, values: [valueOf('v', 1, Buffer.of(1)), valueOf('w', 1, Buffer.of(2))]}),
  ),
})

/** Exchanges what two fields hold. */
function swap(hive: HiveBytes, cell: number, left: number, right: number): void {
  const [first, second] = [hive.at(cell, left), hive.at(cell, right)]
  hive.put(cell, left, second).put(cell, right, first)
}

describe('what is odd about a hive and no fault', () => {
  it('is nothing as it is written', () => {
    const {remarks, hive} = remarksOf(hiveOf(TREE))
    assert.deepEqual(remarks, [])
    assert.deepEqual([hive.isLayered, hive.isDelta], [false, false])
    assert.equal(hive.hasOddSubkeys(hive.header.rootOffset), false)
  })

  it('is told nobody who does not ask', () => {
    requireSound(openHive(sealed(hiveOf(TREE), {4: 2}), {acceptDirty: true}))
  })

  for (const [note, fields, code] of [
    ['sequences that differ', {4: 2}, 'hive-dirty'],
    ['pending transactions', {144: 1}, 'hive-pending-transactions'],
  ] as const)
    it(`are ${note}`, () => {
      const {places} = remarksOf(sealed(hiveOf(TREE), fields), {acceptDirty: true})
      assert.deepEqual(places, [[code, code === 'hive-dirty' ? 4 : 144]])
    })

  it('is another length than stated, with both', () => {
    const bytes = hiveOf(keyOf({name: 'ROOT', values: [valueOf('large', 3, Buffer.alloc(10_000, 1))]}))
    const {remarks, places} = remarksOf(sealed(bytes, {40: bytes.byteLength - 4096 - 4096}), {acceptLonger: true})
    assert.deepEqual(places, [['hive-length', 40]])
    for (const length of [bytes.byteLength - 8192, bytes.byteLength - 4096])
      assert.ok(remarks[0]?.message.includes(` ${length} `) || remarks[0]?.message.includes(` ${length}.`))
  })

  it('is no other length where only rubbish follows', () => {
    assert.deepEqual(remarksOf(Buffer.concat([hiveOf(TREE), Buffer.alloc(5000, 1)])).remarks, [])
  })

  it('are subkeys in another order: they are given in the right one', () => {
    const spoilt = new HiveBytes(hiveOf(TREE))
    swap(spoilt, spoilt.at(spoilt.root, 28), 4, 20)
    const {hive, places, remarks} = remarksOf(spoilt.bytes)
    assert.deepEqual(places[0], ['hive-unsorted', CELLS_AT + spoilt.root])
    assert.deepEqual([...new Set(remarks.map(({code}) => code))], ['hive-unsorted'])
    assert.ok(remarks[0]?.message.includes(`'ROOT'`))
    assert.deepEqual(names(hive.root), ['aa', 'bb', 'cc'])
    assert.deepEqual(
      hive.root.subkeys().map(({name}) => name),
      ['aa', 'bb', 'cc'],
    )
    assert.equal(hive.hasOddSubkeys(spoilt.root), true)
    assert.equal(hive.hasOddSubkeys(spoilt.at(spoilt.root, 28, 4)), false)
  })

  it('are subkeys of one name: the first counts, and all are looked at', () => {
    const spoilt = new HiveBytes(hiveOf(TREE))
    const second = spoilt.at(spoilt.root, 28, 12)
    spoilt.sign(second + 76, 'AA')
    const {hive, places, remarks} = remarksOf(spoilt.bytes)
    assert.deepEqual(places, [['hive-duplicate-name', CELLS_AT + spoilt.root]])
    assert.ok(remarks[0]?.message.includes('"AA"'))
    assert.deepEqual(names(hive.root), ['aa', 'cc'])
    spoilt.sign(spoilt.at(spoilt.root, 28, 20), 'xx')
    assert.equal(faultOf(() => remarksOf(spoilt.bytes)).code, 'HIVE_CORRUPT')
  })

  it('are values of one name: the first counts', () => {
    const spoilt = new HiveBytes(hiveOf(TREE))
    const key = spoilt.at(spoilt.root, 28, 12)
    spoilt.sign(spoilt.at(key, 40, 4) + 20, 'V')
    const {hive, remarks, places} = remarksOf(spoilt.bytes)
    assert.deepEqual(places, [['hive-duplicate-name', CELLS_AT + key]])
    assert.ok(remarks[0]?.message.includes(`'ROOT\\bb'`))
    assert.deepEqual(
      hive.root
        .subkeys()[1]
        ?.values()
        .map(({data}) => [...data]),
      [[1]],
    )
  })

  it('are marks of a delta where there is none, told by full names', () => {
    const inner = keyOf({name: 'inner', values: [valueOf('', 0, Buffer.alloc(0))]})
    const spoilt = new HiveBytes(hiveOf(keyOf({name: 'ROOT', subkeys: [keyOf({name: 'outer', subkeys: [inner]})]})))
    const key = spoilt.at(spoilt.root, 28, 4, 28, 4)
    spoilt.put(key, 13, 1, 1).put(spoilt.at(key, 40, 0), 16, 2, 2)
    const {hive, remarks, places} = remarksOf(spoilt.bytes)
    assert.deepEqual([...new Set(places.map(String))], [`hive-stray-layer-bits,${CELLS_AT + key}`])
    const told = remarks.map(({message}) => message)
    assert.ok(told.some((message) => message.includes(`The key 'ROOT\\outer\\inner'`)))
    assert.ok(told.some((message) => message.includes(`The value "" of the key 'ROOT\\outer\\inner'`)))
    const found = hive.root.subkeys()[0]?.subkeys()[0]
    assert.deepEqual([found?.disposition, found?.values()[0]?.isTombstone], ['merge', false])
  })
})

describe('a hive that is opened', () => {
  it('gives what its keys say, without the flags of how they are stored', () => {
    const tree = keyOf({
      name: 'ROOT',
      flags: 0x18,
      lastWrite: 7n,
      security: descriptorOf(18),
      className: Buffer.from('cls'),
      controlFlags: 0x21,
    })
    const spoilt = new HiveBytes(hiveOf(tree))
    spoilt.put(spoilt.root, 2, 0x3f | 0x80, 2)
    const {root} = openHive(spoilt.bytes)
    assert.deepEqual(
      [root.flags, root.lastWrite, root.controlFlags, root.predefinedHandle],
      [0x98, 7n, 0x21, undefined],
    )
    assert.deepEqual([Buffer.from(root.className).toString(), root.inheritsClass], ['cls', false])
    assert.ok(Buffer.from(root.security!).equals(descriptorOf(18)))
  })

  it('takes no notice of flags that say other things', () => {
    const spoilt = new HiveBytes(hiveOf(keyOf({name: '\u0100', values: [valueOf('\u0101', 1, Buffer.of(1))]})))
    spoilt.put(spoilt.root, 2, 0xff9f, 2).put(spoilt.at(spoilt.root, 40, 0), 16, 0xfffc, 2)
    const {hive, remarks} = remarksOf(spoilt.bytes)
    assert.deepEqual([hive.root.name, hive.root.flags, hive.root.predefinedHandle], ['\u0100', 0xff98, undefined])
    assert.deepEqual(
      hive.root.values().map(({name}) => name),
      ['\u0101'],
    )
    assert.deepEqual(remarks, [])
  })

  it('has no class where none is, nor where its length is zero', () => {
    const spoilt = new HiveBytes(hiveOf(keyOf({name: 'ROOT', className: Buffer.from('cls')})))
    assert.equal(openHive(spoilt.put(spoilt.root, 74, 0, 2).bytes).root.className.byteLength, 0)
    assert.equal(
      openHive(spoilt.put(spoilt.root, 74, 3, 2).put(spoilt.root, 48, 0xffffffff).bytes).root.className.byteLength,
      0,
    )
  })

  it('is a delta as long as nobody has looked at all of it', () => {
    const hive = openHive(sealed(deltaOf(keyOf({name: 'ROOT'})), {144: 0}))
    assert.equal(hive.isDelta, true)
    requireSound(hive)
    assert.equal(hive.isDelta, false)
  })

  for (const [note, key] of [
    ['a deletion', keyOf({name: 'k', disposition: 'tombstone'})],
    ['an inherited class', keyOf({name: 'k', inheritsClass: true})],
    [
      'the deletion of a value',
      keyOf({name: 'k', values: [{name: 'v', type: 0, data: Buffer.of(), isTombstone: true}]}),
    ],
  ] as const)
    it(`is a delta by one mark: ${note}`, () => {
      const hive = openHive(sealed(deltaOf(keyOf({name: 'ROOT', subkeys: [key]})), {144: 0}))
      requireSound(hive)
      assert.equal(hive.isDelta, true)
    })

  it('reads data of just a segment, and beginning like segments, as it is', () => {
    const data = Buffer.alloc(16344, 'db')
    const {hive} = remarksOf(hiveOf(keyOf({name: 'ROOT', values: [valueOf('v', 3, data)]})))
    assert.ok(data.equals(hive.root.values()[0]!.data))
  })

  it('reads a large value of hives since 1.4 that is in one piece all the same', () => {
    const data = Buffer.alloc(20_000, 'one piece')
    const bytes = sealed(hiveOf(keyOf({name: 'ROOT', values: [valueOf('v', 3, data)]}), 3), {24: 5})
    assert.ok(data.equals(remarksOf(bytes).hive.root.values()[0]!.data))
  })

  it('names where it was not closed', () => {
    assert.deepEqual(
      faultOf(() => openHive(sealed(hiveOf(TREE), {4: 9}))),
      {code: 'HIVE_DIRTY', at: {offset: 4}},
    )
  })

  it('with a wrong checksum is dirty too, and read by its whole pages', () => {
    const bytes = hiveOf(TREE)
    bytes.writeUInt32LE(0x1000_0000, 40)
    assert.equal(faultOf(() => openHive(bytes)).code, 'HIVE_DIRTY')
    const {places, hive} = remarksOf(Buffer.concat([bytes, Buffer.alloc(4095)]), {acceptDirty: true})
    assert.deepEqual(places, [
      ['hive-dirty', 4],
      ['hive-length', 40],
    ])
    assert.deepEqual(names(hive.root), ['aa', 'bb', 'cc'])
  })

  it('with a wrong checksum and nothing behind its head is refused', () => {
    const bytes = hiveOf(TREE)
    bytes.writeUInt32LE(0, 508)
    for (const length of [512, 4096])
      assert.equal(faultOf(() => openHive(bytes.subarray(0, length), {acceptDirty: true})).code, 'HIVE_CORRUPT')
  })
})
