import type {WorkOptions} from '../../model/events.js'
import type {Layer} from '../../model/image.js'
import {formatFullName} from '../../model/package-identity.js'
import {dependencyError} from './dependency-error.js'
import {findPayloadChange} from './payload-change.js'
import type {StoredPackage} from './repository.js'
import {layerOfPackage} from './stored-layer.js'

/**
 * The payload of a package as the layer below one that was made on it. A package on its own may have been edited by hand,
 * which is told; under a package that records its payload, it must be that payload, byte for byte: `DEPENDENCY_MISMATCH`
 * before the first entry.
 */
export function untouchedLayer(stored: StoredPackage): Layer {
  // What is refused otherwise need not be looked for once more.
  const {findChange: _, ...layer} = layerOfPackage(stored)
  let isUntouched = false
  return {
    ...layer,
    async *entries(options = {}) {
      // Layers are read several times by some conversions; what was sound a moment ago need not be hashed again.
      if (!isUntouched) await requireUntouched(stored, options)
      isUntouched = true
      yield* layer.entries(options)
    },
  }
}

async function requireUntouched(stored: StoredPackage, options: WorkOptions): Promise<void> {
  const why = await findPayloadChange(stored, options)
  if (why !== undefined) throw dependencyError(formatFullName(stored.metadata.identity), {isMismatch: true, why})
}
