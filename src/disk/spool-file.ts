import {open, statfs, type FileHandle} from 'node:fs/promises'
import path from 'node:path'
import {asTransshipError, EnvironmentError} from '../model/errors.js'
import {formatBytes} from '../model/quantities.js'
import {removeTree} from './remove-tree.js'
import {makeTemporaryFolder} from './temporary-folder.js'

/** Left free for others when a spool grows. */
const RESERVE_BYTES = 64 * 2 ** 20
/** Free space is looked at again after so much. */
const LOOK_BYTES = 256 * 2 ** 20

/**
 * A file of its own in the folder for temporary files, open for writing and reading. Where an open file may be unlinked it
 * has no name from the beginning, so that nothing is left behind even if the process is killed.
 */
export class SpoolFile {
  readonly handle: FileHandle
  /** Folder it was made in. */
  readonly #folder: string
  readonly #removeNamed: () => void
  #size = 0
  #lookAt = LOOK_BYTES

  private constructor(handle: FileHandle, folder: string, removeNamed: () => void) {
    this.handle = handle
    this.#folder = folder
    this.#removeNamed = removeNamed
  }

  /** Room for `leastBytes` must be there already. Throws `NO_SPACE`, and what the file system says. */
  static async create(leastBytes = 0): Promise<SpoolFile> {
    const folder = makeTemporaryFolder()
    const temporary = path.dirname(folder)
    const remove = () => {
      removeTree(folder)
    }
    try {
      await requireFree(temporary, leastBytes)
      const handle = await open(path.join(folder, 'spool'), 'wx+', 0o600)
      if (process.platform === 'win32') return new SpoolFile(handle, temporary, remove)
      remove()
      return new SpoolFile(handle, temporary, () => undefined)
    } catch (error) {
      remove()
      throw asTransshipError(error, {path: temporary})
    }
  }

  /** Bytes written. */
  get size(): number {
    return this.#size
  }

  /** Appends. Throws `NO_SPACE` before the disk is full to the last byte. */
  async write(bytes: Uint8Array): Promise<void> {
    try {
      if (this.#size + bytes.byteLength > this.#lookAt) {
        await requireFree(this.#folder, bytes.byteLength)
        this.#lookAt = this.#size + bytes.byteLength + LOOK_BYTES
      }
      for (let at = 0; at < bytes.byteLength;) {
        const {bytesWritten} = await this.handle.write(bytes, at, bytes.byteLength - at, this.#size + at)
        at += bytesWritten
      }
      this.#size += bytes.byteLength
    } catch (error) {
      throw asTransshipError(error, {path: this.#folder})
    }
  }

  async close(): Promise<void> {
    await this.handle.close()
    this.#removeNamed()
  }
}

async function requireFree(folder: string, neededBytes: number): Promise<void> {
  const {bavail, bsize} = await statfs(folder)
  const freeBytes = bavail * bsize
  if (freeBytes >= neededBytes + RESERVE_BYTES) return
  throw new EnvironmentError('NO_SPACE', {
    what: `The folder for temporary files needs at least ${formatBytes(neededBytes + RESERVE_BYTES)}, and ${formatBytes(freeBytes)} are free.`,
    why: 'What is compressed, or comes from a pipe or an engine, is kept there while it is read.',
    suggestions: ['Free some space, or name another folder in TMPDIR (TEMP on Windows).'],
    at: {path: folder},
  })
}
