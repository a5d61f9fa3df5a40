import type {WorkOptions} from '../../model/events.js'
import type {PayloadChange} from '../../model/image.js'
import {payloadPart} from '../../model/layer-path.js'
import {describeEdits, EditList, type PayloadEdits} from '../../model/payload-edits.js'
import type {PayloadIndex} from '../transport-layout/payload-index.js'
import {areSameTimes, type TransportLayout} from '../transport-layout/read-layout.js'
import {compareWithRecipe} from '../transport-layout/replay-layout.js'
import {findUnusualLine} from '../transport-layout/unusual-index.js'
import {verifyIndex, type IndexVerdict} from '../transport-layout/verify-layout.js'
import type {StoredPackage} from './repository.js'
import {INDEX_NAME, openLayout, readIndex, readRecipe, recipeOf} from './package-entries.js'

/**
 * Which files of a payload are not what they were when the package was made: its index knows their bytes, and its recipe
 * their names and metadata, also where the index was made anew. Reads every file.
 */
export async function findEdits(stored: StoredPackage, options: WorkOptions): Promise<PayloadEdits> {
  const list = new EditList()
  const index = stored.payload.Kind === 'none' ? undefined : readIndex(stored)
  list.addAll(findIndexEdit(stored, index))
  if (index !== undefined) list.addAll((await verifyLayout(stored, index, options)).edits)
  list.addAll(await findRecipeEdits(stored, options))
  return list.edits
}

/** The index itself, where it is not the one that the metadata state: times, and attributes of a plain tree, are in it. */
export function findIndexEdit({payload}: StoredPackage, index: PayloadIndex | undefined): PayloadEdits {
  const list = new EditList()
  const isStated = payload.Kind !== 'none' && payload.Digest !== undefined
  if (isStated && index?.digest !== payload.Digest) list.add(INDEX_NAME, index === undefined ? 'removed' : 'changed')
  return list.edits
}

/** The same, as far as the recipe knows. Reads no content. */
export async function findRecipeEdits(stored: StoredPackage, options: WorkOptions): Promise<PayloadEdits> {
  const recipe = stored.payload.Kind === 'none' ? undefined : recipeOf(stored)
  if (recipe === undefined) return new EditList().edits
  const index = readIndex(stored)
  return compareWithRecipe(openLayout(stored, index, options), {
    ...options,
    title: stored.entryName,
    ...(index === undefined ? {} : {index}),
    records: () => readRecipe(stored, recipe.file),
  })
}

async function verifyLayout(stored: StoredPackage, index: PayloadIndex, options: WorkOptions): Promise<IndexVerdict> {
  const layout = openLayout(stored, index, options)
  try {
    return await verifyIndex(layout, index, options)
  } finally {
    layout.close()
  }
}

/** Why the payload is not the one that its package states; undefined when it is. Reads every file of it. */
export async function findPayloadChange(
  stored: StoredPackage,
  options: WorkOptions,
): Promise<PayloadChange | undefined> {
  const {payload} = stored
  if (payload.Digest === undefined) return undefined
  const index = readIndex(stored)
  if (index?.digest !== payload.Digest)
    return {
      why: `The metadata gives the payload digest ${payload.Digest}, but the index is ${index?.digest ?? 'missing'}.`,
      edits: findIndexEdit(stored, index),
    }
  const {edits} = await verifyLayout(stored, index, options)
  return edits.total === 0 ? undefined : {why: `Edited: ${describeEdits(edits)}.`, edits}
}

/**
 * The same, or why the payload cannot come back under its digest: its index is written in another way than ours, or tells
 * times of a top folder that a layer has no room for.
 */
export async function findPayloadDifference(
  stored: StoredPackage,
  options: WorkOptions,
): Promise<PayloadChange | undefined> {
  const index = readIndex(stored)
  const line = index?.findForeignLine()
  if (line !== undefined) return {why: `Line ${line} of payload-index.jsonl is not written as transship writes it.`}
  const why = index === undefined ? undefined : findUnkept(stored, index, options)
  return why === undefined ? findPayloadChange(stored, options) : {why}
}

/** What a layer has no room for, of that which the index tells. */
function findUnkept(stored: StoredPackage, index: PayloadIndex, options: WorkOptions): string | undefined {
  const layout = openLayout(stored, index, options)
  try {
    const unusual = findUnusualLine(layout, index, {...options, isPlain: stored.payload.Layout === 'plain-1'})
    if (unusual !== undefined)
      return `What payload-index.jsonl tells of ${unusual} is more or less than transship would write.`
    const folder = findRetimedFolder(layout, index)
    return folder === undefined
      ? undefined
      : `A layer cannot hold the times that payload-index.jsonl tells of the folder ${folder}.`
  } finally {
    layout.close()
  }
}

/** A top folder has no carrier, and a layer gives it the times of the System hive, or its write time for all. */
function findRetimedFolder(layout: TransportLayout, index: PayloadIndex): string | undefined {
  for (const node of layout.scanned.nodes) {
    if (node.path.includes('/') || payloadPart(node.path) === 'utility-vm') continue
    const times = index.get(node.path)?.times
    const entry = layout.entry(node)
    if (times === undefined || entry.kind !== 'directory') continue
    if (!areSameTimes(times, entry.meta.times)) return node.path
  }
  return undefined
}
