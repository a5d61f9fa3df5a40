import type {FileHandle} from 'node:fs/promises'
import {decompress} from '../codecs/compression/decompress.js'
import {detectCompression, detectStream, MAGIC_BYTES} from '../codecs/compression/detect-compression.js'
import type {RandomAccess} from '../codecs/tar/index-tar.js'
import {asTransshipError} from '../model/errors.js'
import type {WorkOptions} from '../model/events.js'
import type {Compression} from '../model/image.js'
import {StreamLimit} from '../model/unpack-limit.js'
import type {FileRange} from '../model/layer-in-file.js'
import {readAt, streamRange} from './file-range.js'
import {findStamp} from './file-stamp.js'
import {closeIdleSpools} from './kept-open.js'
import {requireNoText} from './redirected-text.js'
import {openRegularHandle} from './safe-open.js'
import {SpoolFile} from './spool-file.js'

/** A file open for reading at any place. Chunks given out are fresh: they stay valid. */
export class SeekableFile implements RandomAccess {
  readonly size: number
  /** True of a temporary file. */
  readonly isSpooled: boolean
  readonly #handle: FileHandle
  readonly #title: string
  readonly #close: () => Promise<void>

  private constructor(
    handle: FileHandle,
    facts: {size: number; title: string; isSpooled: boolean; close: () => Promise<void>},
  ) {
    this.#handle = handle
    this.size = facts.size
    this.isSpooled = facts.isSpooled
    this.#title = facts.title
    this.#close = facts.close
  }

  /** Opens a file. `NOT_FOUND`, `NO_ACCESS`, `UNRECOGNISED_FORMAT` for a folder. */
  static async open(file: string): Promise<SeekableFile> {
    try {
      const handle = await openRegularHandle(file, {links: 'followed'})
      const {size} = await handle.stat()
      return new SeekableFile(handle, {size, title: file, isSpooled: false, close: () => handle.close()})
    } catch (error) {
      throw asTransshipError(error, {path: file})
    }
  }

  /** What was kept in a temporary file, which goes when this is closed. */
  static spooled(file: SpoolFile, title: string): SeekableFile {
    return new SeekableFile(file.handle, {size: file.size, title, isSpooled: true, close: () => file.close()})
  }

  /** By which it is known again; see `findStamp`. */
  async findStamp(): Promise<string | undefined> {
    return findStamp(await this.#handle.stat({bigint: true}))
  }

  /** Bytes of it, fewer where it ends before. */
  read(offset: number, length: number): Promise<Uint8Array> {
    return readAt(this.range(offset, Math.max(0, Math.min(length, this.size - offset))))
  }

  /** A part of it, which other threads can read too while this is open. */
  range(offset: number, length: number): FileRange {
    return {fd: this.#handle.fd, title: this.#title, offset, length}
  }

  /** A range in pieces. `ARCHIVE_TRUNCATED` when the file is shorter. */
  stream(offset: number, length: number, options: WorkOptions = {}): AsyncIterable<Uint8Array> {
    return streamRange(this.range(offset, length), options)
  }

  async close(): Promise<void> {
    await this.#close()
  }
}

/**
 * Opens an archive for reading at any place: a plain file as it is; a compressed one, or standard input (`-`), by
 * way of a temporary file of its plain bytes, which is gone after `close`. With it comes the stamp by which the file that was
 * named is known again.
 */
export async function openStamped(
  file: string,
  options: WorkOptions = {},
): Promise<{readonly file: SeekableFile; readonly stamp: string | undefined}> {
  if (file === '-') {
    const stdin = process.stdin as AsyncIterable<Uint8Array>
    return {file: await spoolStream(stdin, {...options, title: 'Standard input'}), stamp: undefined}
  }
  const plain = await SeekableFile.open(file)
  try {
    const stamp = await plain.findStamp()
    const head = await plain.read(0, MAGIC_BYTES)
    requireNoText(head, file)
    const compression = detectCompression(head)
    if (compression === 'none') return {file: plain, stamp}
    const spooled = await spool(plain.stream(0, plain.size, options), compression, {
      ...options,
      title: file,
      leastBytes: plain.size,
    })
    await plain.close()
    return {file: spooled, stamp}
  } catch (error) {
    await plain.close()
    throw error
  }
}

/** The plain bytes of a stream, compressed or not, in a temporary file, which is gone after `close`. */
export async function spoolStream(
  stream: AsyncIterable<Uint8Array>,
  options: WorkOptions & {readonly title: string},
): Promise<SeekableFile> {
  const {compression, body} = await detectStream(stream)
  return spool(withoutText(body, options.title), compression, options)
}

async function* withoutText(body: AsyncIterable<Uint8Array>, title: string): AsyncGenerator<Uint8Array> {
  let isFirst = true
  for await (const chunk of body) {
    if (isFirst) requireNoText(chunk, title)
    isFirst = false
    yield chunk
  }
}

async function spool(
  body: AsyncIterable<Uint8Array>,
  compression: Compression,
  {leastBytes, ...options}: WorkOptions & {readonly title: string; readonly leastBytes?: number},
): Promise<SeekableFile> {
  await closeIdleSpools()
  const file = await SpoolFile.create(leastBytes)
  try {
    const limit = new StreamLimit(options.title, options)
    for await (const chunk of decompress(body, compression, options)) {
      options.signal?.throwIfAborted()
      limit.give(chunk.byteLength)
      await file.write(chunk)
    }
    return SeekableFile.spooled(file, options.title)
  } catch (error) {
    await file.close()
    throw error
  }
}
