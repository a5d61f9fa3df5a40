import {readdir, stat} from 'node:fs/promises'
import path from 'node:path'
import {detectCompression, MAGIC_BYTES} from '../../codecs/compression/detect-compression.js'
import {asTransshipError, findSystemCode, InputError} from '../../model/errors.js'
import {requireDocumentSize} from '../../codecs/json/json-document.js'
import {blobPath} from '../../formats/oci-layout/content-store.js'
import type {LayoutBlob, OpenedLayout} from '../../formats/oci-layout/opened-layout.js'
import {fillBufferLater} from '../../disk/fill-buffer.js'
import {stampOfFile} from '../../disk/file-stamp.js'
import {NOTHING_OPEN, useOpen} from '../../disk/kept-open.js'
import {openRegularHandle} from '../../disk/safe-open.js'
import {SeekableFile} from '../../disk/seekable-file.js'
import type {WorkOptions} from '../../model/events.js'

/** Opens an OCI layout in a folder. Throws `NOT_FOUND`, `UNRECOGNISED_FORMAT` when the path is a file. */
export async function openFolder(root: string): Promise<OpenedLayout> {
  const found = await stat(root).catch((error: unknown) => {
    throw asTransshipError(error, {path: root})
  })
  if (!found.isDirectory()) {
    throw new InputError('UNRECOGNISED_FORMAT', {
      what: `'${root}' is a file.`,
      suggestions: [`For an OCI layout in a tar, use oci-archive:${root}`],
      at: {path: root},
    })
  }
  const at = (name: string): string => path.join(root, ...name.split('/'))
  const held = new HeldFiles()
  const use = await useOpen(`oci layout ${root}`, {
    stampOf: () => stampOfFile(at('index.json')),
    // Another object each time: it stays the same one as long as index.json is unchanged.
    open: async () => ({value: {...NOTHING_OPEN}, stamp: await stampOfFile(at('index.json'))}),
  })
  return {
    contents: use.value,
    store: {
      title: root,
      findDocument: ({digest}) => readDocument(at(blobPath(digest))),
      findBlob: async ({digest}) => {
        const file = at(blobPath(digest))
        if (!(await isFile(file))) return undefined
        const opened = await held.hold(file)
        if (opened === undefined)
          return {compression: detectCompression(await readHead(file)), open: (options) => streamFile(file, options)}
        return {
          compression: detectCompression(await opened.read(0, MAGIC_BYTES)),
          range: opened.range(0, opened.size),
          open: (options) => opened.stream(0, opened.size, options),
        }
      },
    },
    findFile: (name) => readDocument(at(name)),
    blobs: () => blobsIn(root),
    close: async () => {
      await use.release()
      await held.close()
    },
  }
}

/** An image has fewer layers; a listing of many images opens more blobs than a process may hold. */
const MOST_HELD = 64

/** Blobs that are kept open, as each thread reads an open file by its number. */
class HeldFiles {
  readonly #files = new Map<string, Promise<SeekableFile>>()

  /** Undefined when enough are held. */
  async hold(file: string): Promise<SeekableFile | undefined> {
    const known = this.#files.get(file)
    if (known !== undefined) return known
    if (this.#files.size >= MOST_HELD) return undefined
    const opened = SeekableFile.open(file)
    this.#files.set(file, opened)
    try {
      return await opened
    } catch (error) {
      this.#files.delete(file)
      throw error
    }
  }

  async close(): Promise<void> {
    const opened = await Promise.all(this.#files.values())
    this.#files.clear()
    await Promise.all(opened.map((file) => file.close()))
  }
}

async function isFile(file: string): Promise<boolean> {
  try {
    return (await stat(file)).isFile()
  } catch (error) {
    if (isMissing(error)) return false
    throw asTransshipError(error, {path: file})
  }
}

function isMissing(error: unknown): boolean {
  const code = findSystemCode(error)
  return code === 'ENOENT' || code === 'ENOTDIR'
}

async function readDocument(file: string): Promise<Uint8Array | undefined> {
  if (!(await isFile(file))) return undefined
  const opened = await SeekableFile.open(file)
  try {
    requireDocumentSize(opened.size, file)
    return await opened.read(0, opened.size)
  } finally {
    await opened.close()
  }
}

async function readHead(file: string): Promise<Uint8Array> {
  const handle = await openRegularHandle(file, {links: 'followed'})
  try {
    const head = Buffer.alloc(MAGIC_BYTES)
    return head.subarray(0, await fillBufferLater(handle.fd, head, 0))
  } finally {
    await handle.close()
  }
}

/** The bytes of a file. `NOT_FOUND`, `NO_ACCESS`, `ARCHIVE_TRUNCATED`. */
export async function* streamFile(file: string, options: WorkOptions): AsyncGenerator<Uint8Array> {
  const opened = await SeekableFile.open(file)
  try {
    yield* opened.stream(0, opened.size, options)
  } finally {
    await opened.close()
  }
}

async function* blobsIn(root: string): AsyncGenerator<LayoutBlob> {
  for (const algorithm of await namesIn(path.join(root, 'blobs'))) {
    for (const hex of await namesIn(path.join(root, 'blobs', algorithm))) {
      const file = path.join(root, 'blobs', algorithm, hex)
      if (!(await isFile(file))) continue
      const {size} = await stat(file)
      yield {
        name: `blobs/${algorithm}/${hex}`,
        sizeBytes: size,
        open: (options: WorkOptions) => streamFile(file, options),
      }
    }
  }
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return (await readdir(folder)).sort()
  } catch (error) {
    if (isMissing(error)) return []
    throw asTransshipError(error, {path: folder})
  }
}
