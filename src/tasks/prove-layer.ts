import {readFileSync} from 'node:fs'
import path from 'node:path'
import type {ProveLayerInput} from '../formats/package/prove-task.js'
import {isRebuilt} from '../formats/package/rebuild-layer.js'
import type {PackagePlaceOnDisk, StoredPackage} from '../formats/package/repository.js'
import {METADATA, storedIn} from '../formats/package/write-package.js'
import {readPackageFile} from '../transports/appx/read-package.js'
import type {TaskFunction} from '../workers/task.js'

/** The task `PROVE_LAYER`. */
export const proveLayer: TaskFunction<ProveLayerInput, boolean> = async ({place, diffId, limits}, {signal}) => {
  const stored = await open(place)
  try {
    return {output: await isRebuilt(stored, diffId, {...limits, signal})}
  } finally {
    stored.close?.()
  }
}

async function open({kind, path: place}: PackagePlaceOnDisk): Promise<StoredPackage> {
  return kind === 'file' ? readPackageFile(place) : storedIn(place, readFileSync(path.join(place, METADATA)))
}
