import assert from 'node:assert/strict'
import {
  keyOf,
  valueOf,
  valueTombstone,
  type HiveKey,
  type KeyDisposition,
  type KeyDraft,
} from '../../../src/codecs/registry-hive/hive-key.js'
import {compose, flatten, pairsOf} from '../../../src/codecs/registry-hive/layered-keys.js'
import {descriptorOf, text} from '../../helpers/hives.js'

const value = (name: string, data: string) => valueOf(name, 1, text(data))
const BASE = keyOf({
  name: 'Base',
  flags: 8,
  lastWrite: 5n,
  className: text('below'),
  security: descriptorOf(18),
  controlFlags: 1,
  predefinedHandle: 2,
  values: [value('a', '1'), value('b', '2')],
  subkeys: [keyOf({name: 'x'}), keyOf({name: 'y'})],
})
const upper = (draft: Partial<KeyDraft> = {}) => keyOf({name: 'Upper', ...draft})
/** The key of a subtree, which is not the root, laid over another. */
const over = (below: HiveKey, above: HiveKey, lay: typeof flatten | typeof compose = flatten): HiveKey => {
  const root = (key: HiveKey) => keyOf({name: 'ROOT', subkeys: [keyOf({...draftOf(key), name: 'k'})]})
  return lay(root(below), root(above)).subkeys()[0]!
}
const draftOf = (key: HiveKey): KeyDraft => ({...key, values: key.values(), subkeys: key.subkeys()})
const classOf = (key: HiveKey) => Buffer.from(key.className).toString('utf16le').replace('\0', '')
const valuesOf = (key: HiveKey) =>
  key
    .values()
    .map(({name, data, isTombstone}) =>
      isTombstone ? `-${name}` : `${name}${Buffer.from(data).toString('utf16le')[0] ?? ''}`,
    )
const namesOf = (key: HiveKey) => key.subkeys().map(({name}) => name)

