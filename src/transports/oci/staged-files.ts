import {existsSync} from 'node:fs'
import {lstat, mkdir, open, readdir, rename, rm, stat} from 'node:fs/promises'
import path from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import {asTransshipError, findSystemCode, TransshipError} from '../../model/errors.js'
import type {WorkOptions} from '../../model/events.js'
import {streamFile} from './folder.js'
import {FolderLock} from '../../disk/folder-lock.js'
import {parseIndex, type IndexDocument} from '../../formats/image-documents/image-documents.js'
import {occupied} from '../../model/replacing.js'
import {MadeFolders} from '../../disk/made-folders.js'
import {keepFresh, removeLeftovers, removeLeftoversInside} from '../../disk/own-leftovers.js'
import {removeTree} from '../../disk/remove-tree.js'
import {readBounded} from '../../disk/safe-open.js'
import {lockedWorkName, parseWorkName, workPathBeside} from '../../disk/work-name.js'
import {MAX_DOCUMENT_BYTES} from '../../codecs/json/json-document.js'
import type {ExistingBlob} from '../../formats/oci-layout/kept-blob.js'
import type {IndexOver, LayoutFiles} from '../../formats/oci-layout/layout-files.js'

const STAGE_PREFIX = '.tmp-'

/** A body that lies in the staging folder. */
export interface StagedBody {
  readonly file: string
  readonly size: number
}

/** Throws `DESTINATION_EXISTS` when the path is taken by something that is neither a layout nor an empty folder. */
export async function requireLayoutOrFree(root: string): Promise<void> {
  const found = await lstat(root).catch((error: unknown) => {
    if (findSystemCode(error) === 'ENOENT') return undefined
    throw asTransshipError(error, {path: root})
  })
  if (found === undefined) return
  // A link that leads nowhere is in the way as well.
  if ((await isFolder(root)) && (existsSync(path.join(root, 'oci-layout')) || (await contentOf(root)).length === 0))
    return
  throw occupied({
    what: `'${root}' exists and is not an OCI layout.`,
    instead: ['Choose another folder. transship creates it if it does not exist.'],
    isReplaceable: false,
    at: {path: root},
  })
}

async function isFolder(place: string): Promise<boolean> {
  try {
    return (await stat(place)).isDirectory()
  } catch (error) {
    if (findSystemCode(error) === 'ENOENT') return false
    throw asTransshipError(error, {path: place})
  }
}

/** How often, and how long between, one asks for the lock of a layout that others have made meanwhile: some 30 seconds. */
const MOST_TRIES = 120
const TRY_AGAIN_MS = 250

/** Written at a time. */
const WRITE_BYTES = 2 ** 20

/** What is in a folder but for our own locks and stages. */
async function contentOf(root: string): Promise<readonly string[]> {
  return (await readdir(root)).filter((name) => parseWorkName(name) === undefined && !name.startsWith('.lock'))
}

/**
 * A layout that is made beside its final place, or inside the layout that is added to: bodies and documents take their
 * places only at `commit`, index.json last, so that the layout is whole at any moment. Of several writers of one new layout
 * the first one's becomes it, and the others add to that.
 */
export class StagedFiles implements LayoutFiles<StagedBody> {
  readonly #root: string
  readonly #stage: string
  readonly #made: MadeFolders
  readonly #reference: string
  #lock: FolderLock | undefined
  readonly existing: IndexDocument | undefined
  readonly mayOverlap = true
  readonly #stopTouching: () => void
  #size = 0
  #bodies = 0

  private constructor(
    root: string,
    stage: string,
    held: {reference: string; made: MadeFolders; lock?: FolderLock; existing?: IndexDocument | undefined},
  ) {
    this.#root = root
    this.#reference = held.reference
    this.#stage = stage
    this.#made = held.made
    this.#lock = held.lock
    this.existing = held.existing
    this.#stopTouching = keepFresh(stage)
  }

  /** Throws `LOCKED`, `NO_ACCESS` and the like. */
  static async open(root: string, reference: string, options: WorkOptions): Promise<StagedFiles> {
    try {
      if (!existsSync(root)) {
        removeLeftovers(root, options)
        const stage = workPathBeside(path.resolve(root))
        const made = MadeFolders.make(path.join(stage, 'blobs', 'sha256'))
        return new StagedFiles(root, stage, {reference, made})
      }
      const lock = await FolderLock.take(root, {...options, reference})
      const stage = path.join(root, lockedWorkName(STAGE_PREFIX))
      try {
        removeLeftoversInside(root, STAGE_PREFIX, options)
        const made = MadeFolders.make(path.join(stage, 'blobs', 'sha256'))
        return new StagedFiles(root, stage, {reference, made, lock, existing: findIndex(root)})
      } catch (error) {
        removeTree(stage)
        lock.release()
        throw error
      }
    } catch (error) {
      throw asTransshipError(error, {path: root})
    }
  }

  get size(): number {
    return this.#size
  }

