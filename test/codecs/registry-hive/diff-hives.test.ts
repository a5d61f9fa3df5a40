import assert from 'node:assert/strict'
import {diff} from '../../../src/codecs/registry-hive/diff-hives.js'
import {keyOf, valueOf, type HiveKey, type KeyDraft} from '../../../src/codecs/registry-hive/hive-key.js'
import {flatten} from '../../../src/codecs/registry-hive/layered-keys.js'
import {describeTree, descriptorOf, text} from '../../helpers/hives.js'

const value = (name: string, data: string, type = 1) => valueOf(name, type, text(data))

/** A key with something of everything, and one subkey. */
const KEY = {
  flags: 8,
  lastWrite: 5n,
  className: text('class'),
  security: descriptorOf(18),
  controlFlags: 1,
  values: [value('a', '1'), value('b', '2')],
  subkeys: [keyOf({name: 'inner', values: [value('v', 'x')]})],
} as const
const key = (draft: Partial<KeyDraft> = {}): HiveKey => keyOf({name: 'k', ...KEY, ...draft})
const rootOf = (...subkeys: readonly HiveKey[]): HiveKey => keyOf({name: 'ROOT', security: descriptorOf(18), subkeys})
const changeOf = (before: HiveKey, after: HiveKey): HiveKey | undefined => {
  const delta = diff(rootOf(before), rootOf(after))
  assert.ok(delta === undefined || delta.subkeys().length === 1)
  return delta?.subkeys()[0]
}

