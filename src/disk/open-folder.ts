import {closeSync, constants, existsSync, fstatSync, lstatSync, openSync, type Stats} from 'node:fs'

const OPEN_FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW
/** Here what is open can be named by its handle, whatever becomes of its path meanwhile. Source: proc(5). */
export const HANDLES = '/proc/self/fd'

let hasHandles: boolean | undefined

/** True where a handle has a name of its own. */
export function canNameHandles(): boolean {
  hasHandles ??= process.platform === 'linux' && existsSync(HANDLES)
  return hasHandles
}

/**
 * Works inside a folder that is no link, by a path that leads to this very folder until the work is done, even if another
 * puts a link in its place meanwhile. Where handles have no names, it was looked at just before. Throws the system's errors:
 * `ENOTDIR` or `ELOOP` for what is no folder.
 */
export function insideFolder<T>(folder: string | Buffer, work: (at: string | Buffer, stats: Stats) => T): T {
  if (!canNameHandles()) {
    const stats = lstatSync(folder)
    if (!stats.isDirectory()) throw Object.assign(new Error(`'${folder.toString()}' is no folder.`), {code: 'ENOTDIR'})
    return work(folder, stats)
  }
  const fd = openSync(folder, OPEN_FOLDER)
  try {
    return work(`${HANDLES}/${fd}`, fstatSync(fd))
  } finally {
    closeSync(fd)
  }
}
