import {createHash} from 'node:crypto'
import {parse} from 'node:path'
import {BlobTableReader, type BlobTable, type WimBlob} from '../../codecs/wim/blob-table.js'
import {ChunkDecoder} from '../../codecs/wim/chunk-decoder.js'
import {readBuffer, readChunked} from '../../codecs/wim/chunked-resource.js'
import {MAX_XML_BYTES, parseDescription, type ImageDescription} from '../../codecs/wim/description.js'
import {decodeHeader, HEADER_BYTES, isPipable, type WimHeader} from '../../codecs/wim/header.js'
import {ImageTree, MAX_METADATA_BYTES} from '../../codecs/wim/image-tree.js'
import {requireInside, ResourceFlag, type ResourceHeader} from '../../codecs/wim/resource-header.js'
import {InputError, placedError, UnsupportedError} from '../../model/errors.js'
import type {WorkOptions} from '../../model/events.js'
import {SeekableFile} from '../../disk/seekable-file.js'
import {SolidRuns} from './solid-runs.js'

/** Read at once of what is not compressed. */
const PIECE_BYTES = 512 * 1024
/** A table of more would be one of more than 5 million contents. */
const MAX_TABLE_BYTES = 256 * 2 ** 20

/** A file of a split set, or the only one. */
export interface WimPart {
  readonly path: string
  readonly file: SeekableFile
  readonly header: WimHeader
}

/** An open Windows image file, with all parts of a split set. */
export class WimFile {
  readonly path: string
  /** By their numbers, from 1. */
  readonly parts: readonly WimPart[]
  readonly table: BlobTable
  /** What the XML says, in the order of the images; those that it does not describe have their number alone. */
  readonly descriptions: readonly ImageDescription[]
  /** The XML describes as many images as there are. */
  readonly isDescribed: boolean
  readonly #solid: SolidRuns
  readonly #decoders = new Map<number, ChunkDecoder>()

  private constructor(parts: readonly WimPart[], table: BlobTable, described: readonly ImageDescription[]) {
    this.path = parts[0]?.path ?? ''
    this.parts = parts
    this.table = table
    this.descriptions = table.images.map(
      (_, index) => described.find((description) => description.index === index + 1) ?? {index: index + 1},
    )
    this.isDescribed =
      described.length === table.images.length &&
      described.every(({index}) => index >= 1 && index <= table.images.length)
    this.#solid = new SolidRuns((number) => this.#part(number).file)
  }

  /**
   * Opens a file, and the other parts of its set beside it. Throws `NOT_FOUND`, `UNRECOGNISED_FORMAT`,
   * `ARCHIVE_CORRUPT`, `ARCHIVE_TRUNCATED`, `ARCHIVE_CONTRADICTORY`, `FORMAT_UNSUPPORTED`, `LIMIT_EXCEEDED`.
   */
  static async open(path: string): Promise<WimFile> {
    const parts: WimPart[] = []
    try {
      const first = await openPart(path)
      parts.push(first)
      requireFirst(first)
      for (let number = 2; number <= first.header.totalParts; number++) parts.push(await openOther(first, number))
      const reader = new BlobTableReader()
      for (const part of parts)
        await inFile(part.path, async () => {
          reader.add(await readTable(part), {
            part: part.header.partNumber,
            version: part.header.version,
            fileSize: part.file.size,
          })
        })
      const {table} = reader
      const described = await inFile(path, async () => {
        requireImages(first.header, table)
        return parseDescription(await readSmall(first, first.header.xml, 'The XML', MAX_XML_BYTES))
      })
      return new WimFile(parts, table, described)
    } catch (error) {
      for (const part of parts) await part.file.close()
      throw error
    }
  }

  /** Every image of the header has its metadata; a further one is none. */
  get header(): WimHeader {
    return this.#part(1).header
  }

