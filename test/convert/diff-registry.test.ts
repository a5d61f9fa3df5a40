import assert from 'node:assert/strict'
import fc from 'fast-check'
import {diff} from '../../src/codecs/registry-hive/diff-hives.js'
import {keyOf, type HiveKey} from '../../src/codecs/registry-hive/hive-key.js'
import {flatten} from '../../src/codecs/registry-hive/layered-keys.js'
import {diffRegistries, type RegistryDifference} from '../../src/convert/diff-registry.js'
import {FUZZ_RUNS} from '../helpers/fuzz.js'
import {plainTree} from '../helpers/hives.js'

function differences(left: HiveKey, right: HiveKey): RegistryDifference[] {
  return [...diffRegistries(new Map([['System', left]]), new Map([['System', right]]), {})]
}

/** A root cannot take back its time. */
function withoutTime(root: HiveKey): HiveKey {
  return keyOf({...root, lastWrite: 0n, values: root.values(), subkeys: root.subkeys()})
}

describe('differences of registries', () => {
  it('are none between a hive and what its delta to it makes of any other', () => {
    fc.assert(
      fc.property(plainTree('ROOT', 2), plainTree('ROOT', 2), (before, after) => {
        const older = withoutTime(before)
        const delta = diff(older, after)
        assert.deepEqual(differences(delta === undefined ? older : flatten(older, delta), after), [])
      }),
      {numRuns: FUZZ_RUNS},
    )
  })

  it('are found wherever a delta is needed, but for the order of values; the other way round they are the same', () => {
    fc.assert(
      fc.property(plainTree('ROOT', 2), plainTree('ROOT', 2), (before, after) => {
        const found = differences(before, after)
        if (diff(before, after) === undefined) assert.deepEqual(found, [])
        const places = (list: readonly RegistryDifference[]): string[] =>
          list.map(({path, value}) => JSON.stringify([path.toUpperCase(), value?.toUpperCase()])).sort()
        assert.deepEqual(places(differences(after, before)), places(found))
      }),
      {numRuns: FUZZ_RUNS},
    )
  })
})
