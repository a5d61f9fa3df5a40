import {InputError} from '../model/errors.js'
import type {WorkOptions} from '../model/events.js'
import type {Layer, LayerForm} from '../model/image.js'
import type {DirectoryEntry, FileEntry, HardLinkEntry, LayerEntry} from '../model/layer-entry.js'
import {comparePaths, foldPath, parentPath, type LayerPath} from '../model/layer-path.js'
import {holdStreams} from '../model/held-file.js'
import {HiveStacks} from './hive-stacks.js'
import {isLeaf, LayerShadow, mergeLayers} from './merge.js'
import {SquashedDeletions} from './squashed-deletions.js'

/** Which layers become one, both ends included, and what the result is called. */
export interface SquashRange {
  readonly from: number
  readonly to: number
  readonly title: string
  /** True when the lowest layer of the range is a whole OS; else the result is a delta on what lies below. */
  readonly standsAlone: boolean
}

type VisibleEntry = FileEntry | DirectoryEntry | HardLinkEntry

/**
 * One layer that does what a range of layers does. Reads each layer of the range once, top layer first, and copies no
 * content that is not visible. A second look is taken only at layers that hold files without their parents, or files
 * that are gone but live on under another name (a hard link); such a name gets a copy when the file is below the range.
 */
export function squashLayers(layers: readonly Layer[], range: SquashRange): Layer {
  const form: LayerForm = range.standsAlone ? 'base' : 'delta'
  const squashed = layers.slice(range.from, range.to + 1)
  const sizes = squashed.map((layer) => layer.sizeBytes)
  const sizeBytes = sizes.every((size) => size !== undefined) ? sizes.reduce((sum, size) => sum + size, 0) : undefined
  return {
    title: range.title,
    form,
    hasContent: true,
    ...(sizeBytes === undefined ? {} : {sizeBytes}),
    entries: (options = {}) => new Squash(layers, range, options).entries(),
  }
}

/** A file that is hidden but still has names: where it is, and the links that need its content. */
interface HiddenTarget {
  readonly layer: number
  readonly links: HardLinkEntry[]
}

/** Links to one file that has not been met, and the layer of the first of them. */
interface OpenLinks {
  readonly layer: number
  readonly links: readonly HardLinkEntry[]
}

class Squash {
  readonly #layers: readonly Layer[]
  readonly #range: SquashRange
  readonly #options: WorkOptions
  readonly #shadow = new LayerShadow()
  readonly #deletions: SquashedDeletions
  readonly #hives: HiveStacks
  /** Folded paths of the directories given out. */
  readonly #emitted = new Set<string>()
  /** Folded paths of all visible directories, given out or not. */
  readonly #directories = new Set<string>()
  /** Directories met before their parent. */
  readonly #orphanDirectories: DirectoryEntry[] = []
  /** Files met before their parent: folded path -> layer. */
  readonly #orphans = new Map<string, number>()
  readonly #links: HardLinkEntry[] = []
  /** Visible links whose target has not been met, by folded target. */
  readonly #openLinks = new Map<string, OpenLinks>()
  /** Links to files that a layer above replaced or deleted: `layer:folded target`. */
  readonly #hiddenTargets = new Map<string, HiddenTarget>()
  /** Of the layer being walked: files that are hidden, and what its links name. Folded paths. */
  #hiddenInLayer = new Set<string>()
  #linksInLayer = new Map<string, LayerPath>()

  constructor(layers: readonly Layer[], range: SquashRange, options: WorkOptions) {
    this.#layers = layers
    this.#range = range
    this.#options = options
    const isBelowKnown = range.from > 0 && layers.slice(0, range.from).every((layer) => layer.hasContent)
    this.#deletions = new SquashedDeletions(isBelowKnown ? layers.slice(0, range.from) : undefined, options)
    this.#hives = new HiveStacks({isBase: range.standsAlone, lowest: range.from, ...options})
  }

