import {open} from 'node:fs/promises'
import path from 'node:path'
import {removeTree} from '../../disk/remove-tree.js'
import {makeTemporaryFolder} from '../../disk/temporary-folder.js'
import type {SolidRun} from '../../codecs/wim/blob-table.js'
import {readSolid} from '../../codecs/wim/chunked-resource.js'
import type {ResourceHeader} from '../../codecs/wim/resource-header.js'
import {wimFault} from '../../codecs/wim/wim-fault.js'
import {asTransshipError} from '../../model/errors.js'
import type {WorkOptions} from '../../model/events.js'
import {SeekableFile} from '../../disk/seekable-file.js'

/**
 * Solid resources, unpacked: their chunks are so large that each content would cost one. A run is unpacked to a temporary
 * file when the first of its contents is read; `close` removes it.
 */
export class SolidRuns {
  readonly #fileOf: (part: number) => SeekableFile
  readonly #unpacked = new Map<SolidRun, Promise<SeekableFile>>()

  constructor(fileOf: (part: number) => SeekableFile) {
    this.#fileOf = fileOf
  }

  /** A content of a run. Throws `ARCHIVE_CORRUPT` when it lies beyond the run. */
  async *read(run: SolidRun, {offset, size}: ResourceHeader, options: WorkOptions): AsyncGenerator<Uint8Array> {
    const unpacking = this.#unpacked.get(run) ?? this.#unpack(run, options)
    this.#unpacked.set(run, unpacking)
    const file = await unpacking
    if (offset + size > file.size)
      throw wimFault(`A content ends at ${offset + size} of ${file.size} bytes of a solid run.`)
    yield* file.stream(offset, size, options)
  }

  async #unpack(run: SolidRun, {signal}: WorkOptions): Promise<SeekableFile> {
    const folder = makeTemporaryFolder()
    const remove = () => {
      removeTree(folder)
      return Promise.resolve()
    }
    const place = path.join(folder, 'solid')
    try {
      const handle = await open(place, 'wx')
      try {
        for (const {part, header} of run.resources) {
          for await (const chunk of readSolid(this.#fileOf(part), header)) {
            signal?.throwIfAborted()
            await handle.writeFile(chunk)
          }
        }
      } finally {
        await handle.close()
      }
      const file = await SeekableFile.open(place, remove)
      // Where an open file may be unlinked, nothing is left behind even if the process is killed.
      if (process.platform !== 'win32') await remove()
      return file
    } catch (error) {
      await remove()
      throw asTransshipError(error, {path: place})
    }
  }

  async close(): Promise<void> {
    for (const unpacking of this.#unpacked.values()) {
      const file = await unpacking.catch(() => undefined)
      await file?.close()
    }
  }
}
