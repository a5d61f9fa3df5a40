import {InputError} from './errors.js'
import type {DirectoryEntry, FileEntry, HardLinkEntry, LayerEntry, LinkMeaning} from './layer-entry.js'
import {foldPath, parentPath, type LayerPath} from './layer-path.js'
import {PathTable, type PathTableParts} from './path-table.js'

/** What one layer says of a name; undefined where lower layers decide. */
export type NameInLayer =
  | {readonly kind: 'directory'; readonly isReparsePoint: boolean}
  | {readonly kind: 'file'; readonly path: LayerPath; readonly isReparsePoint: boolean}
  | {readonly kind: 'link'; readonly path: LayerPath; readonly isReparsePoint: false}
  /** The layer deletes it, or has put something above it in which nothing can lie. */
  | {readonly kind: 'gone'}

/** The target of a link, where the layer has not made it so far: `gone` if it deletes it, else lower layers decide. */
export interface OpenLink {
  readonly path: LayerPath
  readonly target: LayerPath
  readonly isGone: boolean
}

/** A folder that no entry of the layer states, though entries lie in it: lower layers must not have a leaf there. */
export interface UnstatedFolder {
  /** The entry that lies in it. */
  readonly path: LayerPath
  readonly folder: LayerPath
  /** Folders up to this length are known to be folders. */
  readonly knownLength: number
  /** A deletion only must not lead through a reparse point. */
  readonly isDeletion: boolean
}

/** The names of a layer, as they go to another thread. */
export interface LayerNamesParts {
  readonly title: string
  readonly table: PathTableParts
  readonly own: Map<number, number>
  readonly others: Map<number, LinkMeaning>
  readonly spelt: Map<number, LayerPath>
  readonly openLinks: readonly OpenLink[]
  readonly unstatedFolders: readonly UnstatedFolder[]
}

/** What of it can move to another thread, where everything else is copied. */
export function buffersOf({table}: LayerNamesParts): readonly ArrayBuffer[] {
  const {parents, starts, lengths, values, lastChildren, siblings, units, slots} = table
  return [parents, starts, lengths, values, lastChildren, siblings, units, slots].map(({buffer}) => buffer)
}

/** What a path has for a number. */
const STATED = 1
const DIRECTORY = 2
const LINK = 4
const REPARSE = 8
/** No entry states the directory; one that lies in it does. */
const IMPLIED = 16
const REMOVED = 32
const OPAQUE = 64
/** Something below it is deleted. */
const DELETES_BELOW = 128

/** Bit of a reparse tag: it stands for another place, as links and mount points do. Source: MS-FSCC 2.1.2.1. */
const NAME_SURROGATE = 0x20000000

/** Folders outside which Windows refuses the targets of hard links. Source: hcsshim internal/wclayer/legacy.go AddLink. */
const LINK_AREAS = ['FILES/', 'UTILITYVM/FILES/'] as const

/** True for a reparse point that leads elsewhere: a symbolic link, a junction, a mount point. */
export function leadsElsewhere({meta}: FileEntry | DirectoryEntry): boolean {
  const {reparsePoint} = meta
  return (
    reparsePoint !== undefined &&
    reparsePoint.byteLength >= 4 &&
    ((reparsePoint[3] ?? 0) & (NAME_SURROGATE >>> 24)) !== 0
  )
}

/**
 * The names of one layer while its entries go by: each means what it means at that point. Deletions speak of the layers
 * below alone. Names meet as Windows compares them. Throws `NAME_UNSAFE` for an entry below a reparse point and for a
 * hard link to anything outside `Files` and `UtilityVM/Files`, `NAME_COLLISION` for an entry below a file, and `LINK_TARGET_MISSING`
 * for a hard link to itself or to a directory. What only the layers below can tell is left in `openLinks` and
 * `unstatedFolders`.
 */
export class LayerNames {
  readonly openLinks: OpenLink[] = []
  readonly unstatedFolders: UnstatedFolder[] = []
  readonly #title: string
  #names = new PathTable({isFolding: true})
  /** Place of a link -> place of the name that it means. */
  #own = new Map<number, number>()
  /** Place of a link -> what it means, where that is no name before it. */
  #others = new Map<number, LinkMeaning>()
  /** Place of an entry -> its path, where the name was spelt otherwise before. */
  #spelt = new Map<number, LayerPath>()
  /** The folder that was found to be one last. */
  #folder: LayerPath | undefined

  /** `title` is how messages name the layer. */
  constructor(title: string) {
    this.#title = title
  }

