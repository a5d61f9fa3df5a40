import {DIRECTORY_CARRIER_SUFFIX} from './layer-path.js'

/** One file or folder of a payload that is not what it was when its package was made. */
export interface FileEdit {
  /** Path in the package; of a folder's metadata, the folder. */
  readonly file: string
  readonly kind: 'changed' | 'added' | 'removed'
}

/** Everything that was edited in a payload. */
export interface PayloadEdits {
  readonly total: number
  /** In the order of their names; of more than `MAX_LISTED_EDITS` the first that were found. */
  readonly files: readonly FileEdit[]
}

/** Whoever edits more has made another package; a list of a million names helps nobody, and must fit into a report. */
export const MAX_LISTED_EDITS = 10_000

/** Names in a sentence. */
export const MOST_NAMED = 20

/** Gathers edits from several witnesses, each file once. */
export class EditList {
  readonly #files = new Map<string, FileEdit>()
  #unlisted = 0

  add(path: string, kind: FileEdit['kind']): void {
    const isSidecar = path.endsWith(DIRECTORY_CARRIER_SUFFIX)
    const file = isSidecar ? path.slice(0, -DIRECTORY_CARRIER_SUFFIX.length) : path
    if (this.#files.has(file)) return
    if (this.#files.size < MAX_LISTED_EDITS) this.#files.set(file, {file, kind})
    else this.#unlisted++
  }

  addAll({files, total}: PayloadEdits): void {
    for (const {file, kind} of files) this.add(file, kind)
    this.#unlisted += total - files.length
  }

  get edits(): PayloadEdits {
    const files = [...this.#files.values()].sort((one, other) => (one.file < other.file ? -1 : 1))
    return {total: files.length + this.#unlisted, files}
  }
}

/** `Files/a.txt (changed), Files/b.txt (added) and 3 more`: the first twenty by name; empty without edits. */
export function describeEdits({total, files}: PayloadEdits): string {
  const named = files.slice(0, MOST_NAMED).map(({file, kind}) => `${file} (${kind})`)
  const more = total - named.length
  return more > 0 ? `${named.join(', ')} and ${more} more` : named.join(', ')
}
