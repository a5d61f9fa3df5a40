import type {ContentGraph, ImageIndex} from '../../model/content-graph.js'
import {InputError} from '../../model/errors.js'
import type {WorkOptions} from '../../model/events.js'
import {StrictSink} from '../../model/fault-sink.js'
import type {Descriptor} from '../../model/image.js'
import type {Reference} from '../../model/reference.js'
import type {OpenOptions} from '../../model/transport.js'
import type {DescriptorMessage} from '../../engine-api/containerd/store-services.js'
import {isForeignType, isIndexType, isLayerType} from '../../formats/image-documents/media-types.js'
import {ContentGatherer} from '../../formats/oci-layout/content-graph.js'
import {indexOver} from '../../formats/oci-layout/open-index.js'
import {connect} from './connect.js'
import {requireOne} from './find-image.js'
import {findHeld} from './presence.js'
import {findReferrers} from './referrers.js'
import {formatLocation, namesOf} from './reference.js'
import type {NamespaceStore} from './store.js'

/**
 * The index that the reference leads to, with all that it names; undefined where that is an image. Throws
 * `MANIFEST_MISSING` where containerd has only a part of it, as after most pulls.
 */
export async function openIndex(reference: Reference, options: OpenOptions): Promise<ImageIndex | undefined> {
  const containerd = await connect(options)
  const close = () => {
    containerd.client.close()
    return Promise.resolve()
  }
  try {
    const {store, records, digest} = await requireOne(containerd, reference, options)
    const target = records
      .map((record) => record.target)
      .find((found) => digest === undefined || found?.digest === digest)
    if (target === undefined || target === null || !isIndexType(target.mediaType)) {
      await close()
      return undefined
    }
    const {platform: _platform, ...all} = options
    const held = await findHeld(store, records, {...all, sink: new StrictSink()})
    const index = await indexOver(
      store,
      {
        stated: target,
        names: namesOf(records),
        found: held.images,
        findReferrers: (subjects, inner) => findReferrers(store, records, {...inner, subjects}),
        close,
      },
      all,
    )
    const {layers: _layers, ...missing} = await missingOf(store, index.content, all)
    requireDocuments(missing, formatLocation(reference))
    return index
  } catch (error) {
    await close()
    throw error
  }
}

/** What an index leads to and containerd does not have: layers may be left out by packages, anything else may not. */
interface Missing {
  readonly documents: readonly Descriptor[]
  readonly layers: readonly Descriptor[]
}

async function missingOf(store: NamespaceStore, content: ContentGraph, options: WorkOptions): Promise<Missing> {
  const documents = [...content.absent]
  const layers: Descriptor[] = []
  for (const {descriptor} of content.blobs) {
    const {digest, mediaType} = descriptor
    if (isForeignType(mediaType) || (await store.findInfo(digest, options)) !== undefined) continue
    ;(isLayerType(mediaType) ? layers : documents).push(descriptor)
  }
  return {documents, layers}
}

/** True where containerd has everything that an index leads to: only then can it be passed on as it is. */
export async function isWholeIndex(
  store: NamespaceStore,
  target: DescriptorMessage,
  options: WorkOptions,
): Promise<boolean> {
  if (!isIndexType(target.mediaType)) return false
  const gatherer = new ContentGatherer(store)
  if ((await gatherer.add(target, options)) === undefined) return false
  const {documents, layers} = await missingOf(store, gatherer.graph, options)
  return documents.length + layers.length === 0
}

function requireDocuments({documents}: Pick<Missing, 'documents'>, reference: string): void {
  const [first] = documents
  if (first === undefined) return
  throw new InputError('MANIFEST_MISSING', {
    what: `containerd has only a part of the index '${reference}'.`,
    why: `${first.digest} is missing${documents.length > 1 ? `, and ${documents.length - 1} more` : ''}.`,
    suggestions: [
      'Pull all platforms: ctr image pull --all-platforms NAME',
      'Or convert one image of it with --platform.',
    ],
    at: {reference},
  })
}
