import assert from 'node:assert/strict'
import {keyOf, valueOf} from '../../../src/codecs/registry-hive/hive-key.js'
import {requireSound} from '../../../src/codecs/registry-hive/require-sound.js'
import {faultOf} from '../../helpers/faults.js'
import {CELLS_AT, HiveBytes} from '../../helpers/hive-bytes.js'
import {deltaOf, descriptorOf, hiveOf, openHive, sealed} from '../../helpers/hives.js'

/** A hive with one of everything. */
const TREE = keyOf({
  name: 'ROOT',
  security: descriptorOf(18),
  className: Buffer.from('class'),
  values: [
    valueOf('long', 3, Buffer.alloc(40_000, 'x')),
    valueOf('short', 3, Buffer.from('short data')),
    valueOf('tiny', 4, Buffer.from('tiny')),
  ],
  subkeys: [keyOf({name: 'aa', subkeys: [keyOf({name: 'inner'})]}), keyOf({name: 'bb', security: descriptorOf(19)})],
})

/** The same by its cells. */
class Spoilt extends HiveBytes {
  readonly list = this.at(this.root, 28)
  readonly aa = this.at(this.list, 4)
  readonly bb = this.at(this.list, 12)
  readonly valueList = this.at(this.root, 40)
  readonly [key: string]: unknown
  readonly long = this.at(this.valueList, 0)
  readonly short = this.at(this.valueList, 4)
  readonly tiny = this.at(this.valueList, 8)
  readonly big = this.at(this.long, 8)
  readonly segments = this.at(this.big, 4)
  readonly security = this.at(this.root, 44)
}

const sound = (bytes: Uint8Array): void => {
  requireSound(openHive(bytes))
}

