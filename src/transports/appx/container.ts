import {closeSync} from 'node:fs'
import {PackageReader} from '../../codecs/appx/package-reader.js'
import type {ByteSource} from '../../codecs/backup-stream/byte-source.js'
import {asTransshipError, InputError} from '../../model/errors.js'
import {openRegular} from '../../disk/safe-open.js'
import {readFully} from '../../disk/small-file.js'

/** Read ahead. */
const WINDOW_BYTES = 128 * 1024
const NOTHING: Uint8Array = new Uint8Array(0)
/** The end record of a zip without a comment. */
const END_BYTES = 22
/** Of a zip with entries, of an empty one, of one of several parts. */
const ZIP_STARTS: ReadonlySet<string> = new Set(['PK\x03\x04', 'PK\x05\x06', 'PK\x07\x08'])

/**
 * An .appx file. The file is opened when something is read, and `close` lets go of it and of the names in it until then;
 * its other lists stay in memory. One that was changed meanwhile is refused.
 */
export class Container implements ByteSource {
  readonly file: string
  /** For messages: the name of the file. */
  readonly title: string
  readonly sizeBytes: number
  readonly #stamp: string
  #fd: number | undefined
  #reader: PackageReader | undefined
  /** Bytes read ahead, and where the last read ended: small parts are mostly read one after the other. */
  #window = {start: 0, bytes: NOTHING}
  #lastEnd = 0

  private constructor(file: string, title: string) {
    this.file = file
    this.title = title
    const {fd, sizeBytes, stamp} = this.#openFile()
    this.#fd = fd
    this.sizeBytes = sizeBytes
    this.#stamp = stamp
  }

  /** Opens the file and reads its lists. Throws as `PackageReader.open`, and what the system tells. */
  static async open(file: string, title: string): Promise<Container> {
    const container = new Container(file, title)
    try {
      container.#requireZip()
      container.#reader = await PackageReader.open(container, title)
      return container
    } catch (error) {
      container.close()
      throw error
    }
  }

  /** A file that neither begins nor ends as a zip does is none, however it is called. */
  #requireZip(): void {
    const head = this.sizeBytes < 4 ? NOTHING : this.read(0, 4)
    if (ZIP_STARTS.has(Buffer.from(head).toString('latin1'))) return
    const end = this.sizeBytes < END_BYTES ? NOTHING : this.read(this.sizeBytes - END_BYTES, 4)
    if (Buffer.from(end).toString('latin1') === 'PK\x05\x06') return
    throw new InputError('UNRECOGNISED_FORMAT', {
      what: `'${this.title}' is not an AppX package.`,
      why: this.sizeBytes === 0 ? 'It is empty.' : 'It is not a zip file.',
      suggestions: ['Pass a package that Export-ContainerImage or transship wrote.'],
      at: {path: this.title},
    })
  }

  get reader(): PackageReader {
    if (this.#reader !== undefined) return this.#reader
    throw new InputError('ARCHIVE_CORRUPT', {what: 'The package has not been read yet.', at: {path: this.title}})
  }

  read(offset: number, length: number): Uint8Array {
    const at = offset - this.#window.start
    if (at < 0 || at + length > this.#window.bytes.byteLength) {
      const isNext = offset >= this.#lastEnd && offset - this.#lastEnd < WINDOW_BYTES && length < WINDOW_BYTES
      const bytes = this.#readNow(offset, isNext ? Math.min(WINDOW_BYTES, this.sizeBytes - offset) : length)
      this.#lastEnd = offset + length
      if (!isNext) return bytes
      this.#window = {start: offset, bytes}
      return bytes.subarray(0, length)
    }
    this.#lastEnd = offset + length
    return this.#window.bytes.subarray(at, at + length)
  }

  #readNow(offset: number, length: number): Uint8Array {
    const bytes = Buffer.allocUnsafe(length)
    readFully(this.#requireOpen(), bytes, offset, this.title)
    return bytes
  }

  #requireOpen(): number {
    if (this.#fd !== undefined) return this.#fd
    const {fd, stamp} = this.#openFile()
    if (stamp !== this.#stamp) {
      closeSync(fd)
      throw new InputError('SIZE_MISMATCH', {
        what: 'The package changed while it was read.',
        suggestions: ['Stop the program that writes to the package, then retry.'],
        at: {path: this.title},
      })
    }
    this.#fd = fd
    return fd
  }

  #openFile(): {fd: number; sizeBytes: number; stamp: string} {
    try {
      const {fd, stats} = openRegular(this.file, {place: this.title})
      const {dev, ino, size, mtimeNs} = stats
      return {fd, sizeBytes: Number(size), stamp: [dev, ino, size, mtimeNs].join(':')}
    } catch (error) {
      throw asTransshipError(error, {path: this.title})
    }
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd)
    this.#fd = undefined
    this.#window = {start: 0, bytes: NOTHING}
    this.#reader?.rest()
  }
}
