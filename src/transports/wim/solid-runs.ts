import type {SolidRun} from '../../codecs/wim/blob-table.js'
import {readSolid} from '../../codecs/wim/chunked-resource.js'
import type {ResourceHeader} from '../../codecs/wim/resource-header.js'
import {wimFault} from '../../codecs/wim/wim-fault.js'
import type {WorkOptions} from '../../model/events.js'
import {StreamLimit} from '../../model/unpack-limit.js'
import {SeekableFile} from '../../disk/seekable-file.js'
import {SpoolFile} from '../../disk/spool-file.js'

/** How messages call it. */
const SOLID_RUN = 'A solid run of the WIM'

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

  async #unpack(run: SolidRun, options: WorkOptions): Promise<SeekableFile> {
    const limit = new StreamLimit(SOLID_RUN, options)
    const file = await SpoolFile.create()
    try {
      for (const {part, header} of run.resources) {
        for await (const chunk of readSolid(this.#fileOf(part), header)) {
          options.signal?.throwIfAborted()
          limit.give(chunk.byteLength)
          await file.write(chunk)
        }
      }
      return SeekableFile.spooled(file, SOLID_RUN)
    } catch (error) {
      await file.close()
      throw error
    }
  }

  async close(): Promise<void> {
    for (const unpacking of this.#unpacked.values()) {
      const file = await unpacking.catch(() => undefined)
      await file?.close()
    }
  }
}
