import {isUtf8} from 'node:buffer'
import {closeSync, lstatSync, read, type BigIntStats} from 'node:fs'
import path from 'node:path'
import {promisify} from 'node:util'
import {asTransshipError, findSystemCode, InputError} from '../../model/errors.js'
import {comparePaths} from '../../model/layer-path.js'
import {readDiskTimes} from '../../disk/disk-times.js'
import {hashFileInTurns} from '../../disk/hash-file.js'
import type {FileFacts, FolderNames, LayoutFiles, OpenFile} from './layout-files.js'
import {areSameBytes} from '../../disk/same-bytes.js'
import {OpenRoot, readOpened, type OpenedFile} from '../../disk/safe-open.js'
import {readFully} from '../../disk/small-file.js'

const readAsync = promisify(read)
const CHUNK_BYTES = 256 * 1024

/** A transport layout in a folder of a disk. */
export class FolderFiles implements LayoutFiles {
  readonly root: string
  readonly #title: string
  readonly #inside: OpenRoot

  /** `title` is how messages name the layout. */
  constructor(root: string, title: string) {
    this.root = root
    this.#title = title
    this.#inside = new OpenRoot(root)
  }

  list(folder: string): FolderNames {
    const folders: string[] = []
    const files: string[] = []
    const place = path.join(this.root, folder)
    let children
    try {
      children = this.#inside.list(folder, place)
    } catch (error) {
      throw asTransshipError(error, {path: place})
    }
    for (const child of children) {
      const name = this.#requireName(child.name, folder)
      if (child.isDirectory()) folders.push(name)
      else if (child.isFile()) files.push(name)
      // A link could lead out of the layout, a pipe could hang the reader.
      else throw this.#notPlain(`${folder}/${name}`)
    }
    return {folders: sorted(folders), files: sorted(files)}
  }

  #requireName(bytes: Buffer, folder: string): string {
    const name = bytes.toString('utf8')
    if (isUtf8(bytes)) return name
    throw new InputError('NAME_UNSAFE', {
      what: `A name in '${folder}' is not valid UTF-8: ${JSON.stringify(name)}.`,
      suggestions: ['Copy the transport layout again with a tool that keeps names in UTF-8.'],
      at: {path: this.#title},
    })
  }

  #notPlain(name: string): InputError {
    return new InputError('UNRECOGNISED_FORMAT', {
      what: `'${name}' is neither a file nor a folder.`,
      why: 'A transport layout stores links inside carriers, so it cannot contain a link or device of this file system.',
      suggestions: ['Copy the transport layout again without turning carriers into links.'],
      at: {path: this.#title},
    })
  }

  find(name: string, place: string): FileFacts | undefined {
    const file = path.join(this.root, name)
    let stats
    try {
      stats = lstatSync(file, {bigint: true})
    } catch (error) {
      if (findSystemCode(error) === 'ENOENT') return undefined
      throw asTransshipError(error, {path: place})
    }
    if (stats.isFile() || stats.isDirectory()) return new DiskFacts(file, stats)
    throw new InputError('UNRECOGNISED_FORMAT', {
      what: `'${place}' is neither a file nor a folder.`,
      suggestions: ['Copy the transport layout again without turning carriers into links.'],
    })
  }

  /** Opens a file of the folder, when it is first read. */
  open(name: string, _sizeBytes: number, place: string): OpenFile {
    return new DiskFile(() => this.#inside.open(name, place), place)
  }

  findSmall(name: string, limitBytes: number, place: string): Uint8Array | undefined {
    let opened
    try {
      opened = this.#inside.open(name, place)
    } catch (error) {
      if (findSystemCode(error) === 'ENOENT') return undefined
      throw asTransshipError(error, {path: place})
    }
    try {
      return readOpened(opened.fd, limitBytes, place)
    } finally {
      closeSync(opened.fd)
    }
  }

  hash(name: string, signal?: AbortSignal): Promise<string> {
    return hashFileInTurns(() => this.#inside.open(name, name), signal)
  }

  areSame(left: string, right: string): boolean {
    return areSameBytes(this.#inside.open(left, left), () => this.#inside.open(right, right))
  }
}

function sorted(names: string[]): string[] {
  return names.sort(comparePaths)
}

/** Times are worked out when they are asked for: mostly the index has them. */
class DiskFacts implements FileFacts {
  readonly #file: string
  readonly #stats: BigIntStats

  constructor(file: string, stats: BigIntStats) {
    this.#file = file
    this.#stats = stats
  }

  get kind(): FileFacts['kind'] {
    return this.#stats.isDirectory() ? 'directory' : 'file'
  }

  get sizeBytes(): number {
    return Number(this.#stats.size)
  }

  get times() {
    return readDiskTimes(this.#file, this.#stats)
  }

  get linkGroup(): string {
    const {nlink, dev, ino} = this.#stats
    return nlink > 1n ? `${dev}:${ino}` : ''
  }

  get stamp(): string {
    const {dev, ino, size, mtimeNs} = this.#stats
    return `${dev}:${ino} ${size} ${mtimeNs}`
  }
}

/** An open file of a disk. */
export class DiskFile implements OpenFile {
  readonly #place: string
  readonly #fd: number

  constructor(open: () => OpenedFile, place: string) {
    this.#place = place
    try {
      this.#fd = open().fd
    } catch (error) {
      throw asTransshipError(error, {path: place})
    }
  }

  read(offset: number, into: Uint8Array): void {
    readFully(this.#fd, into, offset, this.#place)
  }

  async *range(offset: number, length: number): AsyncGenerator<Uint8Array> {
    const buffer = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, length))
    for (let done = 0; done < length;) {
      const wanted = Math.min(buffer.byteLength, length - done)
      const {bytesRead} = await readAsync(this.#fd, buffer, 0, wanted, offset + done)
      if (bytesRead === 0) {
        throw new InputError('SIZE_MISMATCH', {
          what: 'A file shrank while it was read.',
          suggestions: ['Stop the program that writes to the source, then retry.'],
          at: {path: this.#place, offset: offset + done},
        })
      }
      yield buffer.subarray(0, bytesRead)
      done += bytesRead
    }
  }

  close(): void {
    closeSync(this.#fd)
  }
}
