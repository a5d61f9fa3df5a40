import type {BatchReport, ItemState} from '../batch/batch-report.js'
import {collapseGraph, type NodeGroup} from './collapse-graph.js'
import {dependencyGraph, type GraphEdge, type NodeKind} from './dependency-graph.js'
import {columnsOf, elide} from './elide.js'
import {layOut, type Point} from './layered-layout.js'
import {stateText} from './state-text.js'

/** Of a box, in CSS pixels. */
const WIDTH = 254
const HEIGHT = 62
/** Of a line of a name inside it: monospaced, 11.5 px, at most 0.61 em a column. */
const COLUMNS = 33
/** Wider drawings are not made smaller to fit a page: they could not be read. */
const MOST_SHRUNK = 1400
/** Names told of a group before it says how many more there are. */
const NAMES_TOLD = 3

export interface DrawnNode {
  readonly x: number
  readonly y: number
  /** Its name in one or two lines. */
  readonly lines: readonly string[]
  /** What it is, and how it fared. */
  readonly caption: string
  readonly className: string
  readonly isMany: boolean
}

export interface DrawnEdge {
  /** SVG path data. */
  readonly path: string
  readonly kind: GraphEdge['kind']
}

/** One row of the table that says in words what is drawn. */
export interface GraphRow {
  readonly side: string
  readonly kind: string
  readonly names: string
  readonly more: number
  readonly stateName: string
  readonly state: ItemState
  readonly points: readonly {readonly how: string; readonly name: string}[]
}

export interface GraphDrawing {
  readonly width: number
  readonly height: number
  readonly boxWidth: number
  readonly boxHeight: number
  readonly nodes: readonly DrawnNode[]
  readonly edges: readonly DrawnEdge[]
  readonly rows: readonly GraphRow[]
  readonly isGrouped: boolean
  readonly isShrunk: boolean
  readonly edgeKinds: readonly GraphEdge['kind'][]
  readonly left: {readonly nodes: number; readonly groups: number}
}

const EDGE_KINDS: readonly GraphEdge['kind'][] = ['became', 'depends on', 'waits for']

const KIND_NAMES: Readonly<Record<NodeKind, readonly [one: string, many: string]>> = {
  image: ['image', 'images'],
  package: ['package', 'packages'],
  'transport-layout': ['transport layout', 'transport layouts'],
  elsewhere: ['package only named', 'packages only named'],
  source: ['source', 'sources'],
}

/** What is said of a package that is only depended on. */
const ELSEWHERE = {before: 'required, not an item of this run', after: 'required, not written in this run'}

function kindName({first, members}: NodeGroup): string {
  const [one, many] = KIND_NAMES[first.kind]
  return members.length === 1 ? one : many
}

function groupName({first, members}: NodeGroup): string {
  return members.length === 1 ? first.name : `${members.length} ${kindName({first, members})}`
}

function captionOf(group: NodeGroup): string {
  const {first, members} = group
  if (first.kind === 'elsewhere') return ELSEWHERE[first.side]
  const what = members.length === 1 ? kindName(group) : elide(first.name, COLUMNS - 3)
  if (members.length > 1) return `${what} …`
  return first.side === 'before' ? `${what}, ${stateText(first.state).toLowerCase()}` : `${what}, made`
}

function nodeOf(group: NodeGroup, at: Point): DrawnNode {
  const {first, members} = group
  return {
    x: Math.round(at.x - WIDTH / 2),
    y: Math.round(at.y - HEIGHT / 2),
    lines: twoLines(groupName(group)),
    caption: captionOf(group),
    className: first.kind === 'elsewhere' ? 'elsewhere' : `${first.side} ${first.state}`,
    isMany: members.length > 1,
  }
}

/** The text, broken behind a separator where one line is too short for it. */
function twoLines(text: string): readonly string[] {
  if (columnsOf(text) <= COLUMNS) return [text]
  const breaks = [...text.matchAll(/[_:/@-]/g)].map(({index}) => index + 1)
  const at = breaks.findLast((end) => columnsOf(text.slice(0, end)) <= COLUMNS && end > 3)
  if (at === undefined) return [elide(text, COLUMNS)]
  return [text.slice(0, at), elide(text.slice(at), COLUMNS)]
}

/** A smooth line through the points: straight where there are two. */
function pathOf(points: readonly Point[]): string {
  const [first, ...rest] = points.map(({x, y}) => ({x: Math.round(x), y: Math.round(y)}))
  if (first === undefined) return ''
  let path = `M${first.x} ${first.y}`
  let last = first
  for (const point of rest) {
    const middle = Math.round((last.x + point.x) / 2)
    path += `C${middle} ${last.y} ${middle} ${point.y} ${point.x} ${point.y}`
    last = point
  }
  return path
}

/** The dependency graph of a report, laid out from left to right. */
export function drawGraph(report: BatchReport): GraphDrawing {
  const {groups, edges, left} = collapseGraph(dependencyGraph(report))
  const {width, height, boxes, lines} = layOut(groups.length, edges, {width: WIDTH, height: HEIGHT})
  const names = groups.map(groupName)
  return {
    width,
    height,
    boxWidth: WIDTH,
    boxHeight: HEIGHT,
    nodes: groups.map((group, index) => nodeOf(group, boxes[index] ?? {x: 0, y: 0})),
    edges: edges.map(({kind}, index) => ({path: pathOf(lines[index] ?? []), kind})),
    rows: groups.map((group, index) => ({
      side: group.first.kind === 'elsewhere' ? 'Elsewhere' : group.first.side === 'before' ? 'Before' : 'After',
      kind: kindName(group),
      names: group.members
        .slice(0, NAMES_TOLD)
        .map(({name}) => name)
        .join(', '),
      more: Math.max(0, group.members.length - NAMES_TOLD),
      state: group.first.state,
      stateName: stateText(group.first.state),
      points: edges
        .filter(({from}) => from === index)
        .map(({to, kind, count}) => ({how: count > 1 ? `${kind} (${count} times)` : kind, name: names[to] ?? ''})),
    })),
    isShrunk: width <= MOST_SHRUNK,
    edgeKinds: EDGE_KINDS.filter((kind) => edges.some((edge) => edge.kind === kind)),
    isGrouped: groups.some(({members}) => members.length > 1),
    left,
  }
}