describe('a delta over a base', () => {
  it('has name and flags of the base at the root, and of the delta below', () => {
    const delta = upper({flags: 0x10})
    const root = flatten(BASE, delta)
    assert.deepEqual([root.name, root.flags], ['Base', 8])
    const below = flatten(
      keyOf({name: 'ROOT', subkeys: [keyOf({name: 'k', flags: 8})]}),
      keyOf({name: 'ROOT', subkeys: [keyOf({name: 'K', flags: 0x10})]}),
    )
    assert.deepEqual(
      below.subkeys().map(({name, flags}) => [name, flags]),
      [['K', 0x10]],
    )
  })

  it('has the facts of the delta, and the descriptor of the base where it states none', () => {
    const {controlFlags, predefinedHandle, security, disposition} = flatten(
      BASE,
      upper({controlFlags: 9, disposition: 'merge'}),
    )
    assert.deepEqual([controlFlags, predefinedHandle, disposition], [9, undefined, 'merge'])
    assert.deepEqual(security, descriptorOf(18))
    assert.deepEqual(flatten(BASE, upper({security: descriptorOf(19)})).security, descriptorOf(19))
    assert.equal(flatten(keyOf({name: 'B'}), upper()).security, undefined)
    assert.equal(over(BASE, upper({disposition: 'supersede-tree'})).security, undefined)
  })

  for (const [disposition, own, time] of [
    ['merge', 4n, 5n],
    ['merge', 5n, 5n],
    ['merge', 6n, 6n],
    ['supersede-local', 4n, 4n],
    ['supersede-tree', 4n, 4n],
  ] as const)
    it(`has the later time where it merges, else its own: ${disposition}, ${own} over 5`, () => {
      assert.equal(over(BASE, upper({disposition, lastWrite: own})).lastWrite, time)
    })

  for (const [disposition, values, names] of [
    ['merge', ['a9', 'b2', 'c3'], ['w', 'x', 'y']],
    ['supersede-local', ['c3', 'a9'], ['w', 'x', 'y']],
    ['supersede-tree', ['c3', 'a9'], ['w']],
  ] as const)
    it(`has values and subkeys of both, or its own: ${disposition}`, () => {
      const above = upper({disposition, values: [value('c', '3'), value('a', '9')], subkeys: [keyOf({name: 'w'})]})
      const key = over(BASE, above)
      assert.deepEqual(valuesOf(key), values)
      assert.deepEqual(namesOf(key), names)
      assert.deepEqual(
        [...key.streamSubkeys()].map(({name}) => name),
        names,
      )
      assert.equal(key.disposition, 'merge')
    })

  it('has no deletions any more, of any name in any case', () => {
    assert.deepEqual(valuesOf(flatten(BASE, upper({values: [valueTombstone('A'), valueTombstone('none')]}))), ['b2'])
    const gone = upper({
      subkeys: [keyOf({name: 'X', disposition: 'tombstone'}), keyOf({name: 'none', disposition: 'tombstone'})],
    })
    assert.deepEqual(namesOf(flatten(BASE, gone)), ['y'])
  })

  it('has a subtree of the base itself where the delta does not touch it', () => {
    assert.equal(flatten(BASE, upper()).subkeys()[0], BASE.subkeys()[0])
  })

  for (const [note, draft, expected, dropped] of [
    ['its own where it states one', {className: text('own')}, 'own', 0],
    ['none where it states none', {}, '', 0],
    ['that of the base where it inherits', {inheritsClass: true}, 'below', 0],
    [
      'none where it inherits and replaces itself, which is told',
      {inheritsClass: true, disposition: 'supersede-local'},
      '',
      1,
    ],
    [
      'none where it inherits and replaces all, which is told',
      {inheritsClass: true, disposition: 'supersede-tree'},
      '',
      1,
    ],
  ] as const)
    it(`has a class: ${note}`, () => {
      const told: HiveKey[] = []
      const key = flatten(
        keyOf({name: 'ROOT', subkeys: [keyOf({...draftOf(BASE), name: 'k'})]}),
        keyOf({name: 'ROOT', subkeys: [keyOf({name: 'k', ...draft})]}),
        {onDroppedClass: (each) => told.push(each)},
      ).subkeys()[0]!
      assert.deepEqual([classOf(key), key.inheritsClass], [expected, false])
      assert.equal(new Set(told).size, dropped)
    })

  it('drops no class silently where there is none below', () => {
    const told: HiveKey[] = []
    const options = {onDroppedClass: (each: HiveKey) => told.push(each)}
    const replaced = keyOf({name: 'k', inheritsClass: true, disposition: 'supersede-tree'})
    for (const below of [keyOf({name: 'k'}), undefined]) {
      const base = keyOf({name: 'ROOT', subkeys: below === undefined ? [] : [below]})
      assert.equal(
        flatten(base, keyOf({name: 'ROOT', subkeys: [replaced]}), options).subkeys()[0]?.inheritsClass,
        false,
      )
    }
    assert.deepEqual(told, [])
  })

  it('inherits nothing where nothing is below', () => {
    const key = flatten(
      keyOf({name: 'ROOT'}),
      keyOf({name: 'ROOT', subkeys: [keyOf({name: 'k', inheritsClass: true})]}),
    ).subkeys()[0]
    assert.deepEqual([key?.inheritsClass, key?.className.byteLength, key?.lastWrite], [false, 0, 0n])
  })
})

