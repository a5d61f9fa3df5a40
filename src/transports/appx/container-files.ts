import {createHash} from 'node:crypto'
import {setImmediate} from 'node:timers/promises'
import {isFootprint} from '../../codecs/appx/part-name.js'
import {BLOCK_BYTES} from '../../codecs/appx/block-map.js'
import {LOGO} from '../../codecs/appx/manifest.js'
import type {StoredPart} from '../../codecs/appx/package-reader.js'
import {InputError} from '../../model/errors.js'
import {comparePaths, DIRECTORY_CARRIER_SUFFIX} from '../../model/layer-path.js'
import {PathTable, type PathChild} from '../../model/path-table.js'
import {UNIX_EPOCH, type FileTimes} from '../../model/windows-metadata.js'
import type {FileFacts, FolderNames, LayoutFiles, OpenFile} from '../../formats/transport-layout/layout-files.js'
import type {Container} from './container.js'
import {ESCAPED_FOLDER, findSidecarFolder, splitIndex, type SplicedIndex} from './container-index.js'

/** An index takes some 200 bytes an entry; this is more entries than Windows layers have. */
const MAX_INDEX_BYTES = 1024 * 1024 * 1024
const INDEX_NAME = 'payload-index.jsonl'
/** Numbers in the table of what is added. */
const [FILE, FOLDER] = [1, 2]

/** The files of a package inside its container, by the names they have in a folder. */
export class ContainerFiles implements LayoutFiles {
  readonly container: Container
  /** Folder of the container that is the root, with `/` behind it; empty for its own. */
  readonly #root: string
  /** Path -> part, for names that the container cannot have. */
  readonly #escapes: ReadonlyMap<string, string>
  readonly #index: SplicedIndex | undefined
  /** Paths that no part tells of by its name: those of `#escapes`, and folders in which nothing lies. */
  readonly #added = new PathTable()

  constructor(container: Container, root: string) {
    this.container = container
    this.#root = root
    const {index, escapes, folders} = this.#readIndex()
    this.#index = index
    this.#escapes = escapes
    for (const path of escapes.keys()) this.#added.set(path, FILE)
    for (const folder of folders) if (folder !== '') this.#added.set(folder, FOLDER)
  }

  /** Parts of the container itself are no files of the package. */
  #isOwn(path: string): boolean {
    if (!path.startsWith(this.#root)) return false
    return !isFootprint(path) && path !== LOGO && !path.startsWith(`${ESCAPED_FOLDER}/`)
  }

  #readIndex() {
    const part = this.container.reader.part(`${this.#root}${INDEX_NAME}`)
    if (part === undefined) return {index: undefined, escapes: new Map<string, string>(), folders: []}
    this.#requireBelow(part, MAX_INDEX_BYTES, `its ${INDEX_NAME}`)
    const {index, ...added} = splitIndex(blocksOf(this.container, part))
    for (const [path, escaped] of added.escapes) {
      if (this.container.reader.part(escaped) !== undefined) continue
      throw new InputError('NOT_FOUND', {
        what: `The part ${escaped} is missing.`,
        why: `The package index needs it for '${path.slice(0, 300)}'.`,
        at: {path: this.container.title},
      })
    }
    return {index: index.sizeBytes === 0 && part.entry.sizeBytes > 0 ? undefined : index, ...added}
  }

