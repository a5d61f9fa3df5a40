import {hash} from 'node:crypto'
import {GrowingBytes} from '../../codecs/bytes/growing-bytes.js'
import type {LayoutFiles} from './layout-files.js'
import type {PayloadIndex} from './payload-index.js'

/** Enough to tell two stamps of one file apart; there may be a million files. */
const MARK_BYTES = 12

/**
 * What the files of a payload looked like at one moment: which file it was, its size and when it was last written. A payload
 * that is checked first and read later is only what was checked if no file has changed until the end of the reading.
 */
export class PayloadStamps {
  readonly #files: LayoutFiles
  readonly #index: PayloadIndex
  /** One behind the other: each as an object of its own would take ten times as much. */
  readonly #marks = new GrowingBytes(64 * MARK_BYTES)

  constructor(files: LayoutFiles, index: PayloadIndex) {
    this.#files = files
    this.#index = index
    for (const {path} of index.lines()) this.#marks.push(this.#markOf(path))
  }

  /** The first file that is not what it was any more: written, replaced or removed. */
  findChanged(): string | undefined {
    const marks = this.#marks.view
    let offset = 0
    for (const {path} of this.#index.lines()) {
      if (!this.#markOf(path).equals(marks.subarray(offset, offset + MARK_BYTES))) return path
      offset += MARK_BYTES
    }
    return undefined
  }

  #markOf(path: string): Buffer {
    const facts = this.#files.find(path, path)
    // Of a folder names come and go; the files are what counts.
    const text = facts === undefined ? 'missing' : facts.kind === 'directory' ? 'folder' : (facts.stamp ?? '')
    return hash('sha256', text, 'buffer').subarray(0, MARK_BYTES)
  }
}
