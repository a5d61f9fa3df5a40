import {existsSync, mkdirSync, rmdirSync, statSync} from 'node:fs'
import path from 'node:path'
import {findSystemCode} from '../model/errors.js'

/** Folders that were made on the way to one, so that they can be taken back when nothing comes of it. */
export class MadeFolders {
  /** The topmost first. */
  readonly #made: readonly string[]

  private constructor(made: readonly string[]) {
    this.#made = made
  }

  /** Makes a folder with all that lacks above it, or nothing of it. Errors come as the system tells them. */
  static make(folder: string): MadeFolders {
    const absolute = path.resolve(folder)
    const wanted = [absolute]
    for (let above = path.dirname(absolute); !existsSync(above); above = path.dirname(above)) wanted.unshift(above)
    const made: string[] = []
    try {
      for (const each of wanted) if (makeFolder(each)) made.push(each)
    } catch (error) {
      removeEmpty(made)
      throw error
    }
    return new MadeFolders(made)
  }

  /** Removes what was made, as far as it is empty. */
  remove(): void {
    removeEmpty(this.#made)
  }
}

/** False when it is there already: somebody else may have made it just now. */
function makeFolder(folder: string): boolean {
  try {
    mkdirSync(folder)
    return true
  } catch (error) {
    if (findSystemCode(error) === 'EEXIST' && statSync(folder).isDirectory()) return false
    throw error
  }
}

function removeEmpty(folders: readonly string[]): void {
  for (const folder of folders.toReversed()) {
    try {
      rmdirSync(folder)
    } catch (error) {
      // Something lies in it by now; one that is gone holds nothing up.
      if (findSystemCode(error) !== 'ENOENT') return
    }
  }
}
