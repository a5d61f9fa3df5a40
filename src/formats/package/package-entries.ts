import {decodeRecipe} from '../../codecs/recipe/recipe-file.js'
import type {RecipeRecord} from '../../codecs/recipe/recipe-records.js'
import {findDigest, type Digest} from '../../model/digest.js'
import {InputError} from '../../model/errors.js'
import type {WorkOptions} from '../../model/events.js'
import type {LayerEntry} from '../../model/layer-entry.js'
import {formatFullName} from '../../model/package-identity.js'
import type {PayloadIndex} from '../transport-layout/payload-index.js'
import {findIndex} from '../transport-layout/read-index.js'
import {TransportLayout} from '../transport-layout/read-layout.js'
import {replayLayout} from '../transport-layout/replay-layout.js'
import {streamFile} from '../transport-layout/layout-files.js'
import type {StoredPackage} from './repository.js'

/* The payload of a package as the entries of a layer. */

export const INDEX_NAME = 'payload-index.jsonl'

/** The digest of the layer that the package was made from, where its recipe is kept. */
export function recipeOf({docker}: StoredPackage): {diffId: Digest; file: string; digest?: Digest} | undefined {
  const [layer] = docker?.Layers ?? []
  const diffId = layer === undefined ? undefined : findDigest(layer.DiffID)
  if (layer?.Recipe === undefined || diffId === undefined) return undefined
  const digest = layer.RecipeDigest === undefined ? undefined : findDigest(layer.RecipeDigest)
  return {diffId, file: layer.Recipe, ...(digest === undefined ? {} : {digest})}
}

export function readIndex({files, entryName}: StoredPackage): PayloadIndex | undefined {
  return findIndex(files, INDEX_NAME, `${entryName}/${INDEX_NAME}`)
}

export function openLayout(
  stored: StoredPackage,
  index: PayloadIndex | undefined,
  options: WorkOptions,
): TransportLayout {
  return new TransportLayout(stored.files, {
    ...options,
    title: stored.entryName,
    form: stored.payload.Kind === 'base' ? 'base' : 'delta',
    isPlain: stored.payload.Layout === 'plain-1',
    ...(index === undefined ? {} : {index}),
  })
}

export function readRecipe(stored: StoredPackage, file: string): AsyncIterable<RecipeRecord> {
  return decodeRecipe(streamFile(stored.files, file, `${stored.entryName}/${file}`))
}

/**
 * The entries of the payload; with its recipe, those that give back the tar that it was made of. What the package keeps
 * open for that is let go of at their end.
 */
export async function* readEntries(stored: StoredPackage, options: WorkOptions): AsyncGenerator<LayerEntry> {
  if (stored.payload.Kind === 'none') {
    throw new InputError('LAYER_MISSING', {
      what: `The package ${formatFullName(stored.metadata.identity)} is a stub without a payload.`,
      suggestions: ['Pass --base REFERENCE with the package or image that contains it.'],
    })
  }
  try {
    const index = readIndex(stored)
    const layout = openLayout(stored, index, options)
    const recipe = recipeOf(stored)
    if (recipe === undefined) {
      yield* layout.entries()
      return
    }
    yield* replayLayout(layout, {
      ...options,
      title: stored.entryName,
      ...(index === undefined ? {} : {index}),
      records: () => readRecipe(stored, recipe.file),
    })
  } finally {
    stored.close?.()
  }
}
