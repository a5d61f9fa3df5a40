import {randomBytes} from 'node:crypto'
import {upcaseUnit} from './upcase.js'

const ROOT = 0
const FIRST_NODES = 128
const FIRST_UNITS = 2048
const SLASH = 47
/** Multipliers of the hash: 2^32 over the golden ratio, and that of FNV-1a for 32 bits. */
const GOLDEN = 0x9e3779b1
const PRIME = 0x01000193

/** As arguments of one call, of which there can only be so many. */
const UNITS_AT_ONCE = 4096

/** UTF-16 code units of names: one byte each as long as all are Latin-1, as the names of Windows itself are. */
type Units = Uint8Array<ArrayBuffer> | Uint16Array<ArrayBuffer>

/** All of a table, as it goes to another thread; its arrays can be transferred. */
export interface PathTableParts {
  readonly parents: Uint32Array<ArrayBuffer>
  readonly starts: Uint32Array<ArrayBuffer>
  readonly lengths: Uint16Array<ArrayBuffer>
  readonly values: Uint32Array<ArrayBuffer>
  readonly lastChildren: Uint32Array<ArrayBuffer>
  readonly siblings: Uint32Array<ArrayBuffer>
  readonly units: Units
  readonly slots: Uint32Array<ArrayBuffer>
  readonly count: number
  readonly used: number
  readonly seed: number
  readonly isFolding: boolean
}

/** A name in a folder, and its number; 0 for one that has none. */
export interface PathChild {
  readonly name: string
  readonly value: number
}

/**
 * Paths with a number each, for as many as an image has: a million take some 65 MB, where a Map of strings takes three
 * times as much. Each name is kept once below its parent. Paths are compared as they are given, or as Windows does: then
 * each name is spelt as it came first.
 */
export class PathTable {
  /** Of each node: its parent, where its name begins and how long it is, and its number. Node 0 is the root. */
  #parents = new Uint32Array(FIRST_NODES)
  #starts = new Uint32Array(FIRST_NODES)
  #lengths = new Uint16Array(FIRST_NODES)
  #values = new Uint32Array(FIRST_NODES)
  /** The child that came last, and the one of the same parent that came before; 0 = none. */
  #lastChildren = new Uint32Array(FIRST_NODES)
  #siblings = new Uint32Array(FIRST_NODES)
  #count = 1
  #units: Units = new Uint8Array(FIRST_UNITS)
  #used = 0
  /** Open addressing by parent and name; 0 = free, for the root is nobody's child. Twice as many slots as nodes fit. */
  #slots = new Uint32Array(2 * FIRST_NODES)
  /** Names come from outside: without it they could be chosen to fall into one place. */
  #seed = randomBytes(4).readUInt32LE()
  readonly #isFolding: boolean

  constructor(options: {readonly isFolding: boolean} = {isFolding: false}) {
    this.#isFolding = options.isFolding
  }

  /** The table that gave these parts on another thread. */
  static of(parts: PathTableParts): PathTable {
    const table = new PathTable({isFolding: parts.isFolding})
    table.#parents = parts.parents
    table.#starts = parts.starts
    table.#lengths = parts.lengths
    table.#values = parts.values
    table.#lastChildren = parts.lastChildren
    table.#siblings = parts.siblings
    table.#units = parts.units
    table.#slots = parts.slots
    table.#count = parts.count
    table.#used = parts.used
    table.#seed = parts.seed
    return table
  }

  /** All of it; the table is not used any more where its arrays are transferred. */
  get parts(): PathTableParts {
    return {
      parents: this.#parents,
      starts: this.#starts,
      lengths: this.#lengths,
      values: this.#values,
      lastChildren: this.#lastChildren,
      siblings: this.#siblings,
      units: this.#units,
      slots: this.#slots,
      count: this.#count,
      used: this.#used,
      seed: this.#seed,
      isFolding: this.#isFolding,
    }
  }

