import type {WorkOptions} from '../../model/events.js'
import type {Layer} from '../../model/image.js'
import type {LayerEntry} from '../../model/layer-entry.js'
import type {LayerInFile} from '../../model/layer-in-file.js'
import {LayerNames, type LayerNamesParts} from '../../model/layer-names.js'
import type {LayerPath} from '../../model/layer-path.js'
import {TapRelay} from '../../model/layer-tap.js'
import {layerFromTar, storedInFile, type StoredLayer} from '../layer-blob/read-layer-blob.js'
import {writePayloadParts, type PayloadDraft, type PayloadParts} from './payload-parts.js'

/** What it takes to write the payload of a layer that is read alone, as plain data. */
export interface LonePayloadInput {
  /** The folder of the package, which is there and is empty. */
  readonly folder: string
  readonly draft: Omit<PayloadDraft, 'layer' | 'tap'>
  readonly layer: LayerInFile
  /** Nothing lies below the layer: what it does not hold is nowhere. */
  readonly isLowest: boolean
  readonly isForFile: boolean
}

/** What was written, and the names of the layer, which are still to be checked together with those below. */
export interface LonePayload extends PayloadParts {
  readonly names: LayerNamesParts
}

/**
 * Writes the payload of a layer without a look at the layers below, so that layers can be written side by side. Undefined
 * where only those can tell what is to be written: the folder then holds a part of it.
 */
export async function writeLonePayload(
  {folder, draft, layer, isLowest, isForFile}: LonePayloadInput,
  {onRead, ...options}: WorkOptions & {readonly onRead: (bytes: number) => void},
): Promise<LonePayload | undefined> {
  const names = new LayerNames(layer.title)
  const tap = new TapRelay()
  const own = layerFromTar(countedBytes(storedInFile(layer), onRead))
  const lone: Layer = {...own, entries: (inner) => loneEntries(own.entries({...inner, tap}), names, isLowest)}
  try {
    const parts = await writePayloadParts(folder, {...draft, layer: lone, tap}, {...options, lower: [], isForFile})
    return {...parts, names: names.parts}
  } catch (error) {
    if (error instanceof NeedsLayersBelow) return undefined
    throw error
  }
}

class NeedsLayersBelow extends Error {}

/** The entries with what their links mean, as long as the layer alone tells it. */
async function* loneEntries(
  entries: AsyncIterable<LayerEntry>,
  names: LayerNames,
  isLowest: boolean,
): AsyncGenerator<LayerEntry> {
  const deleted: LayerPath[] = []
  for await (const entry of entries) {
    const own = names.add(entry)
    if (entry.kind === 'opaque') throw new NeedsLayersBelow()
    if (entry.kind === 'tombstone') deleted.push(entry.path)
    if (entry.kind !== 'hard-link') {
      yield entry
      continue
    }
    const isGone = names.openLinks.at(-1)?.isGone === true
    if (own === undefined && !isGone && !isLowest) throw new NeedsLayersBelow()
    yield {...entry, means: own === undefined ? {kind: 'later', target: entry.target} : {kind: 'own', path: own}}
  }
  // A layout cannot say 'delete this folder, then make it anew': its content below goes name by name.
  if (deleted.some((path) => names.find(path)?.kind === 'directory')) throw new NeedsLayersBelow()
}

/** What is counted are the bytes as they are stored: of these, all know how many there are. */
function countedBytes(stored: StoredLayer, onRead: (bytes: number) => void): StoredLayer {
  return {
    ...stored,
    async *open(options) {
      for await (const chunk of stored.open(options)) {
        onRead(chunk.byteLength)
        yield chunk
      }
    },
  }
}
