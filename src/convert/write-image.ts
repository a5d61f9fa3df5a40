import type {Image} from '../model/image.js'
import type {ImageDestination} from '../model/transport.js'
import {carryReferrers} from './carry-referrers.js'
import {imageReasons} from './exactness.js'
import {withPinnedForms} from './pinned-layers.js'
import {reportArtifact} from './report.js'
import {planImage} from './to-image.js'
import type {Writing, Written} from './writing.js'

/** Writes one image, and what refers to it where its digest is the same there. */
export async function writeOneImage(image: Image, sink: ImageDestination, writing: Writing): Promise<Written> {
  const {meter, findings, options} = writing
  const plan = await planImage(image, options)
  const id = plan.draft.names.join(' ')
  const total = image.layers.reduce((sum, layer) => sum + (layer.sizeBytes ?? 0), 0)
  findings.onEvent({kind: 'step', id, title: `Write image ${id}`, ...(total > 0 ? {totalBytes: total} : {})})
  meter.begin(id)
  const draft = await withPinnedForms(plan.draft, image, options)
  const artifact = await sink.write(draft, options)
  const attached = await carryReferrers(
    sink,
    {
      find: image.findReferrers,
      was: image.manifest?.digest,
      is: artifact.manifestDigest,
      subject: image.names[0] ?? artifact.reference,
    },
    writing,
  )
  findings.onEvent({kind: 'done', id, summary: artifact.imageId})
  for (const each of [...plan.inexact, ...imageReasons(image, artifact, plan.inexact.length > 0)])
    findings.inexact.push(each)
  return {artifacts: [reportArtifact(artifact)], bytes: artifact.bytesWritten + attached}
}