  /** The files and folders of an image, from 1. Throws `DIGEST_MISMATCH`, `ARCHIVE_CORRUPT`, `LIMIT_EXCEEDED`. */
  async tree(index: number): Promise<ImageTree> {
    return inFile(this.path, async () => {
      const blob = this.table.images[index - 1]
      if (blob === undefined) throw new InputError('NOT_FOUND', {what: `Image ${index} does not exist.`})
      return new ImageTree(
        await this.readWhole(blob, {title: `The metadata of image ${index}`, limit: MAX_METADATA_BYTES}),
      )
    })
  }

  /** The content with this SHA-1. Throws `LAYER_MISSING`; `title` names what it is the content of. */
  blob(hash: string, title: string): WimBlob {
    const blob = this.table.blobs.get(hash)
    if (blob !== undefined) return blob
    throw new InputError('LAYER_MISSING', {
      what: `The file does not contain the content of '${title}'.`,
      why: `No entry of the table of contents has the SHA-1 ${hash}.`,
      suggestions: ['Capture or export the image again.'],
      at: {path: title},
    })
  }

  /** The unpacked bytes, checked at the end: `DIGEST_MISMATCH`. Pieces stay valid. */
  async *read(blob: WimBlob, title: string, options: WorkOptions = {}): AsyncGenerator<Uint8Array> {
    const hash = createHash('sha1')
    try {
      for await (const piece of this.#unpacked(blob, options)) {
        options.signal?.throwIfAborted()
        hash.update(piece)
        yield piece
      }
    } catch (error) {
      throw placedError(error, {path: `${this.#part(blob.part).path}: ${title}`})
    }
    const found = hash.digest('hex')
    if (blob.hash === '' || found === blob.hash) return
    throw new InputError('DIGEST_MISMATCH', {
      what: `The content of '${title}' is damaged.`,
      why: `Expected the SHA-1 ${blob.hash}, found ${found}.`,
      suggestions: ['Copy or download the file again, then retry.'],
      at: {path: this.#part(blob.part).path, offset: blob.header.offset},
    })
  }

  /** The same at once. Throws `LIMIT_EXCEEDED`. */
  async readWhole(blob: WimBlob, {title, limit}: {readonly title: string; readonly limit: number}): Promise<Buffer> {
    if (blob.sizeBytes > limit) {
      throw new UnsupportedError('LIMIT_EXCEEDED', {
        what: `${title} has ${blob.sizeBytes} bytes. The limit is ${limit}.`,
        at: {path: this.path},
      })
    }
    const pieces: Uint8Array[] = []
    for await (const piece of this.read(blob, title)) pieces.push(Uint8Array.from(piece))
    return Buffer.concat(pieces)
  }

  #unpacked(blob: WimBlob, options: WorkOptions): AsyncIterable<Uint8Array> {
    const {header, run, part} = blob
    if (run !== undefined) return this.#solid.read(run, header, options)
    return readResource(this.#part(part), header, this.#decoderOf(part))
  }

  /** Chunks are unpacked at once, so that all contents may share one decoder. */
  #decoderOf(number: number): ChunkDecoder {
    const known = this.#decoders.get(number) ?? new ChunkDecoder(this.#part(number).header)
    this.#decoders.set(number, known)
    return known
  }

  #part(number: number): WimPart {
    const part = this.parts[number - 1]
    if (part === undefined) throw new InputError('ARCHIVE_CORRUPT', {what: `Part ${number} does not exist.`})
    return part
  }

  async close(): Promise<void> {
    await this.#solid.close()
    for (const part of this.parts) await part.file.close()
  }
}

/** Reads from one file, and tells in every fault which one. */
async function inFile<T>(path: string, step: () => Promise<T>): Promise<T> {
  try {
    return await step()
  } catch (error) {
    throw placedError(error, {path})
  }
}

async function openPart(path: string): Promise<WimPart> {
  const file = await SeekableFile.open(path)
  try {
    return await inFile(path, async () => ({path, file, header: await readHeader(file)}))
  } catch (error) {
    await file.close()
    throw error
  }
}

