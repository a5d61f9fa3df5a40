import {InputError, UnsupportedError} from './errors.js'
import type {WorkOptions} from './events.js'
import type {Layer} from './image.js'
import type {LayerEntry, LinkMeaning} from './layer-entry.js'
import {parentPath, type LayerPath} from './layer-path.js'
import {
  belowLeaf,
  LayerNames,
  missingTarget,
  type NameInLayer,
  type OpenLink,
  type UnstatedFolder,
} from './layer-names.js'

/** What a name means when a layer and all below it have been applied. */
export type NameInImage =
  /** The file of that path in that layer, whatever leads to it. */
  | {readonly kind: 'file'; readonly layer: number; readonly path: LayerPath}
  | {readonly kind: 'directory'}
  | {readonly kind: 'none'}
  /** A layer whose content is not at hand decides it. */
  | {readonly kind: 'unknown'}

/** What a hard link means when layers above have been applied as well. */
export type LinkInImage =
  /** The file of that path in that layer: its name shows it, or something else by now. */
  {readonly kind: 'seen' | 'hidden'; readonly layer: number; readonly path: LayerPath} | {readonly kind: 'unknown'}

export interface NamesOptions extends WorkOptions {
  /** Gets each breach of the rules; without, the first is thrown. */
  readonly onFault?: (fault: InputError) => void
}

/** A layer as far as its names matter. */
export type NamedLayer = Pick<Layer, 'title' | 'hasContent' | 'entries'>

/**
 * The one resolver of names: what a name means at a point of a layer, with all layers below it. Chain, squash, files,
 * diff and verify ask it, so that they agree. A layer's names are kept once its entries have gone by; those of a layer
 * that has not been read are read when they are first needed, which layers that state all their folders and link to
 * nothing below never do.
 */
export class ImageNames {
  readonly #layers: readonly NamedLayer[]
  readonly #isWhole: boolean
  readonly #known: (LayerNames | undefined)[] = []

  /** `isWhole`: nothing lies below the first layer; else what lies there is not known. */
  constructor(layers: readonly NamedLayer[], {isWhole}: {readonly isWhole: boolean}) {
    this.#layers = layers
    this.#isWhole = isWhole
  }

  /** Lets go of all names: 50 MiB for each half million. Those that are asked for later are read again. */
  forget(): void {
    this.#known.length = 0
  }

