import {UsageError} from '../model/errors.js'
import type {WorkOptions} from '../model/events.js'
import type {Image, Layer} from '../model/image.js'
import {findHive} from '../model/layer-path.js'
import {layerHistory, type HistoryItem, type ImageConfig} from './image-config.js'

/** Which of an image's lowest layers are the operating system, and on which evidence. */
export interface OsLayers {
  readonly count: number
  readonly evidence: readonly string[]
}

/** History that Microsoft's tools write for the OS layer and for the servicing layer right above it. */
const OS_HISTORY = /^Apply image /i
const SERVICING_HISTORY = /^Install update /i

const SYSTEM_HIVE = 'files/windows/system32/config/system'

/**
 * Reads the entries of a layer until they tell what it is: a whole OS (a system hive among the files, base hives, a
 * utility VM) or changes to one (delta hives). A layer that tells nothing is a delta: an OS always has a system hive.
 */
async function findBaseEvidence(layer: Layer, options: WorkOptions): Promise<string | undefined> {
  for await (const entry of layer.entries(options)) {
    if (entry.kind === 'frame') continue
    if (entry.kind === 'tombstone' || entry.kind === 'opaque') return undefined
    const form = findHive(entry.path)?.form
    if (form === 'delta') return undefined
    if (form === 'base') return `holds the base hive ${entry.path}`
    if (entry.kind === 'file' && entry.path.toLowerCase() === SYSTEM_HIVE) return `holds the whole hive ${entry.path}`
  }
  return undefined
}

function requireCount(image: Image, count: number): void {
  if (Number.isInteger(count) && count >= 0 && count <= image.layers.length) return
  throw new UsageError('BAD_OPTION', {
    what: `--os-layers ${count} is out of range.`,
    why: `The image has ${image.layers.length} layers.`,
  })
}

/**
 * Finds the boundary between the operating system and what was built on it. `given` overrides the evidence.
 * Source: design, section 4; layer shapes: transport layout page, 1.1 and 4.4.
 */
export async function findOsLayers(
  image: Image,
  config: ImageConfig | undefined,
  given: number | undefined,
  options: WorkOptions,
): Promise<OsLayers> {
  if (given !== undefined) {
    requireCount(image, given)
    return {count: given, evidence: ['given by --os-layers']}
  }
  if (image.namedBase !== undefined) {
    return {count: 0, evidence: [`the image names its base, ${image.namedBase.name}, and does not hold it`]}
  }
  const [lowest] = image.layers
  if (lowest === undefined) return {count: 0, evidence: ['the image has no layers']}
  const history = config === undefined ? undefined : layerHistory(config, image.layers.length)
  const evidence = await lowestLayerEvidence(lowest, history?.[0], options)
  if (evidence === undefined) return {count: 0, evidence: ['layer 0 holds no whole operating system']}
  return withServicing(image, history, [`layer 0 ${evidence}`])
}

async function lowestLayerEvidence(
  layer: Layer,
  history: HistoryItem | undefined,
  options: WorkOptions,
): Promise<string | undefined> {
  const says = history?.created_by ?? ''
  if (layer.form === 'base') return 'is stored as a base layer'
  if (OS_HISTORY.test(says)) return `was made by '${says.slice(0, 60)}'`
  if (!layer.hasContent) return 'is only named, as OS layers are that must not be redistributed'
  return findBaseEvidence(layer, options)
}

/** Servicing layers sit right above the OS layer and belong to it; so does what was left out together with it. */
function withServicing({layers}: Image, history: readonly HistoryItem[] | undefined, evidence: string[]): OsLayers {
  let count = 1
  for (; count < layers.length; count++) {
    const says = history?.[count]?.created_by ?? ''
    const isLeftOut = layers.slice(0, count + 1).every((layer) => !layer.hasContent)
    if (SERVICING_HISTORY.test(says)) evidence.push(`layer ${count} was made by '${says.slice(0, 60)}'`)
    else if (isLeftOut) evidence.push(`layer ${count} is only named, as the one below it is`)
    else break
  }
  return {count, evidence}
}
