import type {ImageIndex} from '../model/content-graph.js'
import {InputError} from '../model/errors.js'
import type {Reference} from '../model/reference.js'
import type {ImageDestination, OpenOptions} from '../model/transport.js'
import {transportOf} from '../transports/catalog.js'
import {carryReferrers} from './carry-referrers.js'
import type {PlanStep} from './plan.js'
import type {ReportArtifact} from './report.js'
import type {Writing, Written} from './writing.js'

/** Opens the index that a listing told of. The caller closes it. */
export async function openIndex(reference: Reference, options: OpenOptions): Promise<ImageIndex> {
  const transport = transportOf(reference)
  const index = await transport.openIndex?.(reference, options)
  if (index !== undefined) return index
  throw new InputError('NOT_FOUND', {
    what: `'${transport.format(reference)}' is no longer an index.`,
    why: 'It changed while transship was reading it.',
    suggestions: ['Try again.'],
  })
}

function titleOf({names, document}: ImageIndex): string {
  return names.length > 0 ? names.join(' ') : document.digest
}

function bytesOf({content}: ImageIndex): number {
  return content.blobs.reduce((sum, {descriptor, isHeld}) => sum + (isHeld === undefined ? descriptor.size : 0), 0)
}

/** What a plan tells of an index. */
export function indexStep(index: ImageIndex): PlanStep {
  return {kind: 'index', title: titleOf(index), layers: [], bytes: bytesOf(index)}
}

/** Writes an index as it is: its bytes, all manifests and blobs; and what refers to any of them. */
export async function writeIndex(
  index: ImageIndex,
  sink: ImageDestination & Required<Pick<ImageDestination, 'writeIndex'>>,
  writing: Writing,
): Promise<Written> {
  const {meter, findings, options} = writing
  const {document, content, images} = index
  const id = titleOf(index)
  findings.onEvent({kind: 'step', id, title: `Write index ${id}`, totalBytes: bytesOf(index)})
  meter.begin(id)
  for (const {digest, mediaType} of content.absent)
    findings.note({
      code: 'manifest-not-held',
      message: `The source does not contain the manifest ${digest}, which its index names.`,
      subject: mediaType,
    })
  const blobs = content.blobs.map((blob) => meter.content(blob))
  const artifact = await sink.writeIndex({...index, content: {...content, blobs}}, options)
  const {digest, reference} = artifact
  const attached = await carryReferrers(
    sink,
    {
      find: (inner) => index.findReferrers(inner),
      was: document.digest,
      is: digest,
      subject: index.names[0] ?? reference,
    },
    writing,
  )
  findings.onEvent({kind: 'done', id, summary: digest})
  const unchanged = artifact.unchanged === true ? {unchanged: true} : {}
  const told: ReportArtifact[] = images.map(({manifestDigest, imageId, layers}, at) => ({
    kind: 'image',
    reference: artifact.images[at] ?? reference,
    imageId,
    manifestDigest,
    ...unchanged,
    layers: layers.map(({descriptor, diffId}) => ({
      diffId,
      digest: descriptor.digest,
      mediaType: descriptor.mediaType,
      size: descriptor.size,
    })),
  }))
  return {
    artifacts: [...told, {kind: 'index', reference, manifestDigest: digest, ...unchanged, layers: []}],
    bytes: artifact.bytesWritten + attached,
  }
}
