import type {FindReferrersOptions, Referrers} from '../model/content-graph.js'
import type {Digest} from '../model/digest.js'
import type {Note} from '../model/events.js'
import type {ImageDestination} from '../model/transport.js'
import {LeavingOut} from '../model/fault-sink.js'
import type {Writing} from './writing.js'

/** What was written, and what it came from. */
export interface Carried {
  readonly find: ((options: FindReferrersOptions) => Promise<Referrers>) | undefined
  /** Digest of the manifest or index at the source, and at the destination. */
  readonly was: Digest | undefined
  readonly is: Digest | undefined
  readonly subject: string
}

/**
 * Copies what refers to an image to where the image went, and gives the bytes written. What is left behind is told as a
 * note: by request, because it is damaged, for want of room, or because the digest that it refers to is no longer there.
 */
export async function carryReferrers(
  sink: ImageDestination,
  {find, was, is, subject}: Carried,
  {findings, meter, options}: Writing,
): Promise<number> {
  if (find === undefined) return 0
  const unreadable = new LeavingOut()
  const found = await find({...options, sink: unreadable})
  for (const doubt of found.doubts) findings.note({...doubt, subject})
  if (found.referrers.length === 0) return 0
  const left = (why: string): number => {
    findings.note(referrersLeft(found, subject, why))
    return 0
  }
  if (options.referrers === 'none') return left('--referrers none leaves them behind.')
  if (was === undefined || was !== is)
    return left(`They refer to the digest ${was ?? 'of its manifest'}, which changed.`)
  if (sink.attach === undefined) return left('The destination cannot store them.')
  const {referrers, content, doubts} = found
  const blobs = content.blobs.map((blob) => meter.content(blob))
  return sink.attach({referrers, content: {...content, blobs}, doubts}, options)
}

/** Types shown of what is left behind. */
const MAX_TYPES = 5

/** What the user is told of referrers that stay behind. */
export function referrersLeft({referrers}: Referrers, subject: string, why: string): Note {
  const what = referrers.length === 1 ? 'One artifact refers' : `${referrers.length} artifacts refer`
  const types = [...new Set(referrers.map(({artifactType}) => artifactType))].sort()
  const shown = types.slice(0, MAX_TYPES).map((type) => type.replace(/[^\x20-\x7e]/g, '?').slice(0, 100))
  const more = types.length > shown.length ? ', …' : ''
  const message = `${what} to this image (${shown.join(', ')}${more}). ${why}`
  return {code: 'referrers-left', message, subject}
}
