import {TransshipError} from '../../model/errors.js'
import type {WorkOptions} from '../../model/events.js'
import type {Verdict} from '../../model/transport.js'
import type {Archive} from '../archive-file/archive.js'
import {nameFaults} from '../archive-file/member-names.js'
import {namesOfStored, type CheckedNames} from '../layer-blob/checked-names.js'
import {ImageCheck} from '../layer-blob/image-check.js'
import {isManifestType} from '../image-documents/media-types.js'
import {archiveStore} from '../oci-layout/archive-store.js'
import {IndexWalk, type PassedOver} from '../oci-layout/index-walk.js'
import {verifyNamed} from '../oci-layout/verify-named.js'
import type {ArchivedImage, ArchivedLayer} from './archived-image.js'
import {configMissing} from './oci-images.js'
import {storedLayer} from './open-offer.js'
import {readOffers, type Offer} from './read-offers.js'

/** An offer with its place in the archive. */
export interface IndexedOffer {
  readonly offer: Offer
  readonly index: number
}

/** Checks the chosen images of an archive, and mostly every content-addressed member, and gathers all faults. */
export class ArchiveCheck {
  readonly #archive: Archive
  readonly #options: WorkOptions
  readonly #check: ImageCheck
  /** Bodies that have been read, by offset: a layer that images share is checked once. */
  readonly #checked = new Set<string>()

  constructor(archive: Archive, options: WorkOptions) {
    this.#archive = archive
    this.#options = options
    this.#check = new ImageCheck(archive.path, options)
  }

  /**
   * `choose` gives what is to be checked of everything that is offered; with `isWhole`, all that index.json leads to is
   * checked as well, and with `isSelected` only what was chosen. Throws `UNRECOGNISED_FORMAT`, and what `choose` throws.
   */
  async run(
    choose: (offers: readonly Offer[], check: ImageCheck) => readonly IndexedOffer[],
    {isWhole = false, isSelected = false} = {},
  ): Promise<Verdict> {
    try {
      return await this.#run(choose, {isWhole, isSelected})
    } finally {
      await this.#check.stop()
    }
  }

  async #run(
    choose: (offers: readonly Offer[], check: ImageCheck) => readonly IndexedOffer[],
    {isWhole, isSelected}: {readonly isWhole: boolean; readonly isSelected: boolean},
  ): Promise<Verdict> {
    this.#checkNames()
    for (const {offer, index} of choose(await readOffers(this.#archive, this.#check), this.#check)) {
      this.#check.subject = offer.names[0] ?? `@${index}`
      await this.#check.gather(async () => {
        await this.#image(await offer.read(this.#archive, this.#options))
      })
    }
    this.#check.subject = this.#archive.path
    if (isWhole) await this.#named()
    if (!isSelected) await this.#blobs()
    return this.#check.verdict
  }

  #checkNames(): void {
    for (const {code, message, name} of nameFaults(this.#archive)) this.#check.add(code, message, name)
  }

  async #image(image: ArchivedImage): Promise<void> {
    const {subject} = this.#check
    const names = namesOfStored(
      image.layers.map((layer, index) => {
        const title = `${subject} layer ${index}`
        const find = () => storedLayer(this.#archive, layer, title, this.#options)
        return {title, find: layer.entry === undefined ? undefined : find}
      }),
    )
    await this.#begin(image)
    for (const [index, layer] of image.layers.entries()) {
      const title = `${subject} layer ${index}`
      if (layer.absence !== undefined) {
        this.#check.add('LAYER_MISSING', `The content of ${title} is missing. ${layer.absence}`, title)
      } else if (layer.entry !== undefined) {
        await this.#check.gather(() => this.#layer(layer, title, image.facts.platform.os, {names, index}))
      } else if (layer.descriptor !== undefined) {
        this.#check.unread(`${title} (${layer.descriptor.digest}) is stored elsewhere.`, title)
      }
    }
  }

  /** Reads the layers of an image side by side; a fault that one has is told when it is its turn. */
  async #begin(image: ArchivedImage): Promise<void> {
    for (const [index, layer] of image.layers.entries()) {
      if (layer.entry === undefined || layer.absence !== undefined) continue
      if (this.#checked.has(`${layer.entry.offset} ${layer.diffId ?? ''}`)) continue
      const title = `${this.#check.subject} layer ${index}`
      try {
        const stored = await storedLayer(this.#archive, layer, title, this.#options)
        if (stored !== undefined) this.#check.begin(stored, image.facts.platform.os)
      } catch (error) {
        if (!(error instanceof TransshipError)) throw error
      }
    }
  }

  async #layer(layer: ArchivedLayer, title: string, os: string, named: CheckedNames): Promise<void> {
    const key = `${String(layer.entry?.offset)} ${layer.diffId ?? ''}`
    if (this.#checked.has(key)) return
    this.#checked.add(key)
    const stored = await storedLayer(this.#archive, layer, title, this.#options)
    if (stored === undefined) return
    const isRead = layer.entry !== undefined && this.#checked.has(String(layer.entry.offset))
    if (layer.entry !== undefined) this.#checked.add(String(layer.entry.offset))
    if (!isRead) this.#check.count(stored.descriptor.size)
    await this.#check.layer(stored, os, named)
  }

  /** What index.json leads to beside the images: the index of an image names platforms that an engine need not have saved. */
  async #named(): Promise<void> {
    const entry = this.#archive.find('index.json')
    if (entry === undefined || this.#archive.find('oci-layout') === undefined) return
    const store = archiveStore(this.#archive)
    const walk = new IndexWalk(store, this.#check, this.#options)
    await this.#check.gather(async () => walk.index(await this.#archive.readDocument(entry), 'index.json'))
    for (const image of walk.found)
      if (this.#archive.findBlob(image.config.digest) === undefined)
        this.#check.fault(configMissing(this.#archive, image))
    const isLeftOut = ({reason, within, mediaType}: PassedOver) =>
      reason === 'absent' && within.length > 0 && isManifestType(mediaType)
    const leftOut = walk.passedOver.filter(isLeftOut)
    if (leftOut.length > 0) {
      const message = `An index names ${leftOut.length} manifests for other platforms that are not in the archive.`
      this.#check.unread(message, this.#archive.path)
    }
    const named = walk.passedOver.filter((each) => !isLeftOut(each))
    await verifyNamed(store, named, {check: this.#check, read: new Set(), options: this.#options})
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
