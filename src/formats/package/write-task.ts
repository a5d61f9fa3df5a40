import type {WorkEvent} from '../../model/events.js'
import type {UnpackOptions} from '../../model/limits.js'
import {taskName} from '../../workers/task.js'
import type {LonePayload, LonePayloadInput} from './lone-payload.js'

export interface WritePayloadInput extends LonePayloadInput {
  readonly limits: UnpackOptions
}

/** What the task tells on its way: what a reader is to hear, or how many bytes it has read. */
export type WritePayloadNews = {readonly event: WorkEvent} | {readonly readBytes: number}

/** Writes the payload of a layer that is read alone; see `writeLonePayload`. */
export const WRITE_PAYLOAD = taskName<WritePayloadInput, LonePayload | undefined>('write-payload')
