import type {ContentGraph, ImageIndex, IndexedImage, Referrers} from '../../model/content-graph.js'
import {InputError, TransshipError} from '../../model/errors.js'
import type {Digest} from '../../model/digest.js'
import type {WorkOptions} from '../../model/events.js'
import type {StatedDescriptor} from '../image-documents/image-documents.js'
import {isLayerType} from '../image-documents/media-types.js'
import {ContentGatherer} from './content-graph.js'
import type {ContentStore} from './content-store.js'
import type {GatherOptions} from './gather-referrers.js'
import type {FoundImage} from './index-walk.js'
import {readFound} from './open-image.js'

export interface IndexPlace {
  /** The descriptor of the index. */
  readonly stated: StatedDescriptor
  readonly names: readonly string[]
  /** Images in the index, as a walk found them. */
  readonly found: readonly FoundImage[]
  findReferrers(subjects: readonly Digest[], options: GatherOptions): Promise<Referrers>
  close(): Promise<void>
}

/** An index over its store; blobs are read when they are asked for. `NOT_FOUND`, `DIGEST_MISMATCH`, `LIMIT_EXCEEDED`. */
export async function indexOver(store: ContentStore, place: IndexPlace, options: WorkOptions): Promise<ImageIndex> {
  const gatherer = new ContentGatherer(store)
  const document = await gatherer.add(place.stated, options)
  if (document === undefined) {
    throw new InputError('NOT_FOUND', {
      what: `'${store.title}' does not contain the index ${place.stated.digest.slice(0, 200)}.`,
      at: {path: store.title},
    })
  }
  const images: IndexedImage[] = []
  for (const found of place.found) {
    const image = await describe(store, found, options)
    if (image !== undefined) images.push(image)
  }
  const content = gatherer.graph
  return {
    names: place.names,
    document,
    content,
    images,
    findReferrers: (inner) => place.findReferrers(subjectsIn(content), {...inner, apart: new Set(subjectsIn(content))}),
    close: () => place.close(),
  }
}

/** The index and every manifest in it: signatures hang on either. */
function subjectsIn({documents}: ContentGraph): readonly Digest[] {
  return documents.map(({digest}) => digest)
}

/** Undefined of what is passed on without being understood. */
async function describe(
  store: ContentStore,
  found: FoundImage,
  options: WorkOptions,
): Promise<IndexedImage | undefined> {
  if (!found.layers.every(({mediaType}) => isLayerType(mediaType))) return undefined
  try {
    const {facts, imageId} = await readFound(store, found, options)
    if (facts.platform.os === 'unknown') return undefined
    const layers = found.layers.flatMap((descriptor, index) => {
      const diffId = facts.diffIds[index]
      return diffId === undefined ? [] : [{descriptor, diffId}]
    })
    return {manifestDigest: found.manifest.digest, imageId, layers}
  } catch (error) {
    // The configuration is read again where it is passed on, and its fault told there.
    if (error instanceof TransshipError && error.exitCode === 3) return undefined
    throw error
  }
}
