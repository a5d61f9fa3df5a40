import type {DirectoryEntry, FileEntry} from '../../../model/layer-entry.js'
import {foldPath, parentPath, type LayerPath} from '../../../model/layer-path.js'
import type {TransportLayout} from './read-layout.js'
import type {LayoutNode} from './scan-layout.js'

export type DiskNode = Exclude<LayoutNode, {kind: 'tombstone'}>

/** The entries of a layout by name, Windows-case-insensitively; every name a file of its own. */
export class LayoutLookup {
  readonly #layout: TransportLayout
  readonly #nodes = new Map<string, DiskNode>()
  readonly #deleted = new Set<string>()

  constructor(layout: TransportLayout) {
    this.#layout = layout
    for (const node of layout.scanned.nodes) {
      if (node.kind === 'tombstone') this.#deleted.add(foldPath(node.path))
      else this.#nodes.set(foldPath(node.path), node)
    }
  }

  node(path: LayerPath): DiskNode | undefined {
    return this.#nodes.get(foldPath(path))
  }

  /** The entry of a name; the one before is closed. */
  find(path: LayerPath): FileEntry | DirectoryEntry | undefined {
    const node = this.node(path)
    if (node === undefined) return undefined
    const entry = this.#layout.entry(node, {links: false})
    return entry.kind === 'file' || entry.kind === 'directory' ? entry : undefined
  }

  /** True when the layout deletes the name or a folder above it. */
  isDeleted(path: LayerPath): boolean {
    for (let above: LayerPath | undefined = path; above !== undefined; above = parentPath(above))
      if (this.#deleted.has(foldPath(above))) return true
    return false
  }

  close(): void {
    this.#layout.close()
  }
}