describe('a delta over a delta', () => {
  it('has name and flags of the upper one', () => {
    const key = compose(keyOf({name: 'lower', flags: 8}), upper({flags: 0x10}))
    assert.deepEqual([key.name, key.flags], ['Upper', 0x10])
  })

  for (const [lower, above, values] of [
    ['merge', 'merge', ['a1', '-b', 'c3']],
    ['supersede-local', 'merge', ['a1', 'c3']],
    ['merge', 'supersede-local', ['c3']],
  ] as const)
    it(`keeps deletions of values where the base may show through: ${above} over ${lower}`, () => {
      const below = keyOf({name: 'k', disposition: lower, values: [value('a', '1'), value('b', '2')]})
      const key = over(below, upper({disposition: above, values: [valueTombstone('b'), value('c', '3')]}), compose)
      assert.deepEqual(valuesOf(key), values)
      assert.equal(key.disposition, above === 'merge' ? lower : above)
    })

  for (const [note, lower, above, expected, inherits, dropped] of [
    ['stated above', {className: text('low')}, {className: text('up')}, 'up', false, 0],
    ['stated below', {className: text('low')}, {inheritsClass: true}, 'low', false, 0],
    ['of the base', {inheritsClass: true}, {inheritsClass: true}, '', true, 0],
    [
      'of the base, for a key that replaces itself',
      {inheritsClass: true},
      {inheritsClass: true, disposition: 'supersede-local'},
      '',
      true,
      0,
    ],
    [
      'dropped for a key that replaces itself',
      {className: text('low')},
      {inheritsClass: true, disposition: 'supersede-local'},
      '',
      false,
      1,
    ],
  ] as const)
    it(`has a class: ${note}`, () => {
      const told: HiveKey[] = []
      const root = (draft: Partial<KeyDraft>) => keyOf({name: 'ROOT', subkeys: [keyOf({name: 'k', ...draft})]})
      const key = compose(root(lower), root(above), {onDroppedClass: (each) => told.push(each)}).subkeys()[0]!
      assert.deepEqual([classOf(key), key.inheritsClass], [expected, inherits])
      assert.equal(new Set(told).size, dropped)
    })

  for (const [lower, inside] of [
    ['tombstone', ['x supersede-tree']],
    ['supersede-tree', ['w supersede-tree', 'x supersede-tree']],
    ['merge', ['gone tombstone', 'w supersede-tree', 'x merge']],
  ] as const satisfies readonly (readonly [KeyDisposition, readonly string[]])[])
    it(`over one that is ${lower} has inside: ${inside.join(', ')}`, () => {
      const below = keyOf({
        name: 'k',
        disposition: lower,
        className: text('low'),
        values: lower === 'tombstone' ? [] : [value('a', '1')],
        subkeys: lower === 'tombstone' ? [] : [keyOf({name: 'w', disposition: 'supersede-tree'})],
      })
      const above = upper({
        inheritsClass: true,
        values: [valueTombstone('a'), value('c', '3')],
        subkeys: [keyOf({name: 'gone', disposition: 'tombstone'}), keyOf({name: 'x', inheritsClass: true})],
      })
      const key = over(below, above, compose)
      assert.deepEqual(
        key.subkeys().map(({name, disposition}) => `${name} ${disposition}`),
        inside,
      )
      assert.deepEqual(valuesOf(key), lower === 'merge' ? ['-a', 'c3'] : ['c3'])
      assert.deepEqual([classOf(key), key.inheritsClass], [lower === 'tombstone' ? '' : 'low', false])
      assert.equal(key.subkeys().at(-1)?.inheritsClass, lower === 'merge')
    })
})

describe('two lists of keys', () => {
  const keys = (names: string) => Array.from(names).map((name) => keyOf({name}))
  for (const [left, right, pairs] of [
    ['', '', ''],
    ['ab', '', 'a- b-'],
    ['', 'ab', '-a -b'],
    ['ac', 'b', 'a- -b c-'],
    ['abd', 'AbC', 'aA bb -C d-'],
  ] as const)
    it(`are gone through together: ${left}, ${right}`, () => {
      const found = [...pairsOf(keys(left), keys(right))].map(
        ([low, high]) => `${low?.name ?? '-'}${high?.name ?? '-'}`,
      )
      assert.equal(found.join(' '), pairs)
    })
})
