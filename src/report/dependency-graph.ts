import type {ArtifactFacts, BatchReport, ItemReport, ItemState} from '../batch/batch-report.js'
import type {ReportArtifact} from '../convert/report.js'
import {nameOf, placeOf, topsOf} from './artifact-name.js'

/** What a node stands for. `elsewhere`: depended on, and neither read nor made here; `source`: could not be listed. */
export type NodeKind = ArtifactFacts['kind'] | 'elsewhere' | 'source'

export interface GraphNode {
  readonly key: string
  readonly side: 'before' | 'after'
  readonly kind: NodeKind
  readonly name: string
  readonly state: ItemState
}

/** From what came first to what came of it, and from what depends to what it depends on. */
export interface GraphEdge {
  readonly from: string
  readonly to: string
  readonly kind: 'became' | 'depends on' | 'waits for'
}

export interface DependencyGraph {
  readonly nodes: readonly GraphNode[]
  readonly edges: readonly GraphEdge[]
}

/** Worst first: what is read by several items has the state of the one that fared worst. */
const SEVERITY: readonly ItemState[] = ['failed', 'blocked', 'not-started', 'converted', 'already-done']

class GraphBuilder {
  readonly #nodes = new Map<string, GraphNode>()
  readonly #edges = new Map<string, GraphEdge>()

  node(node: Omit<GraphNode, 'key'>, id: string): string {
    const key = `${node.side}\0${id}`
    const known = this.#nodes.get(key)
    if (known === undefined || known.kind === 'elsewhere') this.#nodes.set(key, {...node, key})
    else if (SEVERITY.indexOf(node.state) < SEVERITY.indexOf(known.state) && node.kind !== 'elsewhere')
      this.#nodes.set(key, {...known, state: node.state})
    return key
  }

  edge(edge: GraphEdge): void {
    if (edge.from !== edge.to) this.#edges.set(`${edge.from}\0${edge.to}\0${edge.kind}`, edge)
  }

  build(): DependencyGraph {
    return {nodes: [...this.#nodes.values()], edges: [...this.#edges.values()]}
  }
}

type Side = GraphNode['side']

/** The artifact and what it depends on; its key. */
function addArtifact(
  graph: GraphBuilder,
  artifact: ArtifactFacts | ReportArtifact,
  {side, state}: {readonly side: Side; readonly state: ItemState},
): string {
  const place = placeOf(artifact)
  const kind = artifact.kind === 'index' ? 'image' : artifact.kind
  const key = graph.node({side, state, kind, name: nameOf(artifact)}, `${place}\0${nameOf(artifact)}`)
  for (const name of artifact.dependencies ?? []) {
    const to = graph.node({side, state, kind: 'elsewhere', name}, `${place}\0${name}`)
    graph.edge({from: key, to, kind: 'depends on'})
  }
  return key
}

function addItem(graph: GraphBuilder, item: ItemReport): readonly string[] {
  const {state} = item
  const before =
    item.before.length === 0
      ? [graph.node({side: 'before', state, kind: 'source', name: item.source}, item.source)]
      : item.before.map((facts) => addArtifact(graph, facts, {side: 'before', state}))
  const made = new Map(
    (item.result?.artifacts ?? []).map((artifact) => [artifact, addArtifact(graph, artifact, {side: 'after', state})]),
  )
  const tops = topsOf(item).map((artifact) => made.get(artifact) ?? '')
  const isPaired = before.length === tops.length
  for (const [index, from] of before.entries())
    for (const [other, to] of tops.entries()) if (!isPaired || index === other) graph.edge({from, to, kind: 'became'})
  return before
}

/**
 * What became of what, and what depends on what: the artifacts that items read, those that they made, and those that are
 * only named. The same package read by several items is one node. Nodes and edges in the order of the plan.
 */
export function dependencyGraph({items}: BatchReport): DependencyGraph {
  const graph = new GraphBuilder()
  const beforeOf = new Map(items.map((item) => [item.id, addItem(graph, item)]))
  for (const item of items.filter(({state}) => state === 'blocked'))
    for (const from of beforeOf.get(item.id) ?? [])
      for (const to of item.after.flatMap((id) => beforeOf.get(id) ?? [])) graph.edge({from, to, kind: 'waits for'})
  return graph.build()
}
