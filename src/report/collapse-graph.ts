import type {DependencyGraph, GraphEdge, GraphNode} from './dependency-graph.js'
import {groupBy} from '../model/group-by.js'

/** Nodes that are alike, drawn as one. */
export interface NodeGroup {
  /** The first of them; all share its kind, side and state. */
  readonly first: GraphNode
  readonly members: readonly GraphNode[]
}

export interface GroupEdge {
  /** Indexes of groups. */
  readonly from: number
  readonly to: number
  readonly kind: GraphEdge['kind']
  /** How many edges between members it stands for. */
  readonly count: number
}

export interface CollapsedGraph {
  readonly groups: readonly NodeGroup[]
  readonly edges: readonly GroupEdge[]
  /** What was left out since it would not have been readable: how many nodes, and in how many groups. */
  readonly left: {readonly nodes: number; readonly groups: number}
}

/** Up to here every node is drawn on its own. */
const DRAWN_SINGLY = 30
/** More boxes than these nobody follows. */
const MOST_GROUPS = 44
/** How many nodes must point to a node for it to be drawn on its own; the next is tried while there are too many. */
const PINNED_FROM = [2, 3, 5, 10, 25, 100, Infinity]

/**
 * Groups what is alike until it can be drawn: nodes of one kind and state that point to the same groups become one. A node
 * that many point to stays on its own. What is still too much is left out, smallest groups first, and counted.
 */
export function collapseGraph(graph: DependencyGraph): CollapsedGraph {
  const classes = classify(graph)
  const members = groupBy(graph.nodes, ({key}) => classes.get(key) ?? 0)
  const bySize = [...members].toSorted(([, a], [, b]) => b.length - a.length)
  const isDrawn = new Set(bySize.slice(0, MOST_GROUPS).map(([group]) => group))
  const drawn = [...members].filter(([group]) => isDrawn.has(group))
  const indexes = new Map(drawn.map(([group], index) => [group, index]))
  const indexOf = (key: string) => indexes.get(classes.get(key) ?? -1)
  const edges = new Map<string, GroupEdge>()
  for (const {from: fromKey, to: toKey, kind} of graph.edges) {
    const [from, to] = [indexOf(fromKey), indexOf(toKey)]
    if (from === undefined || to === undefined || from === to) continue
    const id = `${from} ${to} ${kind}`
    edges.set(id, {from, to, kind, count: (edges.get(id)?.count ?? 0) + 1})
  }
  const leftOut = bySize.slice(MOST_GROUPS)
  return {
    groups: drawn.flatMap(([, nodes]) => (nodes[0] === undefined ? [] : [{first: nodes[0], members: nodes}])),
    edges: [...edges.values()],
    left: {nodes: leftOut.reduce((sum, [, nodes]) => sum + nodes.length, 0), groups: leftOut.length},
  }
}

/** The number of the group of each node, by its key. */
function classify(graph: DependencyGraph): ReadonlyMap<string, number> {
  if (graph.nodes.length <= DRAWN_SINGLY) return new Map(graph.nodes.map(({key}, index) => [key, index]))
  const arriving = new Map<string, number>()
  for (const {to} of graph.edges) arriving.set(to, (arriving.get(to) ?? 0) + 1)
  let classes: ReadonlyMap<string, number> = new Map()
  for (const least of PINNED_FROM) {
    classes = refine(graph, (node) => (arriving.get(node.key) ?? 0) >= least)
    if (new Set(classes.values()).size <= MOST_GROUPS) break
  }
  return classes
}

/** Splits groups by the groups that their members point to, until that splits nothing more. Cycles do no harm. */
function refine(graph: DependencyGraph, isPinned: (node: GraphNode) => boolean): ReadonlyMap<string, number> {
  const leaving = groupBy(graph.edges, ({from}) => from)
  const ownOf = ({side, kind, state}: GraphNode) => `${side} ${kind} ${state}`
  let classes = numbered(graph.nodes, (node) => (isPinned(node) ? node.key : ownOf(node)))
  for (let count = 0; count !== new Set(classes.values()).size;) {
    count = new Set(classes.values()).size
    const before = classes
    classes = numbered(graph.nodes, (node) => {
      const targets = (leaving.get(node.key) ?? []).map(({to, kind}) => `${kind} ${before.get(to) ?? ''}`)
      return [before.get(node.key), ...new Set(targets.sort())].join('\0')
    })
  }
  return classes
}

function numbered(nodes: readonly GraphNode[], signatureOf: (node: GraphNode) => string): Map<string, number> {
  const numbers = new Map<string, number>()
  return new Map(
    nodes.map((node) => {
      const signature = signatureOf(node)
      const number = numbers.get(signature) ?? numbers.size
      numbers.set(signature, number)
      return [node.key, number]
    }),
  )
}
