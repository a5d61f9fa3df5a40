import type {InputError} from '../../model/errors.js'
import type {WorkOptions} from '../../model/events.js'
import type {Layer} from '../../model/image.js'
import {formatFullName} from '../../model/package-identity.js'
import {dependencyError} from './dependency-error.js'
import {PayloadStamps} from '../transport-layout/payload-stamps.js'
import {verifyIndex} from '../transport-layout/verify-layout.js'
import type {StoredPackage} from './repository.js'
import {openLayout, readIndex} from './package-entries.js'
import {layerOfPackage} from './stored-layer.js'

/**
 * The payload of a package as the layer below one that was made on it. A package on its own may have been edited by hand,
 * which is told; under a package that records its payload, it must be that payload, byte for byte: `DEPENDENCY_MISMATCH`
 * before the first entry, and after the last one when a file has changed since it was checked.
 */
export function untouchedLayer(stored: StoredPackage): Layer {
  const layer = layerOfPackage(stored)
  /** Layers are read several times by some conversions; what was sound and has not changed need not be hashed again. */
  let checked: PayloadStamps | 'nothing to compare' | undefined
  return {
    ...layer,
    async *entries(options = {}) {
      checked ??= (await requireUntouched(stored, options)) ?? 'nothing to compare'
      yield* layer.entries(options)
      const changed = checked === 'nothing to compare' ? undefined : checked.findChanged()
      if (changed !== undefined) throw mismatch(stored, `${changed}: The file changed while transship was reading it.`)
    },
  }
}

function mismatch({metadata}: StoredPackage, why: string): InputError {
  return dependencyError(formatFullName(metadata.identity), {isMismatch: true, why})
}

/** Gives what the files looked like before they were compared. */
async function requireUntouched(stored: StoredPackage, options: WorkOptions): Promise<PayloadStamps | undefined> {
  const {payload} = stored
  if (payload.Digest === undefined) return undefined
  const index = readIndex(stored)
  if (index?.digest !== payload.Digest)
    throw mismatch(
      stored,
      `The metadata gives the payload digest ${payload.Digest}, but the index is ${index?.digest ?? 'missing'}.`,
    )
  const stamps = new PayloadStamps(stored.files, index)
  const layout = openLayout(stored, index, options)
  try {
    const [fault] = (await verifyIndex(layout, index, options)).faults
    if (fault !== undefined) throw mismatch(stored, `${fault.subject}: ${fault.message}`)
    return stamps
  } finally {
    layout.close()
  }
}
