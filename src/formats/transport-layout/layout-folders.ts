import {mkdirSync} from 'node:fs'
import path from 'node:path'
import {asTransshipError, findSystemCode, InputError} from '../../model/errors.js'
import {baseName, foldPath, nameTaken, parentPath, type LayerPath} from '../../model/layer-path.js'
import {UNIX_EPOCH, type FileTimes} from '../../model/windows-metadata.js'
import type {DiskClock} from '../../disk/disk-clock.js'

interface MadeFolder {
  /** Where it lies below the root, `/` between names. */
  readonly place: string
  readonly times: FileTimes
  /** An entry stands for it. */
  readonly isStated: boolean
}

/** For folders that a layout must have and no entry asks for: the same on every day. */
const NO_TIMES: FileTimes = {
  creation: UNIX_EPOCH,
  lastAccess: UNIX_EPOCH,
  lastWrite: UNIX_EPOCH,
  change: UNIX_EPOCH,
}

/**
 * The folders of a layout that is being written. Layers spell one folder in several ways; it is made as it is spelt first.
 * Their times are set at the end, since all that is put into a folder moves them.
 */
export class LayoutFolders {
  readonly #root: string
  readonly #title: string
  /** By folded path, without the root. */
  readonly #made = new Map<string, MadeFolder>()

  readonly #findFile: (place: string) => string | undefined

  /** `title` is how messages name the layout; `findFile` gives the spelling of a file that is there already. */
  constructor(root: string, title: string, findFile: (place: string) => string | undefined) {
    this.#root = root
    this.#title = title
    this.#findFile = findFile
  }

  /** Where a folder lies that was made; undefined when it was not. */
  find(entry: string): string | undefined {
    return this.#made.get(foldPath(entry))?.place
  }

  /** Makes a folder and those above it, unless they are there. The first entry inside lends its times to one that no entry states. */
  make(entry: string, times: FileTimes = NO_TIMES): string {
    const folded = foldPath(entry)
    const known = this.#made.get(folded)
    if (known !== undefined) return known.place
    const slash = entry.lastIndexOf('/')
    const place = slash < 0 ? entry : `${this.make(entry.slice(0, slash), times)}${entry.slice(slash)}`
    if (this.#findFile(place) !== undefined) throw this.#isFile(entry)
    try {
      mkdirSync(path.join(this.#root, place))
    } catch (error) {
      if (findSystemCode(error) !== 'EEXIST') throw asTransshipError(error, {path: `${this.#title}/${place}`})
      throw this.#isFile(entry, error)
    }
    this.#made.set(folded, {place, times, isStated: false})
    return place
  }

  #isFile(entry: string, cause?: unknown): InputError {
    return new InputError('NAME_COLLISION', {
      what: `'${entry}' is a file, but other entries are inside it as if it were a folder.`,
      at: {path: this.#title},
      cause,
    })
  }

  /** Makes the folder of an entry, which states its times. `NAME_COLLISION`, `DUPLICATE_ENTRY` for a name that is taken. */
  state(entry: LayerPath, times: FileTimes): string {
    const first = this.#findFile(this.findPlace(entry) ?? entry)
    const known = this.#made.get(foldPath(entry))
    if (first !== undefined && known === undefined) throw nameTaken(entry, first, {path: this.#title})
    if (known?.isStated === true) throw nameTaken(entry, known.place, {path: this.#title})
    const place = this.make(entry, times)
    this.#made.set(foldPath(entry), {place, times, isStated: true})
    return place
  }

  /** Where an entry is to lie, its folder made if need be. */
  placeFor(entry: LayerPath, times: FileTimes): string {
    const parent = parentPath(entry)
    return parent === undefined ? baseName(entry) : `${this.make(parent, times)}/${baseName(entry)}`
  }

  /** Where an entry lies if it is there; undefined when its folder is not. */
  findPlace(entry: LayerPath): string | undefined {
    const parent = parentPath(entry)
    if (parent === undefined) return baseName(entry)
    const folder = this.#made.get(foldPath(parent))?.place
    return folder === undefined ? undefined : `${folder}/${baseName(entry)}`
  }

  /** Gives a folder that is there other times than its entry has. */
  retime(entry: string, times: FileTimes): void {
    const made = this.#made.get(foldPath(entry))
    if (made !== undefined) this.#made.set(foldPath(entry), {...made, times})
  }

  /** The times that a folder is to have; those of a folder that must be there when it was not made. */
  timesOf(entry: string): FileTimes {
    return this.#made.get(foldPath(entry))?.times ?? NO_TIMES
  }

  /** Sets the times of all folders, once nothing more is put into them. */
  finish(clock: DiskClock): void {
    for (const {place, times} of this.#made.values())
      clock.setFolder(path.join(this.#root, place), times, `${this.#title}/${place}`)
  }
}
