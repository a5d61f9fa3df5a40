import {readTar} from '../../codecs/tar/tar-reader.js'
import {findDigest} from '../../model/digest.js'
import {InputError, UnsupportedError, type ErrorCode, type TransshipError} from '../../model/errors.js'
import type {WorkOptions} from '../../model/events.js'
import type {Fault, LayerVerdict, Verdict} from '../../model/transport.js'
import type {FaultSink, Warning} from '../../model/fault-sink.js'
import {layerFromTar, layerTar, type StoredLayer} from './read-layer-blob.js'
import {isNoSuchThing} from '../../model/no-such-thing.js'
import {checkingHives} from './verify-hives.js'
import {checkingNames, type CheckedNames} from './checked-names.js'
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

  /** Tells of content that is only named, so that it could not be read. */
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

  /** Reads a layer to its end and checks digests, names, and that the tar fits its operating system. */
  async layer(stored: StoredLayer, os: string, named: CheckedNames): Promise<void> {
    const {title, diffId} = stored
    const counts = {entries: 0}
    const keep = (fault: Fault): void => {
      this.#faults.push({...fault, subject: `${title}: ${fault.subject}`})
    }
    const count = {counts, keep, named, keepName: (fault: Fault) => this.#faults.push(fault)}
    const isWhole = await this.gather(() => countEntries(stored, os, count, this.#options))
    // A fault inside the tar ends the decoding early, and the digests are at its end.
    if (!isWhole) {
      await this.gather(async () => {
        for await (const _chunk of layerTar(stored, this.#options));
      })
    }
    this.#layers.push({title, ...(diffId === undefined ? {} : {diffId}), entries: counts.entries})
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

interface Counting {
  readonly counts: {entries: number}
  /** Gets faults of hives. */
  readonly keep: (fault: Fault) => void
  /** Gets faults of names. */
  readonly keepName: (fault: Fault) => void
  readonly named: CheckedNames
}

async function countEntries(
  stored: StoredLayer,
  os: string,
  {counts, keep, named, keepName}: Counting,
  options: WorkOptions,
): Promise<void> {
  if (os === 'windows') {
    const followed = checkingNames(layerFromTar(stored).entries(options), named, {...options, report: keepName})
    const entries = checkingHives(followed, keep)
    for await (const entry of entries) if (entry.kind !== 'frame') counts.entries++
    return
  }
  const {title, diffId} = stored
  const {signal} = options
  const items = readTar(layerTar(stored, options), {
    title,
    code: 'LAYER_CORRUPT',
    signal,
    mayLackEnd: diffId !== undefined,
  })
  for await (const item of items) {
    if (item.kind !== 'member') continue
    if (item.name === '') throw nameless(title, item.offset)
    counts.entries++
  }
}

function nameless(title: string, offset: number): InputError {
  return new InputError('NAME_UNSAFE', {
    what: 'A member of the layer has no name.',
    why: 'Tools interpret such a member differently.',
    suggestions: ['Build the layer again.'],
    at: {path: title, offset},
  })
}
