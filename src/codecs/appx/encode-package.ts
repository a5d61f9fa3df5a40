import {createHash} from 'node:crypto'
import {availableParallelism} from 'node:os'
import {crc32} from 'node:zlib'
import type {Digest} from '../../model/digest.js'
import {InputError} from '../../model/errors.js'
import {BlockRoom} from '../bytes/block-room.js'
import {GrowingBytes} from '../bytes/growing-bytes.js'
import {HeldBytes} from '../compression/held-bytes.js'
import {
  DEFLATED,
  encodeCentralEntry,
  encodeDescriptor,
  encodeEnd,
  encodeLocalHeader,
  FLAG_DESCRIPTOR,
  STORED,
  type ZipEntry,
} from '../zip/zip-records.js'
import {BLOCK_BYTES, BlockMapWriter} from './block-map.js'
import {ContentTypesWriter} from './content-types.js'
import {FINAL_BLOCK, hashBlock, letGoOfPacked, packBlock} from './pack-blocks.js'
import {BLOCK_MAP, CONTENT_TYPES, encodePartName, MANIFEST} from './part-name.js'

/** A file that becomes a part of a package. */
export interface AppxPart {
  /** `/` between names; one that AppX takes. */
  readonly path: string
  readonly sizeBytes: number
  /**
   * The bytes in blocks of `BLOCK_BYTES`, the last one shorter. Several are held at once, so each is fresh, or lies at
   * the start of memory from `take`, which gives room for one block.
   */
  blocks(take: () => Uint8Array<ArrayBuffer>): Iterable<Uint8Array>
}

/** Options of writing an AppX container. */
export interface EncodePackageOptions {
  /** The bytes of AppxManifest.xml, given the SHA-256 of everything in front of it. */
  readonly manifest: (containerDigest: Digest) => Uint8Array
  /** 1 to 9 of deflate, or 0: all parts are stored. */
  readonly level?: number | undefined
  /** Blocks deflated at once; all cores by default. */
  readonly concurrency?: number | undefined
  readonly signal?: AbortSignal | undefined
}

const DEFAULT_LEVEL = 6
/** Written at a time. */
const CHUNK_BYTES = 512 * 1024
/** Steps held back at most, behind a block that is deflated: of many small files, or as many stored blocks. */
const MAX_QUEUE = 256

/** Files whose content is compressed already: deflating them again only takes time. */
const PACKED = new Set(
  '7z aac appx appxbundle avi br bz2 cab docx esd gif gz jar jpeg jpg lz4 lzma m4a m4v mkv mov mp3 mp4 msix msixbundle msu nupkg odt ogg png pptx rar tgz vsix webm webp whl wim wma wmv woff woff2 xlsx xz zip zipx zst'.split(
    ' ',
  ),
)

/** Whether a part is stored or deflated: a function of its name alone. Source: inbox package page, section 3.3. */
export function isStoredPart(path: string): boolean {
  return PACKED.has(path.slice(path.lastIndexOf('.') + 1).toLowerCase())
}

/**
 * The bytes of an unsigned AppX package: parts in the order given, then manifest, block map, content types, and the
 * directory. Blocks are deflated on several cores; the bytes do not depend on how many. They do depend on the release of
 * zlib, whose choices differ. Source: inbox package page, section 2; written as MakeAppx does.
 */
export async function* encodePackage(
  parts: Iterable<AppxPart>,
  options: EncodePackageOptions,
): AsyncGenerator<Uint8Array> {
  for await (const piece of encodePackageViews(parts, options)) yield Uint8Array.from(piece)
}

/** The same in pieces that are true until the next is asked for: for who writes them at once, and takes little memory. */
export async function* encodePackageViews(
  parts: Iterable<AppxPart>,
  options: EncodePackageOptions,
): AsyncGenerator<Uint8Array> {
  yield* new PackageEncoder(options).encode(parts)
}

interface OpenEntry {
  readonly path: string
  readonly name: string
  readonly method: ZipEntry['method']
  readonly sizeBytes: number
}

/** A block that another thread deflates. */
interface RunningBlock {
  readonly kind: 'block'
  readonly plain: Uint8Array
  readonly packed: Promise<Uint8Array>
}

type Step =
  | {readonly kind: 'begin'; readonly entry: OpenEntry}
  | {readonly kind: 'block'; readonly plain: Uint8Array; readonly packed: Uint8Array | undefined}
  | RunningBlock
  | {readonly kind: 'end'; readonly entry: OpenEntry}

