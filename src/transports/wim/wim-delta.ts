import {contentOf} from '../../model/content.js'
import type {LayerEntry} from '../../model/layer-entry.js'
import {findHiveRole} from '../../model/hive-role.js'
import {parseLayerPath, type LayerPath} from '../../model/layer-path.js'
import {FileAttribute} from '../../model/windows-metadata.js'
import {encodeHiveDelta} from './hive-delta.js'
import {compareImages, type ImageChanges} from './image-changes.js'
import {WimLosses} from './losses.js'
import {
  descriptorAt,
  FILES,
  ImageReader,
  timesOf,
  UTILITY_VM,
  UTILITY_VM_FILES,
  type WimLayerImages,
  type WimLayerOptions,
} from './wim-layer.js'
import type {WimFile} from './wim-file.js'

/** Images of a file that are one layer. */
export interface PlacedImages {
  readonly wim: WimFile
  readonly images: WimLayerImages
}

const HIVES = parseLayerPath('Hives')

/**
 * The layer that makes one image of another: files and folders that differ, tombstones of what is gone, and a delta for
 * each hive of the operating system that changed. Throws `HIVE_CORRUPT`, `HIVE_DIRTY` of a hive that cannot be compared.
 */
export async function* readWimDelta(
  {below, above}: {readonly below: PlacedImages; readonly above: PlacedImages},
  options: WimLayerOptions = {},
): AsyncGenerator<LayerEntry> {
  const losses = new WimLosses()
  const lower = {wim: below.wim, tree: await below.wim.tree(below.images.files)}
  const upper = {wim: above.wim, tree: await above.wim.tree(above.images.files)}
  const changes = compareImages(lower.tree, upper.tree, FILES)
  const read = new ImageReader(above.wim, losses, options)
  yield* changed(
    read.entries(above.images.files, FILES, (path) => path === FILES || changes.isHeld(path)),
    changes,
  )
  const times = timesOf(upper.tree.root)
  yield {kind: 'directory', path: HIVES, meta: {attributes: FileAttribute.directory, times}}
  for (const pair of changes.hives) {
    const role = findHiveRole(pair.above.path)
    if (role === undefined) continue
    const bytes = await encodeHiveDelta(pair, {below: lower, above: upper}, options)
    if (bytes === undefined) continue
    const {entry} = pair.above
    const descriptor = descriptorAt(upper.tree, entry, pair.above.path)
    const meta = {
      attributes: FileAttribute.archive,
      times: timesOf(entry),
      ...(descriptor === undefined ? {} : {securityDescriptor: descriptor}),
    }
    yield {kind: 'file', path: parseLayerPath(`Hives/${role.name}_Delta`), meta, content: contentOf(bytes)}
  }
  yield* utilityVm({below, above}, read)
  losses.tell(options)
}

/** The utility VM of the upper image, where the file has one that is not that of the lower image. */
async function* utilityVm(
  {below, above}: {readonly below: PlacedImages; readonly above: PlacedImages},
  read: ImageReader,
): AsyncGenerator<LayerEntry> {
  const [before, after] = [below.images.utilityVm, above.images.utilityVm]
  if (after === undefined || (before === after && below.wim.path === above.wim.path)) return
  const tree = await above.wim.tree(after)
  const times = timesOf(tree.root)
  const folder = {kind: 'directory', path: UTILITY_VM, meta: {attributes: FileAttribute.directory, times}} as const
  if (before === undefined) {
    yield folder
    yield* read.entries(after, UTILITY_VM_FILES)
    return
  }
  const changes = compareImages(await below.wim.tree(before), tree, UTILITY_VM_FILES)
  if (!changes.isHeld(UTILITY_VM_FILES)) return
  yield folder
  yield* changed(
    read.entries(after, UTILITY_VM_FILES, (path) => changes.isHeld(path)),
    changes,
  )
}

/** Deletions follow the folder that they are made in. */
async function* changed(entries: AsyncIterable<LayerEntry>, changes: ImageChanges): AsyncGenerator<LayerEntry> {
  for await (const entry of entries) {
    yield entry
    if (entry.kind !== 'directory') continue
    if (changes.isOpaque(entry.path)) yield {kind: 'opaque', path: entry.path}
    for (const path of changes.deletedIn(entry.path)) yield {kind: 'tombstone', path: spelt(entry.path, path)}
  }
}

/** In the folder as the upper image spells it. */
function spelt(folder: LayerPath, path: LayerPath): LayerPath {
  return `${folder}${path.slice(path.lastIndexOf('/'))}` as LayerPath
}
