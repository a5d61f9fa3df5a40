import {detectCompression} from '../../src/codecs/compression/detect-compression.js'
import {blobPath, type ContentStore} from '../../src/formats/oci-layout/content-store.js'
import type {LayoutPlace} from '../../src/formats/oci-layout/opened-layout.js'
import {TransshipError} from '../../src/model/errors.js'
import type {WorkEvent} from '../../src/model/events.js'
import {chunked} from './bytes.js'
import type {LayoutBuilder} from './layouts.js'

/** A store in memory that keeps a record of what it is asked for. */
export interface AskedStore extends ContentStore {
  /** Paths of documents and blobs, as often as they were asked for. */
  readonly asked: string[]
}

/** The blobs of a layout as a store, as they are by the time they are asked for. */
export function storeOf({files}: Pick<LayoutBuilder, 'files'>, title = 'the store'): AskedStore {
  const asked: string[] = []
  const find = (path: string) => {
    asked.push(path)
    return Promise.resolve(files.get(path))
  }
  return {
    title,
    asked,
    findDocument: ({digest}) => find(blobPath(digest)),
    findBlob: async ({digest}, {isOpaque = false}) => {
      const bytes = await find(blobPath(digest))
      if (bytes === undefined) return undefined
      return {compression: isOpaque ? 'none' : detectCompression(bytes), open: () => chunked(bytes, 1000)}
    },
  }
}

export interface MemoryPlace extends LayoutPlace {
  readonly store: AskedStore
  /** How often it was opened without being closed. */
  readonly uses: {open: number}
}

/** A place with one layout in memory, whatever the path; `without` = files at its top that it lacks. */
export function placeOf(layout: LayoutBuilder, without: readonly string[] = []): MemoryPlace {
  const store = storeOf(layout)
  const uses = {open: 0}
  return {
    store,
    uses,
    format: ({path, selector}) => `memory:${path}${selector === undefined ? '' : ` ${selector}`}`,
    open: () => {
      uses.open += 1
      const tops = new Map(layout.members().filter(([name]) => !name.startsWith('blobs/') && !without.includes(name)))
      return Promise.resolve({
        contents: {},
        store,
        findFile: (name: string) => Promise.resolve(tops.has(name) ? Buffer.from(tops.get(name) as string) : undefined),
        async *blobs() {
          for (const [name, bytes] of layout.files)
            yield await Promise.resolve({name, sizeBytes: bytes.length, open: () => chunked(bytes, 1000)})
        },
        close: () => {
          uses.open -= 1
          return Promise.resolve()
        },
      })
    },
  }
}

/** The error of ours that the work ends in. */
export async function errorOf(work: () => unknown): Promise<TransshipError> {
  try {
    await work()
  } catch (error) {
    if (error instanceof TransshipError) return error
    throw error
  }
  throw new Error('no error was thrown')
}

/** Notes and losses as `[code, subject]`, and what to hand over as `onEvent`. */
export function hearing(): {
  readonly told: (readonly [string, string])[]
  readonly onEvent: (event: WorkEvent) => void
} {
  const told: (readonly [string, string])[] = []
  return {
    told,
    onEvent: (event) => {
      if (event.kind === 'note' || event.kind === 'loss') told.push([event.code, event.subject])
    },
  }
}
