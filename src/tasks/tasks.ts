import {DECODE_CHUNKS} from '../codecs/wim/decode-task.js'
import {CHECK_LAYER} from '../formats/layer-blob/check-task.js'
import {VERIFY_INDEX} from '../formats/package/index-task.js'
import {PROVE_LAYER} from '../formats/package/prove-task.js'
import {WRITE_PAYLOAD} from '../formats/package/write-task.js'
import {InternalError} from '../model/errors.js'
import type {TaskFunction, TaskName} from '../workers/task.js'

/* Every task that a worker thread knows. A new one is one line here; its module is loaded with its first call. */

type Load = () => Promise<TaskFunction<unknown, unknown>>

const TASKS = new Map<string, Load>([
  task(CHECK_LAYER, async () => (await import('./check-layer.js')).checkLayerTask),
  task(DECODE_CHUNKS, async () => (await import('../codecs/wim/decode-task.js')).decodeChunks),
  task(PROVE_LAYER, async () => (await import('./prove-layer.js')).proveLayer),
  task(VERIFY_INDEX, async () => (await import('./verify-index.js')).verifyIndexTask),
  task(WRITE_PAYLOAD, async () => (await import('./write-payload.js')).writePayload),
])

function task<Input, Output>(
  {name}: TaskName<Input, Output>,
  load: () => Promise<TaskFunction<Input, Output>>,
): [string, Load] {
  return [name, load as Load]
}

/** The function of a task, by its name. */
export async function findTask(name: string): Promise<TaskFunction<unknown, unknown>> {
  const load = TASKS.get(name)
  if (load === undefined) throw new InternalError('INTERNAL', {what: `No worker knows the task '${name}'.`})
  return load()
}
