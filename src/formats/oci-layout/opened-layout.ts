import type {MemberNames} from '../archive-file/member-names.js'
import type {Referrers} from '../../model/content-graph.js'
import {compileSchema} from '../../codecs/json/validator.js'
import {parseDocument} from '../../codecs/json/json-document.js'
import {KeptResults} from '../../disk/kept-results.js'
import type {Digest} from '../../model/digest.js'
import {InputError} from '../../model/errors.js'
import type {WorkOptions} from '../../model/events.js'
import {LeavingOut, type FaultSink} from '../../model/fault-sink.js'
import type {Reference} from '../../model/reference.js'
import {parseIndex, type StatedDescriptor} from '../image-documents/image-documents.js'
import type {ContentStore} from './content-store.js'
import {gatherReferrers, type GatherOptions} from './gather-referrers.js'
import {IndexWalk, type ParsedIndex, type UnwantedManifest, type WalkOptions} from './index-walk.js'
import {indexSubjects, type SubjectIndex} from './layout-referrers.js'
import {entryAsImage, SelectableImages, type Selectable} from './selected-images.js'

/** An OCI layout opened for reading. The caller closes it. */
export interface OpenedLayout {
  /** The same one as long as the layout holds the same: what was read of it stays known by it. */
  readonly contents: object
  readonly store: ContentStore
  /** Of one in a tar, where a name may occur twice or lead out of it. */
  readonly members?: MemberNames
  /** A file at the top (`oci-layout`, `index.json`); undefined when it is not there. `LIMIT_EXCEEDED`. */
  findFile(name: string): Promise<Uint8Array | undefined>
  /** Every file under `blobs`, by its path from the top. */
  blobs(): AsyncIterable<LayoutBlob>
  close(): Promise<void>
}

/** A file under `blobs`. */
export interface LayoutBlob {
  /** Path from the top. */
  readonly name: string
  readonly sizeBytes: number
  readonly open: (options: WorkOptions) => AsyncIterable<Uint8Array>
}

/** One of the two ways a layout is kept: a folder or a tar. */
export interface LayoutPlace {
  open(path: string, options: WorkOptions): Promise<OpenedLayout>
  format(reference: Reference): string
}

const validateMarker = compileSchema<{readonly imageLayoutVersion: string}>({
  type: 'object',
  required: ['imageLayoutVersion'],
  properties: {imageLayoutVersion: {type: 'string'}},
})

/**
 * Checks `oci-layout` and gives the bytes of `index.json`. `UNRECOGNISED_FORMAT` where there is neither,
 * `MANIFEST_MISSING` and `ARCHIVE_CORRUPT` where one of them is gone, `MANIFEST_INVALID`, `FORMAT_UNSUPPORTED`.
 */
export async function readTopIndex(layout: OpenedLayout): Promise<Uint8Array> {
  const marker = await layout.findFile('oci-layout')
  const index = await layout.findFile('index.json')
  const at = {path: layout.store.title}
  if (marker === undefined && index === undefined) {
    throw new InputError('UNRECOGNISED_FORMAT', {
      what: `'${layout.store.title}' is not an OCI layout.`,
      why: 'It has neither oci-layout nor index.json.',
      at,
    })
  }
  const incomplete = {
    what: `The OCI layout '${layout.store.title}' is not complete.`,
    suggestions: ['Copy it again.'],
    at,
  }
  if (index === undefined) throw new InputError('MANIFEST_MISSING', {...incomplete, why: 'It has no index.json.'})
  if (marker === undefined) throw new InputError('ARCHIVE_CORRUPT', {...incomplete, why: 'It has no oci-layout.'})
  const {imageLayoutVersion} = parseDocument(marker, {
    title: 'oci-layout',
    validate: validateMarker,
    code: 'MANIFEST_INVALID',
  })
  if (/^1\.\d+\.\d+$/.test(imageLayoutVersion)) return index
  throw new InputError('FORMAT_UNSUPPORTED', {
    what: `'${layout.store.title}' uses the unsupported OCI layout version ${imageLayoutVersion.slice(0, 50)}.`,
    why: 'Expected 1.0.0.',
    at: {path: layout.store.title},
  })
}