  /** Passes the entries of a layer on, each name checked where it stands; links tell what they mean. */
  async *follow(index: number, entries: AsyncIterable<LayerEntry>, options: NamesOptions): AsyncGenerator<LayerEntry> {
    const names = new LayerNames(this.#titleOf(index))
    const later: OpenLink[] = []
    for await (const entry of entries) {
      const own = told(() => names.add(entry), options)
      for (const folder of names.unstatedFolders.splice(0)) await this.#requireFolder(index, folder, options)
      if (entry.kind !== 'hard-link') {
        yield entry
        continue
      }
      const [open] = names.openLinks.splice(0)
      if (open === undefined) {
        yield own === undefined ? entry : {...entry, means: {kind: 'own', path: own}}
        continue
      }
      const means = await this.#meaningBelow(index, open, options)
      if (means === undefined) later.push(open)
      else names.settle(open.path, means)
      yield {...entry, means: means ?? {kind: 'later', target: open.target}}
    }
    this.#requireLater(index, names, later, options)
    this.#known[index] = names
  }

  /** Passes the entries of a layer on and keeps its names; `settle` then asks the layers below. */
  async *record(
    index: number,
    entries: AsyncIterable<LayerEntry>,
    options: NamesOptions = {},
  ): AsyncGenerator<LayerEntry> {
    const names = new LayerNames(this.#titleOf(index))
    yield* recordingNames(names, entries, options)
    this.#known[index] = names
  }

  /** Keeps the names of a layer that were recorded on another thread; `settle` then asks the layers below. */
  adopt(index: number, names: LayerNames): void {
    this.#known[index] = names
  }

  /** Asks the layers below what a layer that was recorded left open. */
  async settle(index: number, options: NamesOptions): Promise<void> {
    const names = this.#known[index]
    if (names === undefined) return
    for (const folder of names.unstatedFolders.splice(0)) await this.#requireFolder(index, folder, options)
    const later: OpenLink[] = []
    for (const link of names.openLinks.splice(0)) {
      const means = await this.#meaningBelow(index, link, options)
      if (means === undefined) later.push(link)
      else names.settle(link.path, means)
    }
    this.#requireLater(index, names, later, options)
  }

  /** What a name means when layer `top` and all below it have been applied; links are followed. */
  async locate(path: LayerPath, top: number, options: WorkOptions): Promise<NameInImage> {
    const found = await this.#find(path, top, options)
    if (typeof found === 'string') return {kind: found}
    const {layer, name} = found
    switch (name.kind) {
      case 'gone':
        return {kind: 'none'}
      case 'directory':
        return {kind: 'directory'}
      case 'file':
        return {kind: 'file', layer, path: name.path}
      case 'link':
        return this.locateLink(name.path, layer, options)
    }
  }

  /**
   * What a link of a layer means when layer `top` has been applied: a file that its own name still shows, or one that is
   * hidden under it. Throws `LINK_TARGET_MISSING`, also for a file of a layer that is not at hand and is changed above it.
   */
  async seeLink(
    {path, target}: {readonly path: LayerPath; readonly target: LayerPath},
    layer: number,
    {top, ...options}: WorkOptions & {readonly top: number},
  ): Promise<LinkInImage> {
    const found = await this.locateLink(path, layer, options)
    const at = this.#titleOf(layer)
    if (found.kind === 'unknown') {
      if ((await this.locate(target, top, options)).kind === 'unknown') return {kind: 'unknown'}
      throw missingTarget(
        {path, target},
        at,
        'The file is in a layer that is not available, and a layer above changes it.',
      )
    }
    if (found.kind !== 'file') throw missingTarget({path, target}, at)
    const seen = await this.#find(found.path, top, options)
    const isSeen = typeof seen === 'object' && seen.layer === found.layer && seen.name.kind === 'file'
    return {kind: isSeen ? 'seen' : 'hidden', layer: found.layer, path: found.path}
  }

  /** The file that a link of a layer means, as things stood where the link is. */
  async locateLink(link: LayerPath, layer: number, options: WorkOptions): Promise<NameInImage> {
    await this.settle(layer, options)
    const names = await this.#namesOf(layer, options)
    const end = names === undefined ? undefined : endOf(names, link)
    if (end?.kind === 'file') return {kind: 'file', layer, path: end.path}
    if (end?.kind === 'below') return this.locate(end.target, layer - 1, options)
    throw missingTarget({path: link, target: link}, this.#titleOf(layer), 'Its chain of hard links has no end.')
  }

  #titleOf(index: number): string {
    return this.#layers[index]?.title ?? `layer ${index}`
  }

  /** What the layers from `top` down say of a name itself; `unknown` where one that is not at hand decides. */
  async #find(
    path: LayerPath,
    top: number,
    options: WorkOptions,
  ): Promise<{layer: number; name: NameInLayer} | 'none' | 'unknown'> {
    for (let layer = top; layer >= 0; layer--) {
      const names = await this.#namesOf(layer, options)
      if (names === undefined) return 'unknown'
      const name = names.find(path)
      if (name !== undefined) return {layer, name}
    }
    return this.#isWhole ? 'none' : 'unknown'
  }

  async #namesOf(index: number, options: WorkOptions): Promise<LayerNames | undefined> {
    const layer = this.#layers[index]
    if (this.#known[index] !== undefined || layer?.hasContent !== true) return this.#known[index]
    for await (const _entry of this.record(index, layer.entries(options)));
    await this.settle(index, options)
    return this.#known[index]
  }

  /** Undefined when the layers below have no such file. */
  async #meaningBelow(
    index: number,
    {path, target, isGone}: OpenLink,
    options: NamesOptions,
  ): Promise<LinkMeaning | undefined> {
    if (isGone) return undefined
    const found = await this.#below(() => this.#find(target, index - 1, options), options)
    if (found === 'none' || (typeof found === 'object' && found.name.kind === 'gone')) return undefined
    if (typeof found === 'object' && found.name.kind === 'directory')
      tell(missingTarget({path, target}, this.#titleOf(index), `'${target}' is a directory.`), options)
    return {kind: 'below', target}
  }

  /** Names that meant nothing where links to them are must at least be files of the layer in the end. */
  #requireLater(index: number, names: LayerNames, links: readonly OpenLink[], options: NamesOptions): void {
    for (const {path, target} of links) names.settle(path, {kind: 'later', target})
    for (const link of links) {
      if (endOf(names, link.path) !== undefined) continue
      tell(missingTarget(link, this.#titleOf(index)), options)
    }
  }

  /** What lies in an unstated folder must not lie in a file or behind a reparse point of a lower layer. */
  async #requireFolder(
    index: number,
    {path, folder, knownLength, isDeletion}: UnstatedFolder,
    options: NamesOptions,
  ): Promise<void> {
    for (
      let above: LayerPath | undefined = folder;
      above !== undefined && above.length > knownLength && above.includes('/');
      above = parentPath(above)
    ) {
      const at = above
      const found = await this.#below(() => this.#find(at, index - 1, options), options)
      if (found === 'unknown') return
      if (found === 'none' || found.name.kind === 'gone') continue
      const {kind, isReparsePoint} = found.name
      if (isReparsePoint || (kind !== 'directory' && !isDeletion))
        tell(belowLeaf({path, leaf: above, isReparsePoint, title: this.#titleOf(index), isLower: true}), options)
      return
    }
  }

  /** A lower layer that cannot be read has a fault of its own, which is told where it is checked. */
  async #below<T>(ask: () => Promise<T>, {onFault}: NamesOptions): Promise<T | 'unknown'> {
    if (onFault === undefined) return ask()
    try {
      return await ask()
    } catch (error) {
      if (error instanceof InputError || error instanceof UnsupportedError) return 'unknown'
      throw error
    }
  }
}

/** Passes the entries of a layer on while `names` takes them. */
export async function* recordingNames(
  names: LayerNames,
  entries: AsyncIterable<LayerEntry>,
  options: NamesOptions,
): AsyncGenerator<LayerEntry> {
  for await (const entry of entries) {
    told(() => names.add(entry), options)
    yield entry
  }
}

/**
 * Where the links of one layer lead from a link: to a file of the layer, or to what lower layers have at a name. Undefined
 * where they end nowhere: a link can mean a name that comes later, so there may be circles.
 */
function endOf(
  names: LayerNames,
  link: LayerPath,
):
  {readonly kind: 'file'; readonly path: LayerPath} | {readonly kind: 'below'; readonly target: LayerPath} | undefined {
  const passed = new Set<string>()
  for (let at = link; !passed.has(at);) {
    passed.add(at)
    const means = names.meaningOf(at)
    if (means === undefined || means.kind === 'below') return means
    const next = names.find(means.kind === 'own' ? means.path : means.target)
    if (next?.kind === 'file') return {kind: 'file', path: next.path}
    if (next?.kind !== 'link') return undefined
    at = next.path
  }
  return undefined
}

function tell(fault: InputError, {onFault}: NamesOptions): void {
  if (onFault === undefined) throw fault
  onFault(fault)
}

function told<T>(step: () => T, options: NamesOptions): T | undefined {
  try {
    return step()
  } catch (error) {
    if (!(error instanceof InputError)) throw error
    tell(error, options)
    return undefined
  }
}

/** True when nothing lies below the lowest layer: it is no delta, and no base is only named. */
export function isWholeImage(image: {readonly namedBase?: unknown; readonly layers: readonly Layer[]}): boolean {
  const [lowest] = image.layers
  return image.namedBase === undefined && lowest?.form !== 'delta'
}
