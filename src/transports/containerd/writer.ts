import {digestAlgorithm, digestOf, type Digest} from '../../model/digest.js'
import {TransshipError, UnsupportedError} from '../../model/errors.js'
import type {WorkOptions} from '../../model/events.js'
import type {StoredContent} from '../../model/content-graph.js'
import type {Layer, RawDocument} from '../../model/image.js'
import type {LabelsMessage} from '../../engine-api/containerd/store-services.js'
import type {LayerBody, LayerFacts} from '../../formats/layer-blob/layer-body.js'
import type {KeptLayer, LayerShelf} from '../../formats/layer-blob/layer-writer.js'
import {isContentHeld} from '../../formats/oci-layout/put-content.js'
import {Ingest, IngestLost, isLocked} from './ingest.js'
import {layerLabels} from './labels.js'
import {Lease} from './lease.js'
import type {NamespaceStore} from './store.js'

/** How often one blob is sent from its start. */
const MAX_SENDINGS = 4
/** Sent at a time: the server takes up to 16 MiB. */
const PIECE_BYTES = 2 ** 20

/** Bytes on their way, and what is known of them: before they are read where they are passed on, else behind their end. */
interface Body<F> {
  readonly stated?: {readonly digest: Digest; readonly size: number}
  readonly bytes: AsyncIterable<Uint8Array>
  facts(): F
}

/** Writes blobs into a namespace, all of them under one lease. */
export class BlobWriter implements LayerShelf<Digest> {
  readonly takes = ['none', 'gzip', 'zstd'] as const
  readonly #store: NamespaceStore
  readonly #sources: () => LabelsMessage
  readonly #open = new Set<Ingest>()
  /** By digest, those that were begun to see what is there already. */
  readonly #begun = new Map<string, Ingest>()
  #lease: Promise<Lease> | undefined
  /** Bytes that were sent. */
  sentBytes = 0

  /** `sources` gives the labels that every blob is to have. */
  constructor(store: NamespaceStore, sources: () => LabelsMessage) {
    this.#store = store
    this.#sources = sources
  }

  /** Taken at the first use, before the first byte is sent. */
  lease(options: WorkOptions): Promise<Lease> {
    this.#lease ??= Lease.take(this.#store, options)
    return this.#lease
  }

  async put(
    open: () => LayerBody,
    options: WorkOptions,
  ): Promise<{readonly member: Digest; readonly facts: LayerFacts}> {
    const facts = await this.#send(open, (sent) => layerLabels(sent), options)
    return {member: facts.digest, facts}
  }