async function readHeader(file: SeekableFile): Promise<WimHeader> {
  const start = Buffer.from(await file.read(0, HEADER_BYTES))
  if (start.byteLength < HEADER_BYTES) {
    throw new InputError('UNRECOGNISED_FORMAT', {
      what: 'The file is not a Windows image file.',
      why: `It has ${start.byteLength} bytes; a header alone has ${HEADER_BYTES}.`,
    })
  }
  return decodeHeader(isPipable(start) ? await readBuffer(file, file.size - HEADER_BYTES, HEADER_BYTES) : start)
}

function requireFirst({path, header}: WimPart): void {
  if (header.partNumber === 1) return
  throw new InputError('ARCHIVE_CONTRADICTORY', {
    what: `The file is part ${header.partNumber} of ${header.totalParts} of a split set.`,
    suggestions: ['Name the first part. transship finds the others beside it.'],
    at: {path},
  })
}

/** `x.swm`, `x2.swm`, `x3.swm`. Source: wimlib src/split.c; DISM names them in the same way. */
async function openOther(first: WimPart, number: number): Promise<WimPart> {
  const {dir, name, ext} = parse(first.path)
  const path = `${first.path.slice(0, first.path.length - (name + ext).length)}${name}${number}${ext}`
  const part = await openPart(path).catch((error: unknown) => {
    if (!(error instanceof InputError) || error.code !== 'NOT_FOUND') throw error
    throw new InputError('NOT_FOUND', {
      what: `Part ${number} of ${first.header.totalParts} of the split set is missing.`,
      why: `Expected ${name}${number}${ext} in ${dir === '' ? 'the current folder' : dir}.`,
      suggestions: ['Put all parts into one folder with their original names.'],
      at: {path},
      cause: error,
    })
  })
  const {guid, totalParts, partNumber} = part.header
  if (guid === first.header.guid && totalParts === first.header.totalParts && partNumber === number) return part
  await part.file.close()
  throw new InputError('ARCHIVE_CONTRADICTORY', {
    what: `The file is not part ${number} of the set that starts with '${first.path}'.`,
    why:
      guid === first.header.guid
        ? `It is part ${partNumber} of ${totalParts}.`
        : `It belongs to the set ${guid}, not ${first.header.guid}.`,
    at: {path},
  })
}

function requireImages({imageCount}: WimHeader, {images}: BlobTable): void {
  if (images.length === imageCount) return
  throw new InputError('ARCHIVE_CONTRADICTORY', {
    what: 'The Windows image file contradicts itself.',
    why: `The header says ${imageCount} images, but the table of contents has ${images.length}.`,
    suggestions: ['Copy or download the file again, then retry.'],
  })
}

function readTable(part: WimPart): Promise<Buffer> {
  return readSmall(part, part.header.blobTable, 'The table of contents', MAX_TABLE_BYTES)
}

async function readSmall(part: WimPart, header: ResourceHeader, title: string, limit: number): Promise<Buffer> {
  requireInside(header, title, part.file.size)
  if (header.originalSize > limit || header.size > limit) {
    throw new UnsupportedError('LIMIT_EXCEEDED', {
      what: `${title} of the file has ${Math.max(header.originalSize, header.size)} bytes. The limit is ${limit}.`,
    })
  }
  const pieces: Uint8Array[] = []
  for await (const piece of readResource(part, header)) pieces.push(Uint8Array.from(piece))
  return Buffer.concat(pieces)
}

function readResource(part: WimPart, header: ResourceHeader, decoder?: ChunkDecoder): AsyncGenerator<Uint8Array> {
  return (header.flags & ResourceFlag.compressed) === 0
    ? readStored(part, header)
    : readChunked(part.file, header, part.header, decoder)
}

async function* readStored({file}: WimPart, {offset, size}: ResourceHeader): AsyncGenerator<Uint8Array> {
  for (let done = 0; done < size; done += PIECE_BYTES)
    yield await readBuffer(file, offset + done, Math.min(PIECE_BYTES, size - done))
}