function isRunning(step: Step): step is RunningBlock {
  return step.kind === 'block' && step.packed instanceof Promise
}

function blockStep(plain: Uint8Array, packed: Promise<Uint8Array> | Uint8Array | undefined): Step {
  return packed instanceof Promise ? {kind: 'block', plain, packed} : {kind: 'block', plain, packed}
}

class PackageEncoder {
  readonly #options: EncodePackageOptions
  readonly #level: number
  readonly #map = new BlockMapWriter()
  readonly #types = new ContentTypesWriter()
  readonly #room = new BlockRoom(BLOCK_BYTES)
  /** What is known of each part only when it is written, and comes behind all of them. */
  readonly #mapBytes = new HeldBytes()
  readonly #central = new HeldBytes()
  /** Of everything in front of the manifest, which states it. */
  readonly #hash = createHash('sha256')
  #hasDigest = false
  #entries = 0
  /** Bytes so far, and those that are still to be given out. */
  #offset = 0
  readonly #chunk = new GrowingBytes(CHUNK_BYTES + 2 * BLOCK_BYTES)
  /** The entry that is being written. */
  #at = {offset: 0, crc: 0, packedBytes: 0}

  constructor(options: EncodePackageOptions) {
    this.#options = options
    this.#level = options.level ?? DEFAULT_LEVEL
  }

