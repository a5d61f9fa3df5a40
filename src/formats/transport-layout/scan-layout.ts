import type {UnpackOptions} from '../../model/limits.js'
import {EntryLimit, requireDepth} from '../../model/unpack-limit.js'
import {decodeTombstones} from '../../codecs/tombstones/tombstones.js'
import {InputError, placedError} from '../../model/errors.js'
import {
  childPath,
  comparePaths,
  controlNameRefused,
  DIRECTORY_CARRIER_SUFFIX,
  foldPath,
  isControlName,
  nameTaken,
  parentPath,
  parseLayerPath,
  payloadPart,
  type LayerPath,
} from '../../model/layer-path.js'
import type {LayoutFiles} from './layout-files.js'
import {LayoutNodes} from './layout-nodes.js'

export interface ScannedLayout {
  /** In the order in which Microsoft's export reports them. */
  readonly nodes: LayoutNodes
  /** Bytes of tombstones.txt; undefined when there is none. */
  readonly tombstones?: Uint8Array
  /** Names at the root that are no payload. */
  readonly strays: readonly string[]
}

/** The list of deletions, at the root of a layout. */
export const TOMBSTONES = 'tombstones.txt'
/** Far above any real list; the file is held in memory. */
const MAX_TOMBSTONE_BYTES = 64 * 1024 * 1024
const TOP_FOLDERS = ['Files', 'Hives', 'UtilityVM']

export interface ScanOptions extends UnpackOptions {
  /** For messages: the layout's folder or the package. */
  readonly title: string
  /** A plain tree (`plain-1`): real files instead of carriers. */
  readonly isPlain: boolean
}

/**
 * Lists a transport layout in the order of Microsoft's export: depth first, children by the bytes of their names, a
 * directory before its content, its deletions right behind it. Links and devices are refused (`UNRECOGNISED_FORMAT`), as are
 * names that no layer may hold, and of names that are one on Windows the second (`NAME_COLLISION`). Source: hcsshim internal/wclayer/legacy.go walkUntilCancelled; format page, section 1.5.
 */
export function scanLayout(files: LayoutFiles, options: ScanOptions): ScannedLayout {
  return new Scanner(files, options).scan()
}

class Scanner {
  readonly #files: LayoutFiles
  readonly #options: ScanOptions
  readonly #nodes: LayoutNodes
  readonly #limit: EntryLimit
  readonly #tombstones = new Map<string, LayerPath[]>()

  constructor(files: LayoutFiles, options: ScanOptions) {
    this.#files = files
    this.#options = options
    this.#nodes = new LayoutNodes(options.title)
    this.#limit = new EntryLimit(options.title, options)
  }

  scan(): ScannedLayout {
    const bytes = this.#files.findSmall(TOMBSTONES, MAX_TOMBSTONE_BYTES, TOMBSTONES)
    try {
      if (bytes !== undefined) this.#readTombstones(bytes)
    } catch (error) {
      throw placedError(error, {path: `${this.#options.title}/${TOMBSTONES}`})
    }
    const {folders, files} = this.#files.list('')
    this.#requireDistinct([...folders, ...files])
    const known = new Map(folders.map((name) => [foldPath(name), name]))
    const sidecars = new Set(files)
    const claimed = new Set([foldPath(TOMBSTONES)])
    for (const top of TOP_FOLDERS) {
      const name = known.get(foldPath(top))
      if (name !== undefined) {
        claimed.add(foldPath(name))
        const sidecar = `${name}${DIRECTORY_CARRIER_SUFFIX}`
        const other = files.find((file) => foldPath(file) === foldPath(sidecar) && file !== sidecar)
        if (other !== undefined) throw controlNameRefused(other, {path: this.#options.title})
        claimed.add(foldPath(sidecar))
        this.#top(name, sidecars.has(sidecar))
      }
      // Also where a copy has lost the folder for being empty: what a layer only deletes is still deleted.
      if (top === 'Files') this.#orphans()
    }
    // The first previews kept the files of the utility VM in a folder of their own.
    const baseOs = known.get(foldPath('BaseOs'))
    if (baseOs !== undefined && !known.has(foldPath('UtilityVM'))) {
      claimed.add(foldPath(baseOs))
      this.#baseOs(baseOs)
    }
    return {
      nodes: this.#nodes,
      ...(bytes === undefined ? {} : {tombstones: bytes}),
      strays: [...folders, ...files].filter((name) => !claimed.has(foldPath(name))),
    }
  }

  /** Names at the root, of which not all become entries: of twins, one would silently be passed over. */
  #requireDistinct(names: readonly string[]): void {
    const seen = new Map<string, string>()
    for (const name of names) {
      const first = seen.get(foldPath(name))
      if (first !== undefined) throw nameTaken(name, first, {path: this.#options.title})
      seen.set(foldPath(name), name)
    }
  }

  #readTombstones(bytes: Uint8Array): void {
    const seen = new Set<string>()
    for (const deleted of decodeTombstones(bytes)) {
      const folded = foldPath(deleted)
      if (seen.has(folded)) continue
      seen.add(folded)
      const parent = parentPath(deleted) ?? ''
      const siblings = this.#tombstones.get(parent)
      if (siblings === undefined) this.#tombstones.set(parent, [deleted])
      else siblings.push(deleted)
    }
  }

  #top(name: string, hasSidecar: boolean): void {
    const top = parseLayerPath(name)
    const part = payloadPart(top)
    const holdsCarriers = part === 'files' ? !this.#options.isPlain : part === 'utility-vm' && hasSidecar
    this.#nodes.push(top, {kind: 'directory', isCarrier: part === 'utility-vm' && hasSidecar})
    this.#deletionsIn(top)
    this.#children(top, name, holdsCarriers)
  }

  #baseOs(name: string): void {
    const top = parseLayerPath('UtilityVM')
    const files = childPath(top, 'Files')
    this.#nodes.setBaseOs(name)
    for (const folder of [top, files]) this.#nodes.push(folder, {kind: 'directory', isCarrier: false})
    this.#children(files, name, false)
  }

