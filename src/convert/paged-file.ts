import {closeSync, fstatSync, openSync, readSync} from 'node:fs'
import type {HiveSource} from '../codecs/registry-hive/hive-source.js'
import {InputError} from '../model/errors.js'

const PAGE_BYTES = 64 * 1024
/** 32 MiB are kept: all of most hives, and enough of the others for keys that lie near each other. */
const MAX_PAGES = 512

/** A file read in pages as they are asked for, the latest of which are kept. Its owner closes it. */
export class PagedFile implements HiveSource {
  readonly size: number
  readonly #fd: number
  /** In the order of their last use, but for the one that is in use. */
  readonly #pages = new Map<number, Buffer>()
  #current: {readonly index: number; readonly bytes: Buffer} = {index: -1, bytes: Buffer.alloc(0)}

  /** Throws the error of the file system when the file cannot be read. */
  constructor(path: string) {
    this.#fd = openSync(path, 'r')
    this.size = fstatSync(this.#fd).size
  }

  read(offset: number, length: number): Uint8Array {
    const index = Math.floor(offset / PAGE_BYTES)
    const start = offset - index * PAGE_BYTES
    if (start + length <= PAGE_BYTES) return this.#page(index).subarray(start, start + length)
    const bytes = Buffer.allocUnsafeSlow(length)
    this.#fill(bytes, offset)
    return bytes
  }

  close(): void {
    closeSync(this.#fd)
  }

  #page(index: number): Buffer {
    if (this.#current.index === index) return this.#current.bytes
    const known = this.#pages.get(index)
    this.#pages.delete(index)
    const bytes = known ?? this.#readPage(index)
    this.#pages.set(index, bytes)
    this.#current = {index, bytes}
    return bytes
  }

  #readPage(index: number): Buffer {
    const [oldest] = this.#pages.keys()
    if (oldest !== undefined && this.#pages.size >= MAX_PAGES) this.#pages.delete(oldest)
    const offset = index * PAGE_BYTES
    const bytes = Buffer.allocUnsafeSlow(Math.min(PAGE_BYTES, this.size - offset))
    this.#fill(bytes, offset)
    return bytes
  }

  #fill(bytes: Buffer, offset: number): void {
    for (let filled = 0; filled < bytes.byteLength;) {
      const count = readSync(this.#fd, bytes, filled, bytes.byteLength - filled, offset + filled)
      if (count === 0) {
        throw new InputError('HIVE_CORRUPT', {
          what: 'The registry hive became shorter while it was read.',
          suggestions: ['Copy it, and read the copy.'],
          at: {offset: offset + filled},
        })
      }
      filled += count
    }
  }
}
