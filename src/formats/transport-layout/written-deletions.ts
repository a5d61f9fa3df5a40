import {decodeTombstones, encodeTombstones, findTombstoneLine} from '../../codecs/tombstones/tombstones.js'
import type {TombstoneEntry} from '../../model/layer-entry.js'
import {foldPath, parentPath, type LayerPath} from '../../model/layer-path.js'

/** What has been written so far, asked when all has been. */
export interface WrittenNames {
  /** True for a folder of this name, in whatever case. */
  readonly isFolder: (entry: LayerPath) => boolean
  /** True for a file of this name, in whatever case. */
  readonly isFile: (entry: LayerPath) => boolean
}

/** The deletions of a layer, on their way into tombstones.txt. */
export class WrittenDeletions {
  readonly #deleted: LayerPath[] = []
  /** Folded paths of those that stand for what an opaque folder hides. */
  readonly #derived = new Set<string>()

  /** Takes a deletion; false for one that tombstones.txt cannot name. */
  add({path, isDerived = false}: TombstoneEntry): boolean {
    if (findTombstoneLine(path) === undefined) return false
    this.#deleted.push(path)
    if (isDerived) this.#derived.add(foldPath(path))
    return true
  }

  /**
   * The bytes of tombstones.txt; undefined where there is to be none. `kept` are the bytes it had, null for none: they
   * are used again where they name the same. Only a delta has the file without a deletion.
   */
  encode(written: WrittenNames, kept: Uint8Array | null | undefined, isDelta: boolean): Uint8Array | undefined {
    // Windows deletes after it has written: a name that was made again must not be in the list, nor one below a file.
    const deletions = this.#deleted.filter(
      (deleted) => !isWritten(deleted, written) && !isBelowFile(deleted, written) && !this.#isBelowDerived(deleted),
    )
    if (kept === null && deletions.length === 0) return undefined
    if (kept !== undefined && kept !== null && saysTheSame(kept, this.#deleted)) return kept
    return isDelta || deletions.length > 0 ? encodeTombstones(deletions) : undefined
  }

  /**
   * What the layer deletes below something that its opaque folder hides is gone with it. In the layer, the folder was
   * emptied first; in the list, a link of a lower layer would still be in the way.
   */
  #isBelowDerived(deleted: LayerPath): boolean {
    if (this.#derived.size === 0) return false
    for (let above = parentPath(deleted); above !== undefined; above = parentPath(above))
      if (this.#derived.has(foldPath(above))) return true
    return false
  }
}

function isWritten(entry: LayerPath, {isFolder, isFile}: WrittenNames): boolean {
  return isFolder(entry) || isFile(entry)
}

function isBelowFile(entry: LayerPath, {isFolder, isFile}: WrittenNames): boolean {
  for (let above = parentPath(entry); above !== undefined; above = parentPath(above)) {
    if (isFolder(above)) return false
    if (isFile(above)) return true
  }
  return false
}

/** True when the bytes of a tombstones.txt name just these deletions, in whatever order and form. */
function saysTheSame(bytes: Uint8Array, deletions: readonly LayerPath[]): boolean {
  const kept = new Set(decodeTombstones(bytes).map(foldPath))
  const now = new Set(deletions.map(foldPath))
  return kept.size === now.size && [...now].every((deleted) => kept.has(deleted))
}
