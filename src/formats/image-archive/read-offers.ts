import type {TarIndexEntry} from '../../codecs/tar/index-tar.js'
import {InputError} from '../../model/errors.js'
import type {WorkOptions} from '../../model/events.js'
import type {Platform} from '../../model/image.js'
import type {Archive} from '../archive-file/archive.js'
import {KeptResults} from '../../disk/kept-results.js'
import {attempt, LeavingOut, type FaultSink} from '../../model/fault-sink.js'
import {platformOf} from '../image-documents/image-documents.js'
import type {ArchivedImage} from './archived-image.js'
import {readManifestImages} from './manifest-images.js'
import {archivedOciImage, configMissing, readOciImages} from './oci-images.js'
import {completeV1Image, readV1Images} from './v1-images.js'

/** One image that an archive offers. */
export interface Offer {
  readonly names: readonly string[]
  readonly platform: Platform
  readonly createdTime?: string
  /** False for what only `index.json` names beside a `manifest.json`: further platforms, mostly. */
  readonly isPrimary: boolean
  /** Members that hold layers; undefined = not in the archive. */
  readonly layers: readonly (TarIndexEntry | undefined)[]
  /** Known without reading layers in all but archives of Docker before 1.10. */
  readonly image?: ArchivedImage
  read(archive: Archive, options: WorkOptions): Promise<ArchivedImage>
}

/** What an archive offers, and what of it is left out. */
export interface FoundOffers {
  readonly offers: readonly Offer[]
  readonly sink: LeavingOut
}

const FOUND = new KeptResults<FoundOffers>()
const COMPLETED = new KeptResults<ArchivedImage>()

/** The same as `readOffers` with what cannot be read left out; worked out once as long as the archive is open. */
export function findOffers(archive: Archive): Promise<FoundOffers> {
  return FOUND.of(archive.contents, async () => {
    const sink = new LeavingOut()
    return {offers: await readOffers(archive, sink), sink}
  })
}

/** Everything the archive offers, in a stable order. Throws `UNRECOGNISED_FORMAT` when it is no archive of images. */
export async function readOffers(archive: Archive, sink: FaultSink): Promise<readonly Offer[]> {
  const manifest = archive.find('manifest.json')
  const oci = await readOciImages(archive, sink)
  if (manifest !== undefined || archive.find('index.json') !== undefined) {
    const listed = manifest === undefined ? [] : await readManifestImages(archive, manifest, {oci, sink})
    const offers = listed.map((image) => offerOf(image, true))
    const listedIds = new Set(listed.map(({imageId}) => imageId))
    for (const image of oci) {
      if (listedIds.has(image.config.digest)) continue
      const found = await attempt(sink, () => archivedOciImage(archive, image, sink.item))
      if (found !== undefined) offers.push(offerOf(found, listed.length === 0))
    }
    const [lost] = oci.filter((image) => archive.findBlob(image.config.digest) === undefined)
    if (offers.length === 0 && lost !== undefined) sink.fault(configMissing(archive, lost))
    return offers
  }
  const repositories = archive.find('repositories')
  if (repositories === undefined) throw unrecognised(archive)
  const images = await readV1Images(archive, repositories, sink)
  return images.map((image) => ({
    names: image.names,
    platform: platformOf(image.top.document),
    ...(image.top.document.created === undefined ? {} : {createdTime: image.top.document.created}),
    isPrimary: true,
    layers: image.layers.map((layer) => layer.entry),
    read: (from, options) => COMPLETED.of(image, () => completeV1Image(from, image, options)),
  }))
}

function offerOf(image: ArchivedImage, isPrimary: boolean): Offer {
  const {names, facts, layers} = image
  return {
    names,
    platform: facts.platform,
    ...(facts.created === undefined ? {} : {createdTime: facts.created}),
    isPrimary,
    layers: layers.map((layer) => layer.entry),
    image,
    read: () => Promise.resolve(image),
  }
}

function unrecognised(archive: Archive): InputError {
  const isPayload = [...archive.names()].some((name) => /^(?:files|hives|utilityvm)(?:\/|$)/i.test(name))
  return new InputError('UNRECOGNISED_FORMAT', {
    what: `'${archive.path}' is not an image archive.`,
    why: isPayload
      ? 'It is a tar of one transport layout (Files, Hives), like an early Windows base image.'
      : 'It contains no manifest.json, index.json or repositories.',
    suggestions: isPayload ? ['Unpack it into a folder and use layout:FOLDER.'] : ['Use a file from docker save.'],
    at: {path: archive.path},
  })
}
