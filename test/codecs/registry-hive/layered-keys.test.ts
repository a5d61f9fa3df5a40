import assert from 'node:assert/strict'
import fc from 'fast-check'
import {diff} from '../../../src/codecs/registry-hive/diff-hives.js'
import {findKey, keyOf, valueOf, valueTombstone, type HiveKey} from '../../../src/codecs/registry-hive/hive-key.js'
import {compose, flatten} from '../../../src/codecs/registry-hive/layered-keys.js'
import {requireSound} from '../../../src/codecs/registry-hive/require-sound.js'
import {FUZZ_RUNS} from '../../helpers/fuzz.js'
import {deltaOf, deltaTree, describeTree, descriptorOf, hiveOf, openHive, plainTree, text} from '../../helpers/hives.js'
import {seenInStack} from '../../helpers/layer-stack.js'

function seen(key: HiveKey): unknown {
  return seenInStack([key])
}

describe('flattening and composing deltas', () => {
  it('flattens to what the kernel shows of the stack', () => {
    fc.assert(
      fc.property(
        plainTree('ROOT', 2),
        fc.array(deltaTree('ROOT', 2), {minLength: 1, maxLength: 4}),
        (base, deltas) => {
          const flat = deltas.reduce((below, delta) => flatten(below, delta), base)
          assert.deepEqual(seen(flat), seenInStack([base, ...deltas]))
          const hive = openHive(hiveOf(flat))
          requireSound(hive)
          assert.deepEqual(describeTree(hive.root), describeTree(flat))
        },
      ),
      {numRuns: FUZZ_RUNS},
    )
  })

  it('composes two deltas to one that does what both do, and that is a legal delta', () => {
    fc.assert(
      fc.property(plainTree('ROOT', 2), deltaTree('ROOT', 2), deltaTree('ROOT', 2), (base, lower, upper) => {
        const both = openHive(deltaOf(compose(lower, upper)))
        requireSound(both)
        assert.deepEqual(seen(flatten(base, both.root)), seen(flatten(flatten(base, lower), upper)))
      }),
      {numRuns: FUZZ_RUNS},
    )
  })

  it('composes in any grouping', () => {
    fc.assert(
      fc.property(
        plainTree('ROOT', 2),
        deltaTree('ROOT', 2),
        deltaTree('ROOT', 2),
        deltaTree('ROOT', 2),
        (base, a, b, c) => {
          const left = compose(compose(a, b), c)
          const right = compose(a, compose(b, c))
          assert.deepEqual(seen(flatten(base, left)), seen(flatten(base, right)))
          assert.deepEqual(seen(flatten(base, left)), seenInStack([base, a, b, c]))
        },
      ),
      {numRuns: FUZZ_RUNS},
    )
  })

  it('changes nothing when a delta is applied twice', () => {
    fc.assert(
      fc.property(plainTree(), deltaTree(), (base, delta) => {
        const once = flatten(base, delta)
        assert.deepEqual(describeTree(flatten(once, delta)), describeTree(once))
      }),
      {numRuns: FUZZ_RUNS},
    )
  })
})

