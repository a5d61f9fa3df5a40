import {encodeReparsePoint} from '../../src/codecs/reparse-point/encode-reparse-point.js'
import {contentOf} from '../../src/model/content.js'
import type {Layer} from '../../src/model/image.js'
import type {LayerEntry} from '../../src/model/layer-entry.js'
import {foldPath, parentPath, parseLayerPath, type LayerPath} from '../../src/model/layer-path.js'
import {UNIX_EPOCH, type WindowsMetadata} from '../../src/model/windows-metadata.js'

/** What a path is in the model: directories carry a mark, names of one file share one inode object. */
export type ModelNode =
  | {kind: 'directory'; mark: number}
  | {kind: 'reparse-point'; mark: number}
  | {kind: 'file'; inode: {text: string; mark: number}}

/** Mark of a directory that no entry states. */
export const UNSTATED = -1

/** Why an entry is refused, by its code. */
export class ModelRefusal extends Error {
  readonly code: 'NAME_UNSAFE' | 'NAME_COLLISION' | 'LINK_TARGET_MISSING'

  constructor(code: ModelRefusal['code'], what: string) {
    super(`${code}: ${what}`)
    this.code = code
  }
}

/**
 * A plain file system that layers are applied to, entry by entry: the reference for what names mean. Deletions speak of
 * what lower layers have, and of nothing that came of the same layer.
 */
export class FileSystemModel {
  readonly nodes = new Map<string, ModelNode>()
  /** Of the layer that is being applied: what it has made, its deletions, links to what may come, by folded paths. */
  readonly #own = new Set<string>()
  /** Folders that it needs and does not state. */
  readonly #entered = new Set<string>()
  readonly #deletions = new Set<string>()
  readonly #later: {path: string; target: string}[] = []

