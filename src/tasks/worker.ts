import {parentPort} from 'node:worker_threads'
import {packError} from '../workers/packed-error.js'
import type {TaskAnswer, TaskRequest} from '../workers/task.js'
import {findTask} from './tasks.js'

/* What a thread of `WorkerPool` runs: one task after the other, each answered. */

/** Of the tasks that have come and are not answered, by id. */
const controllers = new Map<number, AbortController>()
let last: Promise<void> = Promise.resolve()

parentPort?.on('message', (request: TaskRequest) => {
  if ('isCancelled' in request) {
    controllers.get(request.id)?.abort()
    return
  }
  const controller = new AbortController()
  controllers.set(request.id, controller)
  last = last.then(() => answer(request, controller.signal))
})

async function answer({id, name, input}: Extract<TaskRequest, {name: string}>, signal: AbortSignal): Promise<void> {
  try {
    signal.throwIfAborted()
    const work = await findTask(name)
    const {output, transfer = []} = await work(input, {
      signal,
      tell: (told) => {
        tell({id, told}, [])
      },
    })
    tell({id, output}, transfer)
  } catch (error) {
    tell({id, error: packError(error)}, [])
  } finally {
    controllers.delete(id)
  }
}

function tell(message: TaskAnswer, transfer: readonly ArrayBuffer[]): void {
  parentPort?.postMessage(message, transfer)
}
