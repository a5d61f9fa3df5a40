import {Digester, type Digest} from '../../model/digest.js'
import {TransshipError} from '../../model/errors.js'
import type {WorkOptions} from '../../model/events.js'
import type {LayerEntry} from '../../model/layer-entry.js'
import {rebuiltTar} from '../layer-blob/rebuilt-tar.js'
import {readEntries} from './package-entries.js'
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
