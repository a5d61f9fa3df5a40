import {digestOf} from '../model/digest.js'
import {withoutEvents, type Note, type WorkOptions} from '../model/events.js'
import type {Image, Layer} from '../model/image.js'
import {formatFullName, isSamePackage} from '../model/package-identity.js'
import {describeEdits} from '../model/payload-edits.js'
import type {ImageArtifact, KeptFacts, PackageArtifact, PackageDraft} from '../model/transport.js'
import {hasOtherWords} from '../formats/package/package-words.js'
import {manifestFor} from '../formats/image-documents/written-manifest.js'
import {isOwnConfig} from './image-config.js'
import {labelledLayers} from './labelled-layers.js'
import {PACKAGE_LABEL} from './package-label.js'

/*
 * A conversion is exact when this run has proven that each layer, the configuration and the manifest of the source come
 * back byte for byte. Here is what speaks against it once something has been written; plans tell what they know before.
 */

/** What packages keep of an image, as they are there. */
export interface KeptOfImage {
  /** The layers whose compressed form they keep. */
  readonly pinned: ReadonlySet<number>
  /** What the topmost keeps; undefined where it keeps nothing but the payload. */
  readonly top: KeptFacts | undefined
}

/** What an image cannot get back from packages: its configuration, its manifest, and layers as they were stored. */
export function imageAsPackages(image: Image, kept: KeptOfImage): readonly Note[] {
  const {manifest, config} = image
  const other = otherDocument(image, kept)
  // What packages keep of an image goes from one to the other as it is, unless another image's was there.
  if (other !== undefined) return [other]
  if (image.layers.every(({blob, hasContent}) => blob === undefined || !hasContent)) return []
  const subject = subjectOf(image)
  const compressed = image.layers.filter(
    ({blob}, index) => blob !== undefined && blob.compression !== 'none' && !kept.pinned.has(index),
  )
  const digest = manifest === undefined ? '' : ` and a manifest digest other than ${manifest.digest}`
  const [first] = compressed
  if (first !== undefined) {
    const count = compressed.length === 1 ? '1 layer' : `${compressed.length} layers`
    const message = `The source compresses ${count} (${first.blob?.compression ?? ''}). The packages store only the content, so converting back gives uncompressed layers${digest}.`
    return [{code: 'compression-not-kept', message, subject}]
  }
  if (manifest === undefined || config === undefined || isManifestMadeAgain(image, kept)) return []
  const message = `Converting back gives a manifest other than ${manifest.digest}.`
  return [{code: 'manifest-not-kept', message, subject}]
}

function subjectOf({names, manifest}: Image): string {
  return names[0] ?? manifest?.digest ?? 'the image'
}

/** A package that was there may have come of the same layers and still not keep the documents of this image. */
function otherDocument(image: Image, {top}: KeptOfImage): Note | undefined {
  const {config, manifest} = image
  if (top === undefined) return undefined
  const subject = subjectOf(image)
  const {configDigest, manifestDigest} = top
  const imageId = config === undefined ? undefined : digestOf(config.bytes)
  if (imageId !== undefined && configDigest !== imageId && (configDigest !== undefined || !isMadeOfPackages(image))) {
    const message = `The package that is there keeps ${configDigest === undefined ? 'no configuration' : `the configuration ${configDigest}`}, so converting back does not give ${imageId}.`
    return {code: 'config-not-kept', message, subject}
  }
  if (manifest === undefined || manifestDigest === undefined || manifestDigest === manifest.digest) return undefined
  const message = `The package that is there keeps the manifest ${manifestDigest} of this image, so converting back gives that and not ${manifest.digest}.`
  return {code: 'manifest-not-kept', message, subject}
}

/** Asks what writes the manifest on the way back, given the layers as they come back: pinned, or uncompressed. */
function isManifestMadeAgain(image: Image, {pinned, top}: KeptOfImage): boolean {
  const {manifest, config, layers} = image
  if (manifest === undefined || config === undefined) return true
  const parts = layers.map((layer, index) => backAsWritten(layer, pinned.has(index)))
  if (!parts.every((part) => part !== undefined)) return false
  const written = {config: {digest: digestOf(config.bytes), size: config.bytes.byteLength}, layers: parts}
  // A configuration that was made of packages is not kept with them, nor is its manifest.
  const isKept = top === undefined ? !isMadeOfPackages(image) : top.manifestDigest === manifest.digest
  return digestOf(manifestFor(written, isKept ? {kept: manifest} : {}).bytes) === manifest.digest
}

/** Its configuration tells nothing but of the packages that all its layers were; it is made of them again. */
export function isMadeOfPackages(image: Image): boolean {
  const {config, layers} = image
  return config !== undefined && isOwnConfig(config, PACKAGE_LABEL) && labelledLayers(image).length === layers.length
}

/** A package that had to make room for another of its name; the way back gives the new name, in its document or in a label. */
export function renamedReasons(image: Image, draft: PackageDraft, artifact: PackageArtifact): readonly Note[] {
  const {identity, document} = draft.metadata
  if (isSamePackage(artifact.identity, identity)) return []
  if (document === undefined && !isMadeOfPackages(image)) return []
  const message = `The package is now called ${formatFullName(artifact.identity)}.`
  return [{code: 'identity-taken', message, subject: formatFullName(identity)}]
}

