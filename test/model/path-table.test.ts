import assert from 'node:assert/strict'
import fc from 'fast-check'
import {PathTable} from '../../src/model/path-table.js'
import {FUZZ_RUNS} from '../helpers/fuzz.js'

/** Few names, so that paths meet; some that JavaScript compares by surprise. */
const name = fc.constantFrom('A', 'B', 'AB', 'Ä', '\ud800', '\udc00', '__proto__', 'x'.repeat(300), '\u{1f600}')
const pathText = fc.array(name, {minLength: 1, maxLength: 5}).map((names) => names.join('/'))

describe('PathTable', () => {
  it('tells of every path what a map would', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(pathText, fc.integer({min: 1, max: 2 ** 32 - 1}))), pathText, (pairs, asked) => {
        const [table, map] = [new PathTable(), new Map<string, number>()]
        for (const [path, value] of pairs) {
          table.set(path, value)
          map.set(path, value)
        }
        for (const path of [...map.keys(), asked]) {
          assert.equal(table.get(path), map.get(path) ?? 0)
          const above: number[] = []
          table.someAbove(path, (value) => (above.push(value), false))
          const names = path.split('/')
          const wanted = names.slice(1).map((_, count) => map.get(names.slice(0, count + 1).join('/')) ?? 0)
          assert.deepEqual(
            above.filter((value) => value !== 0),
            wanted.filter((value) => value !== 0),
          )
        }
      }),
      {numRuns: FUZZ_RUNS},
    )
  })

  it('keeps them while it grows', () => {
    const table = new PathTable()
    const paths = Array.from({length: 20_000}, (_, index) => `Files/${index % 7}/folder ${index % 301}/${index}`)
    for (const [index, path] of paths.entries()) table.set(path, index + 1)
    for (const [index, path] of paths.entries()) assert.equal(table.get(path), index + 1)
    assert.equal(table.get('Files/0/folder 0'), 0)
    assert.equal(
      table.someAbove('Files/0/folder 0/0/below', (value) => value === 1),
      true,
    )
  })
})