  /** The number of a path; 0 for one that has none. */
  get(path: string): number {
    const node = this.#find(path)
    return node === undefined ? 0 : (this.#values[node] ?? 0)
  }

  /** How many paths it has, those without a number too, which have others in them. */
  get size(): number {
    return this.#count - 1
  }

  /** The place of a path, 1 to `size`: in the order in which they came, a folder before what lies in it. 0 = none. */
  find(path: string): number {
    return this.#find(path) ?? 0
  }

  /** The path at a place, and its number; the root at none. */
  at(place: number): {readonly path: string; readonly value: number} {
    if (place < 1 || place >= this.#count) return {path: '', value: 0}
    return {path: this.#pathOf(place), value: this.#values[place] ?? 0}
  }

  /** True when the path at a place is this one letter by letter, in a table that folds too. Makes no text of it. */
  isSpelt(place: number, path: string): boolean {
    let end = path.length
    for (let node = place; node !== ROOT; node = this.#parents[node] ?? ROOT) {
      const start = end - (this.#lengths[node] ?? 0)
      const first = this.#starts[node] ?? 0
      for (let at = start; at < end; at++) if (this.#units[first + at - start] !== path.charCodeAt(at)) return false
      if (start > 0 && path.charCodeAt(start - 1) !== SLASH) return false
      end = start - 1
    }
    return end === -1
  }

  #pathOf(node: number): string {
    const parent = this.#parents[node] ?? ROOT
    if (parent === ROOT) return this.#nameOf(node)
    // Mostly asked for in order, where many lie in one folder.
    if (this.#lastFolder.node !== parent) this.#lastFolder = {node: parent, path: this.#pathOf(parent)}
    return `${this.#lastFolder.path}/${this.#nameOf(node)}`
  }

  #lastFolder = {node: ROOT, path: ''}

  /** Gives a path its number, 1 to 2^32-1. Its names have up to 65,535 code units each. */
  set(path: string, value: number): void {
    let node = ROOT
    for (let start = 0; start <= path.length;) {
      const end = endOfName(path, start)
      node = this.#child(node, path, start, end) ?? this.#add(node, path, start, end)
      start = end + 1
    }
    this.#values[node] = value
  }

  /** True when `test` is for the number of a folder above the path; those without a number count as 0. */
  someAbove(path: string, test: (value: number) => boolean): boolean {
    let node = ROOT
    for (let start = 0; ;) {
      const end = endOfName(path, start)
      if (end === path.length) return false
      const child = this.#child(node, path, start, end)
      if (child === undefined) return false
      if (test(this.#values[child] ?? 0)) return true
      node = child
      start = end + 1
    }
  }

  /** What lies in a folder, by no order; `''` is the root. */
  *children(folder: string): Generator<PathChild> {
    const parent = folder === '' ? ROOT : this.#find(folder)
    if (parent === undefined) return
    for (let node = this.#lastChildren[parent] ?? 0; node !== 0; node = this.#siblings[node] ?? 0)
      yield {name: this.#nameOf(node), value: this.#values[node] ?? 0}
  }

  /** True for a path in which others lie. */
  hasChildren(path: string): boolean {
    const node = path === '' ? ROOT : this.#find(path)
    return node !== undefined && this.#lastChildren[node] !== 0
  }

  /** All paths with their numbers as a walk meets them: a folder before its content, names in the order of their UTF-8 bytes. */
  *inWalkOrder(): Generator<{readonly path: string; readonly value: number}> {
    const open = [{before: '', nodes: this.#sortedChildren(ROOT), next: 0}]
    for (let folder = open.at(-1); folder !== undefined; folder = open.at(-1)) {
      const node = folder.nodes[folder.next++]
      if (node === undefined) {
        open.pop()
        continue
      }
      const path = `${folder.before}${this.#nameOf(node)}`
      yield {path, value: this.#values[node] ?? 0}
      if (this.#lastChildren[node] !== 0) open.push({before: `${path}/`, nodes: this.#sortedChildren(node), next: 0})
    }
  }

  #sortedChildren(parent: number): Uint32Array {
    const nodes: number[] = []
    for (let node = this.#lastChildren[parent] ?? 0; node !== 0; node = this.#siblings[node] ?? 0) nodes.push(node)
    return Uint32Array.from(nodes).sort((left, right) => this.#compareNames(left, right))
  }

  #compareNames(left: number, right: number): number {
    const [a, b] = [this.#starts[left] ?? 0, this.#starts[right] ?? 0]
    const lengths = (this.#lengths[left] ?? 0) - (this.#lengths[right] ?? 0)
    const length = Math.min(this.#lengths[left] ?? 0, this.#lengths[right] ?? 0)
    for (let at = 0; at < length; at++) {
      const [one, other] = [this.#units[a + at] ?? 0, this.#units[b + at] ?? 0]
      if (one !== other) return rankOfUnit(one) - rankOfUnit(other)
    }
    return lengths
  }

  #nameOf(node: number): string {
    const start = this.#starts[node] ?? 0
    const units = this.#units.subarray(start, start + (this.#lengths[node] ?? 0))
    let name = ''
    for (let at = 0; at < units.length; at += UNITS_AT_ONCE)
      name += String.fromCharCode(...units.subarray(at, at + UNITS_AT_ONCE))
    return name
  }

  #find(path: string): number | undefined {
    let node = ROOT
    for (let start = 0; start <= path.length;) {
      const end = endOfName(path, start)
      const child = this.#child(node, path, start, end)
      if (child === undefined) return undefined
      node = child
      start = end + 1
    }
    return node
  }

  #child(parent: number, path: string, start: number, end: number): number | undefined {
    const mask = this.#slots.length - 1
    for (let slot = this.#hash(parent, path, start, end) & mask; ; slot = (slot + 1) & mask) {
      const node = this.#slots[slot] ?? 0
      if (node === 0) return undefined
      if (this.#parents[node] === parent && this.#isNamed(node, path, start, end)) return node
    }
  }

  #isNamed(node: number, path: string, start: number, end: number): boolean {
    if (this.#lengths[node] !== end - start) return false
    const first = this.#starts[node] ?? 0
    for (let at = start; at < end; at++) {
      const [one, other] = [this.#units[first + at - start] ?? 0, path.charCodeAt(at)]
      if (one !== other && this.#fold(one) !== this.#fold(other)) return false
    }
    return true
  }

  #hash(parent: number, path: string, start: number, end: number): number {
    let hash = this.#seed ^ Math.imul(parent, GOLDEN)
    for (let at = start; at < end; at++) hash = Math.imul(hash ^ this.#fold(path.charCodeAt(at)), PRIME)
    return spread(hash)
  }

  #fold(unit: number): number {
    return this.#isFolding ? upcaseUnit(unit) : unit
  }

  #add(parent: number, path: string, start: number, end: number): number {
    if (this.#count === this.#values.length) this.#growNodes()
    this.#makeRoom(path, start, end)
    const node = this.#count++
    this.#parents[node] = parent
    this.#siblings[node] = this.#lastChildren[parent] ?? 0
    this.#lastChildren[parent] = node
    this.#starts[node] = this.#used
    this.#lengths[node] = end - start
    for (let at = start; at < end; at++) this.#units[this.#used++] = path.charCodeAt(at)
    this.#place(node, this.#hash(parent, path, start, end))
    return node
  }

  #makeRoom(path: string, start: number, end: number): void {
    if (this.#units instanceof Uint8Array && !isLatin1(path, start, end)) this.#units = Uint16Array.from(this.#units)
    while (this.#used + end - start > this.#units.length)
      this.#units =
        this.#units instanceof Uint8Array ? doubled(this.#units, Uint8Array) : doubled(this.#units, Uint16Array)
  }

  #place(node: number, hash: number): void {
    const mask = this.#slots.length - 1
    let slot = hash & mask
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask
    this.#slots[slot] = node
  }

  #growNodes(): void {
    this.#parents = doubled(this.#parents, Uint32Array)
    this.#starts = doubled(this.#starts, Uint32Array)
    this.#lengths = doubled(this.#lengths, Uint16Array)
    this.#values = doubled(this.#values, Uint32Array)
    this.#lastChildren = doubled(this.#lastChildren, Uint32Array)
    this.#siblings = doubled(this.#siblings, Uint32Array)
    this.#slots = new Uint32Array(2 * this.#values.length)
    for (let node = 1; node < this.#count; node++) {
      const start = this.#starts[node] ?? 0
      const units = this.#units.subarray(start, start + (this.#lengths[node] ?? 0))
      let hash = this.#seed ^ Math.imul(this.#parents[node] ?? 0, GOLDEN)
      for (const unit of units) hash = Math.imul(hash ^ this.#fold(unit), PRIME)
      this.#place(node, spread(hash))
    }
  }
}

/** In the order of UTF-8 what takes two units comes behind everything that takes one. */
function rankOfUnit(unit: number): number {
  if (unit < 0xd800) return unit
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800
}

/** High bits of a hash into the low ones, which choose the slot. */
function spread(hash: number): number {
  return (hash ^ (hash >>> 15)) >>> 0
}

function endOfName(path: string, start: number): number {
  const slash = path.indexOf('/', start)
  return slash < 0 ? path.length : slash
}

function isLatin1(path: string, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (path.charCodeAt(at) > 0xff) return false
  return true
}

function doubled<T extends Uint8Array<ArrayBuffer> | Uint16Array<ArrayBuffer> | Uint32Array<ArrayBuffer>>(
  array: T,
  make: new (length: number) => T,
): T {
  const larger = new make(2 * array.length)
  larger.set(array)
  return larger
}
