import type {Digest} from '../../model/digest.js'
import {InputError, TransshipError} from '../../model/errors.js'
import type {WorkOptions} from '../../model/events.js'
import {mapConcurrently} from '../../model/map-concurrently.js'
import {cosignTags, referrersTag} from '../../formats/image-documents/digest-tags.js'
import {parseIndex, type StatedDescriptor} from '../../formats/image-documents/image-documents.js'
import {isIndexType, isManifestType, MEDIA_TYPE} from '../../formats/image-documents/media-types.js'
import type {ContentStore} from '../../formats/oci-layout/content-store.js'
import {
  gatherReferrers,
  type GatherOptions,
  type ListedFor,
  type Listing,
} from '../../formats/oci-layout/gather-referrers.js'
import type {Referrers} from '../../model/content-graph.js'
import {header} from './http.js'
import {nextPage} from './pages.js'
import type {Registry} from './registry.js'
import {findManifest, registryStore, type FetchedManifest} from './registry-store.js'

/** Pages of one list of referrers. */
const MAX_PAGES = 1000
/** Questions asked at once. */
const CONCURRENCY = 4

/**
 * What refers to documents of a repository: by the registry's own list, by the index under a tag that stands for it, which
 * may have older entries even where there is a list, and by cosign's tags.
 * Source: distribution-spec, "Listing Referrers" and "Unavailable Referrers API"; cosign specs/SIGNATURE_SPEC.md.
 */
export function findReferrers(
  registry: Registry,
  subjects: readonly Digest[],
  options: GatherOptions,
): Promise<Referrers> {
  const held = new Map<string, Uint8Array>()
  const store = registryStore(registry)
  const holding: ContentStore = {
    ...store,
    findDocument: async (descriptor, inner) => held.get(descriptor.digest) ?? store.findDocument(descriptor, inner),
  }
  const byTag = async (tag: string, inner: WorkOptions) => {
    const found = await findTagged(registry, tag, inner)
    if (found !== undefined) held.set(found.digest, found.bytes)
    return found
  }
  const find = async (subject: Digest, inner: WorkOptions): Promise<Listing> => {
    const [listed, fallback, tagged] = await Promise.all([
      readReferrerList(registry, subject, inner),
      byTag(referrersTag(subject), inner),
      mapConcurrently(cosignTags(subject), CONCURRENCY, async (tag) => ({tag, found: await byTag(tag, inner)})),
    ])
    const unlisted = fallback === undefined ? [] : (findList(fallback, subject) ?? [])
    const all: ListedFor[] = [...(listed.entries ?? []), ...unlisted].map((stated) => ({stated}))
    for (const {tag, found} of tagged)
      if (found !== undefined && isManifestType(found.mediaType))
        all.push({tag, stated: {...found, size: found.bytes.byteLength}})
    return {listed: all, ...(listed.doubt === undefined ? {} : {doubts: [listed.doubt]})}
  }
  return gatherReferrers(holding, subjects, {...options, find})
}

/** A manifest by a tag that may well not be there; what else is there under such a tag is nothing to be copied. */
async function findTagged(registry: Registry, tag: string, options: WorkOptions): Promise<FetchedManifest | undefined> {
  try {
    const found = await findManifest(registry, tag, options)
    const isDocument = found !== undefined && (isIndexType(found.mediaType) || isManifestType(found.mediaType))
    return isDocument ? found : undefined
  } catch (error) {
    if (isRefused(error)) return undefined
    throw error
  }
}

/** The image itself may be read all the same, as it may where there is no list. */
function isRefused(error: unknown): boolean {
  return error instanceof InputError || (error instanceof TransshipError && error.code === 'UNAUTHORIZED')
}

/** The entries of an index under a subject's tag; undefined where it is something else: cosign's copies are tagged so as well. */
export function findList(
  {mediaType, bytes, digest}: FetchedManifest,
  subject: Digest,
): readonly StatedDescriptor[] | undefined {
  if (!isIndexType(mediaType) || digest === subject) return undefined
  try {
    return parseIndex(bytes, `the list of what refers to ${subject}`).manifests ?? []
  } catch (error) {
    if (error instanceof InputError) return undefined
    throw error
  }
}

interface ReferrerList {
  /** Undefined where the registry has no such list. */
  readonly entries: readonly StatedDescriptor[] | undefined
  readonly doubt?: {readonly code: string; readonly message: string}
}

/** The registry's own list for a subject, all pages. */
export async function readReferrerList(
  registry: Registry,
  subject: Digest,
  {signal}: WorkOptions,
): Promise<ReferrerList> {
  const what = 'the list of referrers'
  const entries: StatedDescriptor[] = []
  let url: string | undefined = registry.path(`referrers/${subject}`)
  try {
    for (let pages = 0; url !== undefined && pages < MAX_PAGES; pages++) {
      const {answer, bytes} = await registry.read({
        method: 'GET',
        url,
        what,
        scopes: [registry.pullScope],
        headers: {accept: MEDIA_TYPE.ociIndex},
        // Registries without the list answer in many ways; none of them says that there are any.
        takes: [200, 400, 403, 404, 405, 406, 500, 501],
        signal,
      })
      const type = header(answer, 'content-type') ?? ''
      const isList = answer.statusCode === 200 && (type.includes('image.index') || type.includes('application/json'))
      if (!isList)
        return pages > 0 ? {entries, doubt: unknown(registry, subject)} : noList(registry, subject, answer.statusCode)
      const {manifests} = parseIndex(bytes, what)
      entries.push(...(manifests ?? []))
      url = (manifests ?? []).length === 0 ? undefined : nextPage(header(answer, 'link'), new URL(url, registry.origin))
    }
    return {entries}
  } catch (error) {
    // A page of something in between is no list; who may not see the list cannot know what is in it.
    if (error instanceof InputError) return {entries: undefined}
    if (isRefused(error)) return {entries: undefined, doubt: unknown(registry, subject)}
    throw error
  }
}

function noList(registry: Registry, subject: Digest, status: number): ReferrerList {
  return {entries: undefined, ...(status === 403 ? {doubt: unknown(registry, subject)} : {})}
}

function unknown({place: {host}}: Registry, subject: Digest) {
  const message = `${host} does not say what refers to ${subject}. There may be more signatures and other referrers.`
  return {code: 'referrers-unknown', message}
}
