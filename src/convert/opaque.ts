import type {WorkOptions} from '../model/events.js'
import type {Layer} from '../model/image.js'
import type {LayerEntry} from '../model/layer-entry.js'
import {foldPath, parentPath, type LayerPath} from '../model/layer-path.js'
import {isLeaf, LayerShadow} from './merge.js'
import {SquashedDeletions} from './squashed-deletions.js'

/**
 * A layer as a transport layout can hold it: opaque directories, and directories that are deleted and made again in the
 * same layer, become tombstones of what the layers below hold there. `below` is base first; undefined = not known.
 * The entries keep their frames, so the way back to the original spelling stays open.
 */
export function withoutOpaque(layer: Layer, below: readonly Layer[] | undefined): Layer {
  return {...layer, entries: (options = {}) => expanded(layer, below, options)}
}

async function* expanded(
  layer: Layer,
  below: readonly Layer[] | undefined,
  options: WorkOptions,
): AsyncGenerator<LayerEntry> {
  const deletions = new SquashedDeletions(below, options)
  const shadow = new LayerShadow()
  const directories = new Set<string>()
  shadow.beginLayer(0)
  const deleted: LayerPath[] = []
  let hasOpaque = false
  for await (const entry of layer.entries(options)) {
    if (entry.kind === 'opaque') {
      deletions.clear(entry.path)
      hasOpaque = true
    } else if (entry.kind === 'tombstone') deleted.push(entry.path)
    else if (entry.kind !== 'frame') {
      shadow.show(entry)
      // In a reparse point nothing of lower layers lies, whatever was deleted for it.
      if (!isLeaf(entry)) directories.add(foldPath(entry.path))
      // Folders that no entry states are made for what lies in them.
      let above = parentPath(entry.path)
      for (; above !== undefined && !directories.has(foldPath(above)); above = parentPath(above))
        directories.add(foldPath(above))
    }
    yield entry
  }
  // A layout cannot say 'delete this directory, then make it anew': its content below must go name by name.
  for (const path of deleted) {
    if (!directories.has(foldPath(path))) continue
    deletions.clear(path)
    hasOpaque = true
  }
  if (!hasOpaque) return
  const told = new Set(deleted.map(foldPath))
  for await (const entry of deletions.entries(shadow, (path) => directories.has(foldPath(path))))
    if (entry.kind !== 'tombstone') yield entry
    else if (!told.has(foldPath(entry.path))) yield {...entry, isDerived: true}
}
