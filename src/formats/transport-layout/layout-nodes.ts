import {nameTaken, type LayerPath} from '../../model/layer-path.js'
import {PathTable} from '../../model/path-table.js'

/** A file or directory that a transport layout holds, before its content is looked at. */
export interface DiskNode {
  readonly kind: 'file' | 'directory'
  readonly path: LayerPath
  /** Where it lies below the root, `/` between names; of a directory the folder itself. */
  readonly diskPath: string
  /** Its metadata is in a carrier: the file itself, or `<folder>.$wcidirs$`. */
  readonly isCarrier: boolean
  /** A directory that is to have a carrier and has none. */
  readonly lacksCarrier?: boolean
}

export interface TombstoneNode {
  readonly kind: 'tombstone'
  readonly path: LayerPath
  readonly isOrphan: boolean
}

export type LayoutNode = DiskNode | TombstoneNode

/** What a path has for a number. */
const IS_NODE = 1
const IS_DIRECTORY = 2
const IS_CARRIER = 4
const LACKS_CARRIER = 8

/** The folder of the first previews that stood for `UtilityVM/Files`. */
const UTILITY_VM = 'UtilityVM'
const UTILITY_VM_FILES = 'UtilityVM/Files'

/** The nodes of a transport layout in the order of its scan: a million of them must fit. */
export class LayoutNodes implements Iterable<LayoutNode> {
  /** Entries of the table come in the order of the scan, which meets a folder before what lies in it. */
  readonly #table = new PathTable({isFolding: true})
  readonly #title: string
  /** Deletions, in order, and how many entries of the table come before each. */
  readonly #deletions: {readonly after: number; readonly node: TombstoneNode}[] = []
  /** What the folder of the utility VM is called, when it is that of the first previews. */
  #baseOs: string | undefined

  /** `title` is how messages name the layout. */
  constructor(title: string) {
    this.#title = title
  }

  /** `NAME_COLLISION`, `DUPLICATE_ENTRY`: a name is there once, as Windows compares names. */
  push(path: LayerPath, {kind, isCarrier, lacksCarrier}: Pick<DiskNode, 'kind' | 'isCarrier' | 'lacksCarrier'>): void {
    const taken = this.#table.find(path)
    if (taken !== 0) throw nameTaken(path, this.#table.at(taken).path, {path: this.#title})
    const value =
      IS_NODE |
      (kind === 'directory' ? IS_DIRECTORY : 0) |
      (isCarrier ? IS_CARRIER : 0) |
      (lacksCarrier === true ? LACKS_CARRIER : 0)
    this.#table.set(path, value)
  }

  pushDeletion(path: LayerPath, isOrphan: boolean): void {
    this.#deletions.push({after: this.#table.size, node: {kind: 'tombstone', path, isOrphan}})
  }

  /** What follows of the utility VM lies in a folder of that name. */
  setBaseOs(name: string): void {
    this.#baseOs = name
  }

  get deletions(): readonly LayerPath[] {
    return this.#deletions.map(({node}) => node.path)
  }

  *[Symbol.iterator](): Generator<LayoutNode> {
    let next = 0
    for (let number = 1; number <= this.#table.size; number++) {
      for (; (this.#deletions[next]?.after ?? Infinity) < number; next++) yield* this.#deletionAt(next)
      const node = this.at(number)
      if (node !== undefined) yield node
    }
    for (; next < this.#deletions.length; next++) yield* this.#deletionAt(next)
  }

  *#deletionAt(index: number): Generator<TombstoneNode> {
    const deletion = this.#deletions[index]
    if (deletion !== undefined) yield deletion.node
  }

  /** Files and directories with their numbers, which are 1 to `lastNumber`. */
  *numbered(): Generator<readonly [number, DiskNode]> {
    for (let number = 1; number <= this.lastNumber; number++) {
      const node = this.at(number)
      if (node !== undefined) yield [number, node]
    }
  }

  get lastNumber(): number {
    return this.#table.size
  }

  at(number: number): DiskNode | undefined {
    const {path, value} = this.#table.at(number)
    if ((value & IS_NODE) === 0) return undefined
    return {
      kind: (value & IS_DIRECTORY) === 0 ? 'file' : 'directory',
      path: path as LayerPath,
      diskPath: this.#diskPath(path),
      isCarrier: (value & IS_CARRIER) !== 0,
      ...((value & LACKS_CARRIER) === 0 ? {} : {lacksCarrier: true}),
    }
  }

  #diskPath(path: string): string {
    if (this.#baseOs === undefined || !isBelow(path, UTILITY_VM)) return path
    return isBelow(path, UTILITY_VM_FILES) ? `${this.#baseOs}${path.slice(UTILITY_VM_FILES.length)}` : this.#baseOs
  }

  findOnDisk(diskPath: string): DiskNode | undefined {
    return this.at(this.numberOnDisk(diskPath))
  }

  /** The number of what lies there; 0 when the layout holds nothing of that name. */
  numberOnDisk(diskPath: string): number {
    const isOfVm = this.#baseOs !== undefined && isBelow(diskPath, this.#baseOs)
    return this.#table.find(isOfVm ? `${UTILITY_VM_FILES}${diskPath.slice(this.#baseOs?.length)}` : diskPath)
  }
}

function isBelow(path: string, folder: string): boolean {
  return path.startsWith(folder) && (path.length === folder.length || path[folder.length] === '/')
}
