import {parseDigest} from '../../model/digest.js'
import type {PayloadFigures} from '../transport-layout/payload-artifact.js'
import type {StoredPackage} from './repository.js'

/** What metadata.json says of the payload; undefined of a stub, and of a payload without an index. */
export function figuresOf({payload}: StoredPackage): PayloadFigures | undefined {
  const {Digest: text, Bytes: bytes = 0, Entries: entries = 0} = payload
  return text === undefined ? undefined : {digest: parseDigest(text), bytes, entries}
}
