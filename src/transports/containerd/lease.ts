import {randomBytes} from 'node:crypto'
import {TransshipError} from '../../model/errors.js'
import type {WorkOptions} from '../../model/events.js'
import {refusalOf} from '../../engine-api/containerd/containerd-client.js'
import type {LabelsMessage} from '../../engine-api/containerd/store-services.js'
import {missingLabels} from './labels.js'
import type {NamespaceStore} from './store.js'

/** As long as containerd's own client keeps one, should this process be killed. */
const EXPIRES_MS = 24 * 60 * 60 * 1000

/**
 * Holds on to what is being written, from before the first byte until an image record does: the collector runs whenever
 * anybody deletes anything.
 */
export class Lease {
  readonly id = `transship-${randomBytes(8).toString('hex')}`
  readonly #store: NamespaceStore

  private constructor(store: NamespaceStore) {
    this.#store = store
  }

  static async take(store: NamespaceStore, options: WorkOptions): Promise<Lease> {
    const lease = new Lease(store)
    // RFC 3339 without a fraction: containerd keeps a lease for ever whose time it cannot read.
    const expire = new Date(Date.now() + EXPIRES_MS).toISOString().replace(/\.\d+Z$/, 'Z')
    const labels = {'containerd.io/gc.expire': expire}
    try {
      await store.call('containerd.services.leases.v1.Leases/Create', {id: lease.id, labels}, options)
    } catch (error) {
      // The word of it was lost on the way, and the call made again.
      if (refusalOf(error) !== 'ALREADY_EXISTS') throw error
    }
    return lease
  }

  /** Keeps a blob that is there, with the labels it lacks. False when it is not there. */
  async keep(digest: string, labels: LabelsMessage, options: WorkOptions): Promise<boolean> {
    if ((await this.#store.findInfo(digest, options)) === undefined) return false
    await this.hold(digest, options)
    // It may have gone between the two calls.
    this.#store.forget()
    const info = await this.#store.findInfo(digest, options)
    if (info === undefined) return false
    const missing = missingLabels(info.labels, labels)
    const paths = Object.keys(missing).map((key) => `labels.${key}`)
    if (paths.length === 0) return true
    await this.#store.call(
      'containerd.services.content.v1.Content/Update',
      {info: {digest, labels: missing}, updateMask: {paths}},
      options,
    )
    this.#store.forget()
    return true
  }

  /** Keeps a blob, and what its labels hold on to, while the lease lasts. */
  async hold(digest: string, options: WorkOptions): Promise<void> {
    const resource = {id: digest, type: 'content'}
    try {
      await this.#store.call('containerd.services.leases.v1.Leases/AddResource', {id: this.id, resource}, options)
    } catch (error) {
      if (refusalOf(error) !== 'ALREADY_EXISTS') throw error
    }
  }

  /** Lets go, and waits until what nobody else holds is gone. */
  async end(options: WorkOptions): Promise<void> {
    try {
      await this.#store.call('containerd.services.leases.v1.Leases/Delete', {id: this.id, sync: true}, options)
    } catch (error) {
      if (!(error instanceof TransshipError) || error.code !== 'NOT_FOUND') throw error
    }
  }
}
