import type {Referrers} from '../../model/content-graph.js'
import type {Digest} from '../../model/digest.js'
import type {WorkOptions} from '../../model/events.js'
import type {ImageMessage} from '../../engine-api/containerd/store-services.js'
import {cosignTags, findDigestTag, referrersTag} from '../../formats/image-documents/digest-tags.js'
import {parseIndex, type StatedDescriptor} from '../../formats/image-documents/image-documents.js'
import {isIndexType, isManifestType, MEDIA_TYPE} from '../../formats/image-documents/media-types.js'
import {
  gatherReferrers,
  type GatherOptions,
  type ListedFor,
  type Listing,
} from '../../formats/oci-layout/gather-referrers.js'
import {referrersIn} from './labels.js'
import {dockerNameOf} from './reference.js'
import type {NamespaceStore} from './store.js'

/** True for a record whose tag is made from a digest: it names what refers to that, and no image of its own. */
export function isReferrerRecord({name}: Pick<ImageMessage, 'name'>): boolean {
  const tag = dockerNameOf(name)?.tag
  return tag !== undefined && findDigestTag(tag) !== undefined
}

/** The repositories that records are in. */
export function repositoriesOf(records: readonly Pick<ImageMessage, 'name'>[]): readonly string[] {
  return [...new Set(records.flatMap(({name}) => dockerNameOf(name)?.fullRepository ?? []))]
}

/**
 * What refers to documents of a namespace: by the labels of the document, which hold on to it; by cosign's tags, and by
 * the list under the tag that stands for the document, in the repositories of the records. Source: containerd
 * core/images/mediatypes.go (referrer labels, from 2.2 on); cosign specs/SIGNATURE_SPEC.md.
 */
export async function findReferrers(
  store: NamespaceStore,
  records: readonly Pick<ImageMessage, 'name'>[],
  {subjects, ...options}: GatherOptions & {readonly subjects: readonly Digest[]},
): Promise<Referrers> {
  const repositories = repositoriesOf(records)
  const byName = new Map((await store.images(options)).map((record) => [record.name, record]))
  const tagged = (tag: string) => repositories.flatMap((repository) => byName.get(`${repository}:${tag}`)?.target ?? [])
  const find = async (subject: Digest, inner: WorkOptions): Promise<Listing> => {
    const listed: ListedFor[] = []
    for (const digest of referrersIn((await store.findInfo(subject, inner))?.labels ?? {}))
      listed.push({stated: await describe(store, digest, inner)})
    for (const target of tagged(referrersTag(subject)))
      if (target.digest !== subject && isIndexType(target.mediaType))
        for (const stated of await readList(store, target, inner)) listed.push({stated})
    for (const tag of cosignTags(subject))
      for (const stated of tagged(tag)) if (isManifestType(stated.mediaType)) listed.push({tag, stated})
    return {listed}
  }
  return gatherReferrers(store, subjects, {...options, find})
}

/** A label has the digest alone. What is not there is found to be missing where it is read. */
async function describe(store: NamespaceStore, digest: Digest, options: WorkOptions): Promise<StatedDescriptor> {
  const size = (await store.findInfo(digest, options))?.size ?? 0
  const bytes = await store.findDocument({digest}, options)
  return {mediaType: bytes === undefined ? MEDIA_TYPE.ociManifest : typeOf(bytes), digest, size}
}

/** The type that a document states of itself; a manifest where it states none. */
function typeOf(bytes: Uint8Array): string {
  try {
    const stated: unknown = JSON.parse(Buffer.from(bytes).toString())
    if (typeof stated === 'object' && stated !== null && 'mediaType' in stated && typeof stated.mediaType === 'string')
      return stated.mediaType
  } catch {
    // Whoever parses it tells what is wrong with it.
  }
  return MEDIA_TYPE.ociManifest
}

/** The entries of a list of referrers; one that cannot be read lists nothing. */
async function readList(
  store: NamespaceStore,
  {digest}: {readonly digest: string},
  options: WorkOptions,
): Promise<readonly StatedDescriptor[]> {
  try {
    const bytes = await store.findDocument({digest}, options)
    return bytes === undefined ? [] : (parseIndex(bytes, `the list ${digest}`).manifests ?? [])
  } catch {
    options.signal?.throwIfAborted()
    return []
  }
}