  /** The names that gave these parts on another thread. */
  static of({title, table, own, others, spelt, openLinks, unstatedFolders}: LayerNamesParts): LayerNames {
    const names = new LayerNames(title)
    names.#names = PathTable.of(table)
    names.#own = own
    names.#others = others
    names.#spelt = spelt
    for (const link of openLinks) names.openLinks.push(link)
    for (const folder of unstatedFolders) names.unstatedFolders.push(folder)
    return names
  }

  /** All of it, when every entry has gone by. */
  get parts(): LayerNamesParts {
    const {openLinks, unstatedFolders} = this
    const [own, others, spelt] = [this.#own, this.#others, this.#spelt]
    return {title: this.#title, table: this.#names.parts, own, others, spelt, openLinks, unstatedFolders}
  }

  /** Takes the next entry of the layer. Of a hard link, gives the name of this layer that it means, if that is known. */
  add(entry: LayerEntry): LayerPath | undefined {
    switch (entry.kind) {
      case 'frame':
        return undefined
      case 'tombstone':
        this.#delete(entry.path, parentPath(entry.path))
        this.#names.set(entry.path, this.#names.get(entry.path) | REMOVED)
        return undefined
      case 'opaque':
        this.#delete(entry.path, entry.path)
        this.#names.set(entry.path, this.#names.get(entry.path) | OPAQUE)
        return undefined
      case 'hard-link':
        return this.#link(entry)
      case 'file':
      case 'directory':
        this.#enter(entry.path)
        this.#state(entry.path, (entry.kind === 'directory' ? DIRECTORY : 0) | (leadsElsewhere(entry) ? REPARSE : 0))
        return undefined
    }
  }

  /** What the layer, as far as it has gone by, says of a name. */
  find(path: LayerPath): NameInLayer | undefined {
    const known = this.#names.get(path)
    if ((known & STATED) !== 0) {
      const isReparsePoint = (known & REPARSE) !== 0
      if ((known & DIRECTORY) !== 0) return {kind: 'directory', isReparsePoint}
      const spelt = this.#speltAt(this.#names.find(path))
      return (known & LINK) === 0
        ? {kind: 'file', path: spelt, isReparsePoint}
        : {kind: 'link', path: spelt, isReparsePoint: false}
    }
    if ((known & IMPLIED) !== 0) return {kind: 'directory', isReparsePoint: false}
    const isGone =
      (known & REMOVED) !== 0 ||
      this.#names.someAbove(path, (above) => (above & (REMOVED | OPAQUE)) !== 0 || isLeaf(above))
    return isGone ? {kind: 'gone'} : undefined
  }

  /** What a link of the layer means; undefined until it has been settled. */
  meaningOf(link: LayerPath): LinkMeaning | undefined {
    const place = this.#names.find(link)
    const own = this.#own.get(place)
    return own === undefined ? this.#others.get(place) : {kind: 'own', path: this.#speltAt(own)}
  }

  /** Keeps what a link was found to mean. */
  settle(link: LayerPath, meaning: LinkMeaning): void {
    this.#others.set(this.#names.find(link), meaning)
  }

  #speltAt(place: number): LayerPath {
    return this.#spelt.get(place) ?? (this.#names.at(place).path as LayerPath)
  }

  /** An entry is made at the path: everything above it must be a folder at this point. */
  #enter(path: LayerPath): void {
    const parent = parentPath(path)
    if (parent === undefined || parent === this.#folder) return
    let folder: LayerPath | undefined = parent
    let knownLength = 0
    for (let above: LayerPath | undefined = parent; above !== undefined; above = parentPath(above)) {
      const known = this.#names.get(above)
      if (isLeaf(known)) throw this.#below(path, above, (known & REPARSE) !== 0)
      if ((known & REMOVED) !== 0) folder = parentPath(above)
      else if ((known & OPAQUE) !== 0) folder = above
      if ((known & (STATED | IMPLIED)) !== 0) {
        knownLength = above.length
        break
      }
      this.#names.set(above, known | IMPLIED)
    }
    this.#ask({path, folder, knownLength, isDeletion: false})
    this.#folder = parent
  }

  /** A deletion is told inside a folder. Below a file it has no effect; it must not lead through a reparse point. */
  #delete(path: LayerPath, within: LayerPath | undefined): void {
    let folder = within
    let knownLength = 0
    for (let above = within; above !== undefined; above = parentPath(above)) {
      const known = this.#names.get(above)
      if (isLeaf(known)) {
        if ((known & REPARSE) !== 0) throw this.#below(path, above, true)
        return
      }
      if ((known & REMOVED) !== 0) folder = parentPath(above)
      else if ((known & OPAQUE) !== 0) folder = above
      if ((known & (STATED | IMPLIED)) !== 0) {
        knownLength = above.length
        break
      }
      this.#names.set(above, known | DELETES_BELOW)
    }
    this.#ask({path, folder, knownLength, isDeletion: true})
  }

