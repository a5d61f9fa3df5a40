import type {DirectoryEntry, FileEntry, HardLinkEntry, LayerEntry} from '../model/layer-entry.js'
import {foldPath, parentPath, type LayerPath} from '../model/layer-path.js'
import type {Layer} from '../model/image.js'
import type {WorkOptions} from '../model/events.js'

/** An entry that is visible once layers are merged, and the index of the layer it comes from. */
export interface MergedEntry {
  readonly entry: FileEntry | DirectoryEntry | HardLinkEntry
  readonly layer: number
}

/**
 * Which names are taken or hidden while layers are walked from the top down. Names meet as Windows compares them.
 * What a layer hides counts only for the layers below it, so deletions wait until the layer has been walked.
 */
export class LayerShadow {
  readonly #seen = new Set<string>()
  /** Paths below which nothing of lower layers is visible. */
  readonly #cut = new Set<string>()
  /** Paths that lower layers may not show, themselves and below. */
  #pending: {folded: string; selfToo: boolean}[] = []

  /** True when a layer above shows this path already, or hides it. */
  hides(path: LayerPath): boolean {
    const folded = foldPath(path)
    if (this.#seen.has(folded)) return true
    if (this.#cut.size === 0) return false
    for (let slash = folded.indexOf('/'); slash >= 0; slash = folded.indexOf('/', slash + 1)) {
      if (this.#cut.has(folded.slice(0, slash))) return true
    }
    return false
  }

  /** True when an entry at this path has been shown. */
  shows(path: LayerPath): boolean {
    return this.#seen.has(foldPath(path))
  }

  show(entry: FileEntry | DirectoryEntry | HardLinkEntry): void {
    const folded = foldPath(entry.path)
    this.#seen.add(folded)
    // A file, a link or a reparse point in place of a lower directory hides what that directory held.
    if (entry.kind !== 'directory' || entry.meta.reparsePoint !== undefined)
      this.#pending.push({folded, selfToo: false})
  }

  /** A tombstone: neither the path nor anything below it comes from lower layers. */
  remove(path: LayerPath): void {
    this.#pending.push({folded: foldPath(path), selfToo: true})
  }

  /** An opaque directory: nothing below it comes from lower layers. */
  clear(path: LayerPath): void {
    this.#pending.push({folded: foldPath(path), selfToo: false})
  }

  /** The layer has been walked: what it hides now counts. */
  endLayer(): void {
    for (const {folded, selfToo} of this.#pending) {
      this.#cut.add(folded)
      if (selfToo) this.#seen.add(folded)
    }
    this.#pending = []
  }
}

/** What a walk over merged layers meets beside the visible entries. */
export interface MergeOptions extends WorkOptions {
  /** Lowest layer to look at; layers below it are left out. Default 0. */
  readonly from?: number
  /** Hive deltas cannot be merged by name; each one is handed over here instead, top layer first. */
  readonly onHive?: (entry: FileEntry, layer: number) => Promise<void>
  readonly onTombstone?: (path: LayerPath, layer: number) => void
  readonly onOpaque?: (path: LayerPath, layer: number) => void
}

/**
 * The entries that are visible after merging layers, top layer first, each layer in its own order. Contents are
 * readable until the next entry is asked for. A directory of a lower layer may come after what lies in it.
 */
export async function* mergeLayers(layers: readonly Layer[], options: MergeOptions = {}): AsyncGenerator<MergedEntry> {
  const shadow = new LayerShadow()
  for (let index = layers.length - 1; index >= (options.from ?? 0); index--) {
    const layer = layers[index]
    if (!layer?.hasContent) continue
    for await (const entry of layer.entries(options)) {
      const visible = await visibleEntry(entry, index, shadow, options)
      if (visible !== undefined) yield {entry: visible, layer: index}
    }
    shadow.endLayer()
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
      if (!shadow.hides(entry.path)) options.onTombstone?.(entry.path, layer)
      shadow.remove(entry.path)
      return undefined
    case 'opaque':
      if (!shadow.hides(entry.path) || shadow.shows(entry.path)) options.onOpaque?.(entry.path, layer)
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
  if (shadow.hides(entry.path)) return undefined
  shadow.show(entry)
  return entry
}

function isInHives(path: LayerPath): boolean {
  const parent = parentPath(path)
  return parent !== undefined && foldPath(parent) === 'HIVES'
}
