import type {FindReferrersOptions, Referrer, Referrers} from '../../model/content-graph.js'
import {findDigest, type Digest} from '../../model/digest.js'
import type {WorkOptions} from '../../model/events.js'
import {attempt, StrictSink} from '../../model/fault-sink.js'
import type {StatedDescriptor} from '../image-documents/image-documents.js'
import {describeReferrer} from '../image-documents/referrer-list.js'
import {ContentGatherer} from './content-graph.js'
import type {ContentStore} from './content-store.js'

/** A manifest that a place gives for a subject. */
export interface ListedFor {
  readonly stated: StatedDescriptor
  /** The digest tag that names it; absent where it is listed by its own subject. */
  readonly tag?: string
}

/** What a place gives for one subject; doubts are why that may not be all. */
export interface Listing {
  readonly listed: readonly ListedFor[]
  readonly doubts?: Referrers['doubts']
}

export interface GatherOptions extends FindReferrersOptions {
  /** Documents that travel anyway: BuildKit's attestations are in the index, and refer to what is in it. */
  readonly apart?: ReadonlySet<Digest>
}

/** Subjects asked about: each costs several requests. */
const MAX_SUBJECTS = 1000

/**
 * Everything that refers to the subjects, and to that in turn. Manifests are read and checked, blobs are not.
 * `DIGEST_MISMATCH`, `SIZE_MISMATCH`, `MANIFEST_INVALID`, `LIMIT_EXCEEDED`.
 */
export async function gatherReferrers(
  store: ContentStore,
  subjects: readonly Digest[],
  {
    find,
    ...options
  }: GatherOptions & {
    readonly find: (subject: Digest, options: WorkOptions) => Promise<Listing>
  },
): Promise<Referrers> {
  const {sink = new StrictSink(), apart = new Set()} = options
  const gatherer = new ContentGatherer(store)
  const queue = [...new Set(subjects)]
  const found = new Map<string, Referrer>()
  const doubts = new Map<string, Referrers['doubts'][number]>()
  for (let at = 0; at < queue.length; at++) {
    const subject = queue[at]
    if (subject === undefined) break
    if (at >= MAX_SUBJECTS) {
      const message = `Only the first ${MAX_SUBJECTS} manifests were searched for signatures and other referrers.`
      doubts.set('', {code: 'referrers-unknown', message})
      break
    }
    const listing = await find(subject, options)
    for (const doubt of listing.doubts ?? []) doubts.set(doubt.message, doubt)
    for (const {stated, tag} of listing.listed) {
      const digest = findDigest(stated.digest)
      const key = tag ?? stated.digest
      if (found.has(key) || (digest !== undefined && apart.has(digest))) continue
      const document = await attempt(sink, () => gatherer.add(stated, options))
      if (document === undefined) {
        const message = `Something refers to ${subject}, but its manifest ${stated.digest.slice(0, 200)} is missing or damaged.`
        doubts.set(message, {code: 'referrer-not-held', message})
        continue
      }
      const facts = await attempt(sink, () => describeReferrer(document))
      // A list may say anything; what counts is what the manifest says.
      if (facts === undefined || (tag === undefined && facts.subject !== subject)) continue
      const {descriptor, artifactType} = facts
      found.set(key, {subject, descriptor, artifactType, ...(tag === undefined ? {} : {tag})})
      if (!queue.includes(document.digest)) queue.push(document.digest)
    }
  }
  return {referrers: [...found.values()], content: gatherer.graph, doubts: [...doubts.values()]}
}