/** The entries of index.json, and what a selector leaves of them. */
interface TopIndex extends ParsedIndex {
  readonly selectable: SelectableImages<Selectable & {readonly stated: StatedDescriptor}>
}

const TOPS = new KeptResults<TopIndex>()

/** index.json, which is read once as long as the layout holds the same: a batch opens thousands of its images. */
function topOf(layout: OpenedLayout): Promise<TopIndex> {
  return TOPS.of(layout.contents, async () => {
    const bytes = await readTopIndex(layout)
    const {manifests} = parseIndex(bytes, 'index.json')
    const entries = (manifests ?? []).map((stated) => ({...entryAsImage(stated), stated}))
    return {manifests: manifests ?? [], sizeBytes: bytes.byteLength, selectable: new SelectableImages(entries)}
  })
}

/** What indexes say, with all manifests left unread. */
interface Listed {
  readonly walk: IndexWalk
  readonly selectable: SelectableImages<UnwantedManifest & Selectable>
}

const LISTED = new KeptResults<Listed>()

function listedOf(layout: OpenedLayout, options: WorkOptions): Promise<Listed> {
  return LISTED.of(layout.contents, async () => {
    const walk = await walkFrom(layout, new LeavingOut(), {...options, isWanted: () => false})
    const manifests = walk.unwanted.map((each) => ({...each, manifest: each.stated}))
    return {walk, selectable: new SelectableImages(manifests)}
  })
}

/**
 * Finds what index.json leads to: all of it, or what the reference selects, and of the others only what indexes say. A layout
 * may hold thousands of images, and a batch opens one after the other.
 */
export async function walkLayout(
  layout: OpenedLayout,
  reference: Reference,
  options: WorkOptions & {readonly sink: FaultSink},
): Promise<IndexWalk> {
  const {sink, ...rest} = options
  if (reference.selector === undefined) return walkFrom(layout, sink, rest)
  const {selectable} = await listedOf(layout, rest)
  // By digest: an image keeps all its names, whichever one selects it.
  const digests = new Set(selectable.each(reference).map(({stated}) => stated.digest))
  return walkFrom(layout, sink, {...rest, isWanted: ({digest}) => digests.has(digest)})
}

/** What indexes say, with all manifests left unread. */
export async function walkIndexes(layout: OpenedLayout, options: WorkOptions): Promise<IndexWalk> {
  return (await listedOf(layout, options)).walk
}

async function walkFrom(layout: OpenedLayout, sink: FaultSink, options: WalkOptions): Promise<IndexWalk> {
  const walk = new IndexWalk(layout.store, sink, options)
  await walk.parsed(await topOf(layout), 'index.json')
  return walk
}

const SUBJECTS = new KeptResults<SubjectIndex>()

/** What refers to documents of a layout. */
export async function findLayoutReferrers(
  layout: OpenedLayout,
  subjects: readonly Digest[],
  options: GatherOptions,
): Promise<Referrers> {
  const known = await SUBJECTS.of(layout.contents, async () =>
    indexSubjects(layout.store, await topEntries(layout), options),
  )
  const find = (subject: Digest) => Promise.resolve({listed: known.get(subject) ?? []})
  return gatherReferrers(layout.store, subjects, {...options, find})
}

/** The entries of index.json. */
export async function topEntries(layout: OpenedLayout): Promise<readonly StatedDescriptor[]> {
  return (await topOf(layout)).manifests
}

/** The entries of index.json that a reference selects by what they say of themselves. */
export async function selectedEntries(
  layout: OpenedLayout,
  reference: Reference,
): Promise<readonly StatedDescriptor[]> {
  return (await topOf(layout)).selectable.each(reference).map(({stated}) => stated)
}
