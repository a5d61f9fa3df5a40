import * as dagre from '@dagrejs/dagre'

export interface Point {
  readonly x: number
  readonly y: number
}

/** Of dagre, what is used here. Its own types import each other without extensions, which Node's resolution does not find. */
interface Dagre {
  readonly Graph: new (options: {readonly multigraph: boolean}) => DagreGraph
  readonly layout: (graph: DagreGraph) => void
}

interface DagreGraph {
  setGraph(label: Readonly<Record<string, number | string>>): void
  setNode(name: string, label: {width: number; height: number}): void
  setEdge(from: string, to: string, label: object, name: string): void
  graph(): {readonly width?: number; readonly height?: number}
  node(name: string): Point
  edge(from: string, to: string, name: string): {readonly points: readonly Point[]}
}

const {Graph, layout} = dagre as unknown as Dagre

/** In CSS pixels. */
const SPACING = {nodesep: 14, edgesep: 8, ranksep: 44, marginx: 12, marginy: 12}

export interface LayeredLayout {
  readonly width: number
  readonly height: number
  /** Middles of the boxes. */
  readonly boxes: readonly Point[]
  /** Points that each edge runs through, ends included. */
  readonly lines: readonly (readonly Point[])[]
}

/** Lays boxes of one size out in columns so that edges run from left to right and cross little. */
export function layOut(
  count: number,
  edges: readonly {readonly from: number; readonly to: number; readonly kind: string}[],
  box: {readonly width: number; readonly height: number},
): LayeredLayout {
  const graph = new Graph({multigraph: true})
  graph.setGraph({rankdir: 'LR', ...SPACING})
  for (let index = 0; index < count; index++) graph.setNode(String(index), {...box})
  for (const {from, to, kind} of edges) graph.setEdge(String(from), String(to), {}, kind)
  layout(graph)
  const {width = 0, height = 0} = graph.graph()
  return {
    width: Math.ceil(width),
    height: Math.ceil(height),
    boxes: Array.from({length: count}, (_, index) => graph.node(String(index))),
    lines: edges.map(({from, to, kind}) => {
      const [left, right] = [graph.node(String(from)), graph.node(String(to))]
      const {points} = graph.edge(String(from), String(to), kind)
      // Ends are moved to the middles of the sides that face each other: at corners they would run along other boxes.
      const half = (left.x <= right.x ? box.width : -box.width) / 2
      // Every second point is in the gap between two columns, where a line may run as it likes.
      const inner = points.slice(1, -1).filter((_, index) => index % 2 === 1)
      return [{x: left.x + half, y: left.y}, ...inner, {x: right.x - half, y: right.y}]
    }),
  }
}
