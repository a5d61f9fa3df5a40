import type {Fault} from '../../model/transport.js'
import type {UnpackOptions} from '../../model/limits.js'
import {taskName} from '../../workers/task.js'
import type {PackagePlaceOnDisk} from './repository.js'

export interface VerifyIndexInput {
  readonly place: PackagePlaceOnDisk
  readonly limits: UnpackOptions
}

export interface VerifyIndexOutput {
  readonly faults: readonly Fault[]
  readonly bytes: number
}

/** Checks each file of a package's payload against the index beside it; see `verifyIndex`. */
export const VERIFY_INDEX = taskName<VerifyIndexInput, VerifyIndexOutput>('verify-index')
