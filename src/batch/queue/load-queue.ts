import {importOptional} from '../../model/optional-package.js'

const PURPOSE = 'A queue of batch items'

/** The side of a queue that puts items there and waits. Loaded on demand: it is slow to load, and bullmq is optional. */
export function loadFleet(): Promise<typeof import('./run-fleet.js')> {
  return importOptional(PURPOSE, () => import('./run-fleet.js'))
}

/** The side of a queue that converts items. Throws `TOOL_MISSING` without bullmq, as `loadFleet`. */
export function loadWorker(): Promise<typeof import('./run-worker.js')> {
  return importOptional(PURPOSE, () => import('./run-worker.js'))
}
