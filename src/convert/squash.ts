import type {WorkOptions} from '../model/events.js'
import type {Layer, LayerForm} from '../model/image.js'
import {ImageNames, isWholeImage} from '../model/image-names.js'
import type {DirectoryEntry, FileEntry, HardLinkEntry, LayerEntry} from '../model/layer-entry.js'
import {missingTarget} from '../model/layer-names.js'
import {comparePaths, foldPath, parentPath, type LayerPath} from '../model/layer-path.js'
import {holdStreams} from '../model/held-file.js'
import {FileAttribute, UNIX_EPOCH, type WindowsMetadata} from '../model/windows-metadata.js'
import {absentContent, mismatchedContent} from '../formats/package/dependency-error.js'
import {HiveStacks} from './hive-stacks.js'
import {isLeaf, LayerShadow, mergeLayers} from './merge.js'
import {SquashedDeletions} from './squashed-deletions.js'

/** Which layers become one, both ends included, and what the result is called. */
export interface SquashRange {
  readonly from: number
  readonly to: number
  readonly title: string
  /** True when the lowest layer of the range is a whole OS; else the result is a delta on what lies below. */
  readonly standsAlone: boolean
  /**
   * False when the lowest layer of the image changes an OS that is not among the layers: deletions may mean what lies
   * there, whatever the layers below the range hold. Default true.
   */
  readonly isWhole?: boolean
  /** What the names of the image mean, where others ask as well. */
  readonly names?: ImageNames
}

/** What is told of a directory of which no layer tells anything. */
const PLAIN_DIRECTORY: WindowsMetadata = {
  attributes: FileAttribute.directory,
  times: {creation: UNIX_EPOCH, lastAccess: UNIX_EPOCH, lastWrite: UNIX_EPOCH, change: UNIX_EPOCH},
}

const HIVES_FOLDER = 'HIVES'

type VisibleEntry = FileEntry | DirectoryEntry | HardLinkEntry

/**
 * One layer that does what a range of layers does. Reads each layer of the range once, top layer first, and copies no
 * content that is not visible. A second look is taken only at layers that hold files without their parents, or files
 * that are gone but live on under another name (a hard link); such a name gets a copy when the file is below the range.
 * What names mean, and what is refused, `ImageNames` decides. Throws `LAYER_MISSING` and the like for a range of which
 * not all content is at hand: the result would look whole without it.
 */
export function squashLayers(layers: readonly Layer[], range: SquashRange): Layer {
  const form: LayerForm = range.standsAlone ? 'base' : 'delta'
  const squashed = layers.slice(range.from, range.to + 1)
  for (const layer of squashed) requireContent(layer)
  const sizes = squashed.map((layer) => layer.sizeBytes)
  const sizeBytes = sizes.every((size) => size !== undefined) ? sizes.reduce((sum, size) => sum + size, 0) : undefined
  return {
    title: range.title,
    form,
    hasContent: true,
    ...(sizeBytes === undefined ? {} : {sizeBytes}),
    entries: (options = {}) => new Squash(layers, range, options).entries(),
  }
}

function requireContent(layer: Layer): void {
  if (layer.hasContent) return
  throw layer.isMismatch === true ? mismatchedContent(layer) : absentContent(layer)
}

/** A link that is visible, and its layer. */
interface VisibleLink {
  readonly link: HardLinkEntry
  readonly layer: number
}

/** A file that is not visible under its own name but has others: where it is, and the links that need its content. */
interface HiddenTarget {
  readonly layer: number
  readonly links: HardLinkEntry[]
}

