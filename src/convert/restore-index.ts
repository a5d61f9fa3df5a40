import {contentOf} from '../model/content.js'
import type {Companions, ImageIndex, Referrers, StoredContent} from '../model/content-graph.js'
import {digestOf, type Digest} from '../model/digest.js'
import type {Note, WorkOptions} from '../model/events.js'
import type {Image, Layer} from '../model/image.js'
import type {ImageDraft} from '../model/transport.js'
import {ContentGatherer} from '../formats/oci-layout/content-graph.js'
import type {ContentStore, StoredBlob} from '../formats/oci-layout/content-store.js'
import {gatherReferrers} from '../formats/oci-layout/gather-referrers.js'
import {layerBody} from '../formats/layer-blob/layer-body.js'
import {isForeignType} from '../formats/image-documents/media-types.js'
import {parseManifest} from '../formats/image-documents/image-documents.js'

/** An image that comes back from packages, with what they keep beside it. */
export interface Returning {
  readonly image: Image & Required<Pick<Image, 'manifest' | 'config'>>
  readonly draft: ImageDraft
  readonly companions: Companions
}

/** The index that the image was in, or why it cannot be given back. */
export type Restored = {readonly index: ImageIndex} | {readonly missing: Note}

/**
 * Puts the index together of the image's own content and of what is kept beside it. Nothing is taken for granted: whatever
 * is passed on is held against its digest. Where anything is missing, that is told, and there is no index.
 */
export async function restoreIndex(returning: Returning, options: WorkOptions): Promise<Restored | undefined> {
  const {image, draft, companions} = returning
  const {index: document} = companions
  if (document === undefined) return undefined
  const held = heldIn(returning)
  const gatherer = new ContentGatherer(storeOf(returning, held))
  await gatherer.add({mediaType: document.mediaType, digest: document.digest, size: document.bytes.byteLength}, options)
  const content = gatherer.graph
  const blobs = content.blobs.filter(
    ({descriptor: {digest, mediaType}}) => !isForeignType(mediaType) && !held.has(digest),
  )
  const missing = [...content.absent, ...blobs.map(({descriptor}) => descriptor)]
  if (missing.length > 0) return {missing: notRestored(document.digest, missing, companions)}
  const {config, layers} = parseManifest(image.manifest.bytes, 'the manifest')
  const own = {
    manifestDigest: image.manifest.digest,
    imageId: digestOf(image.config.bytes),
    layers: (layers ?? []).flatMap(({mediaType, size}, at) => {
      const [layer, digest] = [draft.layers[at], layers?.[at]?.digest as Digest]
      return layer?.diffId === undefined ? [] : [{descriptor: {mediaType, digest, size}, diffId: layer.diffId}]
    }),
  }
  return {
    index: {
      names: draft.names,
      document,
      content,
      images: config.digest === own.imageId ? [own] : [],
      findReferrers: (inner) =>
        keptReferrers(returning, {...inner, subjects: content.documents.map(({digest}) => digest)}),
      close: () => Promise.resolve(),
    },
  }
}

/** What refers to the subjects, of that which is kept. */
export function keptReferrers(
  returning: Returning,
  {subjects, ...options}: WorkOptions & {readonly subjects: readonly Digest[]},
): Promise<Referrers> {
  const {referrers} = returning.companions
  const find = (subject: Digest) =>
    Promise.resolve({
      listed: referrers
        .filter((each) => each.subject === subject)
        .map(({descriptor, tag}) => ({stated: descriptor, ...(tag === undefined ? {} : {tag})})),
    })
  return gatherReferrers(storeOf(returning, heldIn(returning)), subjects, {...options, find})
}

/** Digests shown of what is missing. */
const MAX_SHOWN = 5

function notRestored(
  index: Digest,
  missing: readonly {readonly digest: string; readonly mediaType: string}[],
  {lacking}: Companions,
): Note {
  const shown = missing.slice(0, MAX_SHOWN).map(({digest, mediaType}) => {
    const why = lacking.find((each) => each.digest === digest)?.why
    return `${digest} (${why ?? mediaType.slice(0, 100)})`
  })
  const more = missing.length > shown.length ? `, and ${missing.length - shown.length} more` : ''
  const message = `The image was in the index ${index}, which is not written, because the package does not keep all of it. Missing: ${shown.join(', ')}${more}. Convert from the image registry with --companions all to keep it.`
  return {code: 'index-not-restored', message, subject: index}
}

/** What there is to pass on, by its digest. */
function heldIn({
  image,
  draft,
  companions,
}: Returning): ReadonlyMap<string, (options: WorkOptions) => AsyncIterable<Uint8Array>> {
  const held = new Map<string, (options: WorkOptions) => AsyncIterable<Uint8Array>>()
  const {config, layers} = parseManifest(image.manifest.bytes, 'the manifest')
  for (const [at, layer] of draft.layers.entries()) {
    const stated = layers?.[at]
    const open = stated === undefined ? undefined : openAs(layer, stated.digest)
    if (stated !== undefined && open !== undefined) held.set(stated.digest, open)
  }
  if (digestOf(image.config.bytes) === config.digest)
    held.set(config.digest, () => contentOf(image.config.bytes).open())
  for (const blob of companions.content.blobs)
    held.set(blob.descriptor.digest, (options) => (blob satisfies StoredContent).open(options))
  return held
}

/** The stored form that the manifest names: as it is kept, or the tar itself. */
function openAs(layer: Layer, digest: string): ((options: WorkOptions) => AsyncIterable<Uint8Array>) | undefined {
  const {blob, diffId, hasContent} = layer
  if (!hasContent) return undefined
  if (blob?.descriptor.digest === digest) return (options) => blob.open(options)
  if (diffId !== digest) return undefined
  return (options) => layerBody(layer, {accepts: ['none'], compression: 'none'}, options).bytes
}

function storeOf({image, companions}: Returning, held: ReturnType<typeof heldIn>): ContentStore {
  const documents = new Map<string, Uint8Array>(
    companions.content.documents.map(({digest, bytes}) => [digest as string, bytes]),
  )
  documents.set(image.manifest.digest, image.manifest.bytes)
  return {
    title: 'the package',
    findDocument: ({digest}) => Promise.resolve(documents.get(digest)),
    findBlob: ({digest}): Promise<StoredBlob | undefined> => {
      const document = documents.get(digest)
      const open = held.get(digest) ?? (document === undefined ? undefined : () => contentOf(document).open())
      return Promise.resolve(open === undefined ? undefined : {compression: 'none', open})
    },
  }
}