const ROWS: readonly (readonly [note: string, spoil: (hive: Spoilt) => unknown, cell: (hive: Spoilt) => number])[] = [
  ['a key without its signature', (h) => h.sign(h.aa, 'nl'), (h) => h.aa],
  ['a key whose name is longer than its cell', (h) => h.put(h.aa, 72, 9, 2), (h) => h.aa],
  ['a name in two-byte units of an odd length', (h) => h.put(h.aa, 2, 0, 2).put(h.aa, 72, 1, 2), (h) => h.aa],
  ['a backslash in the name of a key', (h) => h.sign(h.aa + 76, '\\x'), (h) => h.aa],
  ['a key whose parent is another', (h) => h.put(h.bb, 16, h.aa), (h) => h.bb],
  ['a key that lists itself', (h) => h.put(h.list, 12, h.root), (h) => h.root],
  ['a key that is no cell', (h) => h.put(h.list, 12, h.bb + 8), (h) => h.root],
  ['a class that is no cell', (h) => h.put(h.root, 48, 4), (h) => h.root],
  ['a class longer than its cell', (h) => h.put(h.root, 74, 2000, 2), (h) => h.at(h.root, 48)],
  ['a list of values that is no cell', (h) => h.put(h.root, 40, 4), (h) => h.root],
  ['a list of values that is too short', (h) => h.put(h.root, 36, 4), (h) => h.valueList],
  ['more values than any key has', (h) => h.put(h.root, 36, 1_000_001), (h) => h.root],
  ['just the most values, and no room for them', (h) => h.put(h.root, 36, 1_000_000), (h) => h.valueList],
  ['a value that is no cell', (h) => h.put(h.valueList, 4, 0), (h) => h.root],
  ['a value behind the end', (h) => h.put(h.valueList, 4, 0x7ffffff8), (h) => h.root],
  ['a value without its signature', (h) => h.sign(h.short, 'vl'), (h) => h.short],
  ['a value whose name is longer than its cell', (h) => h.put(h.short, 2, 9, 2), (h) => h.short],
  ['a value whose two-byte name is odd', (h) => h.put(h.short, 16, 0, 2), (h) => h.short],
  ['a value with five bytes in place', (h) => h.put(h.tiny, 4, 0x80000005), (h) => h.tiny],
  ['a value whose data is no cell', (h) => h.put(h.short, 8, 4), (h) => h.short],
  ['a value whose data is longer than its cell', (h) => h.put(h.short, 4, 13), (h) => h.at(h.short, 8)],
  ['a long value of too few segments', (h) => h.put(h.big, 2, 2, 2), (h) => h.big],
  ['a long value of too many segments', (h) => h.put(h.big, 2, 4, 2), (h) => h.big],
  ['a long value whose segments are no cell', (h) => h.put(h.big, 4, 0), (h) => h.big],
  ['a segment that is no cell', (h) => h.put(h.segments, 8, 4), (h) => h.big],
  ['a segment that is too short', (h) => h.put(h.segments, 4, h.security), (h) => h.security],
  ['a list of subkeys that is no cell', (h) => h.put(h.root, 28, 4), (h) => h.root],
  ['a list of subkeys without a signature', (h) => h.sign(h.list, 'lx'), (h) => h.list],
  ['a list of subkeys longer than its cell', (h) => h.put(h.list, 2, 3, 2).put(h.root, 20, 3), (h) => h.list],
  ['more subkeys than stated', (h) => h.put(h.root, 20, 1), (h) => h.root],
  ['fewer subkeys than stated', (h) => h.put(h.root, 20, 3), (h) => h.root],
  ['more subkeys than bytes', (h) => h.put(h.root, 20, 0x7fffffff).put(h.root, 28, 4), (h) => h.root],
  ['a descriptor that is no cell', (h) => h.put(h.bb, 44, 4), (h) => h.bb],
  ['a descriptor without its signature', (h) => h.sign(h.security, 'sx'), (h) => h.security],
  ['a descriptor longer than its cell', (h) => h.put(h.security, 16, 33), (h) => h.security],
  ['a descriptor shorter than its head', (h) => h.put(h.security, 16, 19), (h) => h.security],
  ['a descriptor of another revision', (h) => h.put(h.security, 20, 2, 1), (h) => h.security],
  ['a descriptor with pointers', (h) => h.put(h.security, 22, 0, 2), (h) => h.security],
  ['an owner behind its descriptor', (h) => h.put(h.security, 24, 32), (h) => h.security],
  ['a group behind its descriptor', (h) => h.put(h.security, 28, 32), (h) => h.security],
  ['a list behind its descriptor', (h) => h.put(h.security, 32, 32), (h) => h.security],
  ['another list behind its descriptor', (h) => h.put(h.security, 36, 32), (h) => h.security],
]