  list(folder: string): FolderNames {
    if (!this.#isFolder(folder)) throw this.#missing(folder)
    const inside = (name: string) => (folder === '' ? name : `${folder}/${name}`)
    const [folders, files] = [new Set<string>(), new Set<string>()]
    for (const {name, value} of this.#partsIn(folder)) {
      if (value === 0 ? this.#holdsParts(inside(name)) : this.#isFile(inside(name)))
        (value === 0 ? folders : files).add(name)
    }
    for (const {name, value} of this.#added.children(folder)) {
      if (this.#escapes.has(inside(name))) files.add(name)
      if (value === FOLDER || this.#added.hasChildren(inside(name))) folders.add(name)
    }
    for (const name of files) {
      const own = name.slice(0, -DIRECTORY_CARRIER_SUFFIX.length)
      if (findSidecarFolder(inside(name)) === inside(own) && own !== '' && !this.#isFile(inside(own))) folders.add(own)
    }
    return {folders: sorted(folders), files: sorted(files)}
  }

  #partsIn(folder: string): Iterable<PathChild> {
    return this.container.reader.paths.children(`${this.#root}${folder}`.replace(/\/$/, ''))
  }

  #holdsParts(folder: string): boolean {
    for (const {name, value} of this.#partsIn(folder)) {
      const inside = `${folder}/${name}`
      if (value === 0 ? this.#holdsParts(inside) : this.#isFile(inside)) return true
    }
    return false
  }

  #isFolder(path: string): boolean {
    if (path === '' || this.#holdsParts(path) || this.#added.hasChildren(path)) return true
    if (this.#added.get(path) === FOLDER) return true
    const sidecar = `${path}${DIRECTORY_CARRIER_SUFFIX}`
    return findSidecarFolder(sidecar) === path && this.#isFile(sidecar) && !this.#isFile(path)
  }

  #isFile(path: string): boolean {
    return this.#partName(path) !== undefined
  }

  /** The name of the part that holds a file; undefined when there is no such file. */
  #partName(path: string): string | undefined {
    const escaped = this.#escapes.get(path)
    if (escaped !== undefined) return escaped
    if (path === INDEX_NAME && this.#index === undefined) return undefined
    const name = `${this.#root}${path}`
    return this.#isOwn(name) && this.container.reader.paths.get(name) !== 0 ? name : undefined
  }

  #part(path: string): StoredPart | undefined {
    const name = this.#partName(path)
    return name === undefined ? undefined : this.container.reader.part(name)
  }

  #require(path: string): StoredPart {
    const part = this.#part(path)
    if (part !== undefined) return part
    throw this.#missing(path)
  }

  #missing(path: string): InputError {
    return new InputError('NOT_FOUND', {
      what: `The package does not contain '${path}'.`,
      suggestions: ['Export the package again.'],
      at: {path: this.container.title},
    })
  }

  find(path: string): FileFacts | undefined {
    const part = this.#part(path)
    if (part === undefined)
      return this.#isFolder(path) ? {kind: 'directory', sizeBytes: 0, times: dosTimes(0), linkGroup: ''} : undefined
    const sizeBytes = path === INDEX_NAME ? (this.#index?.sizeBytes ?? 0) : part.entry.sizeBytes
    return {kind: 'file', sizeBytes, times: dosTimes(part.entry.modified), linkGroup: ''}
  }

  open(path: string): OpenFile {
    const file = new PartFile(this.container, this.#require(path))
    return path === INDEX_NAME && this.#index !== undefined ? new SplicedFile(this.#index, file) : file
  }

  findSmall(path: string, limitBytes: number, place: string): Uint8Array | undefined {
    const part = this.#part(path)
    if (part === undefined) return undefined
    this.#requireBelow(part, limitBytes, place)
    const bytes = Buffer.allocUnsafe(this.find(path)?.sizeBytes ?? 0)
    this.open(path).read(0, bytes)
    return bytes
  }

  #requireBelow({entry: {sizeBytes}}: StoredPart, limitBytes: number, place: string): void {
    if (sizeBytes <= limitBytes) return
    throw new InputError('LIMIT_EXCEEDED', {
      what: `'${place}' has ${sizeBytes} bytes; the limit is ${limitBytes}.`,
      at: {path: this.container.title},
    })
  }

  async hash(path: string, signal?: AbortSignal): Promise<string> {
    const part = this.#require(path)
    const hash = createHash('sha256')
    let blocks = 0
    for (const block of blocksOf(this.container, part)) {
      // Blocks are read without waiting: now and then whatever else waits, a Ctrl-C too, has its turn.
      if (++blocks % BLOCKS_PER_TURN === 0) {
        await setImmediate()
        signal?.throwIfAborted()
      }
      hash.update(block)
    }
    return hash.digest('hex')
  }

  /** By the hashes of their blocks: each is checked when it is read. */
  areSame(left: string, right: string): boolean {
    const {blockMap} = this.container.reader
    const [a, b] = [this.#require(left), this.#require(right)]
    if (a.mapped === undefined || b.mapped === undefined || a.entry.sizeBytes !== b.entry.sizeBytes) return false
    for (let index = 0; index < a.mapped.blocks; index++) {
      const one = blockMap.hash(a.mapped.firstBlock + index)
      if (Buffer.compare(one, blockMap.hash(b.mapped.firstBlock + index)) !== 0) return false
    }
    return true
  }
}

/** 16 MiB of blocks of 64 KiB. */
const BLOCKS_PER_TURN = 256

function* blocksOf({reader}: Container, part: StoredPart): Generator<Uint8Array> {
  const data = reader.dataOf(part)
  for (let index = 0; index < (part.mapped?.blocks ?? 0); index++) yield reader.block(part, data, index)
}

function sorted(names: ReadonlySet<string>): string[] {
  return [...names].sort(comparePaths)
}

/** The one time of a zip entry, in steps of two seconds and of no zone: read as UTC. Source: APPNOTE 4.4.6. */
function dosTimes(modified: number): FileTimes {
  const [date, time] = [modified >>> 16, modified & 0xffff]
  const milliseconds = Date.UTC(
    1980 + (date >>> 9),
    Math.max(0, ((date >>> 5) & 15) - 1),
    Math.max(1, date & 31),
    time >>> 11,
    (time >>> 5) & 63,
    (time & 31) * 2,
  )
  const at = UNIX_EPOCH + BigInt(milliseconds) * 10_000n
  return {creation: at, lastAccess: at, lastWrite: at, change: at}
}

/** A part open for reading: by range through its blocks. */
class PartFile implements OpenFile {
  readonly #container: Container
  readonly #part: StoredPart
  readonly #data: number

  constructor(container: Container, part: StoredPart) {
    this.#container = container
    this.#part = part
    this.#data = container.reader.dataOf(part)
  }

  read(offset: number, into: Uint8Array): void {
    this.#container.reader.read(this.#part, this.#data, offset, into)
  }

  async *range(offset: number, length: number): AsyncGenerator<Uint8Array> {
    if (length === 0) return
    let at = Math.floor(offset / BLOCK_BYTES) * BLOCK_BYTES
    const end = offset + length
    for await (const block of this.#container.reader.blocks(this.#part, this.#data, at / BLOCK_BYTES)) {
      yield block.subarray(Math.max(0, offset - at), Math.min(block.byteLength, end - at))
      at += block.byteLength
      if (at >= end) return
    }
  }

  close(): void {
    // The container stays open for the next part.
  }
}

/** The index of the package, by what of it is in its container. */
class SplicedFile implements OpenFile {
  readonly #index: SplicedIndex
  readonly #file: PartFile

  constructor(index: SplicedIndex, file: PartFile) {
    this.#index = index
    this.#file = file
  }

  read(offset: number, into: Uint8Array): void {
    this.#index.read(offset, into, (at, piece) => {
      this.#file.read(at, piece)
    })
  }

  // eslint-disable-next-line @typescript-eslint/require-await
  async *range(offset: number, length: number): AsyncGenerator<Uint8Array> {
    for (let done = 0; done < length;) {
      const piece = Buffer.allocUnsafe(Math.min(BLOCK_BYTES, length - done))
      this.read(offset + done, piece)
      yield piece
      done += piece.byteLength
    }
  }

  close(): void {
    this.#file.close()
  }
}
