import type {WorkEvent, WorkOptions} from '../../../model/events.js'
import type {Layer} from '../../../model/image.js'
import type {LayerEntry} from '../../../model/layer-entry.js'
import {formatFullName} from '../../../model/package-identity.js'
import {dependencyError} from '../dependency-error.js'
import {verifyIndex} from '../transport-layout/verify-layout.js'
import type {StoredPackage} from './repository.js'
import {layerOfPackage, openLayout, readIndex, recipeOf} from './stored-layer.js'

/**
 * The payload of a package as the layer below one that was made on it. A package on its own may have been edited by hand,
 * which is told; under a package that records its payload, it must be that payload: `DEPENDENCY_MISMATCH`, at the latest by
 * the end of the iteration.
 */
export function untouchedLayer(stored: StoredPackage): Layer {
  const layer = layerOfPackage(stored)
  return {...layer, entries: (options = {}) => entriesOf(stored, layer, options)}
}

async function* entriesOf(stored: StoredPackage, layer: Layer, options: WorkOptions): AsyncGenerator<LayerEntry> {
  const {payload, metadata} = stored
  const changed = (why: string) => dependencyError(formatFullName(metadata.identity), {isMismatch: true, why})
  const index = payload.Digest === undefined ? undefined : readIndex(stored)
  if (payload.Digest !== undefined && index?.digest !== payload.Digest)
    throw changed(`Its metadata state the payload ${payload.Digest}, and its index is ${index?.digest ?? 'missing'}.`)
  // What a recipe rebuilds, it checks by the way; without one each file is compared first.
  if (recipeOf(stored) === undefined && index !== undefined) {
    const layout = openLayout(stored, index, options)
    try {
      const [fault] = verifyIndex(layout, index, options).faults
      if (fault !== undefined) throw changed(`${fault.subject}: ${fault.message}`)
    } finally {
      layout.close()
    }
  }
  let stale: string | undefined
  const onEvent = (event: WorkEvent) => {
    if (event.kind === 'note' && event.code === 'recipe-stale') stale ??= event.message
    options.onEvent?.(event)
  }
  yield* layer.entries({...options, onEvent})
  if (stale !== undefined) throw changed(stale)
}
