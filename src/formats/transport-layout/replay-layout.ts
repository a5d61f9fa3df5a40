import {replayRecipe} from '../../codecs/recipe/replay-recipe.js'
import type {RecipeRecord} from '../../codecs/recipe/recipe-records.js'
import type {WorkOptions} from '../../model/events.js'
import type {LayerEntry} from '../../model/layer-entry.js'
import {foldPath, parentPath, payloadPart, type LayerPath} from '../../model/layer-path.js'
import {describeEdits, EditList, type PayloadEdits} from '../../model/payload-edits.js'
import {LayoutLookup} from './layout-lookup.js'
import type {DiskNode} from './layout-nodes.js'
import type {PayloadIndex} from './payload-index.js'
import type {TransportLayout} from './read-layout.js'
import {TOMBSTONES} from './scan-layout.js'

/** Code of the note on a payload that its recipe does not fit any more; names the files. */
export const RECIPE_STALE = 'recipe-stale'

export interface ReplayLayoutOptions extends WorkOptions {
  readonly title: string
  readonly index?: PayloadIndex
  /** Opens the recipe from its start; read twice. */
  readonly records: () => AsyncIterable<RecipeRecord>
}

/**
 * Replays the recipe to give the entries of the layer tar that a payload was made from. If names were added or removed
 * since, it gives the entries of the payload alone and notes `recipe-stale`. A changed entry loses only its own form.
 */
export async function* replayLayout(layout: TransportLayout, options: ReplayLayoutOptions): AsyncGenerator<LayerEntry> {
  const note = (edits: PayloadEdits, consequence: string) =>
    options.onEvent?.({
      kind: 'note',
      code: RECIPE_STALE,
      message: `Edited since the recipe was made: ${describeEdits(edits)}. ${consequence}`,
      subject: options.title,
      edits,
    })
  const lookup = new LayoutLookup(layout)
  const names = await compareNames(layout, lookup, options.records)
  if (names.total > 0) {
    note(names, 'transship writes the layer without the recipe.')
    yield* layout.entries()
    return
  }
  const changed = new EditList()
  try {
    yield* replayRecipe(options.records(), new LayoutSource(layout, lookup, {...options, changed}))
  } finally {
    layout.close()
  }
  const {edits} = changed
  if (edits.total > 0) note(edits, 'transship writes their metadata as it is now.')
}

/**
 * What a payload and its recipe disagree on: names that only one of the two has, or else entries whose metadata are other
 * than they were. What only content tells, a recipe does not know.
 */
export async function compareWithRecipe(layout: TransportLayout, options: ReplayLayoutOptions): Promise<PayloadEdits> {
  const lookup = new LayoutLookup(layout)
  const names = await compareNames(layout, lookup, options.records)
  const changed = new EditList()
  changed.addAll(names)
  try {
    for await (const entry of replayRecipe(
      recordsOf(lookup, options.records()),
      new LayoutSource(layout, lookup, {...options, changed}),
    ))
      if (entry.kind === 'file' || entry.kind === 'directory')
        for await (const _ of entry.streams ?? []) options.signal?.throwIfAborted()
  } finally {
    layout.close()
  }
  return changed.edits
}

/** Without those of names that are gone: there is nothing to compare. */
async function* recordsOf(lookup: LayoutLookup, records: AsyncIterable<RecipeRecord>): AsyncGenerator<RecipeRecord> {
  for await (const record of records) {
    const isOfNode = record.kind === 'entry' || record.kind === 'hard-link'
    if (!isOfNode || lookup.number(record.path) !== 0) yield record
  }
}

