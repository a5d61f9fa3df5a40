import {MAX_DOCUMENT_BYTES} from '../../codecs/json/json-document.js'
import {InputError} from '../../model/errors.js'
import {findDigest} from '../../model/digest.js'
import type {WorkOptions} from '../../model/events.js'
import {findDigestTag} from '../image-documents/digest-tags.js'
import {parseIndex, type StatedDescriptor} from '../image-documents/image-documents.js'
import {isIndexType} from '../image-documents/media-types.js'
import {blobPath} from './content-store.js'
import type {LayoutFiles} from './layout-files.js'
import {digestTagOf} from './layout-referrers.js'

/** The lists of referrers that a layout has, by their tags; what cannot be read is made anew. */
export async function listsIn<M>(
  files: LayoutFiles<M>,
  options: WorkOptions,
): Promise<ReadonlyMap<string, readonly StatedDescriptor[]>> {
  const lists = new Map<string, readonly StatedDescriptor[]>()
  for (const stated of files.existing?.manifests ?? []) {
    const tag = digestTagOf(stated)
    const digest = findDigest(stated.digest)
    const isList = tag !== undefined && findDigestTag(tag)?.suffix === undefined && isIndexType(stated.mediaType)
    if (!isList || digest === undefined) continue
    const blob = await files.findExisting?.(blobPath(digest))
    if (blob === undefined || blob.sizeBytes > MAX_DOCUMENT_BYTES) continue
    const parts: Uint8Array[] = []
    for await (const chunk of blob.open(options)) parts.push(Buffer.from(chunk))
    try {
      lists.set(tag, parseIndex(Buffer.concat(parts), `the list ${tag}`).manifests ?? [])
    } catch (error) {
      if (!(error instanceof InputError)) throw error
    }
  }
  return lists
}
