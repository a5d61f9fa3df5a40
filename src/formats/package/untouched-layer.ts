import type {WorkOptions} from '../../model/events.js'
import type {Layer} from '../../model/image.js'
import {formatFullName} from '../../model/package-identity.js'
import {dependencyError} from './dependency-error.js'
import {verifyIndex} from '../transport-layout/verify-layout.js'
import type {StoredPackage} from './repository.js'
import {openLayout, readIndex} from './package-entries.js'
import {layerOfPackage} from './stored-layer.js'

/**
 * The payload of a package as the layer below one that was made on it. A package on its own may have been edited by hand,
 * which is told; under a package that records its payload, it must be that payload, byte for byte: `DEPENDENCY_MISMATCH`
 * before the first entry.
 */
export function untouchedLayer(stored: StoredPackage): Layer {
  const layer = layerOfPackage(stored)
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
  const {payload, metadata} = stored
  if (payload.Digest === undefined) return
  const changed = (why: string) => dependencyError(formatFullName(metadata.identity), {isMismatch: true, why})
  const index = readIndex(stored)
  if (index?.digest !== payload.Digest)
    throw changed(
      `The metadata gives the payload digest ${payload.Digest}, but the index is ${index?.digest ?? 'missing'}.`,
    )
  const layout = openLayout(stored, index, options)
  try {
    const [fault] = (await verifyIndex(layout, index, options)).faults
    if (fault !== undefined) throw changed(`${fault.subject}: ${fault.message}`)
  } finally {
    layout.close()
  }
}
