import type {DirectoryEntry, FileEntry, HardLinkEntry, LayerEntry} from '../model/layer-entry.js'
import {foldPath, parentPath, type LayerPath} from '../model/layer-path.js'
import type {Layer} from '../model/image.js'
import type {WorkOptions} from '../model/events.js'
import type {ImageNames} from '../model/image-names.js'
import {leadsElsewhere} from '../model/layer-names.js'
import {PathTable} from '../model/path-table.js'

/** An entry that is visible once layers are merged, and the index of the layer it comes from. */
export interface MergedEntry {
  readonly entry: FileEntry | DirectoryEntry | HardLinkEntry
  readonly layer: number
}

/**
 * What is known of a path, in one number, since there can be a million: some layer has decided it, shows it, nothing can
 * lie in what it shows; nothing of lower layers is visible below it. Above these bits, the layer that decided it.
 */
const DECIDED = 1
const SHOWN = 2
const LEAF = 4
const CUT = 8
const LAYER_SHIFT = 4

/**
 * Which names are taken or hidden while layers are walked from the top down. Names meet as Windows compares them.
 * What a layer hides counts only for the layers below it, so deletions wait until the layer has been walked.
 */
export class LayerShadow {
  /** By folded paths. */
  readonly #paths = new PathTable()
  /** Paths that lower layers may not show, themselves and below. */
  #pending: {folded: string; deleted: boolean}[] = []
  #layer = -1

  /** The entries that follow are of this layer, which is below all before it. */
  beginLayer(layer: number): void {
    this.#layer = layer
  }

  /** True when a layer above shows this path already, or hides it. */
  hides(path: LayerPath): boolean {
    const folded = foldPath(path)
    return (
      (this.#paths.get(folded) & DECIDED) !== 0 ||
      // A leaf of a layer above, not of this one: there, the tar itself would be at fault.
      this.#paths.someAbove(
        folded,
        (known) => (known & CUT) !== 0 || ((known & LEAF) !== 0 && known >>> LAYER_SHIFT !== this.#layer),
      )
    )
  }

  /** The layer whose entry at this path is the visible one; undefined when none has been shown so far. */
  findShown(path: LayerPath): number | undefined {
    const known = this.#paths.get(foldPath(path))
    return (known & SHOWN) === 0 ? undefined : known >>> LAYER_SHIFT
  }

  /** True when something is shown above the path in which nothing can lie. */
  isBelowLeaf(path: LayerPath): boolean {
    return this.#paths.someAbove(foldPath(path), (known) => (known & LEAF) !== 0)
  }

  show(entry: FileEntry | DirectoryEntry | HardLinkEntry): void {
    const folded = foldPath(entry.path)
    this.#decide(folded, this.#paths.get(folded) & CUT, SHOWN | (isLeaf(entry) ? LEAF : 0))
  }

  #decide(folded: string, kept: number, how: number): void {
    this.#paths.set(folded, ((this.#layer << LAYER_SHIFT) | kept | how | DECIDED) >>> 0)
  }

  /**
   * A file, a link or a reparse point in place of a lower directory hides what that directory held, also when it is
   * itself hidden by a directory further up, as the one given here is.
   */
  cover(entry: FileEntry | DirectoryEntry | HardLinkEntry): void {
    if (isLeaf(entry)) this.#pending.push({folded: foldPath(entry.path), deleted: false})
  }

  /** A tombstone: neither the path nor anything below it comes from lower layers. */
  remove(path: LayerPath): void {
    this.#pending.push({folded: foldPath(path), deleted: true})
  }

  /** An opaque directory: nothing below it comes from lower layers. */
  clear(path: LayerPath): void {
    this.#pending.push({folded: foldPath(path), deleted: false})
  }

  /** The layer has been walked: what it hides now counts. */
  endLayer(): void {
    for (const {folded, deleted} of this.#pending) {
      const known = this.#paths.get(folded)
      if (deleted && (known & DECIDED) === 0) this.#decide(folded, CUT, 0)
      else this.#paths.set(folded, (known | CUT) >>> 0)
    }
    this.#pending = []
    this.#layer = -1
  }
}

/** True for everything that nothing can lie in. */
export function isLeaf(entry: FileEntry | DirectoryEntry | HardLinkEntry): boolean {
  return entry.kind !== 'directory' || leadsElsewhere(entry)
}

/** What a walk over merged layers meets beside the visible entries. */
export interface MergeOptions extends WorkOptions {
  /** Index of the first of `layers`, so that all indices told are those of the whole image. Default 0. */
  readonly firstIndex?: number
  /** The names walked so far; give one to ask it questions while walking. */
  readonly shadow?: LayerShadow
  /** Keeps the names of each layer; when all have been walked, it knows what links mean. */
  readonly names?: ImageNames
  /** Hive deltas cannot be merged by name; each one is handed over here instead, top layer first. */
  readonly onHive?: (entry: FileEntry, layer: number) => Promise<void>
  /** An entry that a layer above replaces or deletes. Its content is not to be read. */
  readonly onHidden?: (entry: FileEntry | DirectoryEntry | HardLinkEntry, layer: number) => void
  readonly onTombstone?: (path: LayerPath, layer: number) => void
  readonly onOpaque?: (path: LayerPath, layer: number) => void
  readonly onLayerEnd?: (layer: number) => void
}

/**
 * The entries that are visible after merging layers (base first), top layer first, each layer in its own order. Contents
 * are readable until the next entry is asked for. A directory of a lower layer may come after what lies in it.
 */
export async function* mergeLayers(layers: readonly Layer[], options: MergeOptions = {}): AsyncGenerator<MergedEntry> {
  const {shadow = new LayerShadow(), firstIndex = 0} = options
  for (const [offset, layer] of [...layers.entries()].reverse()) {
    if (!layer.hasContent) continue
    const index = firstIndex + offset
    shadow.beginLayer(index)
    const entries = layer.entries(options)
    for await (const entry of options.names?.record(index, entries) ?? entries) {
      const visible = await visibleEntry(entry, index, shadow, options)
      if (visible !== undefined) yield {entry: visible, layer: index}
    }
    shadow.endLayer()
    options.onLayerEnd?.(index)
  }
}

async function visibleEntry(
  entry: LayerEntry,
  layer: number,
  shadow: LayerShadow,
  options: MergeOptions,
): Promise<FileEntry | DirectoryEntry | HardLinkEntry | undefined> {
  switch (entry.kind) {
    case 'frame':
      return undefined
    case 'tombstone':
      options.onTombstone?.(entry.path, layer)
      shadow.remove(entry.path)
      return undefined
    case 'opaque':
      options.onOpaque?.(entry.path, layer)
      shadow.clear(entry.path)
      return undefined
    case 'file':
      if (options.onHive !== undefined && isInHives(entry.path)) {
        await options.onHive(entry, layer)
        return undefined
      }
      break
    case 'directory':
    case 'hard-link':
  }
  if (shadow.hides(entry.path)) {
    shadow.cover(entry)
    options.onHidden?.(entry, layer)
    return undefined
  }
  shadow.show(entry)
  return entry
}

function isInHives(path: LayerPath): boolean {
  const parent = parentPath(path)
  return parent !== undefined && foldPath(parent) === 'HIVES'
}
