import {findDigest} from '../../model/digest.js'
import type {PayloadMark} from '../../model/image.js'
import type {DockerJson, PayloadJson} from './schema.js'

/** Code of the note on a base that is another than the one that was built on, and was accepted. Not exact. */
export const BASE_MISMATCH = 'base-mismatch'

/** The parts of a package's metadata that say what its payload is. */
interface StatedPayload {
  readonly payload: PayloadJson
  readonly docker?: DockerJson
}

/** What the metadata of a package tell of its payload. */
export function markOf({payload, docker}: StatedPayload): PayloadMark {
  const [layer] = docker?.Layers ?? []
  const payloadDigest = payload.Digest === undefined ? undefined : findDigest(payload.Digest)
  const diffId = layer === undefined ? undefined : findDigest(layer.DiffID)
  return {
    ...(payloadDigest === undefined ? {} : {payloadDigest}),
    ...(diffId === undefined ? {} : {diffId}),
  }
}

/** The mark alone, of something that has one besides other things. */
export function onlyMark({payloadDigest, diffId}: PayloadMark): PayloadMark {
  return {
    ...(payloadDigest === undefined ? {} : {payloadDigest}),
    ...(diffId === undefined ? {} : {diffId}),
  }
}

/**
 * Why `found` is not the payload that was recorded, in words; undefined when it is, as far as both tell. A single fact
 * in which they differ is enough: a delta on another base is broken data.
 */
export function differenceOf(recorded: PayloadMark, found: PayloadMark): string | undefined {
  const facts = [
    ['layer', recorded.diffId, found.diffId],
    ['payload', recorded.payloadDigest, found.payloadDigest],
  ] as const
  for (const [what, wanted, there] of facts)
    if (wanted !== undefined && there !== undefined && wanted !== there)
      return `It was made on the ${what} ${wanted}, but this is ${there}.`
  return undefined
}

/** True when a mark tells anything. */
export function isMarked({payloadDigest, diffId}: PayloadMark): boolean {
  return payloadDigest !== undefined || diffId !== undefined
}
