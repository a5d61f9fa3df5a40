import {Digester, type Digest} from '../../model/digest.js'
import {TransshipError} from '../../model/errors.js'
import {withoutEvents, type WorkOptions} from '../../model/events.js'
import type {LayerEntry} from '../../model/layer-entry.js'
import {rebuiltTar} from '../layer-blob/rebuilt-tar.js'
import {readEntries, recipeOf} from './package-entries.js'
import type {StoredPackage} from './repository.js'

/**
 * Reads the payload of a package to its end, as converting it back would, and gives the digest of the layer tar that it
 * makes. `through` sees each entry. Throws what reading the payload throws.
 */
export async function rebuildLayer(
  stored: StoredPackage,
  options: WorkOptions,
  through: (entries: AsyncIterable<LayerEntry>) => AsyncIterable<LayerEntry> = (entries) => entries,
): Promise<Digest> {
  const digester = new Digester()
  const entries = through(readEntries(stored, options))
  for await (const piece of rebuiltTar(entries, options)) {
    options.signal?.throwIfAborted()
    digester.update(piece)
  }
  return digester.digest()
}

/** What has been proven in this process of packages that stay as they are, by what they are known by. */
const PROVEN = new Map<string, boolean>()

export interface ProofOptions extends WorkOptions {
  /** The layer that the package was made of, which it has to give back also where it keeps no recipe. */
  readonly diffId?: Digest | undefined
  /** What a package that is not about to change is remembered by: many images share one base. */
  readonly key?: string
}

/**
 * True when the package as it is stored gives back the layer tar that it was made from, byte for byte: by its recipe, or
 * by writing its payload as any payload without a recipe is written. Undefined when there is no tar to give back.
 */
export async function givesBackLayer(
  stored: StoredPackage,
  {diffId: asked, key, ...options}: ProofOptions,
): Promise<boolean | undefined> {
  const recipe = recipeOf(stored)
  const diffId = recipe?.diffId ?? asked
  if (diffId === undefined) return undefined
  const known =
    key === undefined ? undefined : `${key} ${stored.payload.Digest ?? ''} ${recipe?.digest ?? ''} ${diffId}`
  const remembered = known === undefined ? undefined : PROVEN.get(known)
  if (remembered !== undefined) return remembered
  const isGivenBack = await isRebuilt(stored, diffId, withoutEvents(options))
  if (known !== undefined) PROVEN.set(known, isGivenBack)
  return isGivenBack
}

/** True when the payload gives the tar of that digest; what cannot be read does not. */
export async function isRebuilt(stored: StoredPackage, diffId: Digest, options: WorkOptions): Promise<boolean> {
  try {
    return (await rebuildLayer(stored, options)) === diffId
  } catch (error) {
    // What cannot be read back is not given back; `verify` tells why.
    if (!(error instanceof TransshipError) || error.code === 'INTERRUPTED') throw error
    return false
  }
}
