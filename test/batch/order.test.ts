import assert from 'node:assert/strict'
import fc from 'fast-check'
import {CycleFound, inOrder} from '../../src/batch/order.js'
import {FUZZ_RUNS} from '../helpers/fuzz.js'

const unit = (id: string, ...after: string[]) => ({id, after})

describe('order of units', () => {
  it('keeps the order given where nothing depends on anything', () => {
    const units = [unit('b'), unit('a'), unit('c')]
    assert.deepEqual(inOrder(units), units)
  })

  it('puts each after all it depends on, whatever the graph', () => {
    const graph = fc.array(fc.array(fc.nat(30), {maxLength: 4}), {maxLength: 30})
    fc.assert(
      fc.property(graph, fc.array(fc.nat(), {minLength: 30, maxLength: 30}), (edges, ranks) => {
        // An edge to a lower index only: no cycle.
        const units = edges.map((to, index) =>
          unit(`u${index}`, ...to.filter((each) => each < index).map((each) => `u${each}`)),
        )
        const shuffled = units.map((each, index) => ({each, rank: ranks[index] ?? 0}))
        shuffled.sort((one, other) => one.rank - other.rank)
        const ordered = inOrder(shuffled.map(({each}) => each))
        assert.equal(ordered.length, units.length)
        const places = new Map(ordered.map(({id}, index) => [id, index]))
        for (const {id, after} of ordered)
          for (const needed of after) assert.ok((places.get(needed) ?? 0) < (places.get(id) ?? 0))
      }),
      {numRuns: FUZZ_RUNS},
    )
  })

  it('tells a cycle as the units it goes through', () => {
    const units = [unit('x', 'a'), unit('a', 'b'), unit('b', 'c'), unit('c', 'a')]
    assert.throws(
      () => inOrder(units),
      (error: unknown) => error instanceof CycleFound && error.ids.join() === 'a,b,c',
    )
    assert.throws(() => inOrder([unit('a', 'a')]), CycleFound)
  })

  it('orders a chain that is longer than the stack is deep', () => {
    const units = Array.from({length: 50_000}, (_, index) => unit(`u${index}`, `u${index + 1}`))
    assert.equal(inOrder(units)[0]?.id, 'u49999')
  })
})
