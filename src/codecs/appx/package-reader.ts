import {availableParallelism} from 'node:os'
import {crc32, createInflateRaw} from 'node:zlib'
import {Readable} from 'node:stream'
import type {ByteSource} from '../backup-stream/byte-source.js'
import {InputError} from '../../model/errors.js'
import {throughTransform} from '../compression/through-transform.js'
import {readZipDirectory, requireLocal, type PlacedEntry, type ZipDirectory} from '../zip/read-directory.js'
import {DEFLATED, LOCAL_BYTES, STORED} from '../zip/zip-records.js'
import {zipFault} from '../zip/zip-fault.js'
import {BLOCK_BYTES, readBlockMap, type BlockMap, type MappedFile} from './block-map.js'
import {findBlock, findBlockSync, FINAL_BLOCK, hashBlock} from './pack-blocks.js'
import {
  BLOCK_MAP,
  CONTENT_TYPES,
  findNameFault,
  findPartPath,
  foldPart,
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

/**
 * A package open for reading. Its parts are read in place and in any order; each block is held against its hash before
 * it is given out. Source: inbox package page, section 2.
 */
export class PackageReader {
  readonly directory: ZipDirectory
  readonly blockMap: BlockMap
  readonly #parts = new Map<string, StoredPart>()
  readonly #zip: ByteSource
  readonly #title: string

  private constructor(zip: ByteSource, directory: ZipDirectory, facts: {blockMap: BlockMap; title: string}) {
    this.#zip = zip
    this.directory = directory
    this.blockMap = facts.blockMap
    this.#title = facts.title
  }

  /**
   * Reads the directory and the block map, and holds them against each other. Throws `ARCHIVE_TRUNCATED`,
   * `ARCHIVE_CORRUPT`, `ARCHIVE_CONTRADICTORY`, `MANIFEST_MISSING`, `MANIFEST_INVALID`, `NAME_UNSAFE`, `NAME_COLLISION`,
   * `DUPLICATE_ENTRY`, `LIMIT_EXCEEDED`.
   */
  static async open(zip: ByteSource, title: string): Promise<PackageReader> {
    const directory = readZipDirectory(zip, title)
    const paths = directory.entries.map((entry) => requirePath(entry, title))
    requireDistinct(paths, title)
    const find = (path: string) => directory.entries[paths.findIndex((found) => found === path)]
    const mapEntry = find(BLOCK_MAP)
    for (const [path, entry] of [
      [MANIFEST, find(MANIFEST)],
      [BLOCK_MAP, mapEntry],
      [CONTENT_TYPES, find(CONTENT_TYPES)],
    ] as const)
      if (entry === undefined) throw zipFault(title, `It has no ${path}.`, undefined, 'MANIFEST_MISSING')
    if (mapEntry === undefined) throw zipFault(title, `It has no ${BLOCK_MAP}.`)
    const place = `${title}: ${BLOCK_MAP}`
    const blockMap = await readBlockMap(unpacked(zip, mapEntry, title), place)
    // Other parts are checked where they are read; of these, some never are.
    for (const [index, entry] of directory.entries.entries())
      if (isUnmapped(paths[index] ?? '')) requireLocal(zip, entry, title)
    const reader = new PackageReader(zip, directory, {blockMap, title})
    reader.#match(paths)
    return reader
  }

  /** Parts in the order of the zip's directory. */
  parts(): Iterable<StoredPart> {
    return this.#parts.values()
  }

  part(path: string): StoredPart | undefined {
    return this.#parts.get(path)
  }

  #match(paths: readonly string[]): void {
    for (const [index, entry] of this.directory.entries.entries()) {
      const path = paths[index] ?? ''
      const mapped = this.blockMap.files.get(path)
      if (isUnmapped(path) !== (mapped === undefined))
        throw this.#contradiction(path, mapped === undefined ? 'does not list it.' : 'lists it, and must not.')
      if (mapped !== undefined) this.#requireSame(path, entry, mapped)
      this.#parts.set(path, {path, entry, ...(mapped === undefined ? {} : {mapped})})
    }
    for (const path of this.blockMap.files.keys())
      if (!this.#parts.has(path)) throw this.#contradiction(path, 'lists it, and the package does not hold it.')
  }

  #requireSame(path: string, entry: PlacedEntry, mapped: MappedFile): void {
    if (mapped.sizeBytes !== entry.sizeBytes)
      throw this.#contradiction(path, `gives it ${mapped.sizeBytes} bytes, the zip ${entry.sizeBytes}.`)
    if (mapped.localBytes !== LOCAL_BYTES + entry.name.length)
      throw this.#contradiction(path, `gives its header ${mapped.localBytes} bytes.`)
    if (mapped.blocks > 0 && mapped.isPacked !== (entry.method === DEFLATED))
      throw this.#contradiction(path, 'and the zip disagree on whether it is deflated.')
    const last = mapped.firstBlock + mapped.blocks - 1
    const packed = mapped.isPacked ? this.blockMap.start(last) + this.blockMap.packedBytes(last) : 0
    const tail = entry.packedBytes - packed
    if (entry.method === STORED ? entry.packedBytes !== entry.sizeBytes : tail !== FINAL_BLOCK.length && tail !== 0)
      throw this.#contradiction(path, 'has packed sizes that do not add up to the size in the zip.')
  }

  #contradiction(path: string, why: string): InputError {
    return zipFault(`${this.#title}: ${path}`, `The block map ${why}`, undefined, 'ARCHIVE_CONTRADICTORY')
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
    }
  }

  /** One block of a part, by its number in it, checked against its hash. Fresh bytes. */
  block(part: StoredPart, data: number, index: number): Uint8Array {
    const {sizeBytes, isLast, packed} = this.#packed(part, data, index)
    const block = part.entry.method === STORED ? packed : findBlockSync(packed, sizeBytes, isLast)
    return this.#verified(part, index, block)
  }

  /** All blocks from one on, inflated ahead on other threads. */
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
        yield this.#verified(part, index, await running.shift())
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
    if (block === undefined) throw zipFault(place.path, 'A deflated block is damaged.', place.offset)
    const expected = Buffer.from(this.blockMap.hash((part.mapped?.firstBlock ?? 0) + index)).toString('base64')
    const found = hashBlock(block)
    if (found === expected) return block
    throw new InputError('DIGEST_MISMATCH', {
      what: 'A block of the package is damaged.',
      why: `The block map expects ${expected}, found ${found}.`,
      suggestions: ['Export or download the package again.'],
      at: place,
    })
  }

  /** A document of the container, whole. */
  async document(path: string): Promise<Buffer> {
    const part = this.#parts.get(path)
    if (part === undefined) throw zipFault(this.#title, `It has no ${path}.`, undefined, 'MANIFEST_MISSING')
    const chunks: Uint8Array[] = []
    for await (const chunk of unpacked(this.#zip, part.entry, this.#title)) chunks.push(Uint8Array.from(chunk))
    // What the block map lists has hashes as well.
    for (let index = 0; index < (part.mapped?.blocks ?? 0); index++) this.block(part, this.dataOf(part), index)
    return Buffer.concat(chunks)
  }
}

function requirePath(entry: PlacedEntry, title: string): string {
  const path = findPartPath(entry.name)
  const why =
    path === undefined ? 'It is no valid percent-encoding.' : isFootprint(path) ? undefined : findNameFault(path)
  if (path !== undefined && why === undefined) return path
  throw new InputError('NAME_UNSAFE', {
    what: `The entry name ${JSON.stringify(entry.name.slice(0, 300))} is refused.`,
    ...(why === undefined ? {} : {why}),
    suggestions: ['Do not trust this package unless you know who made it.'],
    at: {path: title, offset: entry.offset},
  })
}

/** Names are compared as Windows does, and a file is no folder of others. */
function requireDistinct(paths: readonly string[], title: string): void {
  const seen = new Set<string>()
  for (const path of paths) {
    const folded = foldPart(path)
    if (seen.has(folded)) throw zipFault(`${title}: ${path}`, 'It is there twice.', undefined, 'DUPLICATE_ENTRY')
    seen.add(folded)
  }
  const folders = new Set<string>()
  for (const path of paths) {
    for (let slash = path.lastIndexOf('/'); slash > 0; slash = path.lastIndexOf('/', slash - 1)) {
      const folder = foldPart(path.slice(0, slash))
      if (folders.has(folder)) break
      if (seen.has(folder))
        throw zipFault(`${title}: ${path}`, 'It lies in a file as if that were a folder.', undefined, 'NAME_COLLISION')
      folders.add(folder)
    }
  }
}

/** The bytes of a document of the container; its size and CRC are checked at the end. */
async function* unpacked(zip: ByteSource, entry: PlacedEntry, title: string): AsyncGenerator<Uint8Array> {
  const place = `${title}: ${entry.name}`
  const limit = MAX_DOCUMENT_BYTES[entry.name] ?? CHUNK_BYTES
  if (entry.sizeBytes > limit)
    throw zipFault(place, `It has ${entry.sizeBytes} bytes, more than ${limit}.`, undefined, 'LIMIT_EXCEEDED')
  const start = requireLocal(zip, entry, title)
  const stored = storedBytes(zip, start, entry.packedBytes)
  const plain = entry.method === STORED ? stored : throughTransform(stored, createInflateRaw(), undefined)
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
    throw zipFault(place, error instanceof Error ? error.message : 'It cannot be inflated.')
  }
  if (size !== entry.sizeBytes) throw zipFault(place, `It unpacks to another size than ${entry.sizeBytes}.`)
  if (crc !== entry.crc) throw zipFault(place, 'Its CRC is not that of its bytes.', undefined, 'DIGEST_MISMATCH')
}

function storedBytes(zip: ByteSource, start: number, length: number): AsyncIterable<Uint8Array> {
  return Readable.from(
    (function* () {
      for (let at = 0; at < length; at += CHUNK_BYTES)
        yield Uint8Array.from(zip.read(start + at, Math.min(CHUNK_BYTES, length - at)))
    })(),
  )
}
