import {createHash} from 'node:crypto'
import {lstatSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync} from 'node:fs'
import {createRequire} from 'node:module'
import {homedir} from 'node:os'
import path from 'node:path'
import {IS_EXECUTABLE, readOwnBytes, readOwnFile} from '../model/own-files.js'

export type Koffi = typeof import('koffi')

/** Lists what the single executable carries of koffi, by path below its folder. Absent where it carries none. */
const FILE_LIST = 'koffi/files.json'
const ENTRY = 'src/koffi/indirect.cjs'
/** Of a folder: only its owner renames a file in it. Source: POSIX.1-2017 sys/stat.h S_ISVTX. */
const STICKY = 0o1000

let loaded: Koffi | undefined

/**
 * The optional package koffi, which calls the C functions of the system; takes some 20 ms at first. Throws whatever
 * stands in the way: the package is not installed, or the single executable cannot unpack its copy.
 */
export function loadKoffi(): Koffi {
  loaded ??= IS_EXECUTABLE ? loadUnpacked() : (createRequire(import.meta.url)('koffi') as Koffi)
  return loaded
}

/** Systems load native code from files alone, so the executable puts its copy into the user's cache. */
function loadUnpacked(): Koffi {
  const names = JSON.parse(readOwnFile(FILE_LIST)) as readonly string[]
  const files = names.map((name) => ({name, bytes: readOwnBytes(`koffi/${name}`)}))
  const hash = createHash('sha256')
  for (const {name, bytes} of files) hash.update(`${name}\0${bytes.length}\0`).update(bytes)
  const cache = cacheFolder()
  const folder = path.join(cache, hash.digest('hex').slice(0, 16))
  for (const {name, bytes} of files) keepFile(cache, path.join(folder, name), bytes)
  const entry = path.join(folder, ENTRY)
  return createRequire(entry)(entry) as Koffi
}

function cacheFolder(): string {
  const {XDG_CACHE_HOME, LOCALAPPDATA} = process.env
  // In this order oclif finds its cache as well.
  const stated = [XDG_CACHE_HOME, process.platform === 'win32' ? LOCALAPPDATA : undefined]
  const base = stated.find((folder) => folder !== undefined && path.isAbsolute(folder))
  // Apart from oclif's cache, which may be open to the group.
  return path.join(base ?? path.join(homedir(), '.cache'), 'transship-koffi')
}

/** Leaves exactly these bytes there: what another run began to write, or another user planted, must not be loaded. */
function keepFile(cache: string, file: string, bytes: Buffer): void {
  mkdirSync(path.dirname(file), {recursive: true, mode: 0o700})
  for (let at = path.dirname(file); at.length >= cache.length; at = path.dirname(at)) requireOwn(at)
  requireSafe(path.dirname(cache))
  if (holds(file, bytes)) return
  const temporary = `${file}.${process.pid}`
  rmSync(temporary, {force: true})
  try {
    writeFileSync(temporary, bytes, {flag: 'wx', mode: 0o600})
    renameSync(temporary, file)
  } catch (error) {
    rmSync(temporary, {force: true})
    // Windows does not replace a file that another run has loaded; that run may just have put it there.
    if (!holds(file, bytes)) throw error
  }
}

function holds(file: string, bytes: Buffer): boolean {
  try {
    return lstatSync(file).isFile() && readFileSync(file).equals(bytes)
  } catch {
    return false
  }
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
