import type {ProveLayerInput} from '../formats/package/prove-task.js'
import {isRebuilt} from '../formats/package/rebuild-layer.js'
import type {TaskFunction} from '../workers/task.js'
import {openStored} from './open-stored.js'

/** The task `PROVE_LAYER`. */
export const proveLayer: TaskFunction<ProveLayerInput, boolean> = async (
  {place, diffId, isFromTar, limits},
  {signal},
) => {
  const stored = await openStored(place)
  try {
    return {output: await isRebuilt(stored, diffId, {...limits, isFromTar, signal})}
  } finally {
    stored.close?.()
  }
}
