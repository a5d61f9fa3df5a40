import type {Reference} from '../../model/reference.js'
import {Archive} from '../shared/archive.js'
import {ImageCheck} from '../shared/image-check.js'
import type {OpenOptions, Verdict} from '../transport.js'
import type {ArchivedImage, ArchivedLayer} from './archived-image.js'
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

class ArchiveCheck {
  readonly #archive: Archive
  readonly #options: OpenOptions
  readonly #check: ImageCheck
  /** Bodies that have been read, by offset: a layer that images share is checked once. */
  readonly #checked = new Set<string>()

  constructor(archive: Archive, options: OpenOptions) {
    this.#archive = archive
    this.#options = options
    this.#check = new ImageCheck(archive.path, options)
  }

  async run(reference: Reference): Promise<Verdict> {
    this.#checkNames()
    const offers = matching(await readOffers(this.#archive, this.#check), reference, this.#options.platform)
    if (offers.length === 0 && reference.selector !== undefined) {
      this.#check.add('NOT_FOUND', `There is no image '${reference.selector}' in the archive.`, this.#archive.path)
    }
    for (const {offer, index} of offers) {
      this.#check.subject = offer.names[0] ?? `@${index}`
      await this.#check.gather(async () => {
        await this.#image(await offer.read(this.#options))
      })
    }
    this.#check.subject = this.#archive.path
    await this.#blobs()
    return this.#check.verdict
  }

  #checkNames(): void {
    for (const name of this.#archive.repeated) {
      this.#check.add('DUPLICATE_ENTRY', `'${name}' is in the archive more than once.`, name)
    }
    for (const name of this.#archive.names()) {
      if (name.startsWith('/') || name.split('/').includes('..') || /^[A-Za-z]:\//.test(name)) {
        this.#check.add('NAME_UNSAFE', `The name '${name}' leads out of the archive.`, name)
      }
    }
  }

  async #image(image: ArchivedImage): Promise<void> {
    for (const [index, layer] of image.layers.entries()) {
      const title = `${this.#check.subject} layer ${index}`
      if (layer.entry !== undefined) {
        await this.#check.gather(() => this.#layer(layer, title, image.facts.platform.os))
      }
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
    if (!isRead) this.#check.count(stored.descriptor.size)
    await this.#check.layer(stored, os)
  }

  /** Every member that is named after its digest must have it, also those that no manifest names. */
  async #blobs(): Promise<void> {
    for (const name of this.#archive.names()) {
      const entry = /^blobs\/[a-z0-9]+\/[0-9a-f]+$/.test(name) ? this.#archive.find(name) : undefined
      if (entry === undefined || this.#checked.has(String(entry.offset))) continue
      const open = () => this.#archive.stream(entry, this.#options)
      await this.#check.blob(name, {sizeBytes: entry.size, open})
    }
  }
}
