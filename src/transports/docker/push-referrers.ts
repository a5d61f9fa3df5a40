import type {Referrer, Referrers, StoredContent, StoredDocument} from '../../model/content-graph.js'
import type {Digest} from '../../model/digest.js'
import {EnvironmentError} from '../../model/errors.js'
import type {WorkOptions} from '../../model/events.js'
import {occupied, requireReplaceable} from '../../model/replacing.js'
import {referrersTag} from '../../formats/image-documents/digest-tags.js'
import type {StatedDescriptor} from '../../formats/image-documents/image-documents.js'
import {extendedList, type ListedReferrer} from '../../formats/image-documents/referrer-list.js'
import {putManifest} from './put-manifest.js'
import {findList, readReferrerList} from './referrers.js'
import type {Registry} from './registry.js'
import {findManifest} from './registry-store.js'
import {findTagDigest} from './tag-digest.js'

/** How often a list is written again that another writer has overwritten. */
const MAX_WRITES = 5

/** Writers of one list in this process, one after the other: the later of two would drop what the other added. */
const turns = new Map<string, Promise<unknown>>()

interface TaggedDocument {
  readonly tag: string
  readonly document: StoredDocument
}

/**
 * Referrers on their way into a repository. Where the registry keeps no list of them, the index under the subject's tag is
 * added to. Source: distribution-spec, "Pushing Manifests with Subject".
 */
export class ReferrerPush {
  readonly #documents: readonly StoredDocument[]
  readonly #tagged: readonly TaggedDocument[]
  readonly #lists: ReadonlyMap<Digest, readonly ListedReferrer[]>
  /** What the documents need. */
  readonly blobs: readonly StoredContent[]

  private constructor(
    {content}: Referrers,
    tagged: readonly TaggedDocument[],
    lists: ReadonlyMap<Digest, readonly ListedReferrer[]>,
  ) {
    const isTagged = ({digest}: StoredDocument) => tagged.some(({document}) => document.digest === digest)
    this.#documents = content.documents.filter((document) => !isTagged(document))
    this.#tagged = tagged
    this.#lists = lists
    this.blobs = content.blobs
  }

  /** Finds out what is there. Throws `DESTINATION_EXISTS` where something else has a tag that is needed. */
  static async plan(
    registry: Registry,
    all: Referrers,
    {replace, ...options}: WorkOptions & {readonly replace: boolean},
  ): Promise<ReferrerPush> {
    const tagged: TaggedDocument[] = []
    const bySubject = new Map<Digest, Referrer[]>()
    for (const referrer of all.referrers) {
      const {tag, subject, descriptor} = referrer
      const document = all.content.documents.find(({digest}) => digest === descriptor.digest)
      if (document === undefined) continue
      if (tag === undefined) {
        bySubject.set(subject, [...(bySubject.get(subject) ?? []), referrer])
        continue
      }
      const there = await findTagDigest(registry, tag, options)
      if (there === descriptor.digest) continue
      if (there !== undefined) requireReplaceable(otherSignature(registry, tag, there), replace)
      tagged.push({tag, document})
    }
    const lists = new Map<Digest, readonly ListedReferrer[]>()
    for (const [subject, own] of bySubject) {
      if ((await readReferrerList(registry, subject, options)).entries !== undefined) continue
      await readList(registry, subject, options)
      lists.set(
        subject,
        own.map(({descriptor, artifactType}) => ({...descriptor, artifactType})),
      )
    }
    return new ReferrerPush(all, tagged, lists)
  }

  /** Makes them visible: manifests, then lists, then tags. */
  async publish(registry: Registry, options: WorkOptions): Promise<void> {
    for (const document of this.#documents) await putManifest(registry, document, options)
    for (const [subject, added] of this.#lists)
      await inTurn(registry, subject, () => extend(registry, {subject, added}, options))
    for (const {tag, document} of this.#tagged) await putManifest(registry, document, {...options, tag})
  }
}

async function inTurn(registry: Registry, subject: Digest, work: () => Promise<void>): Promise<void> {
  const key = `${registry.origin} ${registry.place.repository} ${subject}`
  const turn = (turns.get(key) ?? Promise.resolve()).then(work, work)
  turns.set(key, turn)
  try {
    await turn
  } finally {
    if (turns.get(key) === turn) turns.delete(key)
  }
}

/** Registries do not honour conditions on tags, so that what was written is read back. */
async function extend(
  registry: Registry,
  {subject, added}: {readonly subject: Digest; readonly added: readonly ListedReferrer[]},
  options: WorkOptions,
): Promise<void> {
  for (let writes = 0; writes < MAX_WRITES; writes++) {
    const list = extendedList(await readList(registry, subject, options), added)
    if (list === undefined) return
    await putManifest(registry, list, {...options, tag: referrersTag(subject)})
  }
  if (extendedList(await readList(registry, subject, options), added) === undefined) return
  throw new EnvironmentError('NETWORK_FAILED', {
    what: `${registry.place.host} does not keep the list of what refers to ${subject}.`,
    why: `Another writer overwrote the tag ${referrersTag(subject)} ${MAX_WRITES} times.`,
    suggestions: ['Try again.'],
  })
}

/** What the tag that stands for a list has now. Throws `DESTINATION_EXISTS` where that is no list. */
async function readList(
  registry: Registry,
  subject: Digest,
  options: WorkOptions,
): Promise<readonly StatedDescriptor[]> {
  const tag = referrersTag(subject)
  const found = await findManifest(registry, tag, options)
  if (found === undefined) return []
  const listed = findList(found, subject)
  if (listed !== undefined) return listed
  const reference = referenceOf(registry, tag)
  throw occupied({
    what: `'${reference}' is not a list of referrers.`,
    why: `transship needs the tag to list what refers to ${subject}.`,
    instead: ['Leave signatures and other referrers behind: --referrers none', 'Delete the tag.'],
    isReplaceable: false,
    at: {reference},
  })
}

function otherSignature(registry: Registry, tag: string, there: Digest) {
  const reference = referenceOf(registry, tag)
  return {
    what: `'${reference}' exists and differs from the one in the source.`,
    why: `The registry has ${there}.`,
    instead: ['Leave signatures and other referrers behind: --referrers none'],
    at: {reference},
  }
}

function referenceOf({place: {host, repository}}: Registry, tag: string): string {
  return `docker://${host}/${repository}:${tag}`
}
