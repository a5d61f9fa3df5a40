import {digestAlgorithm} from '../../model/digest.js'
import {TransshipError} from '../../model/errors.js'
import type {WorkOptions} from '../../model/events.js'
import type {Layer} from '../../model/image.js'
import {layerBody, type LayerFacts} from '../layer-blob/layer-body.js'
import {verified} from '../../codecs/bytes/verified.js'

/** A blob of a layout that is added to. */
export interface ExistingBlob<M> {
  readonly member: M
  readonly sizeBytes: number
  /** The bytes, unchecked, from the start at each call. */
  readonly open: (options: WorkOptions) => AsyncIterable<Uint8Array>
}

/**
 * Reads a blob that is at the destination in the place of the source's: what is found of it by its end; undefined when it
 * is not what the source states of its own, damaged or unreadable. Then the source is to be read, which mends it.
 */
export async function findSound(
  {blob, ...layer}: Layer,
  {sizeBytes, open}: ExistingBlob<unknown>,
  options: WorkOptions,
): Promise<LayerFacts | undefined> {
  if (blob === undefined || layer.diffId === undefined) return undefined
  const {descriptor, compression} = blob
  const {digest, size} = descriptor
  // Other digests are not those that a layout is written with.
  const isOurs = digestAlgorithm(digest) === 'sha256' && digestAlgorithm(layer.diffId) === 'sha256'
  if (!isOurs || sizeBytes !== size || compression === 'bzip2' || compression === 'xz') return undefined
  const checked = (inner: WorkOptions = {}) => verified(open(inner), {title: layer.title, digest, size})
  const body = layerBody({...layer, blob: {...blob, open: checked}}, {accepts: [compression], compression}, options)
  try {
    for await (const _chunk of body.bytes) options.signal?.throwIfAborted()
    return body.facts()
  } catch (error) {
    options.signal?.throwIfAborted()
    if (error instanceof TransshipError) return undefined
    throw error
  }
}
