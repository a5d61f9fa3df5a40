import {createHash} from 'node:crypto'
import type {WimEntry} from '../../codecs/wim/entry.js'
import type {ImageTree, PlacedEntry} from '../../codecs/wim/image-tree.js'
import {ItemTag} from '../../codecs/wim/tagged-items.js'
import {findHiveRole} from '../../model/hive-role.js'
import {foldPath, parentPath, type LayerPath} from '../../model/layer-path.js'
import {FileAttribute} from '../../model/windows-metadata.js'

/** A hive of the operating system, as the lower and the upper image have it. */
export interface HivePair {
  readonly below: PlacedEntry
  readonly above: PlacedEntry
}

/** What makes one image of another. */
export interface ImageChanges {
  /** True for an entry of the upper image that differs, and for the folders that lead to one or to what is gone. */
  isHeld(path: LayerPath): boolean
  /** True for a link of the upper image where the lower one has a folder: whatever that holds is hidden. */
  isOpaque(path: LayerPath): boolean
  /** Names that are gone from a folder; what was in them goes with them. */
  deletedIn(folder: LayerPath): readonly LayerPath[]
  /** Hives of the operating system that both have: a layer changes them by deltas. */
  readonly hives: readonly HivePair[]
}

interface Known {
  readonly path: LayerPath
  readonly mark: string
  readonly isFolder: boolean
  /** Of a file with several names: what all of them have in common. */
  readonly group: string | undefined
}

/**
 * Compares two images by names, attributes, times, descriptors and SHA-1, reading no content. The time of the last access
 * alone makes no difference: a system that ran changes it on every file that it reads.
 */
export function compareImages(below: ImageTree, above: ImageTree, at: LayerPath): ImageChanges {
  const lower = knownIn(below, at)
  const upper = knownIn(above, at)
  const changes = new Changes()
  const groups = new Map<string, LayerPath[]>()
  for (const [folded, own] of upper.known) {
    const other = lower.known.get(folded)
    // Windows keeps the case of each name, so that one of another case is another.
    if (other?.mark !== own.mark || other.path !== own.path) changes.hold(own.path)
    if (other?.isFolder === true && own.isFolder !== other.isFolder) changes.opaque.add(folded)
    if (own.group !== undefined) groups.set(own.group, [...(groups.get(own.group) ?? []), own.path])
  }
  // Names of one file are written together: a link into a lower layer would join what is no longer one file there.
  for (const paths of groups.values())
    if (paths.some((path) => changes.isHeld(path)) || !isOneGroup(paths, lower))
      for (const path of paths) changes.hold(path)
  for (const [folded, {path}] of lower.known) {
    const parent = parentPath(path)
    if (parent === undefined || upper.known.has(folded) || upper.known.get(foldPath(parent))?.isFolder !== true)
      continue
    changes.delete(path, parent)
  }
  for (const [folded, placed] of upper.hives) {
    const own = lower.hives.get(folded)
    if (own === undefined) changes.hold(placed.path)
    else changes.hives.push({below: own, above: placed})
  }
  for (const [folded, {path}] of lower.hives) {
    const parent = parentPath(path)
    if (parent !== undefined && !upper.hives.has(folded) && upper.known.get(foldPath(parent))?.isFolder === true)
      changes.delete(path, parent)
  }
  return changes
}

class Changes implements ImageChanges {
  readonly #held = new Set<string>()
  readonly #deleted = new Map<string, LayerPath[]>()
  readonly opaque = new Set<string>()
  readonly hives: HivePair[] = []

  /** An entry, and the folders above it. */
  hold(path: LayerPath): void {
    for (let each: LayerPath | undefined = path; each !== undefined; each = parentPath(each)) {
      const folded = foldPath(each)
      if (this.#held.has(folded)) return
      this.#held.add(folded)
    }
  }

  delete(path: LayerPath, folder: LayerPath): void {
    this.hold(folder)
    const folded = foldPath(folder)
    const known = this.#deleted.get(folded)
    if (known === undefined) this.#deleted.set(folded, [path])
    else known.push(path)
  }

  isHeld(path: LayerPath): boolean {
    return this.#held.has(foldPath(path))
  }

  isOpaque(path: LayerPath): boolean {
    return this.opaque.has(foldPath(path))
  }

  deletedIn(folder: LayerPath): readonly LayerPath[] {
    return this.#deleted.get(foldPath(folder)) ?? []
  }
}

interface KnownImage {
  /** By folded path; without hives and their logs. */
  readonly known: ReadonlyMap<string, Known>
  readonly hives: ReadonlyMap<string, PlacedEntry>
  /** How many names each group has. */
  readonly groups: ReadonlyMap<string, number>
}

function knownIn(tree: ImageTree, at: LayerPath): KnownImage {
  const known = new Map<string, Known>()
  const hives = new Map<string, PlacedEntry>()
  const groups = new Map<string, number>()
  const marks = new Marks(tree)
  for (const placed of tree.walk(at)) {
    const {path, entry} = placed
    const folded = foldPath(path)
    const role = findHiveRole(path)
    // Logs only mean something to the very hive that they lie beside.
    if (role?.form === 'config') {
      if (role.part === 'hive') hives.set(folded, placed)
      continue
    }
    const isFolder = (entry.attributes & FileAttribute.directory) !== 0 && entry.reparse === undefined
    const group = isFolder ? undefined : groupOf(entry)
    if (group !== undefined) groups.set(group, (groups.get(group) ?? 0) + 1)
    known.set(folded, {path, mark: marks.of(entry), isFolder, group})
  }
  return {known, hives, groups}
}

/** True where all of these names, and no others, were one file before. */
function isOneGroup(paths: readonly LayerPath[], {known, groups}: KnownImage): boolean {
  const [group, ...others] = new Set(paths.map((path) => known.get(foldPath(path))?.group))
  return group !== undefined && others.length === 0 && groups.get(group) === paths.length
}

function contentsOf({data, streams}: WimEntry): readonly string[] {
  return [data ?? '-', ...streams.map(({name, hash}) => `${name}:${hash}`).sort()]
}

/** Numbers alone do not tell: Windows 7 gave the same to different files. */
function groupOf(entry: WimEntry): string | undefined {
  return entry.linkGroup === 0n ? undefined : [entry.linkGroup, ...contentsOf(entry)].join('/')
}

/** What an entry is but for its name, short enough to keep for each of a whole image. */
class Marks {
  readonly #tree: ImageTree
  readonly #descriptors = new Map<number, string>()

  constructor(tree: ImageTree) {
    this.#tree = tree
  }

  of(entry: WimEntry): string {
    const {attributes, creation, lastWrite, reparse, items, linkGroup} = entry
    const hash = createHash('sha1')
    const link =
      reparse === undefined ? '' : [reparse.tag, reparse.reserved, reparse.isNotFixed, reparse.hash].join(' ')
    hash.update(
      [attributes, creation, lastWrite, linkGroup !== 0n, this.#descriptor(entry), link, ...contentsOf(entry)].join(
        '\n',
      ),
    )
    for (const {tag, data} of items) if (tag === ItemTag.extendedAttributes) hash.update('\n').update(data)
    return hash.digest('base64')
  }

  #descriptor(entry: WimEntry): string {
    const known = this.#descriptors.get(entry.securityId)
    if (known !== undefined) return known
    const bytes = this.#tree.descriptorOf(entry)
    const made = bytes === undefined ? '' : createHash('sha1').update(bytes).digest('hex')
    this.#descriptors.set(entry.securityId, made)
    return made
  }
}
