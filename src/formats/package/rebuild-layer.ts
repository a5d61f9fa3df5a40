import {encodeLayerTar} from '../../codecs/layer-tar/encode-layer-tar.js'
import {Digester, type Digest} from '../../model/digest.js'
import {TransshipError} from '../../model/errors.js'
import type {WorkOptions} from '../../model/events.js'
import type {LayerEntry} from '../../model/layer-entry.js'
import {rebuiltTar} from '../layer-blob/rebuilt-tar.js'
import {readEntries} from './package-entries.js'
import type {StoredPackage} from './repository.js'

export interface RebuildOptions extends WorkOptions {
  /** Sees each entry. */
  readonly through?: (entries: AsyncIterable<LayerEntry>) => AsyncIterable<LayerEntry>
  /**
   * The package was written in this run, from a tar that was decoded: a tar of the same digest is that one, and says what
   * the payload says. Any other recipe is somebody's word, and its tar is decoded again.
   */
  readonly isFromTar?: boolean
}

/**
 * Reads the payload of a package to its end, as converting it back would, and gives the digest of the layer tar that it
 * makes. Throws what reading the payload throws.
 */
export async function rebuildLayer(
  stored: StoredPackage,
  {through = (entries) => entries, isFromTar = false, ...options}: RebuildOptions,
): Promise<Digest> {
  const digester = new Digester()
  const entries = through(readEntries(stored, options))
  const tar = isFromTar ? encodeLayerTar(entries, {...options, keepFrames: true}) : rebuiltTar(entries, options)
  for await (const piece of tar) {
    options.signal?.throwIfAborted()
    digester.update(piece)
  }
  return digester.digest()
}

/** True when the payload gives the tar of that digest; what cannot be read does not. */
export async function isRebuilt(
  stored: StoredPackage,
  diffId: Digest,
  options: WorkOptions & Pick<RebuildOptions, 'isFromTar'>,
): Promise<boolean> {
  try {
    return (await rebuildLayer(stored, options)) === diffId
  } catch (error) {
    // What cannot be read back is not given back; `verify` tells why.
    if (!(error instanceof TransshipError) || error.code === 'INTERRUPTED') throw error
    return false
  }
}