  #children(parent: LayerPath, diskPath: string, holdsCarriers: boolean): void {
    const {folders, files} = this.#files.list(diskPath)
    const nodes = holdsCarriers ? this.#withCarriers(diskPath, folders, files) : plainNames(folders, files)
    for (const [name, facts] of nodes) {
      // A tar that had it would be refused.
      if (isControlName(name)) throw controlNameRefused(`${diskPath}/${name}`, {path: this.#options.title})
      const child = childPath(parent, name)
      this.#limit.add()
      requireDepth(child, this.#options.title, this.#options)
      const childDisk = `${diskPath}/${name}`
      this.#nodes.push(child, facts)
      if (facts.kind === 'file') continue
      this.#deletionsIn(child)
      if (facts.isOnDisk) this.#children(child, childDisk, holdsCarriers)
    }
  }

  /** Pairs folders with their sidecars; a sidecar alone is a folder that a copy has lost for being empty. */
  #withCarriers(diskPath: string, folders: readonly string[], files: readonly string[]): [string, NodeFacts][] {
    const folderNames = new Set(folders)
    const fileNames = new Set(files)
    const found: [string, NodeFacts][] = folders.map((name) => {
      const lacksCarrier = !fileNames.has(`${name}${DIRECTORY_CARRIER_SUFFIX}`)
      return [name, {kind: 'directory', isCarrier: true, isOnDisk: true, ...(lacksCarrier ? {lacksCarrier} : {})}]
    })
    for (const name of files) {
      if (!name.endsWith(DIRECTORY_CARRIER_SUFFIX)) {
        found.push([name, {kind: 'file', isCarrier: true, isOnDisk: true}])
        continue
      }
      const folder = name.slice(0, -DIRECTORY_CARRIER_SUFFIX.length)
      if (folderNames.has(folder)) continue
      if (folder === '' || fileNames.has(folder)) throw this.#collision(`${diskPath}/${name}`)
      found.push([folder, {kind: 'directory', isCarrier: true, isOnDisk: false}])
    }
    return inByteOrder(found)
  }

  #collision(diskPath: string): InputError {
    return new InputError('NAME_COLLISION', {
      what: `'${diskPath}' is the metadata of a folder that does not exist.`,
      why: 'A file has the name of that folder.',
      suggestions: ['Export the transport layout again.'],
      at: {path: this.#options.title},
    })
  }

  #deletionsIn(directory: LayerPath): void {
    for (const deleted of this.#tombstones.get(directory) ?? []) this.#nodes.pushDeletion(deleted, false)
    this.#tombstones.delete(directory)
  }

  #orphans(): void {
    for (const siblings of this.#tombstones.values())
      for (const deleted of siblings) this.#nodes.pushDeletion(deleted, true)
    this.#tombstones.clear()
  }
}

interface NodeFacts {
  readonly kind: 'file' | 'directory'
  readonly isCarrier: boolean
  readonly isOnDisk: boolean
  readonly lacksCarrier?: boolean
}

function plainNames(folders: readonly string[], files: readonly string[]): [string, NodeFacts][] {
  return inByteOrder([
    ...folders.map((name): [string, NodeFacts] => [name, {kind: 'directory', isCarrier: false, isOnDisk: true}]),
    ...files.map((name): [string, NodeFacts] => [name, {kind: 'file', isCarrier: false, isOnDisk: true}]),
  ])
}

function inByteOrder(found: [string, NodeFacts][]): [string, NodeFacts][] {
  return found.sort(([left], [right]) => comparePaths(left, right))
}
