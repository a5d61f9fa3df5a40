import {findDigest} from '../../model/digest.js'
import {InputError, UnsupportedError, type ErrorCode, type TransshipError} from '../../model/errors.js'
import type {WorkOptions} from '../../model/events.js'
import type {Fault, LayerVerdict, Verdict} from '../../model/transport.js'
import type {FaultSink, Warning} from '../../model/fault-sink.js'
import {LayerNames} from '../../model/layer-names.js'
import {unpackOptions} from '../../model/limits.js'
import {Crew} from '../../workers/crew.js'
import {checkLayer} from './check-layer.js'
import {CHECK_LAYER, packFindings, type CheckLayerOutput} from './check-task.js'
import {layerInFile, type StoredLayer} from './read-layer-blob.js'
import {isNoSuchThing} from '../../model/no-such-thing.js'
import type {CheckedNames} from './checked-names.js'
import {verified} from '../../codecs/bytes/verified.js'

/** Code of the notes on what is only named, and was not read. */
export const NOT_READ = 'not-read'

/** Gathers what `verify` finds in a place that keeps images, instead of stopping at the first fault. */
export class ImageCheck implements FaultSink {
  readonly #options: WorkOptions
  readonly #faults: Fault[] = []
  readonly #layers: LayerVerdict[] = []
  /** What is being checked, for faults that do not say where they are. */
  subject: string
  #bytes = 0
  readonly #crew = new Crew()
  readonly #stop = new AbortController()
  readonly #begun = new Map<string, Promise<CheckLayerOutput>>()

  constructor(subject: string, options: WorkOptions) {
    this.subject = subject
    this.#options = options
  }

  /** Every fault of an item is told, not the first. */
  get item(): FaultSink {
    return this
  }

  get verdict(): Verdict {
    return {faults: this.#faults, layers: this.#layers, bytes: this.#bytes}
  }

  fault(error: TransshipError): void {
    this.add(error.code, error.message, error.at.path ?? this.subject)
  }

  warn(warning: Warning): void {
    this.add('ARCHIVE_CONTRADICTORY', warning.message, this.subject)
  }

  /** A fault, unless it is known. */
  add(code: ErrorCode, message: string, subject: string): void {
    const isKnown = this.#faults.some((fault) => fault.code === code && fault.message === message)
    if (!isKnown) this.#faults.push({code, message, subject})
  }

  /** Counts bytes as read and checked. */
  count(bytes: number): void {
    this.#bytes += bytes
  }

  /** Tells of content that was not read: it is only named, or was not asked for. */
  unread(message: string, subject: string): void {
    this.#options.onEvent?.({kind: 'note', code: NOT_READ, message, subject})
  }

  /** What finds out what there is to check: throws where there is no such thing at all, and keeps other faults. */
  async gatherTop(step: () => Promise<void>): Promise<void> {
    try {
      await step()
    } catch (error) {
      if (isNoSuchThing(error) || !(error instanceof InputError || error instanceof UnsupportedError)) throw error
      this.fault(error)
    }
  }

  /** True when the step ended well; a fault of the input is kept. */
  async gather(step: () => Promise<void>): Promise<boolean> {
    try {
      await step()
      return true
    } catch (error) {
      if (!(error instanceof InputError || error instanceof UnsupportedError)) throw error
      this.fault(error)
      return false
    }
  }

  /** Begins to read a layer on another thread, where that can be done; `layer` then takes what came of it. */
  begin(stored: StoredLayer, os: string): void {
    const layer = layerInFile(stored)
    if (layer === undefined || this.#begun.has(keyOf(stored))) return
    const signal = this.#stop.signal
    const found = this.#crew.run({
      task: CHECK_LAYER,
      input: {layer, os, limits: unpackOptions(this.#options)},
      weightBytes: layer.range.length,
      signal,
      here: async () => packFindings(await checkLayer(stored, os, {...this.#options, signal}), []),
    })
    // Who asked hears of a failure when it is the layer's turn.
    found.catch(() => undefined)
    this.#begun.set(keyOf(stored), found)
  }

  /** Reads a layer to its end and checks digests, hives, names together with those below, and that the tar fits its OS. */
  async layer(stored: StoredLayer, os: string, {names, index}: CheckedNames): Promise<void> {
    const {title, diffId} = stored
    const found = this.#begun.get(keyOf(stored))
    this.#begun.delete(keyOf(stored))
    const findings = await (found ?? checkLayer(stored, os, this.#options).then((own) => packFindings(own, [])))
    for (const event of findings.events) this.#options.onEvent?.(event)
    for (const each of findings.faults)
      if (each.isOfTar) this.add(each.code, each.message, each.subject ?? this.subject)
      else this.#faults.push(each.fault)
    if (findings.names !== undefined) {
      names.adopt(index, LayerNames.of(findings.names))
      await names.settle(index, {
        ...this.#options,
        onFault: ({code, message, at}) => {
          this.#faults.push({code, message, subject: at.path ?? ''})
        },
      })
    }
    this.#layers.push({title, ...(diffId === undefined ? {} : {diffId}), entries: findings.entries})
  }

  /** Stops what was begun, and waits for its end: the file is about to be closed. */
  async stop(): Promise<void> {
    this.#stop.abort()
    await Promise.allSettled(this.#begun.values())
  }

  /** A file of an OCI layout; its name states its digest. */
  async blob(name: string, body: {readonly sizeBytes: number; open(): AsyncIterable<Uint8Array>}): Promise<void> {
    const parts = /^blobs\/([a-z0-9]+)\/([0-9a-f]+)$/.exec(name)
    const digest = parts === null ? undefined : findDigest(`${parts[1] ?? ''}:${parts[2] ?? ''}`)
    if (digest === undefined) {
      this.add('DIGEST_MISMATCH', `The name '${name}' does not contain a digest that transship can check.`, name)
      return
    }
    this.count(body.sizeBytes)
    await this.gather(async () => {
      for await (const _chunk of verified(body.open(), {title: name, digest}));
    })
  }
}

function keyOf({title, range}: StoredLayer): string {
  return `${title} ${range?.offset ?? ''}`
}
