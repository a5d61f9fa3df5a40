import {UnsupportedError} from '../model/errors.js'
import type {WorkOptions} from '../model/events.js'
import type {Layer} from '../model/image.js'
import type {LayerEntry} from '../model/layer-entry.js'
import {comparePaths, foldPath, parentPath, type LayerPath} from '../model/layer-path.js'
import {LayerShadow, mergeLayers} from './merge.js'

/**
 * The deletions of squashed layers that still matter to the layers below them. A deleted path that was made again as a
 * file needs none; made again as a directory, what the lower directory held must go name by name, since a transport
 * layout has no opaque directories.
 */
export class SquashedDeletions {
  readonly #below: readonly Layer[] | undefined
  readonly #options: WorkOptions
  readonly #removed = new Map<string, LayerPath>()
  readonly #cleared = new Map<string, LayerPath>()

  /** `below`: the layers that stay below, base first; undefined when their content is not known. */
  constructor(below: readonly Layer[] | undefined, options: WorkOptions) {
    this.#below = below
    this.#options = options
  }

  /** A tombstone of one of the layers. */
  remove(path: LayerPath): void {
    this.#removed.set(foldPath(path), path)
  }

  /** An opaque directory of one of the layers. */
  clear(path: LayerPath): void {
    this.#cleared.set(foldPath(path), path)
  }

  /** The tombstones that remain, sorted. `shadow` and `isDirectory` know what the squashed layers show. */
  async *entries(shadow: LayerShadow, isDirectory: (path: LayerPath) => boolean): AsyncGenerator<LayerEntry> {
    if (this.#removed.size === 0 && this.#cleared.size === 0) return
    const isTaken = (path: LayerPath): boolean => shadow.findShown(path) !== undefined || shadow.isBelowLeaf(path)
    const lower =
      this.#below === undefined ? this.#namesUnknown(isDirectory, isTaken) : await this.#namesIn(this.#below)
    const gone = new Map<string, LayerPath>()
    for (const [folded, path] of lower) {
      const isShown = isDirectory(path) || isTaken(path)
      if (!isShown && (this.#removed.has(folded) || this.#isCleared(folded))) gone.set(folded, path)
    }
    for (const path of [...gone.values()].sort(comparePaths)) {
      const parent = parentPath(path)
      if (parent === undefined || !gone.has(foldPath(parent))) yield {kind: 'tombstone', path}
    }
  }

  /** True for a path that one of the layers deletes, itself or with a directory above. */
  hides(path: LayerPath): boolean {
    const folded = foldPath(path)
    return this.#removed.has(folded) || this.#isCleared(folded)
  }

  /** True when a directory above was deleted or made opaque. */
  #isCleared(folded: string): boolean {
    for (let slash = folded.lastIndexOf('/'); slash > 0; slash = folded.lastIndexOf('/', slash - 1)) {
      const above = folded.slice(0, slash)
      if (this.#removed.has(above) || this.#cleared.has(above)) return true
    }
    return false
  }

  /** Names visible in the layers below, among those that the deletions could touch. */
  async #namesIn(below: readonly Layer[]): Promise<Map<string, LayerPath>> {
    const names = new Map<string, LayerPath>()
    const shadow = new LayerShadow()
    // A folder that no entry states is there all the same, also when all that lay in it is gone.
    const addFolders = (path: LayerPath): void => {
      for (let above = parentPath(path); above !== undefined && !names.has(foldPath(above)); above = parentPath(above))
        if (this.hides(above) && !shadow.hides(above)) names.set(foldPath(above), above)
    }
    const onHidden = ({path}: {readonly path: LayerPath}): void => {
      addFolders(path)
    }
    for await (const {entry} of mergeLayers(below, {...this.#options, shadow, onHidden})) {
      if (this.hides(entry.path)) names.set(foldPath(entry.path), entry.path)
      addFolders(entry.path)
    }
    return names
  }

  /** Without the layers below, what was deleted counts as existing there. */
  #namesUnknown(
    isDirectory: (path: LayerPath) => boolean,
    isTaken: (path: LayerPath) => boolean,
  ): Map<string, LayerPath> {
    // What was deleted or replaced since goes with all it holds.
    const isGone = (path: LayerPath): boolean => !isDirectory(path) && (this.hides(path) || isTaken(path))
    const cleared = [...this.#cleared.values()].filter((path) => !isGone(path))
    const [unknown] = [...cleared, ...[...this.#removed.values()].filter(isDirectory)]
    if (unknown !== undefined) throw unknownBelow(unknown)
    return new Map(this.#removed)
  }
}

function unknownBelow(path: LayerPath): UnsupportedError {
  return new UnsupportedError('LAYER_MISSING', {
    what: `The directory '${path}' hides all content of lower layers, but that content is unknown.`,
    suggestions: ['Pass --base REFERENCE with the layers below.'],
    at: {path},
  })
}
