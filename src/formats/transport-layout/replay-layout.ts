import {replayRecipe} from '../../codecs/recipe/replay-recipe.js'
import type {RecipeRecord} from '../../codecs/recipe/recipe-records.js'
import type {WorkOptions} from '../../model/events.js'
import type {LayerEntry} from '../../model/layer-entry.js'
import {foldPath, parentPath, payloadPart, type LayerPath} from '../../model/layer-path.js'
import {LayoutLookup} from './layout-lookup.js'
import type {DiskNode} from './layout-nodes.js'
import type {PayloadIndex} from './payload-index.js'
import type {TransportLayout} from './read-layout.js'

/** Changed entries that a note names. */
const MOST_NAMED = 20

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
  const note = (message: string) =>
    options.onEvent?.({kind: 'note', code: 'recipe-stale', message, subject: options.title})
  const lookup = new LayoutLookup(layout)
  const difference = await findDifference(layout, lookup, options.records())
  if (difference !== undefined) {
    note(
      `The payload has changed since its recipe was made: ${difference}. transship writes the layer without the recipe.`,
    )
    yield* layout.entries()
    return
  }
  const changed: LayerPath[] = []
  try {
    yield* replayRecipe(options.records(), new LayoutSource(layout, lookup, {...options, changed}))
  } finally {
    layout.close()
  }
  if (changed.length === 0) return
  const names = changed.slice(0, MOST_NAMED).map((name) => `'${name}'`)
  const more = changed.length - names.length
  note(
    `${changed.length} ${changed.length === 1 ? 'entry has' : 'entries have'} changed since the recipe was made: ` +
      `${names.join(', ')}${more > 0 ? ` and ${more} more` : ''}. transship writes them without it.`,
  )
}

/** Describes a name that only one of the two has; undefined when recipe and payload agree. */
async function findDifference(
  layout: TransportLayout,
  lookup: LayoutLookup,
  records: AsyncIterable<RecipeRecord>,
): Promise<string | undefined> {
  const {nodes} = layout.scanned
  /** By number: the recipe has told of it. */
  const isTold = new Uint8Array(nodes.lastNumber + 1)
  const deletions: ReadonlySet<string> = new Set(nodes.deletions.map(foldPath))
  const deleted = new Set(deletions)
  for await (const record of records) {
    switch (record.kind) {
      case 'entry':
      case 'hard-link': {
        const number = lookup.number(record.path)
        if (number === 0 || isTold[number] !== 0) return `'${record.path}' is gone`
        isTold[number] = 1
        break
      }
      case 'derived':
        // A list of deletions has no place for one outside Files.
        deleted.delete(foldPath(record.path))
        if (payloadPart(record.path) === 'files' && !deletions.has(foldPath(record.path)))
          return `the deletion of '${record.path}' is gone`
        break
      case 'tombstone':
        deleted.delete(foldPath(record.path))
        // One whose name was made again is not in tombstones.txt, nor one below a file, nor can be one outside Files.
        if (payloadPart(record.path) !== 'files' || deletions.has(foldPath(record.path))) break
        if (!hasNode(lookup, record.path)) return `the deletion of '${record.path}' is gone`
    }
  }
  for (const folded of deleted) return `there is a new deletion, ${folded}`
  for (const [number, node] of nodes.numbered())
    if (isTold[number] === 0 && !isImplied(node)) return `'${node.path}' is new`
  return undefined
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

/** Folders that the writer makes for entries whose parents the tar does not state. */
function isImplied(node: DiskNode): boolean {
  if (node.kind !== 'directory') return false
  return node.lacksCarrier === true || !node.isCarrier
}

class LayoutSource {
  readonly #layout: TransportLayout
  readonly #index: PayloadIndex | undefined
  readonly #changed: LayerPath[]
  readonly #signal: AbortSignal | undefined
  readonly #lookup: LayoutLookup
  /** By number: the recipe has told of it so far. */
  readonly #isTold: Uint8Array

  constructor(
    layout: TransportLayout,
    lookup: LayoutLookup,
    {index, changed, signal}: WorkOptions & {readonly index?: PayloadIndex; readonly changed: LayerPath[]},
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
    this.#changed.push(changed)
  }
}