  async *encode(parts: Iterable<AppxPart>): AsyncGenerator<Uint8Array> {
    const {concurrency = availableParallelism(), signal} = this.#options
    // With one more than there are cores, none waits while this thread reads and hashes; with one, nothing overlaps.
    const ahead = concurrency === 1 ? 1 : concurrency + 1
    const queue: Step[] = []
    let running = 0
    try {
      for (const step of this.#steps(parts)) {
        queue.push(step)
        if (isRunning(step)) running++
        while (queue.length > 0 && (running === 0 || running >= ahead || queue.length > MAX_QUEUE)) {
          signal?.throwIfAborted()
          const first = queue.shift()
          if (first === undefined) break
          if (isRunning(first)) {
            running--
            this.#block(first.plain, await first.packed)
          } else this.#write(first)
          if (this.#chunk.length >= CHUNK_BYTES) yield this.#flush()
        }
      }
      for (let first = queue.shift(); first !== undefined; first = queue.shift()) {
        if (isRunning(first)) this.#block(first.plain, await first.packed)
        else this.#write(first)
        if (this.#chunk.length >= CHUNK_BYTES) yield this.#flush()
      }
    } finally {
      // Work that nobody waits for any more must not fail unheard.
      await Promise.allSettled(queue.flatMap((step) => (isRunning(step) ? [step.packed] : [])))
    }
    yield this.#flush()
    const digest = `sha256:${this.#hash.digest('hex')}` as Digest
    this.#hasDigest = true
    yield* this.#document(MANIFEST, held([this.#options.manifest(digest)]), true)
    for (const piece of this.#map.finish()) this.#mapBytes.push(piece)
    yield* this.#document(BLOCK_MAP, this.#mapBytes, false)
    yield* this.#contentTypes()
    yield* this.#end()
  }

  *#steps(parts: Iterable<AppxPart>): Generator<Step> {
    for (const part of parts) {
      const {path, sizeBytes} = part
      const method = this.#level === 0 || isStoredPart(path) ? STORED : DEFLATED
      const entry = {path, name: encodePartName(path), method, sizeBytes} as const
      yield {kind: 'begin', entry}
      let read = 0
      for (const plain of part.blocks(this.#room.take)) {
        read += plain.byteLength
        if (read > sizeBytes) break
        yield blockStep(plain, method === STORED ? undefined : packBlock(plain, this.#level))
      }
      if (read !== sizeBytes) {
        throw new InputError('SIZE_MISMATCH', {
          what: 'A file changed while it was packed.',
          why: `Expected ${sizeBytes} bytes, found ${read}${read > sizeBytes ? ' or more' : ''}.`,
          suggestions: ['Stop the program that writes to the source, then retry.'],
          at: {path},
        })
      }
      yield {kind: 'end', entry}
    }
  }

  #write(step: Exclude<Step, RunningBlock>): void {
    switch (step.kind) {
      case 'begin':
        this.#begin(step.entry)
        return
      case 'block':
        this.#block(step.plain, step.packed)
        return
      case 'end':
        if (step.entry.method === DEFLATED) this.#putData(FINAL_BLOCK)
        this.#finish(step.entry)
        this.#map.end()
        for (const piece of this.#map.take()) this.#mapBytes.push(piece)
        this.#types.add(step.entry.path)
    }
  }

  #begin(entry: OpenEntry): void {
    const header = encodeLocalHeader({...entry, flags: FLAG_DESCRIPTOR, crc: 0, packedBytes: 0})
    this.#at = {offset: this.#offset, crc: 0, packedBytes: 0}
    this.#put(header)
    this.#map.add(entry.path, entry.sizeBytes, header.byteLength)
  }

  #block(plain: Uint8Array, packed: Uint8Array | undefined): void {
    this.#at.crc = crc32(plain, this.#at.crc)
    this.#map.block({hash: hashBlock(plain), ...(packed === undefined ? {} : {packedBytes: packed.byteLength})})
    this.#putData(packed ?? plain)
    if (packed !== undefined) letGoOfPacked(packed, plain)
    this.#room.giveBack(plain)
  }

  #putData(bytes: Uint8Array): void {
    this.#at.packedBytes += bytes.byteLength
    this.#put(bytes)
  }

  #finish({name, method, sizeBytes}: OpenEntry): void {
    const entry: ZipEntry = {name, method, flags: FLAG_DESCRIPTOR, sizeBytes, ...this.#at}
    this.#put(encodeDescriptor(entry))
    this.#list(entry)
  }

  #list(entry: ZipEntry): void {
    this.#central.push(encodeCentralEntry(entry))
    this.#entries++
  }

  /** Stored, so that these bytes are the same with every release of zlib. */
  *#document(name: string, document: HeldBytes, isMapped: boolean): Generator<Uint8Array> {
    const {sizeBytes} = document
    const entry: OpenEntry = {path: name, name, method: STORED, sizeBytes}
    const header = encodeLocalHeader({...entry, flags: FLAG_DESCRIPTOR, crc: 0, packedBytes: 0})
    this.#at = {offset: this.#offset, crc: 0, packedBytes: 0}
    this.#put(header)
    if (isMapped) this.#map.add(name, sizeBytes, header.byteLength)
    for (const piece of document.pieces()) {
      this.#at.crc = crc32(piece, this.#at.crc)
      this.#putData(piece)
      if (isMapped) for (const block of blocksOf(piece)) this.#map.block({hash: hashBlock(block)})
      if (this.#chunk.length >= CHUNK_BYTES) yield this.#flush()
    }
    if (isMapped) this.#map.end()
    this.#finish(entry)
  }

  /** Known before it is written, so its header has the sizes, as MakeAppx does it. */
  *#contentTypes(): Generator<Uint8Array> {
    const document = held(this.#types.finish())
    let crc = 0
    for (const piece of document.pieces()) crc = crc32(piece, crc)
    const entry: ZipEntry = {
      name: CONTENT_TYPES,
      method: STORED,
      flags: 0,
      crc,
      packedBytes: document.sizeBytes,
      sizeBytes: document.sizeBytes,
      offset: this.#offset,
    }
    this.#put(encodeLocalHeader(entry))
    yield* this.#putAll(document)
    this.#list(entry)
  }

  *#end(): Generator<Uint8Array> {
    const place = {entries: this.#entries, offset: this.#offset, sizeBytes: this.#central.sizeBytes}
    yield* this.#putAll(this.#central)
    this.#put(encodeEnd(place))
    yield this.#flush()
  }

  *#putAll(bytes: HeldBytes): Generator<Uint8Array> {
    for (const piece of bytes.pieces()) {
      this.#put(piece)
      if (this.#chunk.length >= CHUNK_BYTES) yield this.#flush()
    }
  }

  #put(bytes: Uint8Array): void {
    this.#chunk.push(bytes)
    this.#offset += bytes.byteLength
  }

  #flush(): Uint8Array {
    const bytes = this.#chunk.view
    this.#chunk.clear()
    if (!this.#hasDigest) this.#hash.update(bytes)
    return bytes
  }
}

function* blocksOf(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += BLOCK_BYTES) yield bytes.subarray(at, at + BLOCK_BYTES)
}

function held(pieces: Iterable<Uint8Array>): HeldBytes {
  const bytes = new HeldBytes()
  for (const piece of pieces) bytes.push(piece)
  return bytes
}

/** A part made of bytes at hand. */
export function partOf(path: string, bytes: Uint8Array): AppxPart {
  return {path, sizeBytes: bytes.byteLength, blocks: () => blocksOf(bytes)}
}
