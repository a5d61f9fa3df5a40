import type {VerifyIndexInput, VerifyIndexOutput} from '../formats/package/index-task.js'
import {openLayout, readIndex} from '../formats/package/package-entries.js'
import {verifyIndex} from '../formats/transport-layout/verify-layout.js'
import type {TaskFunction} from '../workers/task.js'
import {openStored} from './open-stored.js'

/** The task `VERIFY_INDEX`. */
export const verifyIndexTask: TaskFunction<VerifyIndexInput, VerifyIndexOutput> = async ({place, limits}, {signal}) => {
  const stored = await openStored(place)
  try {
    const options = {...limits, signal}
    const index = readIndex(stored)
    if (index === undefined) return {output: {faults: [], bytes: 0}}
    return {output: await verifyIndex(openLayout(stored, index, options), index, options)}
  } finally {
    stored.close?.()
  }
}
