import {TransshipError} from '../../model/errors.js'
import type {WorkOptions} from '../../model/events.js'
import type {Descriptor} from '../../model/image.js'
import {refusalOf} from '../../engine-api/containerd/containerd-client.js'
import type {DescriptorMessage} from '../../engine-api/containerd/store-services.js'
import type {NamespaceStore} from './store.js'
import type {BlobWriter} from './writer.js'

type RequireReplaceable = (name: string, there: string, here: string) => void

/** Names that are to lead to what was written, and what they led to before, so that a failure leaves them as they were. */
export class ImageRecords {
  readonly #store: NamespaceStore
  readonly #writer: BlobWriter
  readonly #before = new Map<string, DescriptorMessage | undefined>()
  readonly #wanted: {readonly name: string; readonly target: Descriptor}[] = []
  /** Names that were given, the last one last. */
  readonly #given: {readonly name: string; readonly target: Descriptor}[] = []

  constructor(store: NamespaceStore, writer: BlobWriter) {
    this.#store = store
    this.#writer = writer
  }

  async remember(name: string, options: WorkOptions): Promise<void> {
    if (this.#before.has(name)) return
    const record = await this.#store.findImage(name, options)
    this.#before.set(name, record?.target ?? undefined)
  }

  /** What a name led to before. */
  before(name: string): DescriptorMessage | undefined {
    return this.#before.get(name)
  }

  /** Names that are to lead there. */
  add(names: readonly string[], target: Descriptor): void {
    for (const name of names) this.#wanted.push({name, target})
  }

  /** Gives the names. One that somebody has moved meanwhile is asked about once more. */
  async write(options: WorkOptions, requireReplaceable: RequireReplaceable): Promise<void> {
    const lease = this.#wanted.length === 0 ? undefined : await this.#writer.lease(options)
    for (const {name, target} of this.#wanted) {
      const found = (await this.#store.findImage(name, options))?.target ?? undefined
      const known = this.#before.get(name)?.digest
      if (found !== undefined && found.digest !== known && found.digest !== target.digest)
        requireReplaceable(name, found.digest, target.digest)
      this.#before.set(name, found)
      if (found?.digest === target.digest) continue
      // What it led to is held until it is certain that it need not come back.
      if (found !== undefined && (await this.#store.findInfo(found.digest, options)) !== undefined)
        await lease?.hold(found.digest, options)
      this.#given.push({name, target})
      await this.#point(name, target, options)
    }
  }

  async #point(name: string, {mediaType, digest, size}: DescriptorMessage, options: WorkOptions): Promise<void> {
    const image = {name, target: {mediaType, digest, size}}
    const move = () =>
      this.#store.call(
        'containerd.services.images.v1.Images/Update',
        // Without a mask, labels of others would go.
        {image, updateMask: {paths: ['target']}},
        options,
      )
    try {
      await move()
    } catch (error) {
      if (refusalOf(error) !== 'NOT_FOUND') throw error
      try {
        await this.#store.call('containerd.services.images.v1.Images/Create', {image}, options)
      } catch (creating) {
        if (refusalOf(creating) !== 'ALREADY_EXISTS') throw creating
        await move()
      }
    }
  }

  /** Names lead again to what they led to, unless somebody has moved them since. */
  async undo(options: WorkOptions): Promise<void> {
    for (const {name, target} of this.#given.splice(0).reverse()) {
      const before = this.#before.get(name)
      try {
        const now = (await this.#store.findImage(name, options))?.target
        if (now?.digest !== target.digest) continue
        if (before !== undefined) await this.#point(name, before, options)
        else await this.#store.call('containerd.services.images.v1.Images/Delete', {name, sync: false}, options)
      } catch (error) {
        // The failure that led here is what is told.
        if (!(error instanceof TransshipError)) throw error
      }
    }
  }
}
