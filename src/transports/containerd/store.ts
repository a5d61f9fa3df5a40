import {detectCompression, MAGIC_BYTES} from '../../codecs/compression/detect-compression.js'
import {requireDocumentSize} from '../../codecs/json/json-document.js'
import {refusalOf, type ContainerdClient} from '../../engine-api/containerd/containerd-client.js'
import type {ContainerdCall, ContainerdCalls} from '../../engine-api/containerd/services.js'
import type {ImageMessage, InfoMessage} from '../../engine-api/containerd/store-services.js'
import type {ContentStore} from '../../formats/oci-layout/content-store.js'
import {InputError, TransshipError} from '../../model/errors.js'
import type {WorkOptions} from '../../model/events.js'
import {isPassing, Patience} from './retry.js'

/** The images and blobs of one namespace. */
export class NamespaceStore implements ContentStore {
  readonly title: string
  readonly namespace: string
  readonly #client: ContainerdClient
  readonly #infos = new Map<string, InfoMessage>()

  constructor(client: ContainerdClient, namespace: string) {
    this.#client = client
    this.namespace = namespace
    this.title = `containerd:${namespace}/`
  }

  /** One call in this namespace. A connection that broke is tried again. */
  async call<C extends ContainerdCall>(
    call: C,
    request: ContainerdCalls[C][0],
    {signal, lease}: WorkOptions & {readonly lease?: string},
  ): Promise<ContainerdCalls[C][1]> {
    const patience = new Patience()
    for (;;) {
      try {
        const owner = lease === undefined ? {} : {lease}
        return await this.#client.call(call, request, {namespace: this.namespace, signal, ...owner})
      } catch (error) {
        if (signal?.aborted === true || !isPassing(error) || !(await patience.again(signal))) throw error
      }
    }
  }

  /** The record of exactly this name; undefined when there is none. */
  async findImage(name: string, options: WorkOptions): Promise<ImageMessage | undefined> {
    try {
      return (await this.call('containerd.services.images.v1.Images/Get', {name}, options)).image ?? undefined
    } catch (error) {
      requireAbsent(error)
      return undefined
    }
  }

  /** All records, by name. */
  async images(options: WorkOptions): Promise<readonly ImageMessage[]> {
    const {images} = await this.call('containerd.services.images.v1.Images/List', {}, options)
    return [...images].sort((left, right) => (left.name < right.name ? -1 : 1))
  }

  /** What is known of a blob; undefined when this namespace does not have it, whatever others have. */
  async findInfo(digest: string, options: WorkOptions): Promise<InfoMessage | undefined> {
    const known = this.#infos.get(digest)
    if (known !== undefined) return known
    try {
      const {info} = await this.call('containerd.services.content.v1.Content/Info', {digest}, options)
      if (info !== null) this.#infos.set(digest, info)
      return info ?? undefined
    } catch (error) {
      // A digest of an algorithm that containerd does not know names nothing there.
      if (refusalOf(error) === 'INVALID_ARGUMENT') return undefined
      requireAbsent(error)
      return undefined
    }
  }

  /** What was found of blobs no longer counts. */
  forget(): void {
    this.#infos.clear()
  }

  async findDocument({digest}: {readonly digest: string}, options: WorkOptions): Promise<Uint8Array | undefined> {
    const info = await this.findInfo(digest, options)
    if (info === undefined) return undefined
    requireDocumentSize(info.size, `blob ${digest}`)
    const parts: Uint8Array[] = []
    let size = 0
    for await (const part of this.#read(digest, {from: 0, to: info.size}, options)) {
      requireDocumentSize((size += part.byteLength), `blob ${digest}`)
      parts.push(part)
    }
    return Buffer.concat(parts)
  }

  async findBlob({digest}: {readonly digest: string}, options: WorkOptions) {
    const info = await this.findInfo(digest, options)
    if (info === undefined) return undefined
    const head: Uint8Array[] = []
    const to = Math.min(MAGIC_BYTES, info.size)
    for await (const part of this.#read(digest, {from: 0, to}, options)) head.push(part)
    const compression = detectCompression(Buffer.concat(head))
    return {
      compression,
      open: (inner: WorkOptions) => this.#read(digest, {from: 0, to: info.size}, inner),
    }
  }

  /** A range of a blob; where the connection breaks, the rest is asked for. */
  async *#read(
    digest: string,
    {from, to}: {readonly from: number; readonly to: number},
    {signal}: WorkOptions,
  ): AsyncGenerator<Uint8Array> {
    const patience = new Patience()
    let done = from
    while (done < to) {
      try {
        const range = {digest, offsetBytes: done, sizeBytes: to - done}
        for await (const data of this.#client.read(range, {namespace: this.namespace, signal})) {
          done += data.byteLength
          patience.progress()
          yield data
        }
        // Whoever reads holds the bytes against size and digest.
        if (done < to) return
      } catch (error) {
        if (refusalOf(error) === 'NOT_FOUND') throw collected(digest, this.title, error)
        if (signal?.aborted === true || !isPassing(error) || !(await patience.again(signal))) throw error
      }
    }
  }

  /** Opens the stream that a blob is written by. */
  write(options: WorkOptions & {readonly lease: string}) {
    const {lease, signal} = options
    return this.#client.write({namespace: this.namespace, lease, signal})
  }
}

/** Throws what is no answer that something is not there. */
function requireAbsent(error: unknown): void {
  if (!(error instanceof TransshipError) || error.code !== 'NOT_FOUND') throw error
}

function collected(digest: string, title: string, cause: unknown): InputError {
  return new InputError('LAYER_MISSING', {
    what: `containerd no longer has the blob ${digest}.`,
    why: 'It was there when reading began: its image was removed meanwhile.',
    at: {path: title},
    cause,
  })
}
