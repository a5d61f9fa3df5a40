import {hierarchy, treemap, treemapSquarify, type HierarchyRectangularNode} from 'd3-hierarchy'
import type {BatchReport} from '../batch/batch-report.js'
import {formatBytes} from '../model/quantities.js'
import {nameOf, placeOf} from './artifact-name.js'
import {columnsOf, elide} from './elide.js'

/** Cells drawn on a wide and on a narrow page; the smallest layers beyond share one. */
const MOST_CELLS = {wide: 400, narrow: 300}
/** Groups that get a heading of their own in the map. */
const MOST_HEADINGS = 10
const HEADING = 20
/** Rows of the table beside the map. */
const MOST_ROWS = 20
/** Of a column of text, in CSS pixels: monospaced, 11.5 px. */
const COLUMN = 7.05
/** Less of a name than this says nothing. */
const FEWEST_COLUMNS = 14

/** One blob as it is stored, however many artifacts share it. */
export interface StoredLayer {
  readonly digest: string
  readonly size: number
  readonly users: readonly string[]
  /** Number of the layer in its first user. */
  readonly index: number
}

export interface SizeCell {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
  readonly kind: 'group' | 'own' | 'shared' | 'rest'
  /** Lines of text that fit. */
  readonly lines: readonly string[]
  readonly title: string
}

export interface SizeRow {
  readonly digest: string
  readonly users: string
  readonly more: number
  readonly size: string
  readonly share: string
}

export interface SizeMap {
  readonly wide: SizeDrawing
  readonly narrow: SizeDrawing
  readonly rows: readonly SizeRow[]
  readonly layers: number
  readonly total: string
  readonly shared: number
  /** What sharing saves: the bytes of each layer, once for each user but the first. */
  readonly saved: string | undefined
  /** Layers without a row. */
  readonly more: number
}

export interface SizeDrawing {
  readonly width: number
  readonly height: number
  readonly cells: readonly SizeCell[]
}

/** The distinct layers that were stored, largest first. */
export function storedLayers({items}: BatchReport): readonly StoredLayer[] {
  const layers = new Map<string, {size: number; index: number; users: Map<string, string>}>()
  // The same name in two repositories is two things.
  for (const artifact of items.flatMap(({result}) => result?.artifacts ?? [])) {
    const user = `${placeOf(artifact)}\0${nameOf(artifact)}`
    for (const [index, {digest, size}] of artifact.layers.entries()) {
      const known = layers.get(digest)
      if (known === undefined) layers.set(digest, {size, index, users: new Map([[user, nameOf(artifact)]])})
      else known.users.set(user, nameOf(artifact))
    }
  }
  return [...layers]
    .map(([digest, {users, ...layer}]) => ({digest, ...layer, users: [...users.values()]}))
    .sort((a, b) => b.size - a.size || (a.digest < b.digest ? -1 : 1))
}

interface Branch {
  readonly name: string
  readonly kind: SizeCell['kind']
  readonly size?: number
  readonly children?: readonly Branch[]
}

const SHARED = 'Shared by several'

function branches(layers: readonly StoredLayer[], most: number): Branch {
  const groups = new Map<string, Branch[]>()
  const add = (group: string, leaf: Branch) => {
    const leaves = groups.get(group)
    if (leaves === undefined) groups.set(group, [leaf])
    else leaves.push(leaf)
  }
  const isTooMany = layers.length > most
  for (const {size, users, index} of layers.slice(0, isTooMany ? most - 1 : most)) {
    const [user = ''] = users
    if (users.length > 1) add(SHARED, {name: `${user} and ${users.length - 1} more`, kind: 'shared', size})
    else add(user, {name: `layer ${index}`, kind: 'own', size})
  }
  const smaller = layers.slice(most - 1)
  if (isTooMany) {
    const size = smaller.reduce((sum, layer) => sum + layer.size, 0)
    add('', {name: `${smaller.length} smaller layers`, kind: 'rest', size})
  }
  return {name: '', kind: 'group', children: [...groups].map(([name, children]) => ({name, kind: 'group', children}))}
}

function draw(root: Branch, [width, height]: readonly [number, number]): SizeDrawing {
  const groups = root.children?.length ?? 0
  const hasHeadings = groups <= MOST_HEADINGS
  const tree = hierarchy<Branch>(root, ({children}) => (children === undefined ? undefined : [...children]))
    .sum(({size}) => size ?? 0)
    .sort((a, b) => (b.value ?? 0) - (a.value ?? 0))
  const map = treemap<Branch>()
    .tile(treemapSquarify)
    .size([width, height])
    .paddingInner(2)
    .paddingTop((node) => (hasHeadings && node.depth === 1 ? HEADING : 0))
    .round(true)(tree)
  const cells = map.descendants().filter(({depth}) => depth === 2 || (depth === 1 && hasHeadings))
  return {width, height, cells: cells.map((node) => cellOf(node, hasHeadings)).filter((cell) => cell.width > 0)}
}

function cellOf(node: HierarchyRectangularNode<Branch>, hasHeadings: boolean): SizeCell {
  const {name, kind} = node.data
  const [width, height] = [node.x1 - node.x0, node.y1 - node.y0]
  const size = formatBytes(node.value ?? 0)
  const group = node.parent?.data.name ?? ''
  const isGroup = kind === 'group'
  const label = isGroup || hasHeadings || kind !== 'own' ? name : group
  const columns = Math.floor((width - 12) / COLUMN)
  const wanted = isGroup ? [name === '' ? '' : `${name}  ${size}`] : [label, size]
  const fitting = Math.floor(((isGroup ? HEADING : height) - 4) / 15)
  return {
    x: node.x0,
    y: node.y0,
    width,
    height,
    kind,
    lines: wanted
      .filter((line) => line !== '' && columns >= Math.min(FEWEST_COLUMNS, columnsOf(line)))
      .slice(0, fitting)
      .map((line) => elide(line, columns)),
    title: [group, name, size].filter((part) => part !== '').join(', '),
  }
}

/** Where the bytes are: a treemap for wide and one for narrow pages, and the largest layers as rows. */
export function mapSizes(report: BatchReport): SizeMap | undefined {
  const layers = storedLayers(report).filter(({size}) => size > 0)
  const total = layers.reduce((sum, {size}) => sum + size, 0)
  if (total === 0) return undefined
  const saved = layers.reduce((sum, {size, users}) => sum + size * (users.length - 1), 0)
  return {
    wide: draw(branches(layers, MOST_CELLS.wide), [1120, 380]),
    narrow: draw(branches(layers, MOST_CELLS.narrow), [340, 420]),
    rows: layers.slice(0, MOST_ROWS).map(({digest, size, users}) => ({
      digest,
      users: users.slice(0, 2).join(', '),
      more: Math.max(0, users.length - 2),
      size: formatBytes(size),
      share: `${((100 * size) / total).toFixed(1)} %`,
    })),
    layers: layers.length,
    total: formatBytes(total),
    shared: layers.filter(({users}) => users.length > 1).length,
    saved: saved === 0 ? undefined : formatBytes(saved),
    more: Math.max(0, layers.length - MOST_ROWS),
  }
}