class Squash {
  readonly #layers: readonly Layer[]
  readonly #range: SquashRange
  readonly #options: WorkOptions
  readonly #shadow = new LayerShadow()
  readonly #deletions: SquashedDeletions
  readonly #hives: HiveStacks
  readonly #names: ImageNames
  /** Folded paths of the directories given out. */
  readonly #emitted = new Set<string>()
  /** Folded paths of all visible directories, given out or not, and of those that no entry states. */
  readonly #directories = new Set<string>()
  /** Directories that no entry states so far, by folded paths. */
  readonly #unstated = new Map<string, LayerPath>()
  /** Directories met before their parent. */
  readonly #orphanDirectories: DirectoryEntry[] = []
  /** Files met before their parent: folded path -> layer. */
  readonly #orphans = new Map<string, number>()
  /** In the order in which they were met. */
  readonly #visibleLinks: VisibleLink[] = []
  readonly #links: HardLinkEntry[] = []
  /** By `layer:folded path`. */
  readonly #hiddenTargets = new Map<string, HiddenTarget>()
  /** The folder of hives of a base, until something is known to lie in it. */
  #hivesFolder: DirectoryEntry | undefined
  #hasHives = false

  constructor(layers: readonly Layer[], range: SquashRange, options: WorkOptions) {
    this.#layers = layers
    this.#range = range
    this.#options = options
    const {isWhole = true} = range
    const isBelowKnown = range.from > 0 && isWhole && layers.slice(0, range.from).every((layer) => layer.hasContent)
    this.#deletions = new SquashedDeletions(isBelowKnown ? layers.slice(0, range.from) : undefined, options)
    this.#names = range.names ?? new ImageNames(layers, {isWhole: isWholeImage({layers})})
    this.#hives = new HiveStacks({isBase: range.standsAlone, lowest: range.from, ...options})
  }

