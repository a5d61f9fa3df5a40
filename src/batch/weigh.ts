import type {Layer} from '../model/image.js'
import type {WorkOptions} from '../model/events.js'
import {findReference, transportOf} from '../transports/catalog.js'
import {readSizeOf} from '../convert/metered.js'
import type {OpenOptions} from '../model/transport.js'
import {holdsMany, isLocal, placeKey, referenceIn} from './place.js'
import {roomOf} from './room.js'
import type {PlannedUnit} from './unit.js'
import {unitOpening, unitOptions, type UnitSurroundings} from './unit-options.js'

/** What a unit will read and need room for, as far as its source says before it is read. */
export interface Weight {
  /** To be read: of compressed layers as they are stored. */
  readonly bytes: number
  /** Layers by what makes them the same; bytes that each takes at the destination, about. */
  readonly layers: ReadonlyMap<string, number>
}

/**
 * Opens the source of a unit and adds up its layers; no layer is read. Undefined when the source is made by another
 * unit or does not say. Throws what opening throws: a source that cannot be opened fails before any work.
 */
export async function weighUnit(
  unit: PlannedUnit,
  {signal, ...surroundings}: WorkOptions & UnitSurroundings,
): Promise<Weight | undefined> {
  const reference = findReference(unit.source)
  if (reference === undefined || unit.before.length === 0) return undefined
  if (unit.listedLayers !== undefined) return {bytes: sumOf(unit.listedLayers), layers: unit.listedLayers}
  if (unit.options.all === true) return weighRows(unit)
  const {folder} = surroundings
  const {platform, acceptBaseMismatch, parents} = unitOptions(unit.options, surroundings)
  const options: OpenOptions = {
    ...(platform === undefined ? {} : {platform}),
    ...unitOpening(unit.options, surroundings),
    ...(acceptBaseMismatch === undefined ? {} : {acceptBaseMismatch}),
    ...(parents === undefined ? {} : {parents: parents.flatMap((text) => findReference(text) ?? [])}),
    ...(signal === undefined ? {} : {signal}),
  }
  const image = await transportOf(reference).open(referenceIn(folder, reference), options)
  try {
    const layers = new Map<string, number>()
    const stored = new Map<string, number>()
    const destination = findReference(unit.destination)
    const isHere = destination !== undefined && isLocal(destination)
    for (const [index, layer] of image.layers.entries()) {
      if (!layer.hasContent) continue
      const key = layerKey(layer, `${unit.id} ${index}`)
      stored.set(key, readSizeOf(layer) ?? 0)
      if (isHere) layers.set(key, await roomOf(layer, {...options, destination, options: unit.options}))
    }
    return {bytes: sumOf(stored), layers}
  } finally {
    await image.close()
  }
}

function weighRows({before, id}: PlannedUnit): Weight {
  const layers = new Map(before.map((row, index) => [`${id} ${index}`, row.sizeBytes ?? 0]))
  return {bytes: sumOf(layers), layers}
}

function sumOf(layers: ReadonlyMap<string, number>): number {
  return [...layers.values()].reduce((sum, bytes) => sum + bytes, 0)
}

function layerKey(layer: Layer, otherwise: string): string {
  return layer.diffId ?? layer.blob?.descriptor.digest ?? (layer.package === undefined ? otherwise : layer.title)
}

/** Bytes that units will add to each place, by a path in it: layers that a place holds once are counted once. */
export function bytesByPlace(
  weighed: readonly {readonly unit: PlannedUnit; readonly weight: Weight | undefined}[],
  folder: string,
): ReadonlyMap<string, number> {
  const seen = new Set<string>()
  const places = new Map<string, number>()
  for (const {unit, weight} of weighed) {
    const reference = findReference(unit.destination)
    // What goes to a registry or an engine needs no room here.
    if (reference === undefined || weight === undefined || !isLocal(reference)) continue
    const {path} = referenceIn(folder, reference)
    for (const [layer, bytes] of weight.layers) {
      const key = `${placeKey(folder, reference)}\n${layer}`
      if (holdsMany(reference) && seen.has(key)) continue
      seen.add(key)
      places.set(path, (places.get(path) ?? 0) + bytes)
    }
  }
  return places
}
