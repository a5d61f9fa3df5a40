import assert from 'node:assert/strict'
import {
  compareKeyNames,
  findKey,
  findSubkey,
  keyOf,
  valueOf,
  valueTombstone,
  walkKeys,
  type HiveKey,
} from '../../../src/codecs/registry-hive/hive-key.js'

/** What a key says of itself. */
function factsOf(key: HiveKey): unknown {
  const {name, flags, lastWrite, disposition, inheritsClass, className, security, controlFlags, predefinedHandle} = key
  return {name, flags, lastWrite, disposition, inheritsClass, className, security, controlFlags, predefinedHandle}
}

describe('a key in memory', () => {
  it('has nothing that was not stated', () => {
    const key = keyOf({name: 'k'})
    assert.deepEqual(factsOf(key), {
      name: 'k',
      flags: 0,
      lastWrite: 0n,
      disposition: 'merge',
      inheritsClass: false,
      className: new Uint8Array(),
      security: undefined,
      controlFlags: 0,
      predefinedHandle: undefined,
    })
    assert.deepEqual([key.values(), key.subkeys(), [...key.streamSubkeys()]], [[], [], []])
  })

  it('has all that was stated, its subkeys in order', () => {
    const draft = {
      name: 'k',
      flags: 8,
      lastWrite: 5n,
      disposition: 'supersede-tree',
      inheritsClass: true,
      className: Buffer.from('class'),
      security: Buffer.from('descriptor'),
      controlFlags: 3,
      predefinedHandle: 7,
    } as const
    const value = valueOf('v', 4, Buffer.of(1))
    const [a, b, c] = ['a', 'B', 'c'].map((name) => keyOf({name}))
    const key = keyOf({...draft, values: [value], subkeys: [c!, a!, b!]})
    assert.deepEqual(factsOf(key), draft)
    assert.deepEqual(key.values(), [value])
    assert.deepEqual(
      [key.subkeys(), [...key.streamSubkeys()]],
      [
        [a, b, c],
        [a, b, c],
      ],
    )
  })

  it('has values, and deletions of them', () => {
    assert.deepEqual(valueOf('v', 4, Buffer.of(1)), {name: 'v', type: 4, data: Buffer.of(1), isTombstone: false})
    assert.deepEqual(valueTombstone('v'), {name: 'v', type: 0, data: new Uint8Array(), isTombstone: true})
  })
})

describe('names of keys', () => {
  for (const [left, right, order] of [
    ['a', 'A', 0],
    ['\xe9', '\xc9', 0],
    ['a', 'b', -1],
    ['B', 'a', 1],
    ['a', 'ab', -1],
    ['ab', 'a', 1],
    ['', 'a', -1],
    ['a_', 'aB', 1],
  ] as const)
    it(`compare as Windows sorts them: ${left}, ${right}`, () => {
      assert.equal(compareKeyNames(left, right), order)
    })
})

describe('keys below a key', () => {
  const inner = keyOf({name: 'Inner'})
  const root = keyOf({
    name: 'ROOT',
    subkeys: [keyOf({name: 'a', subkeys: [inner, keyOf({name: 'Z'})]}), keyOf({name: 'b'})],
  })

  it('are found by names in any case', () => {
    assert.equal(findKey(root, []), root)
    assert.equal(findKey(root, ['A', 'iNNER']), inner)
    assert.equal(findSubkey(root, 'B')?.name, 'b')
  })

  it('are not found where there are none', () => {
    assert.equal(findSubkey(root, 'inner'), undefined)
    assert.equal(findKey(root, ['none', 'a']), undefined)
    assert.equal(findKey(root, ['a', 'inner', 'more']), undefined)
  })

  it('are walked with their full names, each before what is in it', () => {
    assert.deepEqual(
      [...walkKeys(root, 'HKLM\\X')].map(({key, path}) => [key.name, path]),
      [
        ['ROOT', 'HKLM\\X'],
        ['a', 'HKLM\\X\\a'],
        ['Inner', 'HKLM\\X\\a\\Inner'],
        ['Z', 'HKLM\\X\\a\\Z'],
        ['b', 'HKLM\\X\\b'],
      ],
    )
  })
})
