import type {Digest} from '../../model/digest.js'
import type {UnpackOptions} from '../../model/limits.js'
import {taskName} from '../../workers/task.js'
import type {PackagePlaceOnDisk} from './repository.js'

export interface ProveLayerInput {
  readonly place: PackagePlaceOnDisk
  /** What the payload has to give back. */
  readonly diffId: Digest
  /** See `RebuildOptions`. */
  readonly isFromTar: boolean
  readonly limits: UnpackOptions
}

/** Reads a package back and tells whether it gives the layer tar of that digest; see `isRebuilt`. */
export const PROVE_LAYER = taskName<ProveLayerInput, boolean>('prove-layer')