  clone(): FileSystemModel {
    const copy = new FileSystemModel()
    for (const [path, node] of this.nodes) copy.nodes.set(path, node)
    for (const path of this.#own) copy.#own.add(path)
    for (const path of this.#entered) copy.#entered.add(path)
    for (const path of this.#deletions) copy.#deletions.add(path)
    copy.#later.push(...this.#later)
    return copy
  }

  #removeBelow(folded: string): void {
    for (const path of [...this.nodes.keys()]) if (path.startsWith(`${folded}/`)) this.#remove(path)
  }

  /** A lower folder in which the layer has made something stays, without what was stated of it. */
  #remove(path: string): void {
    if (this.#own.has(path)) return
    if (this.#entered.has(path)) this.nodes.set(path, {kind: 'directory', mark: UNSTATED})
    else this.nodes.delete(path)
  }

  async apply(layer: Layer): Promise<void> {
    for await (const entry of layer.entries()) this.step(entry, entry.kind === 'file' ? await textOf(entry) : '')
    this.endLayer()
  }

  /** Applies one entry. Throws `ModelRefusal`. */
  step(entry: LayerEntry, text: string): void {
    if (entry.kind === 'frame') return
    const folded = foldPath(entry.path)
    switch (entry.kind) {
      case 'tombstone':
        this.#delete(folded, above(folded))
        this.#removeBelow(folded)
        this.#remove(folded)
        return
      case 'opaque':
        this.#delete(folded, [folded, ...above(folded)])
        this.#removeBelow(folded)
        return
      case 'directory': {
        this.#enter(folded)
        const isPlain = entry.meta.reparsePoint === undefined
        const {attributes: mark} = entry.meta
        if (!isPlain) this.#requireEmpty(folded, true)
        if (isPlain && this.nodes.get(folded)?.kind !== 'directory') this.nodes.delete(folded)
        if (!isPlain) this.#removeBelow(folded)
        this.#make(folded, {kind: isPlain ? 'directory' : 'reparse-point', mark})
        return
      }
      case 'file':
        this.#enter(folded)
        this.#requireEmpty(folded, false)
        this.#removeBelow(folded)
        this.#make(folded, {kind: 'file', inode: {text, mark: entry.meta.attributes}})
        return
      case 'hard-link':
        this.#link(folded, foldPath(entry.target))
    }
  }

  /** Links to what was nothing where they are mean what the layer has made of it since. */
  endLayer(): void {
    for (let left = this.#later.splice(0); left.length > 0;) {
      const open = left.filter(({path, target}) => {
        const node = this.nodes.get(target)
        const isWaiting = left.some((other) => other.path === target && other.path !== path)
        if (node?.kind !== 'file' || !this.#own.has(target) || isWaiting) return true
        this.nodes.set(path, node)
        return false
      })
      if (open.length === left.length) throw new ModelRefusal('LINK_TARGET_MISSING', open[0]!.path)
      left = open
    }
    this.#own.clear()
    this.#entered.clear()
    this.#deletions.clear()
  }

  #link(folded: string, target: string): void {
    if (!/^(FILES|UTILITYVM\/FILES)\//.test(target)) throw new ModelRefusal('NAME_UNSAFE', target)
    if (folded === target) throw new ModelRefusal('LINK_TARGET_MISSING', folded)
    this.#enter(folded)
    const node = this.nodes.get(target)
    if (node !== undefined && node.kind !== 'file') throw new ModelRefusal('LINK_TARGET_MISSING', target)
    this.#requireEmpty(folded, false)
    const isWaiting = this.#later.some(({path}) => path === target)
    this.#removeBelow(folded)
    this.#make(folded, {kind: 'file', inode: {text: 'to come', mark: 0}})
    if (node === undefined || isWaiting) this.#later.push({path: folded, target})
    else this.nodes.set(folded, node)
  }

  #make(folded: string, node: ModelNode): void {
    this.nodes.set(folded, node)
    this.#own.add(folded)
  }

  /** What lies above an entry must be folders; those that are missing come into being. */
  #enter(folded: string): void {
    for (const parent of above(folded).reverse()) {
      const node = this.nodes.get(parent)
      if (node?.kind === 'reparse-point') throw new ModelRefusal('NAME_UNSAFE', folded)
      if (node?.kind === 'file') throw new ModelRefusal('NAME_COLLISION', folded)
      if (node === undefined) this.nodes.set(parent, {kind: 'directory', mark: UNSTATED})
      this.#entered.add(parent)
    }
  }

  #delete(folded: string, through: readonly string[]): void {
    if (through.some((parent) => this.nodes.get(parent)?.kind === 'reparse-point'))
      throw new ModelRefusal('NAME_UNSAFE', folded)
    for (const parent of through) this.#deletions.add(parent)
  }

  /** In what is no folder nothing of the same layer can lie, and behind a reparse point nothing is deleted. */
  #requireEmpty(folded: string, isReparsePoint: boolean): void {
    const isFull = [...this.#own].some((path) => path.startsWith(`${folded}/`))
    if (isFull) throw new ModelRefusal(isReparsePoint ? 'NAME_UNSAFE' : 'NAME_COLLISION', folded)
    if (isReparsePoint && this.#deletions.has(folded)) throw new ModelRefusal('NAME_UNSAFE', folded)
  }

  /** Everything that matters, comparable: kinds, marks, contents, and with `sharing` which names share a file. */
  describe(sharing = true): string[] {
    const paths = [...this.nodes.keys()].sort()
    const groups = new Map<object, string>()
    return paths.map((path) => {
      const node = this.nodes.get(path)!
      if (node.kind !== 'file') return `${path} ${node.kind} ${node.mark}`
      const first = groups.get(node.inode) ?? path
      groups.set(node.inode, first)
      return `${path} file ${node.inode.mark} '${node.inode.text}'${sharing ? ` = ${first}` : ''}`
    })
  }
}

/** The folders above a path, nearest first. */
function above(folded: string): string[] {
  const parents: string[] = []
  for (let parent = parentPath(folded as LayerPath); parent !== undefined; parent = parentPath(parent))
    parents.push(parent)
  return parents
}

async function textOf(entry: LayerEntry & {kind: 'file'}): Promise<string> {
  const chunks: Uint8Array[] = []
  for await (const chunk of entry.content?.open() ?? []) chunks.push(Uint8Array.from(chunk))
  return Buffer.concat(chunks).toString('utf8')
}

function metaOf(mark: number): WindowsMetadata {
  const time = UNIX_EPOCH
  return {attributes: mark, times: {creation: time, lastAccess: time, lastWrite: time, change: time}}
}

export function fileEntry(path: string, text: string, mark = 0x20): LayerEntry {
  return {kind: 'file', path: parseLayerPath(path), meta: metaOf(mark), content: contentOf(Buffer.from(text))}
}

export function directoryEntry(path: string, mark = 0x10): LayerEntry {
  return {kind: 'directory', path: parseLayerPath(path), meta: metaOf(mark)}
}

/** A directory that is a junction. */
export function junctionEntry(path: string, mark = 0x410): LayerEntry {
  const reparsePoint = encodeReparsePoint({kind: 'junction', target: 'C:\\elsewhere'})
  return {kind: 'directory', path: parseLayerPath(path), meta: {...metaOf(mark), reparsePoint}}
}

export function linkEntry(path: string, target: string): LayerEntry {
  return {kind: 'hard-link', path: parseLayerPath(path), target: parseLayerPath(target), meta: metaOf(0)}
}

export function tombstone(path: string): LayerEntry {
  return {kind: 'tombstone', path: parseLayerPath(path)}
}

export function opaque(path: string): LayerEntry {
  return {kind: 'opaque', path: parseLayerPath(path)}
}

/** A layer held in memory. */
export function layerOf(title: string, entries: readonly LayerEntry[]): Layer {
  return {
    title,
    hasContent: true,
    // eslint-disable-next-line @typescript-eslint/require-await
    async *entries() {
      yield* entries
    },
  }
}

const NAMES = ['a', 'b', 'C', 'd'] as const

/**
 * Random but legal layers: each is made by edits of the state that the layers before it leave. `numbers` drives every
 * choice, so that fast-check can shrink them.
 */
export async function layersFrom(numbers: readonly (readonly number[])[]): Promise<Layer[]> {
  const state = new FileSystemModel()
  const layers: Layer[] = []
  for (const [index, choices] of numbers.entries()) {
    const layer = layerOf(`layer ${index}`, editsOf(state, choices, index))
    await state.apply(layer)
    layers.push(layer)
  }
  return layers
}

function editsOf(before: FileSystemModel, choices: readonly number[], index: number): LayerEntry[] {
  const added = new Map<string, LayerEntry>()
  const gone = new Map<string, LayerEntry>()
  if (index === 0 || (choices[0] ?? 0) % 3 > 0) added.set('FILES', directoryEntry('Files', 0x10 + index * 0x100))
  for (let at = 0; at + 3 < choices.length; at += 4) {
    edit(before, added, gone, {
      verb: choices[at]! % 9,
      path: pathFrom(choices[at + 1]!, choices[at + 2]!),
      number: choices[at + 3]!,
      mark: index * 100 + at,
      restateParents: choices[at]! % 2 === 0,
    })
  }
  return inLegalOrder(before, added, gone, choices.length)
}

function pathFrom(depth: number, bits: number): string {
  const parts = Array.from({length: 1 + (depth % 3)}, (_, level) => NAMES[(bits >> (level * 2)) % NAMES.length]!)
  // The same name in another case is the same file on Windows.
  return `Files/${parts.map((part) => ((bits >> 7) % 2 === 0 ? part : part.toLowerCase())).join('/')}`
}

interface Edit {
  readonly verb: number
  readonly path: string
  readonly number: number
  readonly mark: number
  readonly restateParents: boolean
}

function edit(
  before: FileSystemModel,
  added: Map<string, LayerEntry>,
  gone: Map<string, LayerEntry>,
  {verb, path, number, mark, restateParents}: Edit,
): void {
  const folded = foldPath(path)
  const isTaken = added.has(folded) || [...added.keys()].some((other) => other.startsWith(`${folded}/`))
  if (verb === 0) {
    // A layer that deletes a directory and yet adds to it without making it again contradicts itself.
    const contradicts = !added.has(folded) && isTaken
    if (before.nodes.has(folded) && !gone.has(folded) && !contradicts) gone.set(folded, tombstone(path))
    return
  }
  if (verb === 1) {
    if (before.nodes.get(folded)?.kind === 'directory' && !isTaken) gone.set(folded, opaque(path))
    return
  }
  if (isTaken || !canHold(before, added, path)) return
  for (const parent of missingParents(before, added, path, restateParents || gone.size > 0)) {
    added.set(foldPath(parent), directoryEntry(parent, mark))
  }
  if (verb === 2 || verb === 3) added.set(folded, directoryEntry(path, mark))
  else if (verb >= 7) addLink(before, added, gone, path, number)
  else added.set(folded, fileEntry(path, `text ${number}`, mark))
}

/** No file of this layer may lie on the way. */
function canHold(before: FileSystemModel, added: ReadonlyMap<string, LayerEntry>, path: string): boolean {
  for (let parent = parentPath(path as LayerPath); parent !== undefined; parent = parentPath(parent)) {
    const own = added.get(foldPath(parent))
    if (own !== undefined && own.kind !== 'directory') return false
  }
  return true
}

function missingParents(
  before: FileSystemModel,
  added: ReadonlyMap<string, LayerEntry>,
  path: string,
  restate: boolean,
): string[] {
  const parents: string[] = []
  for (let parent = parentPath(path as LayerPath); parent !== undefined; parent = parentPath(parent)) {
    const isThere = before.nodes.get(foldPath(parent))?.kind === 'directory'
    if (!added.has(foldPath(parent)) && (restate || !isThere)) parents.unshift(parent)
  }
  return parents
}

/** A link to a file of this layer, or of a lower one that this layer leaves alone. */
function addLink(
  before: FileSystemModel,
  added: Map<string, LayerEntry>,
  gone: ReadonlyMap<string, LayerEntry>,
  path: string,
  number: number,
): void {
  const own = [...added.values()].filter((entry) => entry.kind === 'file').map((entry) => entry.path as string)
  const lower = [...before.nodes]
    .filter(([folded, node]) => node.kind === 'file' && gone.size === 0 && !isTouched(added, folded))
    .map(([folded]) =>
      folded
        .replace(/^FILES/, 'Files')
        .toLowerCase()
        .replace(/^files/, 'Files'),
    )
  const targets = [...own, ...lower].filter((target) => foldPath(target) !== foldPath(path))
  if (targets.length > 0) added.set(foldPath(path), linkEntry(path, targets[number % targets.length]!))
}

function isTouched(added: ReadonlyMap<string, LayerEntry>, folded: string): boolean {
  if (added.has(folded)) return true
  return [...added].some(([path, entry]) => entry.kind !== 'directory' && folded.startsWith(`${path}/`))
}

/** Parents first; deletions that hit a link's lower target would make the layer contradict itself, so links go then. */
function inLegalOrder(
  before: FileSystemModel,
  added: ReadonlyMap<string, LayerEntry>,
  gone: ReadonlyMap<string, LayerEntry>,
  seed: number,
): LayerEntry[] {
  const usable = [...added.values()].filter((entry) => {
    if (entry.kind !== 'hard-link') return true
    const target = foldPath(entry.target)
    const isOwn = added.get(target)?.kind === 'file'
    if (isOwn) return true
    const isGone = [...gone.keys()].some((path) => target === path || target.startsWith(`${path}/`))
    return !isGone && !isTouched(added, target) && before.nodes.get(target)?.kind === 'file'
  })
  // Links last: they mean what the names mean by then.
  const isLink = (entry: LayerEntry) => Number(entry.kind === 'hard-link')
  const byDepth = usable.sort((left, right) => isLink(left) - isLink(right) || depthOf(left) - depthOf(right))
  const deletions = [...gone.values()]
  return seed % 2 === 0 ? [...deletions, ...byDepth] : [...byDepth, ...deletions]
}

function depthOf(entry: LayerEntry): number {
  return entry.kind === 'frame' ? 0 : entry.path.split('/').length
}
