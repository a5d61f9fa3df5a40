import {createHash} from 'node:crypto'
import {lstatSync, readFileSync, renameSync, rmSync, writeFileSync} from 'node:fs'
import {createRequire} from 'node:module'
import path from 'node:path'
import {IS_EXECUTABLE, readOwnBytes, readOwnFile} from '../model/own-files.js'
import {makeOwnFolder, ownCacheFolder} from './own-cache.js'

export type Koffi = typeof import('koffi')

/** Lists what the single executable carries of koffi, by path below its folder. Absent where it carries none. */
const FILE_LIST = 'koffi/files.json'
const ENTRY = 'src/koffi/indirect.cjs'

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
  const cache = ownCacheFolder('transship-koffi')
  const folder = path.join(cache, hash.digest('hex').slice(0, 16))
  for (const {name, bytes} of files) keepFile(cache, path.join(folder, name), bytes)
  const entry = path.join(folder, ENTRY)
  return createRequire(entry)(entry) as Koffi
}

/** Leaves exactly these bytes there: what another run began to write, or another user planted, must not be loaded. */
function keepFile(cache: string, file: string, bytes: Buffer): void {
  makeOwnFolder(path.dirname(file), cache)
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
