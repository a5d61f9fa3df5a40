import type {DirectoryEntry, FileEntry} from '../../model/layer-entry.js'
import {parentPath, payloadPart} from '../../model/layer-path.js'
import {isSparseForm} from '../carrier/sparse-form.js'
import {CARRIER_FRAME} from '../carrier/carrier-frame.js'
import {canonicalHeader} from './canonical-header.js'

/**
 * What a form must fit: everything that the canonical header of an entry tells. Of what a layout keeps without a carrier
 * only kind and size, since its metadata does not all come back.
 */
export function entryFacts(entry: FileEntry | DirectoryEntry): Uint8Array {
  const {frame, ...bare} = withSize(entry)
  return payloadPart(entry.path) === 'files' && parentPath(entry.path) !== undefined
    ? canonicalHeader(frame?.layout === undefined ? bare : {...bare, frame: {layout: frame.layout}}, true)
    : Buffer.from(`${bare.kind} ${bare.kind === 'file' ? (bare.content?.size ?? 0) : ''}`)
}

/** A file that states no data comes back from its carrier with none: the same for this purpose. */
export function withSize<Entry extends FileEntry | DirectoryEntry>(entry: Entry): Entry {
  if (entry.kind === 'directory' || entry.content !== undefined) return entry
  return {...entry, content: {size: 0, open: noBytes}}
}

async function* noBytes(): AsyncGenerator<Uint8Array> {
  // Only its size counts.
}

/** Sparse content got a form of its own in the carrier when it was written; the tar stated none. */
export function withoutSparseForm(entry: FileEntry | DirectoryEntry): FileEntry | DirectoryEntry {
  const layout = entry.frame?.layout
  if (layout?.[0] !== CARRIER_FRAME || !isSparseForm(layout)) return entry
  const {frame: _frame, ...bare} = entry
  return bare
}