/** Names that only one of payload and recipe has. */
async function compareNames(
  layout: TransportLayout,
  lookup: LayoutLookup,
  records: () => AsyncIterable<RecipeRecord>,
): Promise<PayloadEdits> {
  const {nodes} = layout.scanned
  const list = new EditList()
  /** By number: the recipe has told of it. */
  const isTold = new Uint8Array(nodes.lastNumber + 1)
  const deletions: ReadonlySet<string> = new Set(nodes.deletions.map(foldPath))
  const deleted = new Set(deletions)
  for await (const record of records()) {
    switch (record.kind) {
      case 'entry':
      case 'hard-link': {
        const number = lookup.number(record.path)
        if (number === 0 || isTold[number] !== 0) list.add(record.path, 'removed')
        isTold[number] = 1
        break
      }
      case 'derived':
        // A list of deletions has no place for one outside Files.
        deleted.delete(foldPath(record.path))
        if (payloadPart(record.path) === 'files' && !deletions.has(foldPath(record.path)))
          list.add(TOMBSTONES, 'changed')
        break
      case 'tombstone':
        deleted.delete(foldPath(record.path))
        // One whose name was made again is not in tombstones.txt, nor one below a file or below what an opaque folder
        // hides, nor can be one outside Files.
        if (payloadPart(record.path) !== 'files' || lookup.isDeleted(record.path)) break
        if (!hasNode(lookup, record.path)) list.add(TOMBSTONES, 'changed')
    }
  }
  if (deleted.size > 0) list.add(TOMBSTONES, 'changed')
  const implied = new Map<string, LayerPath>()
  for (const [number, node] of nodes.numbered()) {
    if (isTold[number] !== 0) continue
    if (!mayBeImplied(node)) list.add(node.path, 'added')
    else if (depthOf(node.path) > 2) implied.set(foldPath(node.path), node.path)
  }
  for (const path of await strangersAmong(implied, records)) list.add(path, 'added')
  return list.edits
}

/** A folder that the writer may have made for entries whose parents the tar does not state. */
function mayBeImplied(node: DiskNode): boolean {
  if (node.kind !== 'directory') return false
  return node.lacksCarrier === true || !node.isCarrier
}

/** `Files`, `Hives` and `UtilityVM/Files` belong to every layout. */
function depthOf(path: LayerPath): number {
  return path.split('/').length
}

/** Those of the folders that are above nothing that the recipe tells of: someone made them since. */
async function strangersAmong(
  folders: Map<string, LayerPath>,
  records: () => AsyncIterable<RecipeRecord>,
): Promise<readonly LayerPath[]> {
  if (folders.size === 0) return []
  for await (const record of records()) {
    if (!('path' in record)) continue
    for (let above = parentPath(record.path); above !== undefined; above = parentPath(above))
      folders.delete(foldPath(above))
  }
  return [...folders.values()]
}

/** True for a name of the payload, and for one below a file of it. */
function hasNode(lookup: LayoutLookup, name: LayerPath): boolean {
  if (lookup.number(name) !== 0) return true
  for (let above = parentPath(name); above !== undefined; above = parentPath(above)) {
    const node = lookup.node(above)
    if (node !== undefined) return node.kind === 'file'
  }
  return false
}

class LayoutSource {
  readonly #layout: TransportLayout
  readonly #index: PayloadIndex | undefined
  readonly #changed: EditList
  readonly #signal: AbortSignal | undefined
  readonly #lookup: LayoutLookup
  /** By number: the recipe has told of it so far. */
  readonly #isTold: Uint8Array

  constructor(
    layout: TransportLayout,
    lookup: LayoutLookup,
    {index, changed, signal}: WorkOptions & {readonly index?: PayloadIndex; readonly changed: EditList},
  ) {
    this.#signal = signal
    this.#layout = layout
    this.#index = index
    this.#changed = changed
    this.#lookup = lookup
    this.#isTold = new Uint8Array(layout.scanned.nodes.lastNumber + 1)
  }

  find(wanted: LayerPath) {
    this.#isTold[this.#lookup.number(wanted)] = 1
    return this.#lookup.find(wanted)
  }

  isLink(name: LayerPath, target: LayerPath): boolean | Promise<boolean> {
    const [own, number] = [this.#lookup.number(name), this.#lookup.number(target)]
    const node = this.#lookup.node(name)
    if (node === undefined) return false
    const first = this.#isTold[number] === 0 ? undefined : this.#lookup.node(target)
    this.#isTold[own] = 1
    // Of a name that had not come by then, or is of the other kind, the link was stored as a copy.
    if (first?.isCarrier !== node.isCarrier) return this.#isUntouched(node)
    return this.#layout.files.areSame(first.diskPath, node.diskPath)
  }

  /** A copy of a file of a lower layer: still what was written. */
  async #isUntouched(node: DiskNode): Promise<boolean> {
    const wanted = this.#index?.get(node.diskPath)?.sha256
    return wanted !== undefined && wanted === (await this.#layout.files.hash(node.diskPath, this.#signal))
  }

  onChanged(changed: LayerPath): void {
    this.#changed.add(changed, 'changed')
  }
}
