import type {PackageMetadata} from '../../model/image.js'
import type {PackageDraft} from '../../model/transport.js'
import {encodeFacts} from './package-facts.js'

/**
 * True when a package says other things of itself than one with the same payload that is there: in its metadata.json, or
 * in the files beside its payload. Of the package that was asked for alone: what it lies on may come from several places.
 */
export function hasOtherWords({metadata, isLast}: PackageDraft, look: () => PackageMetadata): boolean {
  if (isLast !== true || metadata.document === undefined) return false
  const there = look()
  return wordsOf(there) !== wordsOf(metadata) || !holdsAttachments(there, metadata)
}

function wordsOf(metadata: PackageMetadata): string {
  const {createdTime, isDeleted = false} = metadata
  return JSON.stringify([encodeFacts({isDeleted, ...metadata}), createdTime, isDeleted])
}

/** True when a package has every file beside its payload that another has, with the same bytes. */
export function holdsAttachments(there: PackageMetadata, wanted: PackageMetadata): boolean {
  return Object.entries(wanted.attachments ?? {}).every(([name, bytes]) => {
    const found = there.attachments?.[name]
    return found !== undefined && Buffer.compare(found, bytes) === 0
  })
}