describe('a damaged hive', () => {
  it('is none as it is written', () => {
    sound(new Spoilt(hiveOf(TREE)).bytes)
  })

  for (const [note, spoil, cell] of ROWS)
    it(`is refused, with the place: ${note}`, () => {
      const hive = new Spoilt(hiveOf(TREE))
      const at = cell(hive)
      spoil(hive)
      assert.deepEqual(
        faultOf(() => {
          sound(hive.bytes)
        }),
        {code: 'HIVE_CORRUPT', at: {offset: CELLS_AT + at}},
      )
    })

  for (const [note, spoil] of [
    ['a name that fills its cell', (h) => h.put(h.aa, 72, 8, 2)],
    ['a descriptor of its last byte', (h) => h.put(h.security, 24, 31)],
    ['a class that is nowhere', (h) => h.put(h.root, 48, 0xffffffff)],
    ['a descriptor of another kind behind', (h) => h.put(h.security, 21, 0xff, 1)],
    ['a key without a descriptor', (h) => h.put(h.bb, 44, 0xffffffff)],
    ['other hints in a list', (h) => h.put(h.list, 8, 0)],
  ] as const satisfies readonly (readonly [string, (hive: Spoilt) => unknown])[])
    it(`is not one with ${note}`, () => {
      const hive = new Spoilt(hiveOf(TREE))
      spoil(hive)
      sound(hive.bytes)
    })

  for (const [note, bytes, offset] of [
    ['a log in place of it', sealed(hiveOf(TREE), {28: 1}), 28],
    ['a root that is no cell', sealed(hiveOf(TREE), {36: 0}), 36],
    ['data that ends in the middle of a page', sealed(hiveOf(TREE), {40: 100}), 40],
  ] as const)
    it(`is refused, with the place: ${note}`, () => {
      assert.deepEqual(
        faultOf(() => openHive(bytes)),
        {code: 'HIVE_CORRUPT', at: {offset}},
      )
    })

  for (const [note, spoil, cell] of [
    ['a value that is no cell', (h) => h.put(h.valueList, 4, 0), (h) => h.root],
    ['a long value larger than its hive', (h) => h.put(h.long, 4, 16344 * 9).put(h.big, 2, 9, 2), (h) => h.big],
  ] as const satisfies readonly (typeof ROWS)[number][])
    it(`is refused when its values are read, with the place: ${note}`, () => {
      const hive = new Spoilt(hiveOf(TREE))
      spoil(hive)
      assert.deepEqual(
        faultOf(() => openHive(hive.bytes).root.values()),
        {code: 'HIVE_CORRUPT', at: {offset: CELLS_AT + cell(hive)}},
      )
    })

  it('is refused for a cell in use that is used again, at the key that does so', () => {
    const hive = new Spoilt(hiveOf(TREE))
    hive.put(hive.aa, 36, 1).put(hive.aa, 40, hive.at(hive.aa, 28))
    assert.deepEqual(
      faultOf(() => {
        sound(hive.bytes)
      }).code,
      'HIVE_CORRUPT',
    )
    const twice = new Spoilt(hiveOf(TREE))
    twice.put(twice.valueList, 8, twice.short)
    assert.deepEqual(
      faultOf(() => {
        sound(twice.bytes)
      }),
      {code: 'HIVE_CORRUPT', at: {offset: CELLS_AT + twice.root}},
    )
  })
})

describe('lists of subkeys', () => {
  const names = ['a', 'b', 'c']
  const tree = () => new HiveBytes(hiveOf(keyOf({name: 'ROOT', subkeys: names.map((name) => keyOf({name}))}), 3))
  const found = (hive: HiveBytes) => {
    sound(hive.bytes)
    return openHive(hive.bytes)
      .root.subkeys()
      .map(({name}) => name)
  }

  it('may be without hints, as Windows NT wrote them', () => {
    const hive = tree()
    const list = hive.at(hive.root, 28)
    hive.sign(list, 'li').put(list, 8, hive.at(list, 12)).put(list, 12, hive.at(list, 20))
    assert.deepEqual(found(hive), names)
  })

  /** A hive whose list of lists has these lists inside. */
  const nested = (signature: string): HiveBytes => {
    const many = Array.from({length: 508}, (_, index) => keyOf({name: `k${index}`}))
    const hive = new HiveBytes(hiveOf(keyOf({name: 'ROOT', subkeys: many}), 5))
    const last = hive.at(hive.root, 28, 8)
    assert.deepEqual([hive.signature(hive.at(hive.root, 28)), hive.u16(last, 2)], ['ri', 1])
    hive.sign(last, signature)
    return hive
  }

  it('may be of different kinds inside one list', () => {
    for (const signature of ['li', 'lf', 'lh']) assert.equal(found(nested(signature)).length, 508)
  })

  it('are refused inside a list that is inside a list', () => {
    const hive = nested('ri')
    const last = hive.at(hive.root, 28, 8)
    assert.deepEqual(
      faultOf(() => {
        sound(hive.bytes)
      }),
      {code: 'HIVE_CORRUPT', at: {offset: CELLS_AT + last}},
    )
  })

  for (const [note, spoil] of [
    [
      'the same list twice in a list of lists',
      (h: HiveBytes, list: number) => h.put(list, 8, h.at(list, 4)).put(h.root, 20, 1014),
    ],
    [
      'a list of lists that is the class of its key',
      (h: HiveBytes, list: number) => h.put(h.root, 48, list).put(h.root, 74, 2, 2),
    ],
  ] as const)
    it(`are refused where they are used twice: ${note}`, () => {
      const hive = nested('lh')
      spoil(hive, hive.at(hive.root, 28))
      assert.deepEqual(
        faultOf(() => {
          sound(hive.bytes)
        }),
        {code: 'HIVE_CORRUPT', at: {offset: CELLS_AT + hive.root}},
      )
    })
})

