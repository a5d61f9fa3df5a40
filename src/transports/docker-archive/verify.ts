import {readTar} from '../../codecs/tar/tar-reader.js'
import {findDigest} from '../../model/digest.js'
import {InputError, TransshipError, type ErrorCode} from '../../model/errors.js'
import type {WorkOptions} from '../../model/events.js'
import type {Reference} from '../../model/reference.js'
import {layerFromTar, layerTar, type StoredLayer} from '../shared/layer-tar-stream.js'
import {checkingHives} from '../shared/verify-hives.js'
import {verified} from '../shared/verified.js'
import type {Fault, LayerVerdict, OpenOptions, Verdict} from '../transport.js'
import {Archive} from './archive.js'
import type {ArchivedImage, ArchivedLayer, FaultSink, Warning} from './archived-image.js'
import {matching, readOffers} from './read-images.js'
import {storedLayer} from './source.js'

/** Checks all images that the reference selects, and every content-addressed member, and gathers all faults. */
export async function verifyArchive(reference: Reference, options: OpenOptions): Promise<Verdict> {
  const archive = await Archive.open(reference.path, options)
  try {
    return await new ArchiveCheck(archive, options).run(reference)
  } finally {
    await archive.close()
  }
}

class ArchiveCheck implements FaultSink {
  readonly #archive: Archive
  readonly #options: OpenOptions
  readonly #faults: Fault[] = []
  readonly #layers: LayerVerdict[] = []
  /** Bodies that have been read, by offset: a layer that images share is checked once. */
  readonly #checked = new Set<string>()
  #subject: string
  #bytes = 0

  constructor(archive: Archive, options: OpenOptions) {
    this.#archive = archive
    this.#options = options
    this.#subject = archive.path
  }

  fault(error: TransshipError): void {
    this.#add(error.code, error.message, error.at.path ?? this.#subject)
  }

  warn(warning: Warning): void {
    this.#add('ARCHIVE_CONTRADICTORY', warning.message, this.#subject)
  }

  #add(code: ErrorCode, message: string, subject: string): void {
    const isKnown = this.#faults.some((fault) => fault.code === code && fault.message === message)
    if (!isKnown) this.#faults.push({code, message, subject})
  }

  async run(reference: Reference): Promise<Verdict> {
    this.#checkNames()
    const offers = matching(await readOffers(this.#archive, this), reference, this.#options.platform)
    if (offers.length === 0 && reference.selector !== undefined) {
      this.#add('NOT_FOUND', `There is no image '${reference.selector}' in the archive.`, this.#archive.path)
    }
    for (const {offer, index} of offers) {
      this.#subject = offer.names[0] ?? `@${index}`
      await this.#gather(async () => {
        await this.#image(await offer.read(this.#options))
      })
    }
    this.#subject = this.#archive.path
    await this.#blobs()
    return {faults: this.#faults, layers: this.#layers, bytes: this.#bytes}
  }

  #checkNames(): void {
    for (const name of this.#archive.repeated) {
      this.#add('DUPLICATE_ENTRY', `'${name}' is in the archive more than once.`, name)
    }
    for (const name of this.#archive.names()) {
      if (name.startsWith('/') || name.split('/').includes('..') || /^[A-Za-z]:\//.test(name)) {
        this.#add('NAME_UNSAFE', `The name '${name}' leads out of the archive.`, name)
      }
    }
  }

  async #image(image: ArchivedImage): Promise<void> {
    for (const [index, layer] of image.layers.entries()) {
      const title = `${this.#subject} layer ${index}`
      if (layer.entry !== undefined) await this.#gather(() => this.#layer(layer, title, image.facts.platform.os))
    }
  }

  async #layer(layer: ArchivedLayer, title: string, os: string): Promise<void> {
    const key = `${String(layer.entry?.offset)} ${layer.diffId ?? ''}`
    if (this.#checked.has(key)) return
    this.#checked.add(key)
    const stored = await storedLayer(this.#archive, layer, title, this.#options)
    if (stored === undefined) return
    const isRead = layer.entry !== undefined && this.#checked.has(String(layer.entry.offset))
    if (layer.entry !== undefined) this.#checked.add(String(layer.entry.offset))
    if (!isRead) this.#bytes += stored.descriptor.size
    const counts = {entries: 0}
    const keep = (fault: Fault): void => {
      this.#faults.push({...fault, subject: `${title}: ${fault.subject}`})
    }
    const isWhole = await this.#gather(() => countEntries(stored, os, {counts, keep}, this.#options))
    // A fault inside the tar ends the decoding early, and the digests are at its end.
    if (!isWhole) {
      await this.#gather(async () => {
        for await (const _chunk of layerTar(stored, this.#options));
      })
    }
    this.#layers.push({title, ...(layer.diffId === undefined ? {} : {diffId: layer.diffId}), entries: counts.entries})
  }

  /** Every member that is named after its digest must have it, also those that no manifest names. */
  async #blobs(): Promise<void> {
    for (const name of this.#archive.names()) {
      const parts = /^blobs\/([a-z0-9]+)\/([0-9a-f]+)$/.exec(name)
      const entry = parts === null ? undefined : this.#archive.find(name)
      if (parts === null || entry === undefined || this.#checked.has(String(entry.offset))) continue
      const digest = findDigest(`${parts[1] ?? ''}:${parts[2] ?? ''}`)
      if (digest === undefined) {
        this.#add('DIGEST_MISMATCH', `'${name}' is not named after a digest that can be checked.`, name)
        continue
      }
      this.#bytes += entry.size
      await this.#gather(async () => {
        for await (const _chunk of verified(this.#archive.stream(entry, this.#options), {title: name, digest}));
      })
    }
  }

  /** True when the step ended well; a fault of the input is kept. */
  async #gather(step: () => Promise<void>): Promise<boolean> {
    try {
      await step()
      return true
    } catch (error) {
      if (!(error instanceof InputError)) throw error
      this.fault(error)
      return false
    }
  }
}

async function countEntries(
  stored: StoredLayer,
  os: string,
  {counts, keep}: {readonly counts: {entries: number}; readonly keep: (fault: Fault) => void},
  options: WorkOptions,
): Promise<void> {
  if (os === 'windows') {
    const entries = checkingHives(layerFromTar(stored).entries(options), keep)
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
  for await (const item of items) if (item.kind === 'member') counts.entries++
}
