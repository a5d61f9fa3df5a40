import {randomBytes} from 'node:crypto'
import {refusalOf} from '../../engine-api/containerd/containerd-client.js'
import type {Exchange} from '../../engine-api/containerd/exchange.js'
import type {LabelsMessage, WriteAnswer, WriteMessage} from '../../engine-api/containerd/store-services.js'
import {EnvironmentError} from '../../model/errors.js'
import {isPassing, Patience} from './retry.js'
import type {NamespaceStore} from './store.js'

interface IngestOptions {
  readonly lease: string
  readonly signal?: AbortSignal | undefined
  /** Of bytes that are known before they are read. */
  readonly known?: {readonly digest: string; readonly size: number} | undefined
}

/**
 * One blob on its way into the store. What has arrived stays when the connection breaks, also for another run: the name
 * of the ingest is that of the bytes. Source: containerd api/services/content/v1/content.proto, content/local/writer.go.
 */
export class Ingest {
  readonly ref: string
  readonly #store: NamespaceStore
  readonly #lease: string
  readonly #signal: AbortSignal | undefined
  readonly #size: number
  readonly #patience = new Patience()
  #expected: string | undefined
  #stream: Exchange<[WriteMessage, WriteAnswer]> | undefined
  /** Bytes that containerd has; undefined = not asked yet. */
  #offset = 0
  /** The store has the whole blob: nothing more is sent. */
  isHeld = false
  sentBytes = 0

  constructor(store: NamespaceStore, {lease, signal, known}: IngestOptions, suffix = '') {
    this.#store = store
    this.#lease = lease
    this.#signal = signal
    this.#expected = known?.digest
    this.#size = known?.size ?? 0
    this.ref = `transship-${known?.digest ?? randomBytes(16).toString('hex')}${suffix}`
  }

  /** How many bytes are there already, of this run or another. */
  async begin(): Promise<number> {
    await this.#persist(() => Promise.resolve())
    return this.#offset
  }

  /** Sends bytes that begin at `start`. Throws `IngestLost` where containerd has less than it had. */
  async write(data: Uint8Array, start: number): Promise<void> {
    const end = start + data.byteLength
    await this.#persist(async (stream) => {
      while (this.#offset < end) {
        if (this.#offset < start) throw this.#lost(start)
        const rest = data.subarray(this.#offset - start)
        const {offset} = await stream.send({action: 'WRITE', offset: this.#offset, data: rest})
        this.sentBytes += Math.max(0, offset - this.#offset)
        if (offset <= this.#offset) throw this.#lost(this.#offset + 1)
        this.#offset = offset
        this.#patience.progress()
      }
    })
  }

  /** Makes a blob of what was sent. Throws `IngestLost` where it is not what it should be: then it is gone. */
  async commit({digest, size}: {readonly digest: string; readonly size: number}, labels: LabelsMessage): Promise<void> {
    this.#expected = digest
    try {
      await this.#persist(async (stream) => {
        if (this.#offset !== size) throw this.#lost(size)
        await stream.send({action: 'COMMIT', total: size, expected: digest, offset: size, labels})
      })
    } catch (error) {
      if (refusalOf(error) !== 'FAILED_PRECONDITION') throw error
      await this.abort()
      throw this.#lost(size, error)
    } finally {
      this.close()
    }
  }

  /** Lets go of it; what arrived stays. */
  close(): void {
    this.#stream?.close()
    this.#stream = undefined
  }

  /** Throws away what arrived. */
  async abort(signal?: AbortSignal): Promise<void> {
    this.close()
    const patience = new Patience(3000)
    for (;;) {
      try {
        await this.#store.call('containerd.services.content.v1.Content/Abort', {ref: this.ref}, signal ? {signal} : {})
        return
      } catch (error) {
        if (refusalOf(error) === 'NOT_FOUND' || !(await patience.again(signal))) return
      }
    }
  }

  /** Runs a step on an open stream; where that breaks, opens it again, asks how far it came, and runs the step once more. */
  async #persist(step: (stream: Exchange<[WriteMessage, WriteAnswer]>) => Promise<void>): Promise<void> {
    // The time that the source took to give the bytes does not count.
    this.#patience.progress()
    while (!this.isHeld) {
      try {
        await step(this.#stream ?? (await this.#open()))
        return
      } catch (error) {
        this.close()
        if (refusalOf(error) === 'ALREADY_EXISTS') this.isHeld = true
        else if (refusalOf(error) === 'OUT_OF_RANGE') await this.#wait(error)
        else if (this.#signal?.aborted === true || !isPassing(error)) throw error
        else await this.#wait(error)
      }
    }
  }

  async #wait(error: unknown): Promise<void> {
    if (!(await this.#patience.again(this.#signal))) throw error
  }

  async #open(): Promise<Exchange<[WriteMessage, WriteAnswer]>> {
    const stream = this.#store.write({lease: this.#lease, ...(this.#signal ? {signal: this.#signal} : {})})
    this.#stream = stream
    const expected = this.#expected === undefined ? {} : {expected: this.#expected}
    const {offset} = await stream.send({action: 'STAT', ref: this.ref, total: this.#size, ...expected})
    this.#offset = offset
    return stream
  }

  #lost(wanted: number, cause?: unknown): IngestLost {
    return new IngestLost('ENGINE_REFUSED', {
      what: 'containerd has lost a blob that was being written.',
      why: `It has ${this.#offset} bytes; ${wanted} had arrived.`,
      suggestions: ['Try again: blobs that are whole are not sent again.'],
      at: {path: this.ref},
      cause,
    })
  }
}

/** What arrived is gone, or was not what it should be: the blob has to be sent from its start. */
export class IngestLost extends EnvironmentError {}

/** True where another writer is at the same blob, and goes on longer than it is worth waiting. */
export function isLocked(error: unknown): boolean {
  return refusalOf(error) === 'UNAVAILABLE' && error instanceof Error && error.message.includes('locked')
}
