import type {DirectoryEntry, FileEntry} from '../../model/layer-entry.js'
import {foldPath, parentPath, type LayerPath} from '../../model/layer-path.js'
import {PathTable} from '../../model/path-table.js'
import type {DiskNode} from './layout-nodes.js'
import type {TransportLayout} from './read-layout.js'

/** The entries of a layout by name, Windows-case-insensitively; every name a file of its own. */
export class LayoutLookup {
  readonly #layout: TransportLayout
  /** Path -> number of the node. */
  readonly #numbers = new PathTable({isFolding: true})
  readonly #deleted = new Set<string>()

  constructor(layout: TransportLayout) {
    this.#layout = layout
    const {nodes} = layout.scanned
    for (const [number, {path}] of nodes.numbered()) this.#numbers.set(path, number)
    for (const path of nodes.deletions) this.#deleted.add(foldPath(path))
  }

  /** The number of a name; 0 when the layout does not hold it. */
  number(path: LayerPath): number {
    return this.#numbers.get(path)
  }

  node(path: LayerPath): DiskNode | undefined {
    return this.#layout.scanned.nodes.at(this.number(path))
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
