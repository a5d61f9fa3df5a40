import {InputError, type TransshipError} from '../../model/errors.js'
import {baseName, childPath, comparePaths, foldPath, type LayerPath} from '../../model/layer-path.js'
import {FileAttribute} from '../../model/windows-metadata.js'
import {requireKnownDescriptor} from '../security-descriptor/known-descriptors.js'
import {decodeEntry, type WimEntry} from './entry.js'
import {decodeSecurityBlock} from './security-block.js'
import {wimFault} from './wim-fault.js'

/** An entry with its place. */
export interface PlacedEntry {
  readonly path: LayerPath
  readonly entry: WimEntry
}

export interface WalkOptions {
  /** What to do with an entry that must not go out; it is left out then. By default its error is thrown. */
  readonly onFault?: (error: TransshipError) => void
}

/** What a walk has seen, so that it ends. */
interface Walk extends WalkOptions {
  /** Where the lists of entries start. */
  readonly visited: Set<number>
  /** Of all lists. */
  bytes: number
}

/** Of the end of a list. */
const END_BYTES = 8
/** UTF-16 units in one NT path. */
const MAX_PATH_UNITS = 32767
/** Most bytes of metadata that are read; those of a Server image are some tens of MiB. */
export const MAX_METADATA_BYTES = 256 * 2 ** 20
/** Each entry has a path: a tree of deep folders would be far larger as paths than as metadata. */
const MAX_PATHS_UNITS = 2 ** 31

/** The metadata of an image: its files and folders, and their security descriptors. */
export class ImageTree {
  readonly #bytes: Buffer
  readonly #descriptors: readonly Uint8Array[]
  readonly #rootAt: number

  /** `bytes`: a metadata resource, unpacked. Throws `ARCHIVE_CORRUPT`. Source: wimlib src/metadata_resource.c. */
  constructor(bytes: Buffer) {
    this.#bytes = bytes
    const {descriptors, end} = decodeSecurityBlock(bytes)
    this.#descriptors = descriptors
    this.#rootAt = end
  }

  /**
   * The descriptor of an entry; undefined = it has none, or its number is none. Throws `DESCRIPTOR_CORRUPT`: what Windows
   * would not apply must not reach a layer.
   */
  descriptorOf({securityId}: WimEntry): Uint8Array | undefined {
    const descriptor = securityId < 0 ? undefined : this.#descriptors[securityId]
    if (descriptor !== undefined) requireKnownDescriptor(descriptor)
    return descriptor
  }

  /** True for an entry whose security descriptor is not in the image. */
  lacksDescriptor({securityId}: WimEntry): boolean {
    return securityId >= this.#descriptors.length
  }

  /** The root. Throws `ARCHIVE_CORRUPT` unless it is a folder. */
  get root(): WimEntry {
    const entry = decodeEntry(this.#bytes, this.#rootAt)?.entry
    if (entry === undefined) throw wimFault('The image has no root.', this.#rootAt)
    if (!isFolder(entry)) throw wimFault('The root of the image is not a folder.', this.#rootAt)
    return entry
  }

  /** The file or folder with these names, from the root down, case-insensitively; undefined when there is none. */
  find(...names: readonly string[]): WimEntry | undefined {
    let entry: WimEntry | undefined = this.root
    for (const name of names) {
      if (entry === undefined || !isFolder(entry)) return undefined
      entry = this.#children(entry).entries.find((child) => foldPath(child.name) === foldPath(name))
    }
    return entry
  }

  /**
   * The root as `at` and everything below it: folders before what is in them, names in the order of their UTF-8 bytes.
   * Throws `ARCHIVE_CORRUPT` for lists that are shared or go in circles, `NAME_UNSAFE`, `NAME_RESERVED`,
   * `DUPLICATE_ENTRY`, `NAME_COLLISION`.
   */
  *walk(at: LayerPath, options: WalkOptions = {}): Generator<PlacedEntry> {
    const {root} = this
    yield {path: at, entry: root}
    const walk = {...options, visited: new Set<number>(), bytes: 0}
    const open = [this.#placed(at, root, walk)]
    let units = 0
    for (let list = open.at(-1); list !== undefined; list = open.at(-1)) {
      const placed = list.pop()
      if (placed === undefined) {
        open.pop()
        continue
      }
      units += placed.path.length
      if (units > MAX_PATHS_UNITS)
        throw wimFault('The paths of the image are too long in total.', undefined, 'LIMIT_EXCEEDED')
      yield placed
      if (isFolder(placed.entry)) open.push(this.#placed(placed.path, placed.entry, walk))
    }
  }

  /** The entries of a folder with their paths, the first one last. */
  #placed(parent: LayerPath, folder: WimEntry, walk: Walk): PlacedEntry[] {
    const {childrenAt: start} = folder
    if (start === 0) return []
    const {entries, end} = this.#children(folder)
    // Lists that overlap could make far more entries than there is room for.
    walk.bytes += end - start
    if (walk.visited.has(start) || walk.bytes > this.#bytes.byteLength)
      throw wimFault(`Folders share a list of entries; the second is '${parent}'.`, start)
    walk.visited.add(start)
    const names = new Map<string, string>()
    const placed: PlacedEntry[] = []
    for (const entry of entries) {
      try {
        const path = requirePath(parent, entry.name)
        requireNew(names, path)
        placed.push({path, entry})
      } catch (error) {
        if (walk.onFault === undefined || !(error instanceof InputError)) throw error
        walk.onFault(error)
      }
    }
    return placed.sort((left, right) => comparePaths(baseName(right.path), baseName(left.path)))
  }

  #children({childrenAt: start}: WimEntry): {readonly entries: readonly WimEntry[]; readonly end: number} {
    if (start === 0) return {entries: [], end: 0}
    if (start < this.#rootAt) throw wimFault('A list of entries lies among the security descriptors.', start)
    const entries: WimEntry[] = []
    for (let at = start; ;) {
      const decoded = decodeEntry(this.#bytes, at)
      if (decoded === undefined) return {entries, end: at + END_BYTES}
      entries.push(decoded.entry)
      at = decoded.next
    }
  }
}

/** True for what may have entries below it: never for a link to a folder. */
function isFolder({attributes}: WimEntry): boolean {
  return (attributes & FileAttribute.directory) !== 0 && (attributes & FileAttribute.reparsePoint) === 0
}

/** Windows sees names that differ in case alone as one; which file it would show is chance. */
function requireNew(names: Map<string, string>, path: LayerPath): void {
  const folded = foldPath(baseName(path))
  const first = names.get(folded)
  names.set(folded, path)
  if (first === undefined) return
  throw new InputError(first === path ? 'DUPLICATE_ENTRY' : 'NAME_COLLISION', {
    what:
      first === path ? `The image contains '${path}' twice.` : `'${path}' and '${first}' are the same name on Windows.`,
    why: 'A layer can contain a name only once.',
    suggestions: ['Remove or rename one of them where the image was captured.'],
  })
}

function requirePath(parent: LayerPath, name: string): LayerPath {
  if (name.includes('/')) {
    throw new InputError('NAME_UNSAFE', {
      what: `The name ${JSON.stringify(name.slice(0, 300))} in the folder '${parent}' is not allowed.`,
      why: 'It contains a slash.',
    })
  }
  const path = childPath(parent, name)
  if (path.length <= MAX_PATH_UNITS) return path
  throw new InputError('NAME_UNSAFE', {
    what: `The path '${path.slice(0, 100)}…' is longer than ${MAX_PATH_UNITS} UTF-16 units.`,
  })
}
