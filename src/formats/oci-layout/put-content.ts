import {verified} from '../../codecs/bytes/verified.js'
import type {ContentGraph, StoredContent} from '../../model/content-graph.js'
import {TransshipError} from '../../model/errors.js'
import type {WorkOptions} from '../../model/events.js'
import {sideBySide} from '../layer-blob/side-by-side.js'
import {blobPath} from './content-store.js'
import type {LayoutFiles} from './layout-files.js'

export interface PutOptions extends WorkOptions {
  /** True once for each name: what the layout got in this run already is not written again. */
  readonly isNew: (name: string) => boolean
  readonly concurrency?: number | undefined
}

/** Puts blobs and documents into a layout as they are; sound ones that it has stay where they are. */
export async function putContent<M>(
  files: LayoutFiles<M>,
  {documents, blobs}: ContentGraph,
  {isNew, concurrency, ...options}: PutOptions,
): Promise<void> {
  const put = async (blob: StoredContent, inner: WorkOptions): Promise<void> => {
    const name = blobPath(blob.descriptor.digest)
    if (!(await isContentHeld(blob, inner)) || !isNew(name) || (await isThere(files, blob, inner))) return
    await files.name(await files.addBody(blob.open(inner), inner), name)
  }
  const turnOf = ({descriptor}: StoredContent) => descriptor.digest
  await sideBySide(blobs, put, {...options, turnOf, concurrency: files.mayOverlap === true ? concurrency : 1})
  for (const {digest, bytes} of documents) {
    const name = blobPath(digest)
    if (isNew(name)) await files.addFile(name, bytes)
  }
}

/** False, with a note, of a foreign layer that the source only names. */
export async function isContentHeld({descriptor, isHeld}: StoredContent, options: WorkOptions): Promise<boolean> {
  if (isHeld === undefined || (await isHeld(options))) return true
  const {digest, mediaType} = descriptor
  const message = `The source only names the foreign layer ${digest}; so does the result.`
  options.onEvent?.({kind: 'note', code: 'layer-not-held', message, subject: mediaType})
  return false
}

async function isThere<M>(files: LayoutFiles<M>, {descriptor}: StoredContent, options: WorkOptions): Promise<boolean> {
  const {digest, size} = descriptor
  const existing = await files.findExisting?.(blobPath(digest))
  if (existing?.sizeBytes !== size) return false
  try {
    for await (const _chunk of verified(existing.open(options), {title: `blob ${digest}`, digest, size}))
      options.signal?.throwIfAborted()
    return true
  } catch (error) {
    options.signal?.throwIfAborted()
    // What is damaged or unreadable is written again.
    if (error instanceof TransshipError) return false
    throw error
  }
}