  async addBody(body: AsyncIterable<Uint8Array>, {signal}: WorkOptions): Promise<StagedBody> {
    const file = path.join(this.#stage, `body-${this.#bodies++}`)
    let size = 0
    await this.#store(file, async (write) => {
      // Networks give small pieces, and each call of the file system costs as much as copying some hundred kilobytes.
      const held = Buffer.allocUnsafeSlow(WRITE_BYTES)
      let length = 0
      for await (const chunk of body) {
        signal?.throwIfAborted()
        size += chunk.byteLength
        if (length + chunk.byteLength > held.byteLength) {
          await write(held.subarray(0, length))
          length = 0
        }
        if (chunk.byteLength > held.byteLength) await write(chunk)
        else {
          held.set(chunk, length)
          length += chunk.byteLength
        }
      }
      await write(held.subarray(0, length))
    })
    return {file, size}
  }

  async #store(file: string, fill: (write: (chunk: Uint8Array) => Promise<void>) => Promise<void>): Promise<void> {
    try {
      const handle = await open(file, 'wx')
      try {
        await fill(async (chunk) => {
          await handle.writeFile(chunk)
          this.#size += chunk.byteLength
        })
        await handle.sync()
      } finally {
        await handle.close()
      }
    } catch (error) {
      // Who takes a lock over clears the stage: that says more than that files are not there.
      this.#lock?.requireHeld()
      throw asTransshipError(error, {path: file})
    }
  }

  async name(body: StagedBody, name: string): Promise<void> {
    await rename(body.file, await this.#placeOf(name))
  }

  async drop(body: StagedBody): Promise<void> {
    await rm(body.file)
    this.#size -= body.size
  }

  async addFile(name: string, bytes: Uint8Array): Promise<void> {
    const file = await this.#placeOf(name)
    await this.#store(file, (write) => write(bytes))
  }

  async findExisting(name: string): Promise<ExistingBlob<StagedBody> | undefined> {
    const file = path.join(this.#root, ...name.split('/'))
    const found = this.#lock === undefined ? undefined : await stat(file).catch(() => undefined)
    if (found?.isFile() !== true) return undefined
    return {member: {file, size: found.size}, sizeBytes: found.size, open: (options) => streamFile(file, options)}
  }

  async #placeOf(name: string): Promise<string> {
    const file = path.join(this.#stage, ...name.split('/'))
    await mkdir(path.dirname(file), {recursive: true})
    return file
  }

  /** Of a layout, entries are compared one by one: as a whole it is never told to be equal. */
  async commit(index: IndexOver, options: WorkOptions): Promise<boolean> {
    try {
      let {existing} = this
      if (this.#lock === undefined) {
        await this.addFile('index.json', index(existing))
        if (await this.#moveWhole()) return false
        await this.#lockOther(options)
        await rm(path.join(this.#stage, 'index.json'))
        existing = findIndex(this.#root)
      }
      await this.addFile('index.json', index(existing))
      await this.#place()
      await this.abort()
      return false
    } catch (error) {
      throw asTransshipError(error, {path: this.#root})
    }
  }

  /** False when someone else has put a layout there meanwhile. */
  async #moveWhole(): Promise<boolean> {
    try {
      await rename(this.#stage, this.#root)
      this.#stopTouching()
      return true
    } catch (error) {
      const code = findSystemCode(error)
      if (code !== 'EEXIST' && code !== 'ENOTEMPTY' && code !== 'ENOTDIR' && code !== 'EPERM') throw error
      if (!existsSync(this.#root)) throw error
      await requireLayoutOrFree(this.#root)
      return false
    }
  }

  /** Others who were too late as well only put into place what they have: it is worth while to wait for them. */
  async #lockOther(options: WorkOptions): Promise<void> {
    const {signal} = options
    for (let tries = 1; this.#lock === undefined; tries++) {
      try {
        this.#lock = await FolderLock.take(this.#root, {...options, reference: this.#reference})
      } catch (error) {
        if (!(error instanceof TransshipError) || error.code !== 'LOCKED' || tries === MOST_TRIES) throw error
        await sleep(TRY_AGAIN_MS, undefined, signal === undefined ? {} : {signal}).catch(() => undefined)
        signal?.throwIfAborted()
      }
    }
  }

  /** Everything that is new into the layout whose lock is held, index.json last. */
  async #place(): Promise<void> {
    /** Blobs that were not there: they go again when no index will name them. */
    const placed: string[] = []
    try {
      this.#lock?.requireHeld()
      const blobs = path.join(this.#stage, 'blobs')
      for (const algorithm of await readdir(blobs)) {
        await mkdir(path.join(this.#root, 'blobs', algorithm), {recursive: true})
        for (const hex of await readdir(path.join(blobs, algorithm))) {
          // Equal names are equal bytes; where the old file is damaged, this mends it.
          const target = path.join(this.#root, 'blobs', algorithm, hex)
          const isNew = !existsSync(target)
          await rename(path.join(blobs, algorithm, hex), target)
          if (isNew) placed.push(target)
        }
      }
      // Blobs that nothing names do no harm: what counts is the index.
      this.#lock?.requireHeld()
      for (const name of ['oci-layout', 'index.json']) {
        await rename(path.join(this.#stage, name), path.join(this.#root, name))
      }
    } catch (error) {
      // Who took the lock over may have named them by now.
      if (this.#isHeld()) for (const blob of placed) removeTree(blob)
      throw error
    }
  }

  #isHeld(): boolean {
    try {
      this.#lock?.requireHeld()
      return true
    } catch {
      return false
    }
  }

  abort(): Promise<void> {
    this.#stopTouching()
    removeTree(this.#stage)
    this.#made.remove()
    this.#lock?.release()
    return Promise.resolve()
  }
}

/** The index of a layout; undefined where there is none. Throws `MANIFEST_INVALID`. */
export function findIndex(root: string): IndexDocument | undefined {
  const file = path.join(root, 'index.json')
  if (!existsSync(file)) return undefined
  return parseIndex(readBounded(file, MAX_DOCUMENT_BYTES, {links: 'followed'}), 'index.json')
}