describe('the delta between two hives', () => {
  const withoutRootTime = (key: HiveKey): unknown => ({...(describeTree(key) as object), flags: 0, lastWrite: 0n})

  it('leads from one to the other', () => {
    fc.assert(
      fc.property(plainTree('ROOT', 2), plainTree('ROOT', 2), (before, after) => {
        const rootKept = keyOf({
          name: after.name,
          className: after.className,
          security: after.security,
          controlFlags: after.controlFlags,
          lastWrite: before.lastWrite + 1n,
          flags: before.flags,
          subkeys: after.subkeys(),
          values: before.values(),
        })
        const delta = openHive(deltaOf(diff(before, rootKept)!))
        requireSound(delta)
        assert.deepEqual(withoutRootTime(flatten(before, delta.root)), withoutRootTime(rootKept))
        assert.deepEqual(seen(flatten(before, diff(before, after) ?? keyOf({name: 'ROOT'}))), {
          ...(seen(after) as object),
          lastWrite: before.lastWrite > after.lastWrite ? before.lastWrite : after.lastWrite,
        })
      }),
      {numRuns: FUZZ_RUNS},
    )
  })

  it('is nothing between equal hives', () => {
    fc.assert(
      fc.property(plainTree(), (tree) => {
        assert.equal(diff(tree, openHive(hiveOf(tree)).root), undefined)
      }),
      {numRuns: FUZZ_RUNS},
    )
  })

  const before = keyOf({
    name: 'ROOT',
    security: descriptorOf(18),
    subkeys: [
      keyOf({
        name: 'kept',
        security: descriptorOf(18),
        values: [valueOf('a', 1, text('1')), valueOf('b', 4, text('2'))],
      }),
      keyOf({name: 'gone', security: descriptorOf(19), lastWrite: 5n, values: [valueOf('x', 1, text('x'))]}),
    ],
  })
  const changed = (name: string, draft: Partial<Parameters<typeof keyOf>[0]>): HiveKey =>
    keyOf({
      name: 'ROOT',
      security: descriptorOf(18),
      subkeys: before
        .subkeys()
        .map((key) =>
          key.name === name
            ? keyOf({name, security: key.security, values: key.values(), lastWrite: key.lastWrite, ...draft})
            : key,
        ),
    })
  for (const {title, after, layer, values} of [
    {
      title: 'a vanished value becomes a deletion',
      after: changed('kept', {values: [valueOf('b', 4, text('2'))]}),
      layer: 'merge inherits',
      values: ['a deleted'],
    },
    {
      title: 'a changed value is told, an equal one is not',
      after: changed('kept', {values: [valueOf('a', 1, text('new')), valueOf('b', 4, text('2'))]}),
      layer: 'merge inherits',
      values: ['a'],
    },
    {
      title: 'another order of values needs the whole key',
      after: changed('kept', {values: [valueOf('b', 4, text('2')), valueOf('a', 1, text('1'))]}),
      layer: 'supersede-local',
      values: ['b', 'a'],
    },
    {
      title: 'a class that changed is told',
      after: changed('kept', {className: text('class')}),
      layer: 'merge',
      values: [],
    },
    {
      title: 'an older time needs the whole key',
      after: changed('gone', {lastWrite: 4n}),
      layer: 'supersede-local',
      values: ['x'],
    },
  ])
    it(title, () => {
      const delta = diff(before, after)!
      const [key] = delta.subkeys()
      assert.equal(`${key!.disposition}${key!.inheritsClass ? ' inherits' : ''}`, layer)
      assert.deepEqual(
        key!.values().map((value) => `${value.name}${value.isTombstone ? ' deleted' : ''}`),
        values,
      )
      assert.deepEqual(describeTree(flatten(before, delta)), describeTree(after))
    })

  it('a vanished key becomes a tombstone without a time', () => {
    const after = keyOf({name: 'ROOT', security: descriptorOf(18), subkeys: [findKey(before, ['kept'])!]})
    const [key] = diff(before, after)!.subkeys()
    assert.deepEqual([key?.name, key?.disposition, key?.lastWrite], ['gone', 'tombstone', 0n])
    assert.deepEqual(describeTree(flatten(before, diff(before, after)!)), describeTree(after))
  })

  it('a new key merges with nothing and has a class of its own', () => {
    const [key] = diff(keyOf({name: 'ROOT'}), before)!.subkeys()
    assert.deepEqual([key?.disposition, key?.inheritsClass], ['merge', false])
  })
})

/** A key of each kind, with a value, a deleted value where it may be, and two subkeys. */
function keyOfKind(kind: string, mark: string): HiveKey | undefined {
  const value = (name: string): ReturnType<typeof valueOf> => valueOf(name, 1, text(mark))
  const child = (name: string, disposition: HiveKey['disposition'] = 'merge'): HiveKey =>
    keyOf({name, disposition, security: descriptorOf(18), values: disposition === 'tombstone' ? [] : [value(mark)]})
  switch (kind) {
    case 'absent':
      return undefined
    case 'T':
      return keyOf({name: 'k', disposition: 'tombstone', security: descriptorOf(18)})
    case 'M':
      return keyOf({
        name: 'k',
        inheritsClass: true,
        lastWrite: 7n,
        security: descriptorOf(18),
        values: [value('shared'), value(mark), valueTombstone('base')],
        subkeys: [child('both'), child(mark), child('cut', 'tombstone')],
      })
    default:
      return keyOf({
        name: 'k',
        disposition: kind === 'L' ? 'supersede-local' : 'supersede-tree',
        className: text(mark),
        security: descriptorOf(19),
        values: [value('shared'), value(mark)],
        subkeys: [
          child('both', kind === 'L' ? 'merge' : 'supersede-tree'),
          child('cut', kind === 'L' ? 'merge' : 'tombstone'),
        ],
      })
  }
}