  #ask({folder, ...question}: Omit<UnstatedFolder, 'folder'> & {readonly folder: LayerPath | undefined}): void {
    // What lies at the top is a folder in every layer.
    if (folder === undefined || folder.length <= question.knownLength || !folder.includes('/')) return
    this.unstatedFolders.push({...question, folder})
  }

  #state(path: LayerPath, how: number): void {
    const place = this.#names.find(path)
    const known = place === 0 ? 0 : this.#names.get(path)
    if (isLeaf(how | STATED)) {
      const isReparsePoint = (how & REPARSE) !== 0
      if (parentPath(path) === undefined) throw this.#topLeaf(path)
      if ((known & IMPLIED) !== 0 || (isReparsePoint && (known & DELETES_BELOW) !== 0))
        throw this.#below(undefined, path, isReparsePoint)
    }
    this.#names.set(path, known | STATED | how)
    // Of the folders above as well: who makes links by exact names needs all of the path as its entry spells it.
    const own = place === 0 ? this.#names.size : place
    if (!this.#names.isSpelt(own, path)) this.#spelt.set(own, path)
  }

  #link(entry: HardLinkEntry): LayerPath | undefined {
    const {path, target} = entry
    if (!isInLinkArea(target)) throw this.#outside(entry)
    if (foldPath(path) === foldPath(target)) throw missingTarget(entry, this.#title, 'It links to itself.')
    this.#enter(path)
    const found = this.find(target)
    if (found?.kind === 'directory') throw missingTarget(entry, this.#title, `'${target}' is a directory.`)
    this.#state(path, LINK)
    if (found === undefined || found.kind === 'gone') {
      this.openLinks.push({path, target, isGone: found !== undefined})
      return undefined
    }
    this.#own.set(this.#names.find(path), this.#names.find(target))
    return found.path
  }

  #below(path: LayerPath | undefined, leaf: LayerPath, isReparsePoint: boolean): InputError {
    return belowLeaf({path, leaf, isReparsePoint, title: this.#title, isLower: false})
  }

  #topLeaf(path: LayerPath): InputError {
    return new InputError('NAME_COLLISION', {
      what: `'${path}' is not a plain folder.`,
      why: 'Everything at the top of a Windows layer must be a folder, not a reparse point.',
      at: {path: this.#title},
    })
  }

  #outside({path, target}: HardLinkEntry): InputError {
    return new InputError('NAME_UNSAFE', {
      what: `The hard link '${path}' to '${target}' is not allowed.`,
      why: 'Windows makes hard links only to files in Files or UtilityVM/Files.',
      suggestions: ['Build the layer again with a copy of the file instead of the link.'],
      at: {path: this.#title},
    })
  }
}

function isInLinkArea(path: LayerPath): boolean {
  const folded = foldPath(path)
  return LINK_AREAS.some((area) => folded.startsWith(area))
}

/** True for the number of an entry in which nothing can lie. */
function isLeaf(known: number): boolean {
  return (known & STATED) !== 0 && ((known & DIRECTORY) === 0 || (known & REPARSE) !== 0)
}

/** The refusal of an entry below something that is no folder. */
export function belowLeaf(found: {
  readonly path: LayerPath | undefined
  readonly leaf: LayerPath
  readonly isReparsePoint: boolean
  readonly title: string
  readonly isLower: boolean
}): InputError {
  const {path, leaf, isReparsePoint, title, isLower} = found
  const where = isLower ? ' of a lower layer' : ''
  const entry = path === undefined ? 'Other entries are' : `'${path}' is`
  return isReparsePoint
    ? new InputError('NAME_UNSAFE', {
        what: `${entry} below '${leaf}', a reparse point${where}.`,
        why: 'Windows would follow the reparse point and write somewhere else.',
        suggestions: ['Do not convert this input unless you trust its author. Build the layer again.'],
        at: {path: title},
      })
    : new InputError('NAME_COLLISION', {
        what: `${entry} below '${leaf}', a file${where}.`,
        why: 'A file cannot contain other entries.',
        suggestions: ['Build the layer again. It must delete the file and create a folder first.'],
        at: {path: title},
      })
}

/** The refusal of a link that leads to no file. */
export function missingTarget(
  {path, target}: {readonly path: LayerPath; readonly target: LayerPath},
  title: string,
  why = 'At this point, neither this layer nor one below contains the target.',
): InputError {
  return new InputError('LINK_TARGET_MISSING', {
    what: `'${path}' is a hard link to '${target}', which is not a file at this point.`,
    why,
    suggestions: ['If the base is stored elsewhere, pass it with --base REFERENCE.'],
    at: {path: title},
  })
}