  /** A blob as it is. One that is there is not sent, and one that an earlier run began goes on. `FORMAT_UNSUPPORTED`. */
  async putContent(blob: StoredContent, labels: LabelsMessage, options: WorkOptions): Promise<void> {
    const {digest, size} = blob.descriptor
    const facts = {digest, size}
    requireSha256(digest)
    const wanted = {...this.#sources(), ...labels}
    if (await (await this.lease(options)).keep(digest, wanted, options)) return
    if (await this.#findElsewhere(facts, wanted, options)) return
    if (!(await isContentHeld(blob, options))) return
    const open = () => ({stated: facts, bytes: blob.open(options), facts: () => facts})
    await this.#send(open, () => labels, options)
  }

  /** Sends a body until containerd has it; gives its facts. */
  async #send<F extends {readonly digest: Digest; readonly size: number}>(
    open: () => Body<F>,
    labelsOf: (facts: F) => LabelsMessage,
    options: WorkOptions,
  ): Promise<F> {
    for (let sending = 1, suffix = ''; ; sending++) {
      const body = open()
      const {stated} = body
      const known = stated !== undefined && digestAlgorithm(stated.digest) === 'sha256' ? stated : undefined
      const begun = this.#begun.get(known?.digest ?? '')
      this.#begun.delete(known?.digest ?? '')
      const ingest = begun ?? (await this.#ingest(known, options, suffix))
      try {
        await sendBody(ingest, body.bytes)
        const facts = body.facts()
        await this.#commit(ingest, facts, {...this.#sources(), ...labelsOf(facts)}, options)
        return facts
      } catch (error) {
        if (options.signal?.aborted === true || sending >= MAX_SENDINGS) throw error
        if (error instanceof IngestLost) await this.#throwAway(ingest)
        // Whoever else writes it is slow: it is sent beside, and containerd keeps the one that is whole first.
        else if (isLocked(error)) suffix = `-${String(process.pid)}`
        else throw error
      }
    }
  }

  /** A blob that was sent twice is one blob there. */
  drop(): Promise<void> {
    return Promise.resolve()
  }

  async findKept(
    {diffId}: Layer,
    {digest, size}: {readonly digest: Digest; readonly size: number},
    options: WorkOptions,
  ): Promise<KeptLayer<Digest> | undefined> {
    if (digestAlgorithm(digest) !== 'sha256') return undefined
    const labels = {...this.#sources(), ...(diffId === undefined ? {} : layerLabels({digest, diffId}))}
    if (await (await this.lease(options)).keep(digest, labels, options)) return {member: digest}
    return (await this.#findElsewhere({digest, size}, labels, options)) ? {member: digest} : undefined
  }

  /** What another namespace has, or an earlier run has sent to its end, need not be sent: it only lacks its last message. */
  async #findElsewhere(
    known: {readonly digest: Digest; readonly size: number},
    labels: LabelsMessage,
    options: WorkOptions,
  ): Promise<boolean> {
    const ingest = await this.#ingest(known, options)
    try {
      const offset = await ingest.begin()
      if (!ingest.isHeld && (offset === 0 || offset !== known.size)) {
        // Left open: it is sent next, and whoever opens it anew has to wait until it is let go of.
        this.#begun.set(known.digest, ingest)
        return false
      }
      await this.#commit(ingest, known, labels, options)
      return true
    } catch (error) {
      ingest.close()
      if (options.signal?.aborted === true || !(error instanceof IngestLost || isLocked(error))) throw error
      return false
    }
  }

  /** A manifest or configuration. */
  async putDocument({bytes}: RawDocument, labels: LabelsMessage, options: WorkOptions): Promise<void> {
    const digest = digestOf(bytes)
    const wanted = {...this.#sources(), ...labels}
    if (await (await this.lease(options)).keep(digest, wanted, options)) return
    const known = {digest, size: bytes.byteLength}
    for (let sending = 1; ; sending++) {
      const ingest = await this.#ingest(known, options, sending === 1 ? '' : `-${String(process.pid)}`)
      try {
        await ingest.write(bytes, 0)
        await this.#commit(ingest, known, wanted, options)
        return
      } catch (error) {
        const isAgain = error instanceof IngestLost || isLocked(error)
        if (options.signal?.aborted === true || !isAgain || sending >= MAX_SENDINGS) throw error
        if (error instanceof IngestLost) await this.#throwAway(ingest)
      }
    }
  }

  /** Labels that a blob which is there lacks. */
  async addLabels(digest: Digest, labels: LabelsMessage, options: WorkOptions): Promise<void> {
    await (await this.lease(options)).keep(digest, labels, options)
  }

  async #ingest(
    known: {readonly digest: string; readonly size: number} | undefined,
    options: WorkOptions,
    suffix?: string,
  ): Promise<Ingest> {
    const {id} = await this.lease(options)
    const ingest = new Ingest(this.#store, {lease: id, signal: options.signal, known}, suffix)
    this.#open.add(ingest)
    return ingest
  }

  async #commit(
    ingest: Ingest,
    blob: {readonly digest: Digest; readonly size: number},
    labels: LabelsMessage,
    options: WorkOptions,
  ): Promise<void> {
    await ingest.commit(blob, labels)
    this.sentBytes += ingest.sentBytes
    this.#open.delete(ingest)
    this.#store.forget()
    // Labels of the last message count for a new blob alone; who had it may have let go of it meanwhile.
    if (ingest.isHeld && !(await (await this.lease(options)).keep(blob.digest, labels, options)))
      throw new IngestLost('ENGINE_REFUSED', {what: `containerd has lost the blob ${blob.digest}.`})
  }

  async #throwAway(ingest: Ingest): Promise<void> {
    await ingest.abort()
    this.#open.delete(ingest)
  }

  /** Ends the lease: what no image holds by now goes with it. */
  async end(options: WorkOptions): Promise<void> {
    const lease = await this.#lease
    this.#lease = undefined
    await lease?.end(options)
  }

  /** Takes back whatever was begun. */
  async abort(options: WorkOptions): Promise<void> {
    const {signal} = options
    await Promise.all([...this.#open].map((ingest) => ingest.abort(signal)))
    this.#open.clear()
    try {
      await this.end(options)
    } catch (error) {
      // The failure that led here is what is told; a lease that cannot be ended now ends by itself.
      if (!(error instanceof TransshipError)) throw error
    }
  }
}

/** containerd counts the SHA-256 of whatever it gets, and knows a blob by nothing else. */
function requireSha256(digest: Digest): void {
  if (digestAlgorithm(digest) === 'sha256') return
  throw new UnsupportedError('FORMAT_UNSUPPORTED', {
    what: `containerd cannot store the blob ${digest}.`,
    why: 'It knows blobs by their SHA-256 only.',
    suggestions: ['Convert the images one by one with --platform, or write to an OCI layout.'],
  })
}

/** Chunks become pieces of one size, each held until containerd has it. What is there of an earlier run is not sent. */
async function sendBody(ingest: Ingest, bytes: AsyncIterable<Uint8Array>): Promise<void> {
  try {
    await ingest.begin()
    const held = Buffer.allocUnsafeSlow(PIECE_BYTES)
    let length = 0
    let start = 0
    for await (const chunk of bytes) {
      for (let at = 0; at < chunk.byteLength;) {
        if (length === held.byteLength) {
          await ingest.write(held, start)
          start += length
          length = 0
        }
        const piece = chunk.subarray(at, at + held.byteLength - length)
        held.set(piece, length)
        length += piece.byteLength
        at += piece.byteLength
      }
    }
    await ingest.write(held.subarray(0, length), start)
  } catch (error) {
    ingest.close()
    throw error
  }
}
