import {findDigest} from '../../model/digest.js'
import type {WorkOptions} from '../../model/events.js'
import {findDigestTag} from '../image-documents/digest-tags.js'
import {descriptorOf, parseIndex, parseManifest, type StatedDescriptor} from '../image-documents/image-documents.js'
import {findTaggedName} from '../image-documents/image-name.js'
import {isIndexType, isManifestType} from '../image-documents/media-types.js'
import {findChecked, type ContentStore} from './content-store.js'
import type {ListedFor} from './gather-referrers.js'

/** On untagged entries, so that engines do not make images of them. Source: containerd core/images/archive/importer.go. */
export const SUBJECT_ANNOTATION = 'io.containerd.manifest.subject'
const REF_NAME_ANNOTATION = 'org.opencontainers.image.ref.name'

/** Of entries that are read once and asked for with each image of a large layout. */
const DIGEST_TAGS = new WeakMap<StatedDescriptor, {readonly tag: string | undefined}>()

/** The digest tag that an entry of index.json is known by; undefined for every other. */
export function digestTagOf(stated: StatedDescriptor): string | undefined {
  const known = DIGEST_TAGS.get(stated)
  if (known !== undefined) return known.tag
  const tag = findDigestTagOf(stated)
  DIGEST_TAGS.set(stated, {tag})
  return tag
}

function findDigestTagOf({annotations}: StatedDescriptor): string | undefined {
  const ref = annotations?.[REF_NAME_ANNOTATION]
  if (ref === undefined) return undefined
  const tag = findTaggedName(ref)?.tag ?? ref
  return [ref, tag].find((text) => findDigestTag(text) !== undefined)
}

/** True for what index.json names only because it refers to something else. */
export function isReferrerEntry(stated: StatedDescriptor): boolean {
  return digestTagOf(stated) !== undefined || stated.annotations?.[SUBJECT_ANNOTATION] !== undefined
}

/** What an index lists for each subject, by digest. */
export type SubjectIndex = ReadonlyMap<string, readonly ListedFor[]>

/**
 * Finds referrers in a layout: manifests that index.json lists and that state the subject, as ORAS keeps them; lists under
 * the subject's tag, as regctl does; and cosign's tags. `top` has the entries of index.json.
 */
export async function indexSubjects(
  store: ContentStore,
  top: readonly StatedDescriptor[],
  options: WorkOptions,
): Promise<SubjectIndex> {
  const found = new Map<string, ListedFor[]>()
  const add = (subject: string, listed: ListedFor) => {
    const known = found.get(subject)
    if (known === undefined) found.set(subject, [listed])
    else known.push(listed)
  }
  for (const stated of top) {
    const tag = digestTagOf(stated)
    const named = tag === undefined ? undefined : findDigestTag(tag)
    if (tag !== undefined && named?.suffix !== undefined) add(named.subject, {stated, tag})
    else if (named !== undefined && stated.digest !== named.subject && isIndexType(stated.mediaType))
      for (const child of (await findDocument(store, stated, options))?.manifests ?? [])
        add(named.subject, {stated: child})
    else if (named === undefined) {
      const subject = (await findDocument(store, stated, options))?.subject?.digest
      if (subject !== undefined) add(subject, {stated})
    }
  }
  return found
}

/** What cannot be read refers to nothing here: who opens it tells its fault. */
async function findDocument(store: ContentStore, stated: StatedDescriptor, options: WorkOptions) {
  if (!isManifestType(stated.mediaType) && !isIndexType(stated.mediaType)) return undefined
  if (findDigest(stated.digest) === undefined) return undefined
  const title = `manifest ${stated.digest}`
  try {
    const bytes = await findChecked(store, descriptorOf(stated, title), {...options, title, stated})
    if (bytes === undefined) return undefined
    return isIndexType(stated.mediaType)
      ? parseIndex(bytes, title)
      : {manifests: undefined, ...parseManifest(bytes, title)}
  } catch {
    options.signal?.throwIfAborted()
    return undefined
  }
}