describe('composing one key over another: the table of the format page', () => {
  const rootOf = (key: HiveKey | undefined): HiveKey =>
    keyOf({name: 'ROOT', security: descriptorOf(18), subkeys: key === undefined ? [] : [key]})
  const baseKey = keyOf({
    name: 'k',
    className: text('base class'),
    lastWrite: 3n,
    security: descriptorOf(20),
    values: [valueOf('base', 4, text('b')), valueOf('shared', 1, text('b'))],
    subkeys: [
      keyOf({name: 'both', values: [valueOf('b', 1, text('b'))]}),
      keyOf({name: 'cut'}),
      keyOf({name: 'below'}),
    ],
  })
  const results: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    absent: {absent: 'absent', T: 'tombstone', M: 'merge', L: 'supersede-local', S: 'supersede-tree'},
    T: {absent: 'tombstone', T: 'tombstone', M: 'supersede-tree', L: 'supersede-tree', S: 'supersede-tree'},
    M: {absent: 'merge', T: 'tombstone', M: 'merge', L: 'supersede-local', S: 'supersede-tree'},
    L: {absent: 'supersede-local', T: 'tombstone', M: 'supersede-local', L: 'supersede-local', S: 'supersede-tree'},
    S: {absent: 'supersede-tree', T: 'tombstone', M: 'supersede-tree', L: 'supersede-tree', S: 'supersede-tree'},
  }
  for (const [below, row] of Object.entries(results))
    for (const [above, expected] of Object.entries(row))
      it(`${above} over ${below} is ${expected}, over a base with the key and without`, () => {
        const lower = rootOf(keyOfKind(below, 'lower'))
        const upper = rootOf(keyOfKind(above, 'upper'))
        const both = compose(lower, upper)
        assert.equal(findKey(both, ['k'])?.disposition ?? 'absent', expected)
        const read = openHive(deltaOf(both))
        requireSound(read)
        for (const base of [rootOf(baseKey), rootOf(undefined)]) {
          assert.deepEqual(seen(flatten(base, read.root)), seenInStack([base, lower, upper]))
        }
      })

  it('keeps value deletions where the base may hold the name, and drops them where nothing shows through', () => {
    const tombstones = (kind: string): string[] => {
      const both = compose(rootOf(keyOfKind(kind, 'lower')), rootOf(keyOfKind('M', 'upper')))
      const values = findKey(both, ['k'])?.values() ?? []
      return values.filter((value) => value.isTombstone).map((value) => value.name)
    }
    assert.deepEqual([tombstones('M'), tombstones('L'), tombstones('S'), tombstones('T')], [['base'], [], [], []])
  })

  for (const {kind, over, classNames, note} of [
    {kind: 'M', over: 'absent', classNames: 'base class', note: 'a merged key takes the class of the layer below'},
    {kind: 'L', over: 'absent', classNames: 'upper', note: 'a key that states a class has it'},
    {kind: 'M', over: 'S', classNames: 'lower', note: 'the class comes from the nearest layer that states one'},
    {kind: 'M', over: 'T', classNames: '', note: 'nothing is inherited through a deletion'},
  ])
    it(note, () => {
      const both = compose(rootOf(keyOfKind(over, 'lower')), rootOf(keyOfKind(kind, 'upper')))
      const flat = findKey(flatten(rootOf(baseKey), both), ['k'])
      assert.equal(
        Buffer.from(flat?.className ?? [])
          .toString('utf16le')
          .replace('\0', ''),
        classNames,
      )
    })

  it('tells when a superseding key should inherit a class that is there', () => {
    const told: string[] = []
    const options = {onDroppedClass: (key: HiveKey) => told.push(key.name)}
    const superseding = keyOf({name: 'k', disposition: 'supersede-tree', inheritsClass: true})
    const flat = flatten(rootOf(baseKey), rootOf(superseding), options)
    assert.equal(findKey(flat, ['k'])?.className.byteLength, 0)
    assert.deepEqual(told, ['k'])
  })

  it('keeps name and flags of the base for the root', () => {
    const base = keyOf({name: 'CMI-CreateHive', flags: 8})
    const flat = flatten(base, keyOf({name: 'ROOT', lastWrite: 9n}))
    assert.deepEqual([flat.name, flat.flags, flat.lastWrite], ['CMI-CreateHive', 8, 9n])
  })
})
