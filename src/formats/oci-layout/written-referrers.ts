import type {Referrer} from '../../model/content-graph.js'
import type {Digest} from '../../model/digest.js'
import type {RawDocument} from '../../model/image.js'
import {referrersTag} from '../image-documents/digest-tags.js'
import type {StatedDescriptor} from '../image-documents/image-documents.js'
import {extendedList} from '../image-documents/referrer-list.js'
import {descriptorOfDocument} from '../image-documents/written-manifest.js'
import {SUBJECT_ANNOTATION} from './layout-referrers.js'

/** An entry of index.json, with the tag and the digest that it states. */
interface ReferrerEntry {
  readonly ref?: string
  readonly digest: Digest
  readonly entry: Readonly<Record<string, unknown>>
}

/**
 * Entries of index.json for referrers. The layout specification is silent on them, so that there are two: the manifest
 * without a name, where ORAS reads its subject, and a list under the subject's tag, where regctl looks. Cosign's have the
 * tag that they have in an image registry. `listed` = what the list of a subject has already.
 */
export function referrerEntries(
  referrers: readonly Referrer[],
  listed: (subject: Digest) => readonly StatedDescriptor[],
): {
  readonly entries: readonly ReferrerEntry[]
  readonly lists: readonly RawDocument[]
} {
  const entries: ReferrerEntry[] = []
  const lists: RawDocument[] = []
  const bySubject = new Map<Digest, Referrer[]>()
  for (const referrer of referrers) {
    const {descriptor, artifactType, subject, tag} = referrer
    const {mediaType, digest, size} = descriptor
    if (tag !== undefined) {
      const annotations = {'org.opencontainers.image.ref.name': tag}
      entries.push({ref: tag, digest, entry: {mediaType, digest, size, annotations}})
      continue
    }
    bySubject.set(subject, [...(bySubject.get(subject) ?? []), referrer])
    entries.push({digest, entry: {mediaType, digest, size, artifactType, annotations: {[SUBJECT_ANNOTATION]: subject}}})
  }
  for (const [subject, own] of bySubject) {
    const list = extendedList(
      listed(subject),
      own.map(({descriptor, artifactType}) => ({...descriptor, artifactType})),
    )
    if (list === undefined) continue
    lists.push(list)
    const ref = referrersTag(subject)
    const descriptor = descriptorOfDocument(list)
    const annotations = {'org.opencontainers.image.ref.name': ref}
    entries.push({ref, digest: descriptor.digest, entry: {...descriptor, annotations}})
  }
  return {entries, lists}
}
