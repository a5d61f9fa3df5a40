import {InputError} from '../../model/errors.js'
import type {Descriptor} from '../../model/image.js'
import {digestAlgorithm, digestOf} from '../../model/digest.js'
import type {StatedDescriptor} from '../image-documents/image-documents.js'
import {digestMismatch} from '../../codecs/bytes/verified.js'

/** The blob that a descriptor carries in `data`. Throws `SIZE_MISMATCH`, `DIGEST_MISMATCH`. Source: image-spec descriptor.md. */
export function findEmbedded(stated: StatedDescriptor, descriptor: Descriptor, title: string): Uint8Array | undefined {
  if (stated.data === undefined || stated.data === null) return undefined
  const bytes = Buffer.from(stated.data, 'base64')
  if (bytes.byteLength !== descriptor.size) {
    throw new InputError('SIZE_MISMATCH', {
      what: `The embedded data of ${title} does not match its descriptor.`,
      why: `Expected ${descriptor.size} bytes, found ${bytes.byteLength}.`,
    })
  }
  const found = digestOf(bytes, digestAlgorithm(descriptor.digest))
  if (found !== descriptor.digest)
    throw digestMismatch({title: `the data of ${title}`, digest: descriptor.digest}, found)
  return bytes
}
