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

  it('gives them back by their place, by folder and in the order of a walk', () => {
    const wellFormed = pathText.filter((path) => Buffer.from(path).toString() === path)
    fc.assert(
      fc.property(fc.array(wellFormed), (paths) => {
        const table = new PathTable()
        for (const path of paths) table.set(path, 1)
        const all = new Set(
          paths.flatMap((path) => path.split('/').map((_, at, names) => names.slice(0, at + 1).join('/'))),
        )
        const places = Array.from({length: table.size}, (_, index) => table.at(index + 1).path)
        assert.deepEqual(new Set(places), all)
        for (const [index, path] of places.entries()) assert.equal(table.find(path), index + 1)
        for (const path of ['', ...all]) {
          const inside = [...all].filter((each) => each.split('/').slice(0, -1).join('/') === path)
          const names = [...table.children(path)].map(({name}) => (path === '' ? name : `${path}/${name}`))
          assert.deepEqual(new Set(names), new Set(inside))
          assert.equal(table.hasChildren(path), inside.length > 0)
        }
        const key = (path: string) => Buffer.from(path.replaceAll('/', '\0'))
        const walked = [...table.inWalkOrder()].map(({path}) => path)
        assert.deepEqual(
          walked,
          [...all].sort((left, right) => Buffer.compare(key(left), key(right))),
        )
      }),
      {numRuns: FUZZ_RUNS},
    )
  })

  it('takes for one what Windows does, and spells it as it came first', () => {
    const table = new PathTable({isFolding: true})
    table.set('Files/Ärger/a.TXT', 7)
    assert.equal(table.get('FILES/äRGER/A.txt'), 7)
    table.set('files/ärger/A.TXT', 8)
    assert.equal(table.size, 3)
    assert.deepEqual(table.at(table.find('files/ärger/a.txt')), {path: 'Files/Ärger/a.TXT', value: 8})
    for (let index = 0; index < 5000; index++) table.set(`files/x${index}`, index + 1)
    assert.equal(table.get('FILES/X4999'), 5000)
  })

  it('knows a path letter by letter', () => {
    const table = new PathTable({isFolding: true})
    table.set('Files/Ärger/a.TXT', 1)
    table.set('Files/\ud83d\ude00/b', 2)
    const place = table.find('files/ärger/a.txt')
    assert.equal(table.isSpelt(place, 'Files/Ärger/a.TXT'), true)
    assert.equal(table.isSpelt(table.find('Files/\ud83d\ude00/B'), 'Files/\ud83d\ude00/b'), true)
    assert.equal(table.isSpelt(table.find('files'), 'Files'), true)
    for (const other of [
      'files/Ärger/a.TXT',
      'Files/ärger/a.TXT',
      'Files/Ärger/a.txt',
      'Ärger/a.TXT',
      '/Files/Ärger/a.TXT',
      'xFiles/Ärger/a.TXT',
      'Files.Ärger/a.TXT',
      'Files/Ärger/a.TXT/',
      'a.TXT',
      '',
    ])
      assert.equal(table.isSpelt(place, other), false, other)
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
