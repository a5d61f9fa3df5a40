import {lstatSync, mkdirSync, statSync} from 'node:fs'
import {homedir} from 'node:os'
import path from 'node:path'

/** Of a folder: only its owner renames a file in it. Source: POSIX.1-2017 sys/stat.h S_ISVTX. */
const STICKY = 0o1000

/**
 * Where this user keeps what can be made again: a folder of that name in XDG_CACHE_HOME, on Windows in %LocalAppData%,
 * else in ~/.cache.
 */
export function ownCacheFolder(name: string): string {
  const {XDG_CACHE_HOME, LOCALAPPDATA} = process.env
  // In this order oclif finds its cache as well.
  const stated = [XDG_CACHE_HOME, process.platform === 'win32' ? LOCALAPPDATA : undefined]
  const base = stated.find((folder) => folder !== undefined && path.isAbsolute(folder))
  // Apart from oclif's cache, which may be open to the group.
  return path.join(base ?? path.join(homedir(), '.cache'), name)
}

/**
 * Makes a folder for code: the cache itself, or one in it. Throws where it cannot be made, and where another user could
 * put code of theirs into it.
 */
export function makeOwnFolder(folder: string, cache = folder): void {
  mkdirSync(folder, {recursive: true, mode: 0o700})
  for (let at = folder; at.length >= cache.length; at = path.dirname(at)) requireOwn(at)
  requireSafe(path.dirname(cache))
}

/** What holds the cache may be shared, as long as nobody else can put another folder in the place of ours. */
function requireSafe(folder: string): void {
  const {uid, mode} = statSync(folder)
  if (process.geteuid === undefined) return
  // Where each user has a group of their own, folders are open to it.
  const isShared = (mode & 0o002) !== 0 && (mode & STICKY) === 0
  if ((uid !== process.geteuid() && uid !== 0) || isShared) {
    throw new Error(`${folder} belongs to another user, or others may rename what is in it`)
  }
}

/** A folder that others may write to would let them swap the code between the check and the load. */
function requireOwn(folder: string): void {
  const stats = lstatSync(folder)
  if (!stats.isDirectory()) throw new Error(`${folder} is not a folder`)
  if (process.geteuid === undefined) return
  if (stats.uid !== process.geteuid() || (stats.mode & 0o022) !== 0) {
    throw new Error(`${folder} belongs to another user, or others may write to it`)
  }
}
