import {writeLonePayload, type LonePayload} from '../formats/package/lone-payload.js'
import type {WritePayloadInput, WritePayloadNews} from '../formats/package/write-task.js'
import {buffersOf} from '../model/layer-names.js'
import type {TaskFunction} from '../workers/task.js'

/** Told each time this much has been read: a message costs more than the counting. */
const TELL_EVERY_BYTES = 4 * 2 ** 20

/** The task `WRITE_PAYLOAD`. */
export const writePayload: TaskFunction<WritePayloadInput, LonePayload | undefined> = async (
  {limits, ...input},
  {signal, tell},
) => {
  const news = (message: WritePayloadNews) => {
    tell(message)
  }
  let readBytes = 0
  const flush = () => {
    news({readBytes})
    readBytes = 0
  }
  const output = await writeLonePayload(input, {
    ...limits,
    signal,
    onEvent: (event) => {
      news({event})
    },
    onRead: (bytes) => {
      readBytes += bytes
      if (readBytes >= TELL_EVERY_BYTES) flush()
    },
  })
  flush()
  return {output, transfer: output === undefined ? [] : buffersOf(output.names)}
}
