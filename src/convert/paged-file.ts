import {closeSync} from 'node:fs'
import {fillBuffer} from '../disk/fill-buffer.js'
import type {HiveSource} from '../codecs/registry-hive/hive-source.js'
import {openRegular} from '../disk/safe-open.js'
import {InputError} from '../model/errors.js'

const PAGE_BYTES = 64 * 1024
/** 4 MiB are kept: enough for keys that lie near each other, and the operating system keeps the rest. */
const MAX_PAGES = 64

interface Page {
  readonly index: number
  /** Used again for another page: nothing outside ever refers to it. */
  readonly bytes: Buffer
}

/** A file read in pages as they are asked for, the latest of which are kept. Its owner closes it. */
export class PagedFile implements HiveSource {
  readonly size: number
  readonly #fd: number
  /** In the order of their last use, but for the one that is in use. */
  readonly #pages = new Map<number, Page>()
  #current: Page = {index: -1, bytes: Buffer.alloc(0)}

  /** Throws the error of the file system when the file cannot be read. */
  constructor(path: string) {
    const {fd, stats} = openRegular(path, {links: 'followed'})
    this.#fd = fd
    this.size = Number(stats.size)
  }

  read(offset: number, length: number): Uint8Array {
    const index = Math.floor(offset / PAGE_BYTES)
    const start = offset - index * PAGE_BYTES
    const bytes = Buffer.allocUnsafe(length)
    if (start + length > PAGE_BYTES) this.#fill(bytes, offset)
    else this.#page(index).copy(bytes, 0, start, start + length)
    return bytes
  }

  readInt32(offset: number): number {
    const start = offset % PAGE_BYTES
    return start + 4 > PAGE_BYTES
      ? Buffer.from(this.read(offset, 4)).readInt32LE(0)
      : this.#page((offset - start) / PAGE_BYTES).readInt32LE(start)
  }

  close(): void {
    closeSync(this.#fd)
  }

  #page(index: number): Buffer {
    if (this.#current.index === index) return this.#current.bytes
    const known = this.#pages.get(index)
    this.#pages.delete(index)
    this.#current = known ?? this.#readPage(index)
    this.#pages.set(index, this.#current)
    return this.#current.bytes
  }

  #readPage(index: number): Page {
    const bytes = this.#takeOldest() ?? Buffer.allocUnsafeSlow(PAGE_BYTES)
    const offset = index * PAGE_BYTES
    this.#fill(bytes.subarray(0, Math.min(PAGE_BYTES, this.size - offset)), offset)
    return {index, bytes}
  }

  /** The bytes of the page that was not used for longest, once there are enough. */
  #takeOldest(): Buffer | undefined {
    if (this.#pages.size < MAX_PAGES) return undefined
    const [oldest] = this.#pages.values()
    if (oldest === undefined) return undefined
    this.#pages.delete(oldest.index)
    return oldest.bytes
  }

  #fill(bytes: Buffer, offset: number): void {
    const filled = fillBuffer(this.#fd, bytes, offset)
    if (filled === bytes.byteLength) return
    throw new InputError('HIVE_CORRUPT', {
      what: 'The registry hive shrank while transship read it.',
      suggestions: ['Copy it and read the copy.'],
      at: {offset: offset + filled},
    })
  }
}
