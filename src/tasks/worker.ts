import {parentPort} from 'node:worker_threads'
import {packError} from '../workers/packed-error.js'
import type {TaskAnswer, TaskRequest} from '../workers/task.js'
import {findTask} from './tasks.js'

/* What a thread of `WorkerPool` runs: one task after the other, each answered. */

parentPort?.on('message', (request: TaskRequest) => void answer(request))

async function answer({id, name, input}: TaskRequest): Promise<void> {
  try {
    const work = await findTask(name)
    const {output, transfer = []} = await work(input)
    tell({id, output}, transfer)
  } catch (error) {
    tell({id, error: packError(error)}, [])
  }
}

function tell(message: TaskAnswer, transfer: readonly ArrayBuffer[]): void {
  parentPort?.postMessage(message, transfer)
}
