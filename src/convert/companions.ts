import type {Companions, ContentGraph, ImageIndex, Referrer, StoredContent} from '../model/content-graph.js'
import {TransshipError} from '../model/errors.js'
import {LeavingOut} from '../model/fault-sink.js'
import type {Image} from '../model/image.js'
import {parseManifest} from '../formats/image-documents/image-documents.js'
import {isForeignType, isLayerType} from '../formats/image-documents/media-types.js'
import type {Destination, PackageDraft} from '../model/transport.js'
import {transportOf} from '../transports/catalog.js'
import {referrersLeft} from './carry-referrers.js'
import {openOptions} from './open-options.js'
import type {Source} from './sources.js'
import type {Writing} from './writing.js'

/**
 * What packages keep beside an image: the index that it was in, with the manifests and configurations of the other images,
 * their layers where those are asked for; and what refers to any of them. What packages keep already is passed on.
 */
export async function gatherCompanions(
  image: Image,
  index: ImageIndex | undefined,
  {findings, meter, options}: Writing,
): Promise<Companions | undefined> {
  const subject = image.names[0] ?? image.manifest?.digest ?? 'the image'
  const mode = options.companions ?? 'documents'
  if (image.findCompanions !== undefined) return mode === 'none' ? undefined : image.findCompanions(options)
  if (image.manifest === undefined) return undefined
  const sink = new LeavingOut()
  const find = options.referrers === 'none' ? undefined : (index?.findReferrers.bind(index) ?? image.findReferrers)
  const found = await find?.({...options, sink})
  for (const doubt of found?.doubts ?? []) findings.note({...doubt, subject})
  const own = ownDigests(image)
  const isKept = ({descriptor: {mediaType, digest}}: StoredContent) =>
    !own.has(digest) && (mode === 'all' ? true : !isLayerType(mediaType))
  const ofIndex = mode === 'none' ? [] : (index?.content.blobs ?? []).filter(isKept)
  const blobs = new Map<string, StoredContent>()
  for (const blob of [...ofIndex, ...(found?.content.blobs ?? [])]) {
    const isHeld = !isForeignType(blob.descriptor.mediaType) || (await blob.isHeld?.(options)) === true
    if (isHeld && !own.has(blob.descriptor.digest)) blobs.set(blob.descriptor.digest, meter.content(blob))
  }
  const all = [...(mode === 'none' ? [] : (index?.content.documents ?? [])), ...(found?.content.documents ?? [])]
  const documents = [...new Map(all.map((document) => [document.digest, document])).values()]
  const content: ContentGraph = {
    documents: documents.filter(({digest}) => digest !== image.manifest?.digest),
    blobs: [...blobs.values()],
    absent: [],
  }
  const referrers: readonly Referrer[] = found?.referrers ?? []
  return {
    ...(index === undefined || mode === 'none' ? {} : {index: index.document}),
    content,
    referrers,
    lacking: [],
  }
}

/** Digests that the package keeps as the image's own. */
function ownDigests({manifest, config}: Image): ReadonlySet<string> {
  if (manifest === undefined || config === undefined) return new Set()
  const {config: stated, layers} = parseManifest(manifest.bytes, 'the manifest')
  return new Set([manifest.digest, stated.digest, ...(layers ?? []).map(({digest}) => digest)])
}

/** Companions whose content is read where the index is. */
export interface HeldCompanions {
  readonly companions?: Companions
  close(): Promise<void>
}

/** The companions of an image on its way to packages, with the index that it is in, where that can be read. */
export async function companionsFor(image: Image, source: Source, writing: Writing): Promise<HeldCompanions> {
  const {findings, options} = writing
  const reference = (source.kind === 'image' ? source.index : undefined) ?? source.reference
  const {platform: _platform, ...all} = options
  const subject = image.names[0] ?? transportOf(reference).format(reference)
  let index: ImageIndex | undefined
  try {
    const isAsked = image.findCompanions === undefined && image.manifest !== undefined && options.companions !== 'none'
    index = isAsked ? await transportOf(reference).openIndex?.(reference, openOptions(all, [])) : undefined
  } catch (error) {
    // Another image of it that is damaged is no fault of this one.
    if (!(error instanceof TransshipError && error.exitCode === 3)) throw error
    findings.note({
      code: 'index-not-kept',
      message: `The index that the image is in is not kept. ${error.message}`,
      subject,
    })
  }
  try {
    const companions = await gatherCompanions(image, index, writing)
    const isNothing = companions === undefined || companions.content.documents.length === 0
    return {...(isNothing ? {} : {companions}), close: async () => index?.close()}
  } catch (error) {
    await index?.close()
    throw error
  }
}

/** Where only the payload is kept, what refers to the image stays behind. */
export async function tellReferrers(image: Image, sink: Destination, {findings, options}: Writing): Promise<void> {
  if (sink.holds !== 'packages') return
  const found = await image.findReferrers?.({...options, sink: new LeavingOut()})
  const subject = image.names[0] ?? 'the image'
  if (found !== undefined && found.referrers.length > 0)
    findings.note(referrersLeft(found, subject, 'The destination cannot store them.'))
}

/** The draft of the top package with what it keeps beside its image. */
export function withCompanions(draft: PackageDraft, companions: Companions | undefined): PackageDraft {
  if (draft.image === undefined || companions === undefined) return draft
  return {...draft, image: {...draft.image, companions}}
}