describe('a damaged delta', () => {
  const tree = keyOf({
    name: 'ROOT',
    subkeys: [
      keyOf({name: 'gone', disposition: 'tombstone'}),
      keyOf({name: 'new', disposition: 'supersede-tree', subkeys: [keyOf({name: 'x', disposition: 'supersede-tree'})]}),
    ],
    values: [valueOf('v', 3, Buffer.from('data'))],
  })
  const delta = () => {
    const hive = new HiveBytes(deltaOf(tree))
    const list = hive.at(hive.root, 28)
    const [gone, fresh] = [hive.at(list, 4), hive.at(list, 12)]
    return {hive, gone, fresh, inner: hive.at(fresh, 28, 4), value: hive.at(hive.root, 40, 0)}
  }

  for (const [note, spoil] of [
    ['a deleted key that states a subkey', ({hive, gone}) => (hive.put(gone, 20, 1), gone)],
    ['a deleted key that states a value', ({hive, gone}) => (hive.put(gone, 36, 1), gone)],
    ['a deleted value with data', ({hive, value}) => (hive.put(value, 16, 3, 2), value)],
    ['an unknown bit of a key', ({hive, gone}) => (hive.put(gone, 13, 0x41, 1), gone)],
    ['a key that merges in one that replaces', ({hive, inner}) => (hive.put(inner, 13, 0, 1), inner)],
    ['a key that replaces itself in one that replaces', ({hive, inner}) => (hive.put(inner, 13, 2, 1), inner)],
    ['a root that is deleted', ({hive}) => (hive.put(hive.root, 13, 1, 1), hive.root)],
    ['a root that replaces itself', ({hive}) => (hive.put(hive.root, 13, 2, 1), hive.root)],
  ] as const satisfies readonly (readonly [string, (parts: ReturnType<typeof delta>) => number])[])
    it(`is refused, with the place: ${note}`, () => {
      const parts = delta()
      if (note.startsWith('a root that is deleted')) parts.hive.put(parts.hive.root, 20, 0).put(parts.hive.root, 36, 0)
      const at = spoil(parts)
      assert.deepEqual(
        faultOf(() => {
          sound(parts.hive.bytes)
        }),
        {code: 'HIVE_CORRUPT', at: {offset: CELLS_AT + at}},
      )
    })

  for (const [note, layer] of [
    ['replaces all below', 3],
    ['inherits its class', 0x80],
  ] as const)
    it(`is not one whose root ${note}`, () => {
      const hive = new HiveBytes(deltaOf(keyOf({name: 'ROOT'})))
      sound(hive.put(hive.root, 13, layer, 1).bytes)
    })

  it('is not one with a deletion in a key that replaces', () => {
    const parts = delta()
    sound(parts.hive.put(parts.inner, 13, 1, 1).bytes)
  })

  it('is refused for two names that are one to Windows, at the key that has them', () => {
    const twice = keyOf({
      name: 'ROOT',
      subkeys: [keyOf({name: 'k', values: [valueOf('v', 1, Buffer.of(1)), valueOf('w', 1, Buffer.of(2))]})],
    })
    const hive = new HiveBytes(deltaOf(twice))
    const key = hive.at(hive.root, 28, 4)
    hive.sign(hive.at(key, 40, 4) + 20, 'V')
    assert.deepEqual(
      faultOf(() => {
        sound(hive.bytes)
      }),
      {code: 'HIVE_CORRUPT', at: {offset: CELLS_AT + key}},
    )
  })
})
