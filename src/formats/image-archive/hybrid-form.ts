import type {Digest} from '../../model/digest.js'
import type {Descriptor, Platform, RawDocument} from '../../model/image.js'
import type {TaggedName} from '../image-documents/image-name.js'
import {MEDIA_TYPE} from '../image-documents/media-types.js'
import {blobPath} from '../oci-layout/content-store.js'
import {indexNameOf} from '../oci-layout/index-name.js'
import {indexEntries} from '../oci-layout/index-entries.js'
import {
  descriptorOfDocument,
  descriptorOfLayer,
  manifestFor,
  type ManifestFamily,
} from '../image-documents/written-manifest.js'
import type {ArchiveForm, ArchiveTar, WrittenImage} from './archive-form.js'

interface ListedImage {
  readonly names: readonly TaggedName[]
  readonly others: readonly string[]
  readonly config: Digest
  readonly layers: readonly Descriptor[]
  readonly diffIds: readonly Digest[]
  readonly foreign: readonly number[]
  readonly manifest: Descriptor
  readonly platform: Platform
}

/**
 * What Docker 25 and later save: an OCI layout that has a manifest.json as well, so that every loader takes it. Blobs
 * come first and documents last. Source: containerd core/images/archive/exporter.go; Docker image page, section 1c.
 */
export class HybridForm implements ArchiveForm {
  readonly takesCompressed = true
  readonly hasIndex = true
  readonly #family: ManifestFamily | undefined
  readonly #named = new Set<Digest>()
  readonly #images: ListedImage[] = []

  constructor(family: ManifestFamily | undefined) {
    this.#family = family
  }

  async begin(file: ArchiveTar): Promise<void> {
    for (const name of ['blobs/', 'blobs/sha256/']) await file.add({name, typeflag: '5', mode: 0o755})
  }

  async addImage(
    file: ArchiveTar,
    {names, others, draft, config, imageId, diffIds, layers}: WrittenImage,
  ): Promise<{layers: readonly Descriptor[]; manifestDigest: Digest}> {
    for (const layer of layers) {
      if (layer.kind === 'foreign' || this.#named.has(layer.facts.digest)) continue
      await file.name(layer.member, blobPath(layer.facts.digest))
      this.#named.add(layer.facts.digest)
    }
    await this.#addDocument(file, config)
    const parts = layers.map((layer) => (layer.kind === 'stored' ? layer.facts : layer.descriptor))
    const manifest = manifestFor(
      {config: {digest: imageId, size: config.bytes.byteLength}, layers: parts},
      {kept: draft.manifest, family: this.#family},
    )
    await this.#addDocument(file, manifest)
    const family = manifest.mediaType === MEDIA_TYPE.dockerManifest ? 'docker' : 'oci'
    const descriptors = parts.map((part) => descriptorOfLayer(part, family))
    const described = descriptorOfDocument(manifest)
    this.#images.push({
      names,
      others,
      config: imageId,
      layers: descriptors,
      diffIds,
      foreign: layers.flatMap((layer, index) => (layer.kind === 'foreign' ? [index] : [])),
      manifest: described,
      platform: draft.platform,
    })
    return {layers: descriptors, manifestDigest: described.digest}
  }

  async #addDocument(file: ArchiveTar, document: RawDocument): Promise<void> {
    const {digest} = descriptorOfDocument(document)
    if (this.#named.has(digest)) return
    this.#named.add(digest)
    await file.add({name: blobPath(digest), typeflag: '0', mode: 0o444}, document.bytes)
  }

  async end(file: ArchiveTar): Promise<void> {
    const documents: readonly (readonly [string, unknown])[] = [
      ['index.json', {schemaVersion: 2, mediaType: MEDIA_TYPE.ociIndex, manifests: this.#images.flatMap(entriesOf)}],
      ['manifest.json', this.#images.map(manifestItem)],
      ['oci-layout', {imageLayoutVersion: '1.0.0'}],
    ]
    for (const [name, document] of documents) {
      await file.add({name, typeflag: '0', mode: 0o644}, Buffer.from(JSON.stringify(document)))
    }
  }
}

/** containerd looks for the full name, others for the tag. Of manifest.json, Docker and Podman take names with tags only. */
function entriesOf({names, others, manifest, platform}: ListedImage): readonly object[] {
  return indexEntries(manifest, platform, [
    ...names.map(({full, tag}) => ({full, ref: tag})),
    ...others.flatMap((text) => indexNameOf(text) ?? []),
  ])
}

function manifestItem({names, config, layers, diffIds, foreign}: ListedImage): object {
  const sources = foreign.map((index): [string, Descriptor | undefined] => [diffIds[index] ?? '', layers[index]])
  return {
    Config: blobPath(config),
    RepoTags: names.length === 0 ? null : names.map((name) => name.familiar),
    Layers: layers.map((layer) => blobPath(layer.digest)),
    ...(sources.length === 0 ? {} : {LayerSources: Object.fromEntries(sources)}),
  }
}