function backAsWritten({diffId, blob, hasContent}: Layer, isPinned: boolean) {
  if (blob === undefined) return undefined
  const {descriptor} = blob
  // A foreign layer comes back as the descriptor that it is.
  if (!hasContent) return descriptor
  if (diffId !== undefined && isPinned) {
    const {digest, size} = descriptor
    return {diffId, digest, size, compression: blob.compression === 'zstd' ? ('zstd' as const) : ('gzip' as const)}
  }
  if (diffId === undefined || descriptor.digest !== diffId) return undefined
  return {diffId, digest: diffId, size: descriptor.size, compression: 'none' as const}
}

/** What a package says of itself, and a package that was there with the same payload does not. */
export function metadataReasons(draft: PackageDraft, artifact: PackageArtifact): readonly Note[] {
  const {keeps, unchanged} = artifact
  if (!unchanged || keeps === undefined) return []
  if (!hasOtherWords(draft, () => keeps.layer().package ?? draft.metadata)) return []
  const message = 'The package that is there has the same payload, but says other things of itself. It stays as it is.'
  return [{code: 'metadata-not-written', message, subject: formatFullName(artifact.identity)}]
}

/** The artifact with what reading it back has shown, once that is done. */
export async function proven({proof, ...artifact}: PackageArtifact): Promise<PackageArtifact> {
  if (proof === undefined) return artifact
  const rebuilt = await proof
  return {...artifact, layers: artifact.layers.map((layer) => ({...layer, rebuilt}))}
}

/** Code of the reason that a layer of an image is not the one that its configuration lists. */
export const LAYER_CHANGED = 'layer-changed'

/** A finding on a layer that is not what it was, with the files that were edited in the package that holds it. */
export async function withEdits(note: Note, layer: Layer | undefined, options: WorkOptions): Promise<Note> {
  const edits = await layer?.findEdits?.(withoutEvents(options))
  if (edits === undefined || edits.total === 0) return note
  return {...note, message: `Edited: ${describeEdits(edits)}. ${note.message}`, edits}
}

/** What a package that was written does not give back of the layers that it was made of. */
export async function packageReasons(
  image: Image,
  {draft, layers}: {readonly draft: PackageDraft; readonly layers: readonly number[]},
  artifact: PackageArtifact,
  options: WorkOptions,
): Promise<readonly Note[]> {
  const [index] = layers
  const source = layers.length === 1 && index !== undefined ? image.layers[index] : undefined
  const [written] = artifact.layers
  // Several layers in one, a stub: the plan has said so.
  if (source === undefined || draft.layer === undefined || !draft.keepRecipe) return []
  const subject = formatFullName(artifact.identity)
  if (source.diffId !== undefined && written?.rebuilt !== true) {
    const message = `The package has all content, but cannot rebuild the layer tar ${source.diffId}.`
    return [await withEdits({code: 'layer-not-rebuilt', message, subject}, source, options)]
  }
  if (source.payloadDigest !== undefined && written !== undefined && written.digest !== source.payloadDigest) {
    const message = `The payload was ${source.payloadDigest} and is now ${written.digest}.`
    return [await withEdits({code: 'payload-changed', message, subject}, source, options)]
  }
  return []
}

export interface ImageReasonsOptions extends WorkOptions {
  /** The plan has told why its layers differ. */
  readonly isExplained: boolean
}

/** What an image that was written has not got of its source. Reads payloads that have no other proof once more. */
export async function imageReasons(
  image: Image,
  artifact: ImageArtifact,
  {isExplained, ...options}: ImageReasonsOptions,
): Promise<readonly Note[]> {
  if (isExplained) return []
  const reasons: Note[] = []
  for (const {findChange, title} of image.layers) {
    const change = await findChange?.(options)
    if (change === undefined) continue
    const {why, edits} = change
    reasons.push({
      code: 'payload-changed',
      message: `The payload is not what its package states. ${why}`,
      subject: title,
      ...(edits === undefined ? {} : {edits}),
    })
  }
  const {config, manifest, layers} = image
  for (const [index, {diffId, title}] of layers.entries()) {
    const written = artifact.layers[index]?.diffId
    if (diffId === undefined || written === undefined || written === diffId) continue
    const reason = {code: LAYER_CHANGED, message: `The layer was ${diffId} and is now ${written}.`, subject: title}
    reasons.push(await withEdits(reason, layers[index], options))
  }
  if (config !== undefined && digestOf(config.bytes) !== artifact.imageId) {
    const message = `The image ID was ${digestOf(config.bytes)} and is now ${artifact.imageId}.`
    reasons.push({code: 'config-changed', message, subject: artifact.reference})
  }
  if (manifest !== undefined && manifest.digest !== artifact.manifestDigest) {
    const now =
      artifact.manifestDigest === undefined ? 'the destination stores none' : `it is now ${artifact.manifestDigest}`
    const message = `The manifest digest was ${manifest.digest}; ${now}.`
    reasons.push({code: 'manifest-changed', message, subject: artifact.reference})
  }
  return reasons
}
