import type {InputError} from '../../model/errors.js'
import type {WorkOptions} from '../../model/events.js'
import type {Layer} from '../../model/image.js'
import {formatFullName} from '../../model/package-identity.js'
import {dependencyError} from './dependency-error.js'
import {PayloadStamps} from '../transport-layout/payload-stamps.js'
import {readIndex} from './package-entries.js'
import {findPayloadChange} from './payload-change.js'
import type {StoredPackage} from './repository.js'
import {layerOfPackage} from './stored-layer.js'

/**
 * The payload of a package as the layer below one that was made on it. A package on its own may have been edited by hand,
 * which is told; under a package that records its payload, it must be that payload, byte for byte: `DEPENDENCY_MISMATCH`
 * before the first entry, and after the last one when a file has changed since it was checked.
 */
export function untouchedLayer(stored: StoredPackage): Layer {
  // What is refused otherwise need not be looked for once more.
  const {findChange: _, findEdits: __, ...layer} = layerOfPackage(stored)
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
  const index = stored.payload.Digest === undefined ? undefined : readIndex(stored)
  const stamps = index === undefined ? undefined : new PayloadStamps(stored.files, index)
  const change = await findPayloadChange(stored, options)
  if (change !== undefined) throw mismatch(stored, change.why)
  return stamps
}
