import type {Referrers} from '../../model/content-graph.js'
import {blobKey, blobPath} from './content-store.js'
import type {Checking} from './verify-named.js'

/**
 * Reads everything that refers to an image to its last byte. One that a list names and that is missing is a fault; where a
 * place does not say what there is, that is a note.
 */
export async function verifyReferrers(
  {content, doubts, referrers}: Referrers,
  {check, read, options}: Checking,
): Promise<void> {
  for (const {code, message} of doubts) {
    if (code === 'referrer-not-held') check.add('MANIFEST_MISSING', message, check.subject)
    else options.onEvent?.({kind: 'note', code, message, subject: check.subject})
  }
  for (const {digest, bytes} of content.documents) {
    if (!read.has(blobPath(digest))) check.count(bytes.byteLength)
    read.add(blobPath(digest))
  }
  for (const blob of content.blobs) {
    const {digest, size} = blob.descriptor
    if (read.has(blobKey(blob.descriptor))) continue
    check.subject = referrers.length === 1 ? (referrers[0]?.descriptor.digest ?? digest) : digest
    const isWhole = await check.gather(async () => {
      if (blob.isHeld !== undefined && !(await blob.isHeld(options))) return
      for await (const _chunk of blob.open(options)) options.signal?.throwIfAborted()
    })
    if (!isWhole) continue
    if (!read.has(blobPath(digest))) check.count(size)
    read.add(blobPath(digest)).add(blobKey(blob.descriptor))
  }
}
