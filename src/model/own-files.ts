import {readFileSync} from 'node:fs'
import {getAsset, isSea} from 'node:sea'

/** True in the single executable, whose own files lie inside of it. */
export const IS_EXECUTABLE = isSea()

/**
 * A file of transship itself, by its path below `src`: `schemas/batch-plan.schema.json`, `report/page/style.css`. The
 * single executable carries the same files under the same names.
 */
export function readOwnFile(name: string): string {
  return readOwnBytes(name).toString('utf8')
}

/** The same, for files that are not text. */
export function readOwnBytes(name: string): Buffer {
  // Found by the package, not by this file: the command line carries this code in a file elsewhere.
  return IS_EXECUTABLE ? Buffer.from(getAsset(name)) : readFileSync(ownFileUrl(name))
}

/** Where such a file lies; the single executable has none on the disk. */
export function ownFileUrl(name: string): URL {
  return new URL(`dist/src/${name}`, packageRoot())
}

function packageRoot(): URL {
  return new URL('.', import.meta.resolve('transship/package.json'))
}
