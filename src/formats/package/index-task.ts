import type {UnpackOptions} from '../../model/limits.js'
import {taskName} from '../../workers/task.js'
import type {IndexVerdict} from '../transport-layout/verify-layout.js'
import type {PackagePlaceOnDisk} from './repository.js'

export interface VerifyIndexInput {
  readonly place: PackagePlaceOnDisk
  readonly limits: UnpackOptions
}

/** Checks each file of a package's payload against the index beside it; see `verifyIndex`. */
export const VERIFY_INDEX = taskName<VerifyIndexInput, IndexVerdict>('verify-index')
