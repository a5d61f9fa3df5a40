import type {IndexDocument} from '../../src/formats/image-documents/image-documents.js'
import type {ExistingBlob} from '../../src/formats/oci-layout/kept-blob.js'
import type {IndexOver, LayoutFiles} from '../../src/formats/oci-layout/layout-files.js'
import {chunked, collect} from './bytes.js'

/** A layout that is written into memory; `there` = files of one that is added to. */
export class MemoryLayout implements LayoutFiles<string> {
  readonly written = new Map<string, Buffer>()
  readonly #bodies = new Map<string, Buffer>()
  readonly existing: IndexDocument | undefined
  mayOverlap = true
  /** What became of it in the end. */
  fate: 'open' | 'committed' | 'aborted' = 'open'
  size = 0
  /** Whether what is there may be replaced, as `commit` was told. */
  replaces: boolean | undefined
  /** What others have made of the index meanwhile. */
  meanwhile: IndexDocument | undefined
  readonly #there: ReadonlyMap<string, Buffer>

  constructor(existing?: IndexDocument, there: ReadonlyMap<string, Buffer> = new Map()) {
    this.existing = existing
    this.#there = there
  }

  /** The index as it was committed. */
  get index(): {readonly manifests: readonly Record<string, unknown>[]} & Record<string, unknown> {
    return JSON.parse(String(this.written.get('index.json'))) as ReturnType<() => MemoryLayout['index']>
  }

  async addBody(body: AsyncIterable<Uint8Array>): Promise<string> {
    const bytes = await collect(body)
    const key = `body ${this.#bodies.size}`
    this.#bodies.set(key, bytes)
    this.size += bytes.length
    return key
  }

  name(body: string, name: string): Promise<void> {
    if (this.written.has(name)) throw new Error(`${name} was written twice`)
    this.written.set(name, this.#bodies.get(body)!)
    return Promise.resolve()
  }

  drop(body: string): Promise<void> {
    this.size -= this.#bodies.get(body)!.length
    return Promise.resolve()
  }

  addFile(name: string, bytes: Uint8Array): Promise<void> {
    if (this.written.has(name)) throw new Error(`${name} was written twice`)
    this.written.set(name, Buffer.from(bytes))
    this.size += bytes.byteLength
    return Promise.resolve()
  }

  findExisting(name: string): Promise<ExistingBlob<string> | undefined> {
    const bytes = this.#there.get(name)
    if (bytes === undefined) return Promise.resolve(undefined)
    return Promise.resolve({member: `kept ${name}`, sizeBytes: bytes.length, open: () => chunked(bytes, 1000)})
  }

  commit(index: IndexOver, {replace}: {readonly replace: boolean}): Promise<boolean> {
    this.replaces = replace
    this.written.set('index.json', Buffer.from(index(this.meanwhile ?? this.existing)))
    this.fate = 'committed'
    return Promise.resolve(false)
  }

  abort(): Promise<void> {
    this.fate = 'aborted'
    return Promise.resolve()
  }
}
