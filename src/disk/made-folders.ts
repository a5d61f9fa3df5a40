import {existsSync, mkdirSync, rmdirSync} from 'node:fs'
import path from 'node:path'
import {findSystemCode} from '../model/errors.js'

/** Folders that were made on the way to one, so that they can be taken back when nothing comes of it. */
export class MadeFolders {
  readonly #folder: string
  readonly #topmost: string | undefined

  private constructor(folder: string, topmost: string | undefined) {
    this.#folder = folder
    this.#topmost = topmost
  }

  /** Makes a folder with all that lacks above it. Errors come as the system tells them. */
  static make(folder: string): MadeFolders {
    const absolute = path.resolve(folder)
    try {
      return new MadeFolders(absolute, mkdirSync(absolute, {recursive: true}))
    } catch (error) {
      // Of a disk that may not be written, Node tells ENOENT; making just the first folder tells what is wrong.
      let first = absolute
      while (!existsSync(path.dirname(first))) first = path.dirname(first)
      if (!existsSync(first)) mkdirSync(first)
      throw error
    }
  }

  /** Removes what was made, as far as it is empty. */
  remove(): void {
    if (this.#topmost === undefined) return
    const topmost = path.resolve(this.#topmost)
    for (let folder = this.#folder; folder.startsWith(topmost); folder = path.dirname(folder)) {
      try {
        rmdirSync(folder)
      } catch (error) {
        // Something lies in it by now; one that is gone holds nothing up.
        if (findSystemCode(error) !== 'ENOENT') return
      }
    }
  }
}
