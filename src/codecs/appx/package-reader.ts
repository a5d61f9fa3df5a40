import {availableParallelism} from 'node:os'
import {constants, crc32, createInflateRaw} from 'node:zlib'
import type {ByteSource} from '../backup-stream/byte-source.js'
import {InputError, UnsupportedError} from '../../model/errors.js'
import {throughTransform} from '../compression/through-transform.js'
import {PathTable} from '../../model/path-table.js'
import {readZipDirectory, type PlacedEntry, type ZipDirectory} from '../zip/read-directory.js'
import {requireLocal} from '../zip/require-local.js'
import {DEFLATED, LOCAL_BYTES, STORED} from '../zip/zip-records.js'
import {zipFault} from '../zip/zip-fault.js'
import {BLOCK_BYTES, blockMapFault, readBlockMap, type BlockMap, type MappedFile} from './block-map.js'
import {findBlock, findBlockSync, hashBlock, letGoOfInflated, mayEndStream} from './pack-blocks.js'
import {
  BLOCK_MAP,
  BUNDLE_MANIFEST,
  CONTENT_TYPES,
  findNameFault,
  findPartPath,
  isFootprint,
  isUnmapped,
  MANIFEST,
} from './part-name.js'

/** A part of a package: its place in the zip, and what the block map says of it. */
export interface StoredPart {
  /** `/` between names. */
  readonly path: string
  readonly entry: PlacedEntry
  /** Undefined for the parts that no block map lists. */
  readonly mapped?: MappedFile
}

/** Documents are read whole or parsed as they come; these are far above real ones. */
const MAX_DOCUMENT_BYTES: Readonly<Record<string, number>> = {
  [MANIFEST]: 4 * 2 ** 20,
  [BLOCK_MAP]: 2 ** 30,
  [CONTENT_TYPES]: 2 ** 29,
}
/** Bytes read from the file at a time. */
const CHUNK_BYTES = 256 * 1024

interface Found {
  readonly directory: ZipDirectory
  readonly paths: PathTable
  readonly blockMap: BlockMap
  readonly firstBlocks: Uint32Array
  /** Bytes of the local header by place in the directory; undefined when each is as short as can be. */
  readonly localBytes: Uint32Array | undefined
}

/**
 * A package open for reading. Its parts are read in place and in any order; each block is held against its hash before
 * it is given out. Source: inbox package page, section 2.
 */
export class PackageReader {
  readonly directory: ZipDirectory
  readonly blockMap: BlockMap
  #paths: PathTable | undefined
  /** Place in the directory -> place of the first block in the table, from 1; 0 = the block map does not list it. */
  readonly #firstBlocks: Uint32Array
  readonly #localBytes: Uint32Array | undefined
  readonly #zip: ByteSource
  readonly #title: string
  /** A part is mostly asked for several times in a row. */
  #lastPart: StoredPart | undefined

  private constructor(zip: ByteSource, title: string, found: Found) {
    this.#zip = zip
    this.#title = title
    this.directory = found.directory
    this.#paths = found.paths
    this.blockMap = found.blockMap
    this.#firstBlocks = found.firstBlocks
    this.#localBytes = found.localBytes
  }

  /**
   * Reads the directory and the block map, and holds them against each other. Throws `ARCHIVE_TRUNCATED`,
   * `ARCHIVE_CORRUPT`, `ARCHIVE_CONTRADICTORY`, `MANIFEST_MISSING`, `MANIFEST_INVALID`, `NAME_UNSAFE`, `NAME_COLLISION`,
   * `DUPLICATE_ENTRY`, `LIMIT_EXCEEDED`; `UNRECOGNISED_FORMAT` for a zip that is no package, `FORMAT_UNSUPPORTED` for a bundle.
   */
  static async open(zip: ByteSource, title: string): Promise<PackageReader> {
    const directory = readZipDirectory(zip, title)
    // Before the table is made, so that there are never two of them.
    requireApart(directory, title)
    const paths = readPaths(directory, title)
    if (paths.get(MANIFEST) + paths.get(BLOCK_MAP) === 0) throw noPackage(title)
    for (const path of [MANIFEST, BLOCK_MAP, CONTENT_TYPES])
      if (paths.get(path) === 0) throw zipFault(title, `It does not contain ${path}.`, undefined, 'MANIFEST_MISSING')
    const firstBlocks = new Uint32Array(directory.count)
    const match = new Matching({zip, directory, paths, firstBlocks}, title)
    const mapEntry = directory.entry(paths.get(BLOCK_MAP) - 1)
    const blockMap = await readBlockMap(unpacked(zip, mapEntry, title), `${title}: ${BLOCK_MAP}`, (path, file, map) => {
      match.file(path, file, map)
    })
    match.finish()
    return new PackageReader(zip, title, {directory, paths, blockMap, firstBlocks, localBytes: match.localBytes})
  }