describe('what a delta says of a key', () => {
  it('is nothing where nothing differs, and where it is the same key', () => {
    const one = key()
    assert.equal(changeOf(one, key()), undefined)
    assert.equal(changeOf(one, one), undefined)
    assert.equal(diff(one, one), undefined)
  })

  for (const [note, draft, expected] of [
    ['its flags', {flags: 0}, {flags: 0}],
    ['its time', {lastWrite: 6n}, {lastWrite: 6n}],
    ['its descriptor', {security: descriptorOf(19)}, {security: descriptorOf(19)}],
    ['its control flags', {controlFlags: 2}, {controlFlags: 2}],
    ['the handle that it stands for', {predefinedHandle: 3}, {predefinedHandle: 3}],
    ['the case of its name', {name: 'K'}, {name: 'K'}],
  ] as const)
    it(`is its facts, and its class is that of below: ${note}`, () => {
      const change = changeOf(key(), key(draft))
      const {name, flags, lastWrite, security, controlFlags, predefinedHandle} = change ?? {}
      const {subkeys: _subkeys, values: _values, className: _class, ...facts} = KEY
      assert.deepEqual(
        {name, flags, lastWrite, security, controlFlags, predefinedHandle},
        {name: 'k', predefinedHandle: undefined, ...facts, ...expected},
      )
      assert.deepEqual([change?.disposition, change?.inheritsClass, change?.className.byteLength], ['merge', true, 0])
      assert.deepEqual([change?.values(), change?.subkeys()], [[], []])
      assert.deepEqual(
        describeTree(flatten(rootOf(key()), diff(rootOf(key()), rootOf(key(draft)))!)),
        describeTree(rootOf(key(draft))),
      )
    })

  for (const [note, before, after, isSame] of [
    ['none to one', undefined, descriptorOf(18), false],
    ['one to none', descriptorOf(18), undefined, false],
    ['another of the same length', descriptorOf(18), descriptorOf(20), false],
    ['a longer one', descriptorOf(18), Buffer.concat([descriptorOf(18), Buffer.alloc(1)]), false],
    ['a copy', descriptorOf(18), descriptorOf(18), true],
    ['none to none', undefined, undefined, true],
  ] as const)
    it(`compares descriptors by their bytes: ${note}`, () => {
      assert.equal(changeOf(key({security: before}), key({security: after})) === undefined, isSame)
    })

  for (const [note, values, told] of [
    ['another type', [value('a', '1', 2), value('b', '2')], ['a']],
    ['other data', [value('a', '1'), value('b', '3')], ['b']],
    ['longer data', [value('a', '1'), value('b', '22')], ['b']],
    ['another case of the name', [value('A', '1'), value('b', '2')], ['A']],
    ['a new one behind', [value('a', '1'), value('b', '2'), value('c', '3')], ['c']],
    ['none left', [], ['-a', '-b']],
    ['one gone and one new', [value('b', '2'), value('c', '3')], ['c', '-a']],
  ] as const)
    it(`is its values that differ, and deletions: ${note}`, () => {
      const change = changeOf(key(), key({values}))
      assert.equal(change?.disposition, 'merge')
      assert.deepEqual(
        change.values().map(({name, isTombstone}) => `${isTombstone ? '-' : ''}${name}`),
        told,
      )
    })

  for (const [note, values] of [
    ['another order', [value('b', '2'), value('a', '1')]],
    ['a new one in front', [value('c', '3'), value('a', '1'), value('b', '2')]],
    ['a new one between', [value('a', '1'), value('c', '3'), value('b', '2')]],
  ] as const)
    it(`is all of its values where they come in another order: ${note}`, () => {
      const change = changeOf(key(), key({values}))
      assert.deepEqual([change?.disposition, change?.inheritsClass], ['supersede-local', false])
      assert.deepEqual(change?.values(), values)
      assert.ok(Buffer.from(change.className).equals(KEY.className))
      assert.deepEqual(change.subkeys(), [])
    })

  it('is all of it where its time goes back, with what differs below', () => {
    const change = changeOf(key(), key({lastWrite: 4n, subkeys: []}))
    assert.deepEqual([change?.disposition, change?.lastWrite], ['supersede-local', 4n])
    assert.deepEqual(
      change?.subkeys().map(({name, disposition}) => [name, disposition]),
      [['inner', 'tombstone']],
    )
  })

  for (const [before, after, inherits] of [
    ['class', 'class', true],
    ['class', 'clasp', false],
    ['', 'class', false],
    ['class', '', false],
  ] as const)
    it(`is its class where that differs: '${before}' to '${after}'`, () => {
      const change = changeOf(key({className: text(before)}), key({className: text(after), lastWrite: 9n}))
      assert.equal(change?.inheritsClass, inherits)
      assert.equal(Buffer.from(change.className).equals(inherits ? Buffer.of() : text(after)), true)
    })

  it('is a deletion with its descriptor and no more where it is gone', () => {
    const [gone] = diff(rootOf(key()), rootOf())!.subkeys()
    assert.deepEqual(
      describeTree(gone!),
      describeTree(keyOf({name: 'k', disposition: 'tombstone', security: KEY.security})),
    )
  })

  it('is all that a new one has, as it is', () => {
    const fresh = key()
    assert.equal(diff(rootOf(), rootOf(fresh))?.subkeys()[0], fresh)
  })

  it('is what differs below, at any depth', () => {
    const change = changeOf(key(), key({subkeys: [keyOf({name: 'inner', values: [value('v', 'y')]})]}))
    assert.deepEqual(change?.values(), [])
    assert.deepEqual(
      change.subkeys().map(({name, disposition}) => [name, disposition]),
      [['inner', 'merge']],
    )
  })
})

describe('what a delta says of the root', () => {
  for (const [note, draft] of [
    ['its name', {name: 'other'}],
    ['its flags', {flags: 0}],
  ] as const)
    it(`is nothing of ${note}`, () => {
      assert.equal(diff(key(), key(draft)), undefined)
    })

  it('is its other facts, its time where it goes back too', () => {
    for (const draft of [
      {lastWrite: 4n},
      {lastWrite: 6n},
      {controlFlags: 9},
      {security: undefined},
      {className: text('other')},
    ])
      assert.equal(diff(key(), key(draft))?.disposition, 'merge')
  })

  it('is only values that differ where they come in another order', () => {
    const delta = diff(key(), key({values: [value('b', '2'), value('a', '9')]}))
    assert.deepEqual([delta?.disposition, delta?.values()], ['merge', [value('a', '9')]])
  })
})