  async *entries(): AsyncGenerator<LayerEntry> {
    yield* this.#firstPass()
    yield* this.#secondPass()
    // Before the links: a hive of the OS's files has another name among the layer's hives.
    for (const hive of this.#hives.entries()) {
      yield* this.#hivesFolderOf(hive.path)
      yield hive
    }
    for (const link of this.#links) yield link
    if (!this.#range.standsAlone) {
      yield* this.#deletions.entries(this.#shadow, (path) => this.#directories.has(foldPath(path)))
    }
  }

  async *#firstPass(): AsyncGenerator<LayerEntry> {
    const {from, to} = this.#range
    const merged = mergeLayers(this.#layers.slice(from, to + 1), {
      ...this.#options,
      firstIndex: from,
      shadow: this.#shadow,
      names: this.#names,
      onHive: (entry, layer) => this.#hives.add(entry, layer),
      onHidden: (entry) => {
        if (isLeaf(entry) && this.#directories.has(foldPath(entry.path))) this.#deletions.clear(entry.path)
      },
      onTombstone: (path) => {
        this.#deletions.remove(path)
      },
      onOpaque: (path) => {
        this.#deletions.clear(path)
      },
    })
    for await (const {entry, layer} of merged) {
      this.#meetDirectories(entry)
      if (entry.kind === 'file' && (await this.#hives.takeConfig(entry, layer))) continue
      yield* this.#hivesFolderOf(entry.path)
      if (entry.kind === 'hard-link') this.#visibleLinks.push({link: withoutArchiveFrame(entry), layer})
      else if (entry.kind === 'directory' && this.#isIdleHives(entry)) this.#hivesFolder = await holdStreams(entry)
      else if (this.#hasParent(entry.path)) yield* this.#give(entry)
      else if (entry.kind === 'directory') this.#orphanDirectories.push(await holdStreams(entry))
      else this.#orphans.set(foldPath(entry.path), layer)
    }
    for (let layer = from; layer <= to; layer++) await this.#names.settle(layer, this.#options)
    for (const link of this.#visibleLinks) await this.#resolve(link)
  }

  /** A base gets its hives from Windows, which refuses a folder of them that is there: none is given for nothing. */
  #isIdleHives({path}: DirectoryEntry): boolean {
    return this.#range.standsAlone && !this.#hasHives && foldPath(path) === HIVES_FOLDER
  }

  /** The folder, before the first that is known to lie in it. */
  *#hivesFolderOf(path: LayerPath): Generator<LayerEntry> {
    if (this.#hasHives || !foldPath(path).startsWith(`${HIVES_FOLDER}/`)) return
    this.#hasHives = true
    if (this.#hivesFolder !== undefined) yield* this.#give(this.#hivesFolder)
  }

  #meetDirectories(entry: VisibleEntry): void {
    if (!isLeaf(entry)) {
      this.#directories.add(foldPath(entry.path))
      this.#unstated.delete(foldPath(entry.path))
    }
    let above = parentPath(entry.path)
    for (; above !== undefined && !this.#directories.has(foldPath(above)); above = parentPath(above)) {
      this.#directories.add(foldPath(above))
      this.#unstated.set(foldPath(above), above)
    }
  }

  /** In place of what was deleted, a directory must be stated: what lies below may be a file. */
  #stateDirectories(): void {
    for (const path of this.#unstated.values())
      if (this.#deletions.hides(path)) this.#orphanDirectories.push({kind: 'directory', path, meta: PLAIN_DIRECTORY})
  }

  #hasParent(path: LayerPath): boolean {
    const parent = parentPath(path)
    return parent === undefined || this.#emitted.has(foldPath(parent))
  }

  *#give(entry: FileEntry | DirectoryEntry): Generator<LayerEntry> {
    const folded = foldPath(entry.path)
    if (entry.kind === 'directory') this.#emitted.add(folded)
    yield withoutArchiveFrame(entry)
  }

  /**
   * A link means the target as it was at the link's point of its layer. If the same file is still what is seen there, it
   * stays a link to it; else the content meant is hidden, here or further down.
   */
  async #resolve({link, layer}: VisibleLink): Promise<void> {
    const found = await this.#names.seeLink(link, layer, {...this.#options, top: this.#range.to})
    this.#hives.requireOwnName(link.path, found.kind === 'unknown' ? link.target : found.path)
    if (found.kind !== 'hidden') {
      this.#links.push(found.kind === 'seen' ? {...link, target: found.path} : link)
      return
    }
    const key = `${found.layer}:${foldPath(found.path)}`
    const known = this.#hiddenTargets.get(key)
    if (known === undefined) this.#hiddenTargets.set(key, {layer: found.layer, links: [link]})
    else known.links.push(link)
  }

  #titleOf(layer: number): string {
    return this.#layers[layer]?.title ?? `layer ${layer}`
  }

  async *#secondPass(): AsyncGenerator<LayerEntry> {
    this.#stateDirectories()
    this.#orphanDirectories.sort((left, right) => comparePaths(foldPath(left.path), foldPath(right.path)))
    for (const directory of this.#orphanDirectories) yield* this.#give(directory)
    const again = new Set([
      ...this.#orphans.values(),
      ...[...this.#hiddenTargets.values()].map((target) => target.layer),
    ])
    for (const layer of [...again].sort((left, right) => left - right)) yield* this.#again(layer)
    for (const {layer, links} of this.#hiddenTargets.values())
      for (const link of links) throw missingTarget(link, this.#titleOf(layer))
  }

  async *#again(index: number): AsyncGenerator<LayerEntry> {
    for await (const entry of this.#layers[index]?.entries(this.#options) ?? []) {
      if (entry.kind !== 'file') continue
      const folded = foldPath(entry.path)
      if (this.#orphans.get(folded) === index) {
        this.#orphans.delete(folded)
        yield* this.#give(entry)
      } else {
        yield* this.#giveHidden(entry, `${index}:${folded}`)
      }
    }
  }

  /** The first link takes the content, the others link to it. */
  *#giveHidden(entry: FileEntry, key: string): Generator<LayerEntry> {
    const target = this.#hiddenTargets.get(key)
    const [first, ...others] = target?.links ?? []
    if (first === undefined) return
    this.#hiddenTargets.delete(key)
    yield {...withoutArchiveFrame(entry), path: first.path}
    for (const other of others) this.#links.push({...other, target: first.path})
  }
}

/**
 * How a tar spelt the entry no longer matters in another layer; how the transport layout did, still does, but for the
 * roots, whose frames speak of the layer as a whole.
 */
function withoutArchiveFrame<T extends VisibleEntry>(entry: T): T {
  const {frame, ...rest} = entry
  const isRoot = parentPath(entry.path) === undefined && foldPath(entry.path) !== 'UTILITYVM'
  return {...rest, ...(frame?.layout === undefined || isRoot ? {} : {frame: {layout: frame.layout}})} as T
}
