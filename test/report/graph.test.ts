import assert from 'node:assert/strict'
import fc from 'fast-check'
import {collapseGraph} from '../../src/report/collapse-graph.js'
import {dependencyGraph, type DependencyGraph} from '../../src/report/dependency-graph.js'
import {columnsOf, elide} from '../../src/report/elide.js'
import {drawGraph} from '../../src/report/graph-drawing.js'
import {largeReport} from '../helpers/batch-reports.js'
import {FUZZ_RUNS} from '../helpers/fuzz.js'

/** A graph of so many packages, each of which points to those that are given. */
function packages(count: number, pointsTo: (index: number) => readonly number[]): DependencyGraph {
  const indexes = Array.from({length: count}, (_, index) => index)
  return {
    nodes: indexes.map((index) => ({
      key: String(index),
      side: 'after',
      kind: 'package',
      name: `package ${index}`,
      state: 'converted',
    })),
    edges: indexes.flatMap((index) =>
      pointsTo(index).map((to) => ({from: String(index), to: String(to), kind: 'depends on' as const})),
    ),
  }
}

describe('report graph', () => {
  it('makes one node of a package that several items make, and links what was read to what was asked for', () => {
    const report = largeReport(10)
    const {nodes, edges} = dependencyGraph(report)
    assert.equal(new Set(nodes.map(({key}) => key)).size, nodes.length)
    assert.equal(nodes.filter(({name}) => name === 'CN=Microsoft_WindowsServerCore_10.0.14393.206').length, 1)
    const became = edges.filter(({kind}) => kind === 'became').length
    assert.equal(became, report.items.filter(({result}) => result !== undefined).length)
  })

  it('draws a small graph node by node', () => {
    const {groups, left} = collapseGraph(packages(30, (index) => (index === 0 ? [] : [0])))
    assert.deepEqual([groups.length, left.nodes], [30, 0])
  })

  it('draws what is alike as one, and keeps apart what many point to', () => {
    const {groups, edges} = collapseGraph(packages(500, (index) => (index < 3 ? [] : [index % 3])))
    assert.deepEqual(
      groups.map(({members}) => members.length),
      [1, 1, 1, 166, 166, 165],
    )
    assert.deepEqual(edges.map(({count}) => count).sort(), [165, 166, 166])
  })

  it('says what it leaves out where nothing is alike', () => {
    const {groups, left} = collapseGraph(packages(300, (index) => (index === 0 ? [] : [index - 1])))
    const drawn = groups.reduce((sum, {members}) => sum + members.length, 0)
    assert.ok(groups.length <= 44)
    assert.equal(drawn + left.nodes, 300)
  })

  it('ends, and loses no node, whatever points to whatever', () => {
    const edge = fc.tuple(fc.nat(59), fc.nat(59))
    fc.assert(
      fc.property(fc.array(edge, {maxLength: 150}), (pairs) => {
        const {groups, left} = collapseGraph(
          packages(60, (index) => pairs.filter(([from]) => from === index).map(([, to]) => to)),
        )
        const drawn = groups.reduce((sum, {members}) => sum + members.length, 0)
        assert.equal(drawn + left.nodes, 60)
      }),
      {numRuns: FUZZ_RUNS},
    )
  })

  it('draws 500 items as few nodes', () => {
    const report = largeReport(500)
    const {nodes, width} = drawGraph(report)
    assert.ok(nodes.length > 5 && nodes.length <= 44 && width < 1400, `${nodes.length} nodes, ${width} wide`)
  })

  it('shortens names to the columns there are, keeping their ends', () => {
    assert.equal(elide('CN=Microsoft_WindowsServerCore_10.0.14393.206', 21), 'CN=Microso….14393.206')
    assert.equal(elide('販売管理販売管理', 7), '販…管理')
    fc.assert(
      fc.property(fc.string({unit: 'grapheme', maxLength: 60}), fc.integer({min: 1, max: 40}), (text, columns) => {
        const short = elide(text, columns)
        assert.ok(columnsOf(short) <= columns)
        if (columnsOf(text) <= columns) assert.equal(short, text)
      }),
      {numRuns: FUZZ_RUNS},
    )
  })
})
