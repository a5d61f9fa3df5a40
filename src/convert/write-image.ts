import type {Referrers} from '../model/content-graph.js'
import {withoutEvents, type WorkOptions} from '../model/events.js'
import type {Image} from '../model/image.js'
import type {ImageDestination, ImageDraft} from '../model/transport.js'
import {carryReferrers} from './carry-referrers.js'
import {imageReasons, LAYER_CHANGED, withEdits} from './exactness.js'
import {withPinnedForms} from './pinned-layers.js'
import {readSizeOf} from './metered.js'
import {reportArtifact} from './report.js'
import type {ConvertOptions} from './options.js'
import {keptReferrers, restoreIndex, type Restored, type Returning} from './restore-index.js'
import {changeOf, type IndexDestination} from './sources.js'
import {planImage} from './to-image.js'
import {writeIndex} from './write-index.js'
import type {Writing, Written} from './writing.js'

/** Writes one image, and what refers to it where its digest is the same there. */
export async function writeOneImage(image: Image, sink: ImageDestination, writing: Writing): Promise<Written> {
  const {meter, findings, options} = writing
  const plan = await planImage(image, options)
  const id = plan.draft.names.join(' ')
  const total = image.layers.reduce((sum, layer) => sum + (readSizeOf(layer) ?? 0), 0)
  findings.onEvent({kind: 'step', id, title: `Write image ${id}`, ...(total > 0 ? {totalBytes: total} : {})})
  meter.begin(id, image.layers)
  const draft = await withPinnedForms(plan.draft, image, options)
  const returning = await returningFrom(image, draft, options)
  for (const {digest, why} of returning?.companions.lacking ?? [])
    findings.note({
      code: 'companion-not-held',
      message: `What belongs to the image is missing or damaged: ${digest}. ${why}`,
      subject: image.names[0] ?? id,
    })
  const restored = sink.writeIndex === undefined ? undefined : await restoredFor(returning, options)
  if (restored !== undefined && 'index' in restored && sink.writeIndex !== undefined)
    return writeIndex(restored.index, sink as IndexDestination, writing)
  if (restored !== undefined && 'missing' in restored) findings.note(restored.missing)
  const artifact = await sink.write(draft, options)
  const {digest} = image.manifest ?? {}
  const kept = (inner: WorkOptions) =>
    returning === undefined || digest === undefined
      ? undefined
      : keptReferrers(returning, {...inner, subjects: [digest]})
  const attached = await carryReferrers(
    sink,
    {
      find: returning === undefined ? image.findReferrers : async (inner) => (await kept(inner)) ?? NO_REFERRERS,
      was: image.manifest?.digest,
      is: artifact.manifestDigest,
      subject: image.names[0] ?? artifact.reference,
    },
    writing,
  )
  findings.onEvent({kind: 'done', id, summary: artifact.imageId})
  const reasons = await imageReasons(image, artifact, {
    ...withoutEvents(options),
    isExplained: plan.inexact.length > 0,
  })
  for (const reason of plan.inexact) {
    const layer = reason.code === LAYER_CHANGED ? image.layers.find(({title}) => title === reason.subject) : undefined
    findings.inexact.push(await withEdits(reason, layer, options))
  }
  findings.inexact.push(...reasons)
  return {artifacts: [reportArtifact(artifact)], bytes: artifact.bytesWritten + attached}
}

const NO_REFERRERS: Referrers = {referrers: [], content: {documents: [], blobs: [], absent: []}, doubts: []}

/** The image with what packages keep beside it; undefined where it comes from elsewhere. */
async function returningFrom(image: Image, draft: ImageDraft, options: ConvertOptions): Promise<Returning | undefined> {
  const {manifest, config} = image
  if (manifest === undefined || config === undefined || options.companions === 'none') return undefined
  const companions = await image.findCompanions?.(options)
  return companions === undefined ? undefined : {image: {...image, manifest, config}, draft, companions}
}

/** An index can only be given back with the images that it names, unchanged. */
async function restoredFor(returning: Returning | undefined, options: ConvertOptions): Promise<Restored | undefined> {
  if (returning === undefined || changeOf(options) !== undefined || options.pins === 'none') return undefined
  return restoreIndex(returning, options)
}