  async *entries(): AsyncGenerator<LayerEntry> {
    yield* this.#firstPass()
    yield* this.#secondPass()
    // Before the links: a hive of the OS's files has another name among the layer's hives.
    yield* this.#hives.entries()
    for (const link of this.#links) yield link
    if (!this.#range.standsAlone) {
      yield* this.#deletions.entries(this.#shadow, (path) => this.#directories.has(foldPath(path)))
    }
  }

  async *#firstPass(): AsyncGenerator<LayerEntry> {
    const {from, to} = this.#range
    const merged = mergeLayers(this.#layers.slice(from, to + 1), {
      ...this.#options,
      firstIndex: from,
      shadow: this.#shadow,
      onHive: (entry, layer) => this.#hives.add(entry, layer),
      onHidden: (entry, layer) => {
        this.#meetHidden(entry, layer)
      },
      onTombstone: (path) => {
        this.#deletions.remove(path)
      },
      onOpaque: (path) => {
        this.#deletions.clear(path)
      },
      onLayerEnd: () => {
        this.#hiddenInLayer = new Set()
        this.#linksInLayer = new Map()
      },
    })
    for await (const {entry, layer} of merged) {
      if (!isLeaf(entry)) this.#directories.add(foldPath(entry.path))
      if (entry.kind === 'file') this.#closeLinks(foldPath(entry.path))
      if (entry.kind === 'file' && (await this.#hives.takeConfig(entry, layer))) continue
      if (entry.kind === 'hard-link') this.#meetLink(entry, layer)
      else if (this.#hasParent(entry.path)) yield* this.#give(entry)
      else if (entry.kind === 'directory') this.#orphanDirectories.push(await holdStreams(entry))
      else this.#orphans.set(foldPath(entry.path), layer)
    }
  }

  #hasParent(path: LayerPath): boolean {
    const parent = parentPath(path)
    return parent === undefined || this.#emitted.has(foldPath(parent))
  }

  *#give(entry: FileEntry | DirectoryEntry): Generator<LayerEntry> {
    const folded = foldPath(entry.path)
    if (entry.kind === 'directory') this.#emitted.add(folded)
    yield withoutArchiveFrame(entry)
  }

