import {digestOf, type Digest} from '../../model/digest.js'
import {InputError} from '../../model/errors.js'
import type {Descriptor, RawDocument} from '../../model/image.js'
import {
  descriptorOf,
  parseIndex,
  parseManifest,
  readConfig,
  type ManifestDocument,
  type StatedDescriptor,
} from '../shared/image-documents.js'
import {isConfigType, isForeignType, isIndexType, isManifestType} from '../shared/media-types.js'
import {digestMismatch} from '../shared/verified.js'
import type {Archive} from './archive.js'
import {attempt, type ArchivedImage, type ArchivedLayer, type FaultSink} from './archived-image.js'

/** An image manifest reachable from `index.json`. */
export interface OciImage {
  readonly names: readonly string[]
  readonly manifest: RawDocument & {readonly digest: Digest}
  readonly config: Descriptor
  readonly layers: readonly Descriptor[]
}

/** The full name, as containerd and Docker 25 state it; `org.opencontainers.image.ref.name` is only the tag there. */
const NAME_ANNOTATION = 'io.containerd.image.name'
const REF_NAME_ANNOTATION = 'org.opencontainers.image.ref.name'

/** An index of indexes of indexes is as deep as any tool makes them. */
const MAX_DEPTH = 4
const MAX_MANIFESTS = 10_000

/** All images that an OCI layout in the archive offers; none when there is no such layout. */
export async function readOciImages(archive: Archive, sink: FaultSink): Promise<readonly OciImage[]> {
  const entry = archive.find('index.json')
  if (entry === undefined || archive.find('oci-layout') === undefined) return []
  const walk = new IndexWalk(archive, sink)
  await attempt(sink, async () => {
    await walk.index(await archive.readDocument(entry), {title: 'index.json', names: [], depth: 0})
  })
  return [...walk.found.values()]
}

interface Place {
  readonly title: string
  readonly names: readonly string[]
  readonly depth: number
}

class IndexWalk {
  readonly #archive: Archive
  readonly #sink: FaultSink
  readonly found = new Map<Digest, OciImage>()

  constructor(archive: Archive, sink: FaultSink) {
    this.#archive = archive
    this.#sink = sink
  }

  async index(bytes: Uint8Array, place: Place): Promise<void> {
    if (place.depth > MAX_DEPTH) throw tooMany(`${place.title} is nested more than ${MAX_DEPTH} deep.`)
    for (const stated of parseIndex(bytes, place.title).manifests ?? []) {
      if (isIndexType(stated.mediaType) || isManifestType(stated.mediaType)) {
        await attempt(this.#sink, () => this.#child(stated, place))
      }
    }
  }

  async #child(stated: StatedDescriptor, place: Place): Promise<void> {
    const descriptor = descriptorOf(stated, place.title)
    const entry = this.#archive.findBlob(descriptor.digest)
    // A layout need not hold what it names: other platforms and referrers may be left out.
    if (entry === undefined) return
    const own = nameOf(stated)
    const names = own === undefined ? place.names : [own]
    const title = `blobs ${descriptor.digest}`
    const bytes = await this.#archive.readDocument(entry)
    const digest = digestOf(bytes)
    if (descriptor.digest.startsWith('sha256:') && digest !== descriptor.digest) {
      throw digestMismatch({title, digest: descriptor.digest}, digest)
    }
    if (isIndexType(stated.mediaType)) await this.index(bytes, {title, names, depth: place.depth + 1})
    else this.#manifest({mediaType: stated.mediaType, bytes, digest: descriptor.digest}, {...place, title, names})
  }

  #manifest(raw: RawDocument & {readonly digest: Digest}, {title, names}: Place): void {
    const manifest = parseManifest(raw.bytes, title)
    if (!isConfigType(manifest.config.mediaType)) return
    const known = this.found.get(raw.digest)
    if (this.found.size >= MAX_MANIFESTS) throw tooMany(`index.json leads to more than ${MAX_MANIFESTS} manifests.`)
    this.found.set(raw.digest, {
      names: [...new Set([...(known?.names ?? []), ...names])],
      manifest: raw,
      config: descriptorOf(manifest.config, title),
      layers: layersOf(manifest, title),
    })
  }
}

function layersOf(manifest: ManifestDocument, title: string): readonly Descriptor[] {
  return (manifest.layers ?? []).map((layer) => descriptorOf(layer, title))
}

function nameOf({annotations}: StatedDescriptor): string | undefined {
  const full = annotations?.[NAME_ANNOTATION]
  if (full !== undefined) return full
  const ref = annotations?.[REF_NAME_ANNOTATION]
  return ref?.includes('/') === true || ref?.includes(':') === true ? ref : undefined
}

/** Throws `LAYER_MISSING` for a layer that is neither in the archive nor said to be elsewhere. */
export function requireLayers(archive: Archive, {layers}: ArchivedImage): void {
  for (const [index, {entry, descriptor}] of layers.entries()) {
    const isElsewhere =
      descriptor !== undefined && (isForeignType(descriptor.mediaType) || descriptor.urls !== undefined)
    if (entry !== undefined || isElsewhere) continue
    throw new InputError('LAYER_MISSING', {
      what: `Layer ${index} (${descriptor?.digest ?? 'unknown'}) is not in the archive.`,
      suggestions: ['Save the image again, with all its layers.'],
      at: {path: archive.path},
    })
  }
}

export function configMissing(archive: Archive, {manifest, config}: OciImage): InputError {
  return new InputError('CONFIG_MISSING', {
    what: `The configuration ${config.digest} is not in the archive.`,
    why: `Manifest ${manifest.digest} names it.`,
    suggestions: ['Save the image again.'],
    at: {path: archive.path},
  })
}

function tooMany(what: string): InputError {
  return new InputError('LIMIT_EXCEEDED', {what, why: 'No real archive comes near.'})
}

/** The image of a manifest whose configuration is in the archive; undefined when it is not, or is no container image. */
export async function archivedOciImage(
  archive: Archive,
  oci: OciImage,
  sink: FaultSink,
): Promise<ArchivedImage | undefined> {
  const entry = archive.findBlob(oci.config.digest)
  if (entry === undefined) return undefined
  const bytes = await archive.readDocument(entry)
  const title = `configuration ${oci.config.digest}`
  const imageId = digestOf(bytes)
  if (oci.config.digest.startsWith('sha256:') && imageId !== oci.config.digest) {
    throw digestMismatch({title, digest: oci.config.digest}, imageId)
  }
  const facts = readConfig(bytes, title)
  // Attestations are manifests of the platform unknown/unknown.
  if (facts.platform.os === 'unknown') return undefined
  if (facts.diffIds.length !== oci.layers.length) {
    sink.fault(
      new InputError('ARCHIVE_CONTRADICTORY', {
        what: `Manifest ${oci.manifest.digest} and its configuration disagree.`,
        why: `The manifest has ${oci.layers.length} layers, the configuration ${facts.diffIds.length}.`,
        at: {path: archive.path},
      }),
    )
  }
  const layers = oci.layers.map((descriptor, index): ArchivedLayer => {
    const found = archive.findBlob(descriptor.digest)
    const diffId = facts.diffIds[index]
    return {descriptor, ...(diffId === undefined ? {} : {diffId}), ...(found === undefined ? {} : {entry: found})}
  })
  return {
    origin: 'index.json',
    names: oci.names,
    config: {mediaType: oci.config.mediaType, bytes},
    imageId,
    facts,
    manifest: oci.manifest,
    layers,
  }
}