  /** Path of a part -> its place in the directory, from 1. */
  get paths(): PathTable {
    this.#paths ??= readPaths(this.directory, this.#title)
    return this.#paths
  }

  /** Lets go of the names, of which there may be a million, until one is asked for. */
  rest(): void {
    this.#paths = undefined
    this.#lastPart = undefined
  }

  /** Parts in the order of the zip's directory. */
  *parts(): Generator<StoredPart> {
    for (let index = 0; index < this.directory.count; index++) {
      const entry = this.directory.entry(index)
      yield this.#partAt(index, requirePath(entry, this.#title), entry)
    }
  }

  /** The part of that name, or undefined. */
  part(path: string): StoredPart | undefined {
    if (this.#lastPart?.path === path) return this.#lastPart
    const place = this.paths.get(path)
    if (place === 0) return undefined
    this.#lastPart = this.#partAt(place - 1, path, this.directory.entry(place - 1))
    return this.#lastPart
  }

  #partAt(index: number, path: string, entry: PlacedEntry): StoredPart {
    const firstBlock = (this.#firstBlocks[index] ?? 0) - 1
    if (firstBlock < 0) return {path, entry}
    const {sizeBytes, name, method} = entry
    const blocks = Math.ceil(sizeBytes / BLOCK_BYTES)
    const isPacked = blocks > 0 && method === DEFLATED
    const localBytes = (this.#localBytes?.[index] ?? 0) || LOCAL_BYTES + name.length
    return {path, entry, mapped: {sizeBytes, localBytes, firstBlock, blocks, isPacked}}
  }

  /** Where the data of a part begins, its headers checked. */
  dataOf(part: StoredPart): number {
    return requireLocal(this.#zip, part.entry, this.#title)
  }

  /** A range of a part, read at once. Throws `DIGEST_MISMATCH`, `ARCHIVE_CORRUPT`. */
  read(part: StoredPart, data: number, offset: number, into: Uint8Array): void {
    for (let done = 0; done < into.byteLength;) {
      const at = offset + done
      const block = this.block(part, data, Math.floor(at / BLOCK_BYTES))
      const piece = block.subarray(at % BLOCK_BYTES, (at % BLOCK_BYTES) + into.byteLength - done)
      into.set(piece, done)
      done += piece.byteLength
      letGoOfInflated(block)
    }
  }

  /** One block of a part, by its number in it, checked against its hash. Fresh bytes. */
  block(part: StoredPart, data: number, index: number): Uint8Array {
    const {sizeBytes, isLast, packed} = this.#packed(part, data, index)
    const block = part.entry.method === STORED ? packed : findBlockSync(packed, sizeBytes, isLast)
    return this.#verified(part, index, block)
  }

  /** All blocks from one on, inflated ahead on other threads. Each is lent until the next is asked for. */
  async *blocks(part: StoredPart, data: number, from: number): AsyncGenerator<Uint8Array> {
    const count = part.mapped?.blocks ?? 0
    const running: Promise<Uint8Array | undefined>[] = []
    const ahead = availableParallelism() + 1
    try {
      for (let index = from, next = from; index < count; index++) {
        for (; next < count && next < index + ahead; next++) {
          const {packed, sizeBytes, isLast} = this.#packed(part, data, next)
          running.push(part.entry.method === STORED ? Promise.resolve(packed) : findBlock(packed, sizeBytes, isLast))
        }
        const block = this.#verified(part, index, await running.shift())
        yield block
        letGoOfInflated(block)
      }
    } finally {
      await Promise.allSettled(running)
    }
  }

  #packed(
    part: StoredPart,
    data: number,
    index: number,
  ): {readonly packed: Uint8Array; readonly sizeBytes: number; readonly isLast: boolean} {
    const {mapped, entry} = part
    if (mapped === undefined) throw zipFault(this.#title, `'${part.path}' is not read by blocks.`)
    const sizeBytes = Math.min(BLOCK_BYTES, entry.sizeBytes - index * BLOCK_BYTES)
    const block = mapped.firstBlock + index
    const isLast = index === mapped.blocks - 1
    const [start, length] =
      entry.method === STORED
        ? [index * BLOCK_BYTES, sizeBytes]
        : [this.blockMap.start(block), this.blockMap.packedBytes(block)]
    return {packed: Uint8Array.from(this.#zip.read(data + start, length)), sizeBytes, isLast}
  }

  #verified(part: StoredPart, index: number, block: Uint8Array | undefined): Uint8Array {
    const place = {path: `${this.#title}: ${part.path}`, offset: index * BLOCK_BYTES}
    if (block === undefined) throw zipFault(place.path, 'A compressed block is damaged.', place.offset)
    const expected = this.blockMap.hash((part.mapped?.firstBlock ?? 0) + index).toString('base64')
    const found = hashBlock(block)
    if (found === expected) return block
    throw new InputError('DIGEST_MISMATCH', {
      what: 'A block of the package is damaged.',
      why: `Expected ${expected} from the block map, found ${found}.`,
      suggestions: ['Export or download the package again.'],
      at: place,
    })
  }

  /** A document of the container, whole. */
  async document(path: string): Promise<Buffer> {
    const part = this.part(path)
    if (part === undefined) throw zipFault(this.#title, `It does not contain ${path}.`, undefined, 'MANIFEST_MISSING')
    const chunks: Uint8Array[] = []
    for await (const chunk of unpacked(this.#zip, part.entry, this.#title)) chunks.push(Uint8Array.from(chunk))
    // What the block map lists has hashes as well.
    for (let index = 0; index < (part.mapped?.blocks ?? 0); index++) this.block(part, this.dataOf(part), index)
    return Buffer.concat(chunks)
  }
}

function noPackage(title: string): InputError {
  return new InputError('UNRECOGNISED_FORMAT', {
    what: `'${title}' is a zip file, but not an AppX package.`,
    why: `It has neither ${MANIFEST} nor ${BLOCK_MAP}.`,
    at: {path: title},
  })
}

/** A bundle is a package of packages; which of them is meant, only its owner can say. */
function bundleFault(title: string): UnsupportedError {
  return new UnsupportedError('FORMAT_UNSUPPORTED', {
    what: 'The file is a bundle of packages.',
    why: `It contains ${BUNDLE_MANIFEST}; transship reads single packages only.`,
    suggestions: ['Unpack the bundle with unzip or makeappx unbundle, then pass the .appx or .msix inside.'],
    at: {path: title},
  })
}

function requirePath(entry: PlacedEntry, title: string): string {
  const path = findPartPath(entry.name)
  const why =
    path === undefined ? 'Its percent-encoding is not valid.' : isFootprint(path) ? undefined : findNameFault(path)
  if (path !== undefined && why === undefined) return path
  if (path?.toLowerCase() === BUNDLE_MANIFEST.toLowerCase()) throw bundleFault(title)
  throw new InputError('NAME_UNSAFE', {
    what: `The entry name ${JSON.stringify(entry.name.slice(0, 300))} is unsafe.`,
    ...(why === undefined ? {} : {why}),
    suggestions: ['Do not trust this package unless you know who made it.'],
    at: {path: title, offset: entry.offset},
  })
}

function readPaths(directory: ZipDirectory, title: string): PathTable {
  const paths = new PathTable()
  let place = 0
  for (const entry of directory.entries()) paths.set(requirePath(entry, title), ++place)
  return paths
}

/** Refuses names that are one on Windows (`DUPLICATE_ENTRY`), and a file that is used as a folder (`NAME_COLLISION`). */
function requireApart(directory: ZipDirectory, title: string): void {
  const folded = new PathTable({isFolding: true})
  const isFile = (place: number) => place > 0
  let place = 0
  for (const entry of directory.entries()) {
    const path = requirePath(entry, title)
    if (folded.get(path) !== 0) throw zipFault(`${title}: ${path}`, 'It occurs twice.', undefined, 'DUPLICATE_ENTRY')
    place++
    if (folded.someAbove(path, isFile))
      throw zipFault(`${title}: ${path}`, 'It is inside a file as if that were a folder.', undefined, 'NAME_COLLISION')
    folded.set(path, place)
    if (folded.hasChildren(path))
      throw zipFault(
        `${title}: ${path}`,
        'Other entries are inside it as if it were a folder.',
        undefined,
        'NAME_COLLISION',
      )
  }
}

interface Matched {
  readonly zip: ByteSource
  readonly directory: ZipDirectory
  readonly paths: PathTable
  readonly firstBlocks: Uint32Array
}

/** Holds the files of the block map against the directory, as they come. */
class Matching {
  readonly #zip: ByteSource
  readonly #directory: ZipDirectory
  readonly #paths: PathTable
  readonly #firstBlocks: Uint32Array
  readonly #title: string
  localBytes: Uint32Array | undefined

  constructor({zip, directory, paths, firstBlocks}: Matched, title: string) {
    this.#zip = zip
    this.#directory = directory
    this.#paths = paths
    this.#firstBlocks = firstBlocks
    this.#title = title
  }

  file(path: string, mapped: MappedFile, map: BlockMap): void {
    const index = this.#paths.get(path) - 1
    if (index < 0) throw this.#contradiction(path, 'lists it, but the package does not contain it.')
    if (isUnmapped(path)) throw this.#contradiction(path, 'lists it, which is not allowed.')
    if (this.#firstBlocks[index] !== 0) throw blockMapFault(`${this.#title}: ${BLOCK_MAP}`, `It lists '${path}' twice.`)
    const entry = this.#directory.entry(index)
    this.#requireSame(path, {entry, mapped, map})
    if (mapped.localBytes !== LOCAL_BYTES + entry.name.length) this.#requireLocalBytes(path, index, mapped)
    this.#firstBlocks[index] = mapped.firstBlock + 1
  }

  #requireSame(
    path: string,
    {entry, mapped, map}: {readonly entry: PlacedEntry; readonly mapped: MappedFile; readonly map: BlockMap},
  ): void {
    if (mapped.sizeBytes !== entry.sizeBytes)
      throw this.#contradiction(path, `says it has ${mapped.sizeBytes} bytes, the zip says ${entry.sizeBytes}.`)
    if (mapped.blocks > 0 && !mapped.isPacked && entry.method === DEFLATED)
      throw this.#contradiction(path, 'does not say where its compressed blocks begin.')
    const last = mapped.firstBlock + mapped.blocks - 1
    // Of a stored file the sizes of its blocks are known anyway; those in the map may be of an earlier packing.
    const packed = mapped.isPacked ? map.start(last) + map.packedBytes(last) : 0
    const tail = entry.packedBytes - packed
    if (entry.method === STORED ? entry.packedBytes !== entry.sizeBytes : !mayEndStream(tail))
      throw this.#contradiction(path, 'has compressed sizes that do not add up to the size in the zip.')
  }

  /** A header with extra fields is longer than its name makes it; how long, only the header itself tells. */
  #requireLocalBytes(path: string, index: number, {localBytes}: MappedFile): void {
    const entry = this.#directory.entry(index)
    if (requireLocal(this.#zip, entry, this.#title) - entry.offset !== localBytes)
      throw this.#contradiction(path, `says its header has ${localBytes} bytes.`)
    this.localBytes ??= new Uint32Array(this.#directory.count)
    this.localBytes[index] = localBytes
  }

  /** What the block map does not list must be of the few parts that it never does; nobody else checks their headers. */
  finish(): void {
    for (const [index, firstBlock] of this.#firstBlocks.entries()) {
      if (firstBlock !== 0) continue
      const entry = this.#directory.entry(index)
      const path = requirePath(entry, this.#title)
      if (!isUnmapped(path)) throw this.#contradiction(path, 'does not list it.')
      requireLocal(this.#zip, entry, this.#title)
    }
  }

  #contradiction(path: string, why: string): InputError {
    return zipFault(`${this.#title}: ${path}`, `The block map ${why}`, undefined, 'ARCHIVE_CONTRADICTORY')
  }
}

/** The bytes of a document of the container; its size and CRC are checked at the end. */
async function* unpacked(zip: ByteSource, entry: PlacedEntry, title: string): AsyncGenerator<Uint8Array> {
  const place = `${title}: ${entry.name}`
  const limit = MAX_DOCUMENT_BYTES[entry.name] ?? CHUNK_BYTES
  if (entry.sizeBytes > limit)
    throw zipFault(place, `It has ${entry.sizeBytes} bytes; the limit is ${limit}.`, undefined, 'LIMIT_EXCEEDED')
  const start = requireLocal(zip, entry, title)
  const stored = storedBytes(zip, start, entry.packedBytes)
  // Some writers end with a flush and mark no block as the last: size and CRC tell whether all of it came.
  const inflate = entry.method === STORED ? undefined : createInflateRaw({finishFlush: constants.Z_SYNC_FLUSH})
  const plain = inflate === undefined ? stored : throughTransform(stored, inflate, undefined)
  let crc = 0
  let size = 0
  try {
    for await (const chunk of plain) {
      size += chunk.byteLength
      if (size > entry.sizeBytes) break
      crc = crc32(chunk, crc)
      yield chunk
    }
  } catch (error) {
    if (error instanceof InputError) throw error
    throw zipFault(place, error instanceof Error ? error.message : 'It cannot be decompressed.')
  }
  if (size !== entry.sizeBytes) throw zipFault(place, `It does not unpack to the expected ${entry.sizeBytes} bytes.`)
  if (crc !== entry.crc) throw zipFault(place, 'Its CRC does not match its content.', undefined, 'DIGEST_MISMATCH')
  if (inflate !== undefined && inflate.bytesWritten !== entry.packedBytes)
    throw zipFault(place, 'Extra data follows the end of its compressed data.')
}

/** Copies, since who reads them reads elsewhere in the file meanwhile. */
// eslint-disable-next-line @typescript-eslint/require-await
async function* storedBytes(zip: ByteSource, start: number, length: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < length; at += CHUNK_BYTES)
    yield Uint8Array.from(zip.read(start + at, Math.min(CHUNK_BYTES, length - at)))
}