  /** A file that waiting links name has been met and is visible: they stay links. */
  #closeLinks(folded: string): void {
    const open = this.#openLinks.get(folded)
    if (open === undefined) return
    this.#openLinks.delete(folded)
    this.#links.push(...open.links)
  }

  #meetLink(link: HardLinkEntry, layer: number): void {
    if (foldPath(this.#followed(link.target)) === foldPath(link.path)) throw this.#missingTarget(link, layer)
    this.#resolve([withoutArchiveFrame(link)], link.target, layer)
    this.#passLink(link, layer)
  }

  /** Links of layers above that name this link mean what it means. */
  #passLink(link: HardLinkEntry, layer: number): void {
    const folded = foldPath(link.path)
    this.#linksInLayer.set(folded, link.target)
    const waiting = this.#openLinks.get(folded)
    if (waiting === undefined) return
    this.#openLinks.delete(folded)
    this.#resolve(waiting.links, link.target, layer)
  }

  /**
   * A link means the target as it was in the link's own layer. If a layer above shows another file there, the content
   * meant is hidden, here or further down.
   */
  #resolve(links: readonly HardLinkEntry[], target: LayerPath, layer: number): void {
    const path = this.#followed(target)
    const folded = foldPath(path)
    const retargeted = links.map((link) => ({...link, target: path}))
    if (this.#hiddenInLayer.has(folded)) this.#needHidden(folded, layer, retargeted)
    else if (this.#shadow.findShown(path) === layer) this.#links.push(...retargeted)
    else this.#leaveOpen(folded, layer, retargeted)
  }

  /** Where links of the layer being walked lead from a target. Links in a circle end nowhere, wherever that is. */
  #followed(target: LayerPath): LayerPath {
    let path = target
    const passed = new Set<string>()
    for (let next = this.#linksInLayer.get(foldPath(path)); next !== undefined && !passed.has(foldPath(path));) {
      passed.add(foldPath(path))
      path = next
      next = this.#linksInLayer.get(foldPath(path))
    }
    return path
  }

  #leaveOpen(folded: string, layer: number, links: readonly HardLinkEntry[]): void {
    const open = this.#openLinks.get(folded)
    this.#openLinks.set(folded, {layer: open?.layer ?? layer, links: [...(open?.links ?? []), ...links]})
  }

  #meetHidden(entry: VisibleEntry, layer: number): void {
    if (isLeaf(entry) && this.#directories.has(foldPath(entry.path))) this.#deletions.clear(entry.path)
    if (entry.kind === 'hard-link') this.#passLink(entry, layer)
    if (entry.kind !== 'file') return
    const folded = foldPath(entry.path)
    this.#hiddenInLayer.add(folded)
    const open = this.#openLinks.get(folded)
    if (open === undefined) return
    this.#openLinks.delete(folded)
    this.#needHidden(folded, layer, open.links)
  }

  #needHidden(folded: string, layer: number, links: readonly HardLinkEntry[]): void {
    const key = `${layer}:${folded}`
    const known = this.#hiddenTargets.get(key)
    if (known === undefined) this.#hiddenTargets.set(key, {layer, links: [...links]})
    else known.links.push(...links)
  }

  async *#secondPass(): AsyncGenerator<LayerEntry> {
    await this.#settleOpenLinks()
    this.#orphanDirectories.sort((left, right) => comparePaths(foldPath(left.path), foldPath(right.path)))
    for (const directory of this.#orphanDirectories) yield* this.#give(directory)
    const again = new Set([
      ...this.#orphans.values(),
      ...[...this.#hiddenTargets.values()].map((target) => target.layer),
    ])
    for (const layer of [...again].sort((left, right) => left - right)) yield* this.#again(layer)
    for (const {layer, links} of this.#hiddenTargets.values()) {
      const [missing] = links
      if (missing !== undefined) throw this.#missingTarget(missing, layer)
    }
  }

  /** Links whose target no layer of the range holds: it is below the range, and visible there or not any more. */
  async #settleOpenLinks(): Promise<void> {
    for (const {layer, links} of this.#openLinks.values()) {
      const [link] = links
      if (link === undefined) continue
      if (this.#range.standsAlone) throw this.#missingTarget(link, layer)
      if (!this.#shadow.hides(link.target)) {
        this.#links.push(...links)
        continue
      }
      const found = await this.#locateBelow(link, layer)
      if (found.isVisible) this.#links.push(...links.map((each) => ({...each, target: found.path})))
      else this.#needHidden(foldPath(found.path), found.layer, links)
    }
  }

  /** The file that a link means, below the range: another name of it may still be visible. */
  async #locateBelow(
    link: HardLinkEntry,
    layer: number,
  ): Promise<{layer: number; path: LayerPath; isVisible: boolean}> {
    const top = this.#range.from - 1
    const passed = new Set<string>()
    let at = await this.#findBelow(link.target, top)
    while (at?.entry.kind === 'hard-link' && !passed.has(foldPath(at.entry.path))) {
      passed.add(foldPath(at.entry.path))
      at = await this.#findBelow(at.entry.target, at.layer)
    }
    if (at?.entry.kind !== 'file') throw this.#missingTarget(link, layer)
    const {path} = at.entry
    const isVisible = !this.#shadow.hides(path) && (await this.#findBelow(path, top))?.layer === at.layer
    return {layer: at.layer, path, isVisible}
  }

  /** The topmost entry at a path, from layer `top` down. Looks through whole layers: it is needed very rarely. */
  async #findBelow(path: LayerPath, top: number): Promise<{layer: number; entry: VisibleEntry} | undefined> {
    const below = mergeLayers(this.#layers.slice(0, top + 1), this.#options)
    for await (const found of below) if (foldPath(found.entry.path) === foldPath(path)) return found
    return undefined
  }

  async *#again(index: number): AsyncGenerator<LayerEntry> {
    for await (const entry of this.#layers[index]?.entries(this.#options) ?? []) {
      if (entry.kind !== 'file') continue
      const folded = foldPath(entry.path)
      if (this.#orphans.get(folded) === index) {
        this.#orphans.delete(folded)
        yield* this.#give(entry)
      } else {
        yield* this.#giveHidden(entry, `${index}:${folded}`)
      }
    }
  }

  /** The first link takes the content, the others link to it. */
  *#giveHidden(entry: FileEntry, key: string): Generator<LayerEntry> {
    const target = this.#hiddenTargets.get(key)
    const [first, ...others] = target?.links ?? []
    if (first === undefined) return
    this.#hiddenTargets.delete(key)
    yield {...withoutArchiveFrame(entry), path: first.path}
    for (const other of others) this.#links.push({...other, target: first.path})
  }

  #missingTarget(link: HardLinkEntry, layer: number): InputError {
    return new InputError('LINK_TARGET_MISSING', {
      what: `The hard link '${link.path}' names a file that no layer holds.`,
      why: `Its target is '${link.target}'.`,
      suggestions: ['If the base is kept elsewhere, give it with --base REFERENCE.'],
      at: {path: this.#layers[layer]?.title ?? `layer ${layer}`},
    })
  }
}

/**
 * How a tar spelt the entry no longer matters in another layer; how the transport layout did, still does, but for the
 * roots, whose frames speak of the layer as a whole.
 */
function withoutArchiveFrame<T extends VisibleEntry>(entry: T): T {
  const {frame, ...rest} = entry
  const isRoot = parentPath(entry.path) === undefined && foldPath(entry.path) !== 'UTILITYVM'
  return {...rest, ...(frame?.layout === undefined || isRoot ? {} : {frame: {layout: frame.layout}})} as T
}
